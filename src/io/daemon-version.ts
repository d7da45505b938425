/** Which of two versions of calmcp is the newer one. */

/** @see https://semver.org/#spec-item-11 */
function parse(version: string): { readonly numbers: readonly number[]; readonly pre: readonly string[] } | undefined {
  const [, core, pre] = /^v?(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(version) ?? [];
  return core === undefined ? undefined : { numbers: core.split('.').map(Number), pre: pre?.split('.') ?? [] };
}

/** Of two identifiers of a prerelease: numbers by size and before words. */
function compareIdentifiers(one: string, other: string): number {
  const [isNumber, isOtherNumber] = [one, other].map((identifier) => /^\d+$/.test(identifier));
  if (isNumber && isOtherNumber) return Number(one) - Number(other);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Whether `one` comes after `other` (Semantic Versioning 2.0.0). What is no version is neither newer nor older than anything. */
export function isNewer(one: string, other: string): boolean {
  const [left, right] = [parse(one), parse(other)];
  if (left === undefined || right === undefined) return false;
  for (const [index, number] of left.numbers.entries()) {
    const difference = number - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  // A release comes after its prereleases.
  if (left.pre.length === 0 || right.pre.length === 0) return left.pre.length === 0 && right.pre.length > 0;
  for (const [index, identifier] of left.pre.entries()) {
    const against = right.pre[index];
    if (against === undefined) return true;
    const difference = compareIdentifiers(identifier, against);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
