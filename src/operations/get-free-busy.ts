import { z } from 'zod';
import { blocksOf, layer, type OwnedBlock, unionOfBlocks } from '../core/busy-blocks.ts';
import { OTHER_ACCOUNTS, OWNER } from '../core/disclosure.ts';
import type { BusyBlock, Range } from '../core/event.ts';
import { intersect, interval, pairsOf, subtract } from '../core/intervals.ts';
import { moreOf, pageInput, pageOutput, partOf, resume } from './cursor.ts';
import { describeRange, freshnessInput, freshnessOf } from './envelope.ts';
import { detailInput, formatSpan } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { type AskedPerson, parsePeople, peopleInput, readPeople } from './people.ts';
import { type Answered, commonHours, parseQuestion, questionInput, questionOutput, readQuestion } from './question.ts';

const input = z.strictObject({
  ...questionInput,
  ...freshnessInput,
  ...peopleInput,
  ...pageInput,
  detail: detailInput,
});

const span = { start: z.string(), end: z.string().describe('Exclusive; time of day when on the day of start.') };
const busy = z.enum(['tentative', 'unknown', 'busy', 'oof']);
const block = z.object({ ...span, busy });

const output = z.object({
  ...questionOutput,
  ...pageOutput,
  blocks: z
    .array(z.object({ ...span, busy, accounts: z.array(z.string()).optional() }))
    .describe('All accounts together; the most severe wins. unknown: could not be read, so not free.'),
  free: z.array(z.object(span)).describe('Within the working hours of all accounts; none of it unknown or tentative.'),
  perAccount: z.array(z.object({ account: z.string(), blocks: z.array(block) })).optional(),
  people: z
    .array(
      z.object({
        person: z.string(),
        status: z.enum(['ok', 'unknown']),
        message: z.string().optional(),
        blocks: z.array(block).describe('As that calendar tells it.'),
      }),
    )
    .optional(),
});

export type FreeBusy = z.output<typeof output>;

/** A stretch that is taken, or free within working hours. */
interface BusyRow {
  readonly start: number;
  readonly end: number;
  readonly busy: BusyBlock['busy'] | 'free';
  readonly owners: readonly string[];
}

/** What is known to be taken, and the whole range of every account of which not everything is known. */
function blocksOfAnswer({ events, unknown, range, clockOf }: Answered): OwnedBlock[] {
  return [
    ...blocksOf(events, clockOf),
    ...unknown.map((owner) => ({ start: range.start, end: range.end, busy: 'unknown' as const, owner })),
  ];
}

export const getFreeBusy = defineOperation({
  name: 'get_free_busy',
  title: 'Get free/busy',
  description:
    'Tells when the person is busy and free in all accounts together, without titles. ' + 'Unknown time is never free.',
  effect: 'read',
  input,
  output,
  async run(app, input, asker) {
    const { asked: all, said, after } = await resume(app, 'get_free_busy', input);
    const { detail, people, via, limit, cursor: _cursor, ...asked } = all;
    const question = parseQuestion(app, asked);
    const { range, clock } = question;
    const peopleQuestion = await parsePeople(app, { people, via }, question);
    const [answered, others] = await Promise.all([
      readQuestion(app, question, asker, { detail, freshness: freshnessOf(asked) }),
      peopleQuestion === undefined ? undefined : readPeople(app, peopleQuestion, question, asker),
    ]);
    const blocks = blocksOfAnswer(answered);
    // A later part is about the time that the ones before did not tell.
    const left = { ...range, start: after?.start ?? range.start };
    const layers = layer(blocks, left);
    const full = detail === 'full';
    const spanText = ({ start, end }: { start: number; end: number }) => formatSpan(start, end, clock, full);
    const blockText = (one: BusyBlock) => ({ ...spanText(one), busy: one.busy });
    const free = subtract(intersect(commonHours(question), interval(left.start, left.end)), unionOfBlocks(layers));
    const named = answered.head.accounts.map(({ account }) => account).filter((account) => account !== OTHER_ACCOUNTS);
    const rows = [
      ...layers.map(({ owners, ...one }) => ({ ...one, owners })),
      ...[...pairsOf(free)].map(([start, end]) => ({ start, end, busy: 'free' as const, owners: [] })),
    ].sort((a, b) => a.start - b.start);
    const { shown, last } = partOf<BusyRow, BusyRow>(
      rows,
      { limit, startOf: ({ start }) => start, keyOf: ({ busy }) => busy },
      (row) => row,
    );
    const told = { ...left, end: last === undefined ? left.end : (shown.at(-1)?.end ?? left.end) };
    return {
      ...answered.head,
      range: describeRange(left),
      complete: answered.head.complete && (others ?? []).every((person) => person.blocks !== undefined),
      blocks: shown.flatMap(({ owners, busy, ...one }) => {
        if (busy === 'free') return [];
        // A client is not told which part of a block is its own: perAccount has that, and the rest is of nobody.
        return [{ ...blockText({ ...one, busy }), ...(question.audience === OWNER ? { accounts: [...owners] } : {}) }];
      }),
      free: shown.filter(({ busy }) => busy === 'free').map(spanText),
      ...(full
        ? {
            perAccount: named.map((account) => ({
              account,
              blocks: layer(
                blocks.filter(({ owner }) => owner === account),
                told,
              ).map(blockText),
            })),
          }
        : {}),
      ...(others === undefined ? {} : { people: others.map((person) => describePerson(person, left, blockText)) }),
      ...(await moreOf(app, 'get_free_busy', {
        said,
        after,
        // Rows do not overlap, so it is the end of the last one that counts.
        last: last === undefined ? undefined : { start: told.end, ties: 0, marks: '' },
        range,
      })),
    };
  },
});

function describePerson(
  { person, blocks, message }: AskedPerson,
  range: Range,
  blockText: (one: BusyBlock) => z.output<typeof block>,
): NonNullable<FreeBusy['people']>[number] {
  if (blocks === undefined)
    return {
      person,
      status: 'unknown',
      ...(message === undefined ? {} : { message }),
      blocks: [blockText({ start: range.start, end: range.end, busy: 'unknown' })],
    };
  const owned = blocks.map((one) => ({ ...one, owner: person }));
  return { person, status: 'ok', blocks: layer(owned, range).map(blockText) };
}
