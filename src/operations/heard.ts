/**
 * What has been read out in one session, so that words of one client's events do not end up in the calendar of another one. The
 * asker may be a program that does what a text tells it.
 */
import { createHash } from 'node:crypto';
import { foldText } from '../core/search.ts';
import { neutralize } from '../core/text.ts';

/** Words in a row by which a longer text is known again. */
const RUN = 6;
/** Of a title: of its few words, a few tell. */
const SHORT_RUN = 3;
/** Words of what is a title rather than a text. */
const TITLE_WORDS = 12;
/** One short word is everybody's. */
const SHORTEST_WORD = 8;
/** Characters of one text: what nobody was shown need not be known again. */
const LONGEST = 4_000;
/** More than anybody reads in one session; what was heard first is forgotten first. */
const MOST = 100_000;
/** As long as there are fewer, nothing is forgotten for long yet: a text that was noted need not be noted again. */
const HALF = MOST / 2;
/** Titles and places, which every answer says again, are known again as a whole: so many characters, and so many of them. */
const SHORT = 200;
const MOST_NOTED = 5_000;

/** By its hash, something that was heard: and from which accounts. */
export type HeardEntry = readonly [key: string, accounts: readonly string[]];

export interface Heard {
  /** @param accounts all whose events say it */
  note(text: string | null | undefined, accounts: readonly string[]): void;
  /** For each stretch of words in `text` that was heard: the accounts that it was heard from. */
  sourcesOf(text: string): readonly (readonly string[])[];
  /** What came to be known since the last time that this was asked. */
  takeNew(): readonly HeardEntry[];
}

const wordsOf = (text: string): string[] =>
  foldText(text)
    .split(/[^\p{L}\p{N}@]+/u)
    .filter((word) => word !== '');

const keyOf = (words: readonly string[]): string =>
  createHash('sha256').update(words.join(' ')).digest('base64url').slice(0, 16);

function runsOf(words: readonly string[], length: number): string[][] {
  return Array.from({ length: Math.max(0, words.length - length + 1) }, (_, at) => words.slice(at, at + length));
}

/** @param before what was heard in the same session, from a server that is gone */
export function createHeard(before: readonly HeardEntry[] = []): Heard {
  const known = new Map<string, Set<string>>(before.map(([key, accounts]) => [key, new Set(accounts)]));
  let fresh = new Set<string>();
  /** Short texts that were noted, with their accounts. */
  const noted = new Set<string>();

  function isNoted(text: string, accounts: readonly string[]): boolean {
    if (known.size >= HALF || text.length > SHORT) return false;
    const whole = JSON.stringify([text, ...accounts]);
    if (noted.has(whole)) return true;
    if (noted.size >= MOST_NOTED) noted.clear();
    noted.add(whole);
    return false;
  }

  function add(words: readonly string[], accounts: readonly string[]): void {
    const key = keyOf(words);
    const before = known.get(key);
    if (!accounts.every((account) => before?.has(account))) fresh.add(key);
    known.delete(key);
    known.set(key, new Set([...(before ?? []), ...accounts]));
    if (known.size > MOST) known.delete(known.keys().next().value ?? '');
  }

  return {
    note(text, accounts) {
      if (text === null || text === undefined || accounts.length === 0 || isNoted(text, accounts)) return;
      // As it is shown: what nobody sees takes no room.
      const words = wordsOf(neutralize(text).slice(0, LONGEST));
      const isTitle = words.length <= TITLE_WORDS;
      for (const run of runsOf(words, isTitle ? SHORT_RUN : RUN)) add(run, accounts);
      if (!isTitle || words.length === 0) return;
      add(words, accounts);
      // The same written as one word.
      add([words.join('')], accounts);
    },
    sourcesOf(text) {
      const words = wordsOf(text);
      const isTelling = (run: readonly string[]): boolean => run.length > 1 || (run[0]?.length ?? 0) >= SHORTEST_WORD;
      const runs = Array.from({ length: TITLE_WORDS }, (_, index) => runsOf(words, index + 1)).flat();
      return runs.filter(isTelling).flatMap((run) => {
        const accounts = known.get(keyOf(run));
        return accounts === undefined ? [] : [[...accounts]];
      });
    },
    takeNew() {
      const taken = [...fresh].flatMap((key): HeardEntry[] => {
        const accounts = known.get(key);
        return accounts === undefined ? [] : [[key, [...accounts]]];
      });
      fresh = new Set();
      return taken;
    },
  };
}
