/** Long answers in parts, each going on exactly where the one before ended. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { App } from '../accounts/registry.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Range } from '../core/event.ts';
import { wholeNumber } from './envelope.ts';
import { MOST_ITEMS } from './most-items.ts';

/** Characters of JSON that the items of one part may have: what a model takes in one piece. */
const MOST_CHARACTERS = 60_000;
/** Letters by which one of those that begin at one moment is known again. */
const MARK_LETTERS = 5;
/** Marks that a cursor has room for; where more begin at one moment, they are counted. */
const MOST_MARKS = 500;

export const pageInput = {
  limit: wholeNumber(1, MOST_ITEMS).optional(),
  cursor: z.string().max(32_000).optional().describe('nextCursor of the last answer, alone.'),
};

export const pageOutput = {
  truncated: z.literal(true).optional(),
  nextCursor: z.string().optional().describe('Give it as cursor for what comes next.'),
  continued: z.literal(true).optional().describe('This is what comes after an earlier part.'),
};

/** Where a part ended. */
interface Position {
  /** Of the last item, in epoch milliseconds. */
  readonly start: number;
  /** How many of the items that were shown start at that moment. */
  readonly ties: number;
  /** The marks of these; empty where they are too many. Nothing can be read out of them. */
  readonly marks: string;
}

interface Content {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
  readonly after: Position;
}

export interface Resumed<Input> {
  readonly asked: Input;
  /** As the person said it: the cursor of the next part knows the question by it. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly after?: Position | undefined;
}

const invalid = (message: string, hint: string): CalmcpError => new CalmcpError('INPUT_INVALID', message, { hint });

/** How much is asked for may change from part to part; what is asked may not. */
const FREE: ReadonlySet<string> = new Set(['cursor', 'limit', 'detail', 'maxAgeSeconds']);

function givenOf(input: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(input).filter(([name, value]) => value !== undefined && !FREE.has(name));
}

/**
 * The question that a cursor goes on with; without a cursor, what was asked.
 * @throws CalmcpError INPUT_INVALID for a cursor that calmcp did not make, or not for this question
 */
export async function resume<Input extends { cursor?: string | undefined }>(
  app: App,
  operation: string,
  input: Input,
): Promise<Resumed<Input>> {
  if (input.cursor === undefined) return { asked: input, said: input };
  const [text = '', signature = ''] = input.cursor.trim().split('.');
  if ((await app.sign(text)) !== signature)
    throw invalid('the cursor is none of this calmcp', 'give nextCursor as it was, or ask again without it');
  const content = JSON.parse(Buffer.from(text, 'base64url').toString()) as Content;
  if (content.operation !== operation)
    throw invalid(`the cursor is of ${content.operation}`, 'give it to the tool that made it');
  const other = givenOf(input).find(([name, value]) => JSON.stringify(content.input[name]) !== JSON.stringify(value));
  if (other !== undefined)
    throw invalid(`the cursor is of a question with another ${other[0]}`, 'with cursor, leave everything else out');
  const { range: _range, from: _from, to: _to, ...rest } = content.input;
  const asked = {
    ...rest,
    ...Object.fromEntries(Object.entries(input).filter(([name]) => FREE.has(name))),
    from: new Date(content.from).toISOString(),
    to: new Date(content.to).toISOString(),
    timeZone: content.timeZone,
  };
  return { asked: asked as unknown as Input, said: content.input, after: content.after };
}

interface Places<Item> {
  readonly startOf: (item: Item) => number;
  /** What it is known again by, among those that start with it; the same for what looks the same. */
  readonly keyOf: (item: Item) => string;
}

export interface Part<Shown> {
  readonly shown: readonly Shown[];
  /** Where it ends; absent for the last part. */
  readonly last?: Position;
}

function markOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, MARK_LETTERS);
}

/** What of `items`, in order, comes after a position: nothing twice, and nothing left out, whatever came or went meanwhile. */
function rest<Item>(
  items: readonly Item[],
  after: Position | undefined,
  { startOf, keyOf }: Places<Item>,
): readonly Item[] {
  if (after === undefined) return items;
  const later = items.filter((item) => startOf(item) > after.start);
  const tied = items.filter((item) => startOf(item) === after.start);
  if (after.marks === '') return [...tied.slice(after.ties), ...later];
  const shown: string[] = after.marks.match(new RegExp(`.{${MARK_LETTERS}}`, 'g')) ?? [];
  const left = tied.filter((item) => {
    const at = shown.indexOf(markOf(keyOf(item)));
    if (at >= 0) shown.splice(at, 1);
    return at < 0;
  });
  return [...left, ...later];
}

/**
 * The next part of `items`.
 * @param limit most items; without it, all of them
 * @param besides what else an answer shows because of an item: it counts for the size
 */
export function partOf<Item, Shown>(
  items: readonly Item[],
  {
    limit,
    after,
    besides,
    ...places
  }: Places<Item> & {
    readonly limit?: number | undefined;
    readonly after?: Position | undefined;
    readonly besides?: (item: Item) => unknown;
  },
  show: (item: Item) => Shown,
): Part<Shown> {
  const left = rest(items, after, places);
  const shown: Shown[] = [];
  let size = 0;
  for (const item of left) {
    const one = show(item);
    if (limit !== undefined) {
      size += JSON.stringify(one).length + (besides === undefined ? 0 : JSON.stringify(besides(item)).length);
      if (shown.length === limit || (shown.length > 0 && size > MOST_CHARACTERS)) break;
    }
    shown.push(one);
  }
  const last = left[shown.length - 1];
  if (last === undefined || shown.length === left.length) return { shown };
  const start = places.startOf(last);
  const before = after?.start === start ? after : undefined;
  const tied = left.slice(0, shown.length).filter((item) => places.startOf(item) === start);
  const ties = tied.length + (before?.ties ?? 0);
  // Of those before, also what is gone by now: it may come back.
  const marks = (before?.marks ?? '') + tied.map((item) => markOf(places.keyOf(item))).join('');
  return { shown, last: { start, ties, marks: ties > MOST_MARKS ? '' : marks } };
}

/** How an answer says that it is a part, and that there is more. */
export async function moreOf(
  app: App,
  operation: string,
  {
    said,
    after,
    last,
    range,
  }: {
    readonly said: Readonly<Record<string, unknown>>;
    readonly after: Position | undefined;
    readonly last: Position | undefined;
    readonly range: Range;
  },
): Promise<{ continued?: true; truncated?: true; nextCursor?: string }> {
  const continued = after === undefined ? {} : { continued: true as const };
  if (last === undefined) return continued;
  const content: Content = {
    operation,
    input: Object.fromEntries(givenOf(said)),
    from: range.start,
    to: range.end,
    timeZone: range.timeZone,
    after: last,
  };
  const text = Buffer.from(JSON.stringify(content)).toString('base64url');
  return { ...continued, truncated: true, nextCursor: `${text}.${await app.sign(text)}` };
}
