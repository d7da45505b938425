import { z } from 'zod';
import { blocksOf, layer, type OwnedBlock, unionOfBlocks } from '../core/busy-blocks.ts';
import { OTHER_ACCOUNTS, OWNER } from '../core/disclosure.ts';
import type { BusyBlock } from '../core/event.ts';
import { pairsOf, subtract } from '../core/intervals.ts';
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

const input = z.strictObject({ ...questionInput, ...peopleInput, detail: detailInput });

const span = { start: z.string(), end: z.string().describe('Exclusive; time of day when on the day of start.') };
const busy = z.enum(['tentative', 'unknown', 'busy', 'oof']);
const block = z.object({ ...span, busy });

const output = z.object({
  ...questionOutput,
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
    'Tells when the person is busy and free in all accounts together, without titles. ' +
    'An account that could not be read makes its time unknown: never call that free. ' +
    'With people, also the busy times of others.',
  effect: 'read',
  input,
  output,
  async run(app, { detail, people, via, ...asked }, asker) {
    const question = parseQuestion(app, asked);
    const { range, clock } = question;
    const peopleQuestion = await parsePeople(app, { people, via }, question);
    const [answered, others] = await Promise.all([
      readQuestion(app, question, asker),
      peopleQuestion === undefined ? undefined : readPeople(app, peopleQuestion, question, asker),
    ]);
    const blocks = blocksOfAnswer(answered);
    const layers = layer(blocks, range);
    const full = detail === 'full';
    const spanText = ({ start, end }: { start: number; end: number }) => formatSpan(start, end, clock, full);
    const blockText = (one: BusyBlock) => ({ ...spanText(one), busy: one.busy });
    const free = subtract(commonHours(question), unionOfBlocks(layers));
    const named = answered.head.accounts.map(({ account }) => account).filter((account) => account !== OTHER_ACCOUNTS);
    return {
      ...answered.head,
      complete: answered.head.complete && (others ?? []).every((person) => person.blocks !== undefined),
      blocks: layers.map(({ owners, ...one }) => {
        // A client is not told which part of a block is its own: perAccount has that, and the rest is of nobody.
        return { ...blockText(one), ...(question.audience === OWNER ? { accounts: [...owners] } : {}) };
      }),
      free: [...pairsOf(free)].map(([start, end]) => spanText({ start, end })),
      ...(full
        ? {
            perAccount: named.map((account) => ({
              account,
              blocks: layer(
                blocks.filter(({ owner }) => owner === account),
                range,
              ).map(blockText),
            })),
          }
        : {}),
      ...(others === undefined ? {} : { people: others.map((person) => describePerson(person, question, blockText)) }),
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
