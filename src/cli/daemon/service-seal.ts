/** How a file that `daemon install` wrote is told from one that somebody changed, or wrote themselves. */
import { createHash } from 'node:crypto';

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Whose accounts a service answers from. */
export const ownerOf = (configFile: string, stateFolder: string): string =>
  hashOf(JSON.stringify([configFile, stateFolder]));

const SEAL = /\bcalmcp-service ([\da-f]{16}) ([\da-f]{16})\b/;

/** @param textWith the text around a mark, in which the mark is once */
export function sealed(textWith: (mark: string) => string, owner: string): string {
  const mark = `calmcp-service ${owner}`;
  return textWith(`${mark} ${hashOf(textWith(mark))}`);
}

/** The owner of a text that is as it was sealed. */
export function ownerOfSealed(text: string): string | undefined {
  const [whole, owner, hash] = SEAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return hashOf(text.replace(whole, () => `calmcp-service ${owner}`)) === hash ? owner : undefined;
}
