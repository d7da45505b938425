import { z } from 'zod';
import { blocksOf, layer, type OwnedBlock, unionOfBlocks } from '../core/busy-blocks.ts';
import { OTHER_ACCOUNTS, OWNER } from '../core/disclosure.ts';
import type { BusyBlock } from '../core/event.ts';
import { pairsOf, subtract } from '../core/intervals.ts';
import { moreOf, pageInput, pageOutput, partOf, resume } from './cursor.ts';
import { detailInput, formatSpan } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { type AskedPerson, parsePeople, peopleInput, readPeople } from './people.ts';
import {
  type Answered,
  commonHours,
  parseQuestion,
  type Question,
  questionInput,
  questionOutput,
  readQuestion,
} from './question.ts';

const input = z.strictObject({ ...questionInput, ...peopleInput, ...pageInput, detail: detailInput });

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
    const { asked: all, after } = await resume(app, 'get_free_busy', input);
    const { detail, people, via, limit, cursor: _cursor, ...asked } = all;
    const question = parseQuestion(app, asked);
    const { range, clock } = question;
    const peopleQuestion = await parsePeople(app, { people, via }, question);
    const [answered, others] = await Promise.all([
      readQuestion(app, question, asker, { detail }),
      peopleQuestion === undefined ? undefined : readPeople(app, peopleQuestion, question, asker),
    ]);
    const blocks = blocksOfAnswer(answered);
    const layers = layer(blocks, range);
    const full = detail === 'full';
    const spanText = ({ start, end }: { start: number; end: number }) => formatSpan(start, end, clock, full);
    const blockText = (one: BusyBlock) => ({ ...spanText(one), busy: one.busy });
    const free = subtract(commonHours(question), unionOfBlocks(layers));
    const named = answered.head.accounts.map(({ account }) => account).filter((account) => account !== OTHER_ACCOUNTS);
    const rows = [
      ...layers.map(({ owners, ...one }) => ({ ...one, owners })),
      ...[...pairsOf(free)].map(([start, end]) => ({ start, end, busy: 'free' as const, owners: [] })),
    ].sort((a, b) => a.start - b.start);
    const places = { startOf: (row: BusyRow) => row.start, keyOf: (row: BusyRow) => `${row.busy} ${row.end}` };
    const { shown, last } = partOf<BusyRow, BusyRow>(rows, { limit, after, ...places }, (row) => row);
    const isShown = ({ start }: { start: number }): boolean =>
      (last === undefined || start <= last.start) && (after === undefined || start >= after.start);
    return {
      ...answered.head,
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
                range,
              )
                .filter(isShown)
                .map(blockText),
            })),
          }
        : {}),
      ...(others === undefined ? {} : { people: others.map((person) => describePerson(person, question, blockText)) }),
      ...(await moreOf(app, 'get_free_busy', { asked: all, last, range })),
    };
  },
});

function describePerson(
  { person, blocks, message }: AskedPerson,
  { range }: Question,
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
