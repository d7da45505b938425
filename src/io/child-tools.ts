/** Which of a child server's tools are used: those that calmcp knows, as long as they are as it knows them. */
import { createHash } from 'node:crypto';
import type { ChildTool } from '../core/child.ts';

/** What a tool is said to be: of `tools/list`. */
export interface ListedTool {
  readonly name: string;
  readonly inputSchema: unknown;
}

/** Words for people and models: they may change, and nobody here reads them. */
const WORDS = new Set(['description', 'title', 'examples', 'default', '$comment']);

/** The same in whatever order it was written, without {@link WORDS}. @param isNames of `properties`, whose keys are no words */
function essence(value: unknown, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((each) => essence(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => isNames || !WORDS.has(key))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, essence(each, key === 'properties' && !isNames)]),
  );
}

/**
 * What calmcp relies on in a tool, in 16 hexadecimal digits: the schema of the inputs that it sends, and what must be sent.
 * A tool that asks for more, or takes something else, has another one.
 */
export function fingerprintOf(inputSchema: unknown, inputs: readonly string[]): string {
  const { properties = {}, required = [] } = (inputSchema ?? {}) as {
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly required?: readonly string[];
  };
  const relied = [...inputs].sort().map((name) => [name, essence(properties[name]) ?? null]);
  const text = JSON.stringify([relied, [...required].sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export interface CheckedTools {
  readonly usable: ReadonlySet<string>;
  /** By name, why it is not used. */
  readonly withheld: ReadonlyMap<string, string>;
}

export function checkTools(listed: readonly ListedTool[], expected: readonly ChildTool[]): CheckedTools {
  const usable = new Set<string>();
  const withheld = new Map<string, string>();
  for (const { name, inputs, fingerprints } of expected) {
    const own = listed.filter((tool) => tool.name === name);
    if (own.length === 0) withheld.set(name, 'it does not have it');
    else if (own.length > 1) withheld.set(name, 'it has it more than once');
    else if (!fingerprints.includes(fingerprintOf(own[0]?.inputSchema, inputs)))
      withheld.set(name, 'it is not as it was when calmcp was tried out with it');
    else usable.add(name);
  }
  return { usable, withheld };
}
