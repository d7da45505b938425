/** Long answers in parts, each going on exactly where the one before ended. */
import { z } from 'zod';
import type { App } from '../accounts/registry.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Range } from '../core/event.ts';
import { wholeNumber } from './envelope.ts';

/** Characters of JSON that the items of one part may have: what a model takes in one piece. */
const MOST_CHARACTERS = 60_000;
export const MOST_ITEMS = 1_000;

export const pageInput = {
  limit: wholeNumber(1, MOST_ITEMS).optional(),
  cursor: z.string().max(8_000).optional().describe('nextCursor of the last answer, alone.'),
};

export const pageOutput = {
  truncated: z.literal(true).optional(),
  nextCursor: z.string().optional().describe('Give it as cursor for what comes next.'),
};

/** Where a part ended. */
interface Position {
  /** Of the last item, in epoch milliseconds. */
  readonly start: number;
  /** What it is known again by; empty where it has no name. */
  readonly key: string;
  /** How many of the items that were shown start at that moment. */
  readonly ties: number;
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
  readonly after?: Position;
}

const invalid = (message: string, hint: string): CalmcpError => new CalmcpError('INPUT_INVALID', message, { hint });

/** How much is asked for may change from part to part; what is asked may not. */
const FREE: ReadonlySet<string> = new Set(['cursor', 'limit', 'detail']);

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
  if (input.cursor === undefined) return { asked: input };
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
  return { asked: asked as unknown as Input, after: content.after };
}

interface Places<Item> {
  readonly startOf: (item: Item) => number;
  readonly keyOf: (item: Item) => string;
}

export interface Part<Shown> {
  readonly shown: readonly Shown[];
  /** Where it ends; absent for the last part. */
  readonly last?: Position;
}

/** What of `items`, in order, comes after a position: nothing twice, and nothing left out. */
function rest<Item>(
  items: readonly Item[],
  after: Position | undefined,
  { startOf, keyOf }: Places<Item>,
): readonly Item[] {
  if (after === undefined) return items;
  const first = items.findIndex((item) => startOf(item) >= after.start);
  if (first < 0) return [];
  const ties = items.slice(first).findIndex((item) => startOf(item) > after.start);
  const tied = items.slice(first, ties < 0 ? undefined : first + ties);
  const known = after.key === '' ? -1 : tied.findIndex((item) => keyOf(item) === after.key);
  return items.slice(first + (known < 0 ? Math.min(after.ties, tied.length) : known + 1));
}

/**
 * The next part of `items`.
 * @param limit most items; without it, all of them
 */
export function partOf<Item, Shown>(
  items: readonly Item[],
  {
    limit,
    after,
    ...places
  }: Places<Item> & { readonly limit?: number | undefined; readonly after?: Position | undefined },
  show: (item: Item) => Shown,
): Part<Shown> {
  const left = rest(items, after, places);
  const shown: Shown[] = [];
  let size = 0;
  for (const item of left) {
    const one = show(item);
    size += JSON.stringify(one).length;
    if (limit !== undefined && (shown.length === limit || (shown.length > 0 && size > MOST_CHARACTERS))) break;
    shown.push(one);
  }
  const last = left[shown.length - 1];
  if (last === undefined || shown.length === left.length) return { shown };
  const start = places.startOf(last);
  const before = items.slice(0, items.length - left.length + shown.length);
  const ties = before.filter((item) => places.startOf(item) === start).length;
  return { shown, last: { start, key: places.keyOf(last), ties } };
}

/** How an answer says that there is more. */
export async function moreOf(
  app: App,
  operation: string,
  {
    asked,
    last,
    range,
  }: { readonly asked: Readonly<Record<string, unknown>>; readonly last: Position | undefined; readonly range: Range },
): Promise<{ truncated?: true; nextCursor?: string }> {
  if (last === undefined) return {};
  const content: Content = {
    operation,
    input: Object.fromEntries(givenOf(asked)),
    from: range.start,
    to: range.end,
    timeZone: range.timeZone,
    after: last,
  };
  const text = Buffer.from(JSON.stringify(content)).toString('base64url');
  return { truncated: true, nextCursor: `${text}.${await app.sign(text)}` };
}
