import { z } from 'zod';
import { type Conflict, findConflicts as findPairs, MOST_COUNTED } from '../core/conflicts.ts';
import { OWNER } from '../core/disclosure.ts';
import { findLikeness } from '../core/likeness.ts';
import type { MergedEvent } from '../core/merge.ts';
import { moreOf, pageInput, pageOutput, partOf, resume } from './cursor.ts';
import { freshnessInput, freshnessOf } from './envelope.ts';
import { detailInput, eventItem, formatSpan, idOf, titleText, toItem } from './event-item.ts';
import { isListed } from './list-events.ts';
import { defineOperation } from './operation.ts';
import { parseQuestion, questionInput, questionOutput, readQuestion } from './question.ts';

const USUAL = 50;

const input = z.strictObject({
  ...questionInput,
  ...freshnessInput,
  range: questionInput.range.describe('Default next 7 days.'),
  ...pageInput,
  detail: detailInput,
});

const output = z.object({
  ...questionOutput,
  conflicts: z.array(
    z.object({
      start: z.string().describe('Of the time that both want.'),
      end: z.string().describe('Exclusive; time of day when on the day of start.'),
      events: z.array(z.string().nullable()).describe('Ids, listed in events; null: has none for this audience.'),
      titles: z.array(z.string().nullable()).optional().describe('Where there is no id, and a title may be shown.'),
      tentative: z.literal(true).optional().describe('One of the two is tentative or not answered yet.'),
    }),
  ),
  events: z.array(eventItem),
  possibleDuplicates: z.number().optional().describe('Pairs left out because they look like one meeting.'),
  count: z
    .number()
    .optional()
    .describe(`How many there are, when not all are listed; ${MOST_COUNTED} stands for more.`),
  ...pageOutput,
});

export type ConflictList = z.output<typeof output>;

/** The two, by id; and by title where one has none and may be called by it. */
function labelsOf(
  pair: readonly MergedEvent[],
  audience: string,
): Pick<ConflictList['conflicts'][number], 'events' | 'titles'> {
  const events = pair.map((merged) => idOf(merged, audience) ?? null);
  const isTold = pair.some(({ event }, index) => events[index] === null && event.title !== null);
  const titles = pair.map(({ event }) => (event.title === null ? null : titleText(event.title)));
  return { events, ...(isTold ? { titles } : {}) };
}

export const findConflicts = defineOperation({
  name: 'find_conflicts',
  title: 'Find conflicts',
  description:
    'Finds real double bookings across all accounts; copies of one meeting, free and declined ones do not count.',
  effect: 'read',
  input,
  output,
  async run(app, input, asker) {
    const { asked: all, said, after } = await resume(app, 'find_conflicts', input);
    const { limit = USUAL, detail, cursor: _cursor, ...asked } = all;
    const answered = await readQuestion(app, parseQuestion(app, asked, 'next 7 days'), asker, {
      detail,
      freshness: freshnessOf(asked),
    });
    const { audience, clock } = answered;
    const events = answered.events.filter((merged) => isListed(merged, false));
    const likeness = findLikeness(events);
    let alike = 0;
    const { pairs, count } = findPairs(
      events.filter((merged) => !likeness.mirrors.has(merged)),
      {
        ...answered,
        // A later part needs all that come before it.
        limit: after === undefined ? limit + 1 : MOST_COUNTED,
        isSame: (a, b) => {
          const same = likeness.mayBeOne(a, b);
          if (same) alike++;
          return same;
        },
      },
    );
    const itemOf = (merged: MergedEvent) => toItem(merged, { ...answered, detail, likeness });
    const rendered: Conflict[] = [];
    const { shown, last } = partOf(
      pairs,
      {
        limit,
        after,
        startOf: ({ start }) => start,
        keyOf: (pair) => JSON.stringify([pair.end, labelsOf(pair.events, audience)]),
        besides: (pair) => pair.events.map(itemOf),
      },
      (pair) => {
        rendered.push(pair);
        return {
          ...formatSpan(pair.start, pair.end, clock, detail === 'full'),
          ...labelsOf(pair.events, audience),
          ...(pair.events.some(({ busy }) => busy === 'tentative') ? { tentative: true as const } : {}),
        };
      },
    );
    const named = new Set(rendered.slice(0, shown.length).flatMap((pair) => pair.events));
    return {
      ...answered.head,
      conflicts: [...shown],
      events: events.filter((merged) => named.has(merged)).map(itemOf),
      ...(alike === 0 || audience !== OWNER ? {} : { possibleDuplicates: alike }),
      ...(count > shown.length ? { count } : {}),
      ...(await moreOf(app, 'find_conflicts', { said, after, last, range: answered.range })),
    };
  },
});
