import { z } from 'zod';
import { CalmcpError } from '../core/errors.ts';
import { findLikeness } from '../core/likeness.ts';
import { matches, parseQuery } from '../core/search.ts';
import { moreOf, pageInput, pageOutput, partOf, resume } from './cursor.ts';
import { freshnessInput, freshnessOf } from './envelope.ts';
import { detailInput, eventItem, toItem } from './event-item.ts';
import { isListed } from './list-events.ts';
import { defineOperation } from './operation.ts';
import { eventsInRange, parseQuestion, placesOf, questionInput, questionOutput, readQuestion } from './question.ts';

const USUAL = 50;
const LONGEST_QUERY = 200;
/** Where no range is given: what was lately, and what comes. */
const DAYS_BACK = 30;
const DAYS_AHEAD = 90;

const input = z.strictObject({
  query: z.string().max(LONGEST_QUERY).optional().describe('Words that must all occur; "in quotes" for a phrase.'),
  ...questionInput,
  ...freshnessInput,
  range: questionInput.range.describe(`Default ${DAYS_BACK} days back to ${DAYS_AHEAD} ahead.`),
  includeDeclined: z.boolean().optional(),
  ...pageInput,
  detail: detailInput,
});

const output = z.object({
  ...questionOutput,
  ...pageOutput,
  events: z.array(eventItem),
  count: z.number().describe('How many were found.'),
});

export type FoundEvents = z.output<typeof output>;

export const searchEvents = defineOperation({
  name: 'search_events',
  title: 'Search events',
  description: 'Finds events of all accounts by words in title, place, people or text, each meeting once.',
  effect: 'read',
  input,
  output,
  async run(app, input, asker) {
    const { asked: all, said, after } = await resume(app, 'search_events', input);
    const { query = '', includeDeclined = false, limit = USUAL, detail, cursor: _cursor, ...asked } = all;
    const words = parseQuery(query);
    if (words.length === 0)
      throw new CalmcpError('INPUT_INVALID', 'there is nothing to search for', {
        hint: 'give a word, as in "dentist"',
      });
    const today = app.now().toZonedDateTimeISO(app.timeZone).toPlainDate();
    const usual = `${today.subtract({ days: DAYS_BACK })}..${today.add({ days: DAYS_AHEAD })}`;
    const question = parseQuestion(app, asked, usual);
    const answered = await readQuestion(app, question, asker, { depth: 'full', detail, freshness: freshnessOf(asked) });
    const events = eventsInRange(answered).filter((merged) => isListed(merged, includeDeclined));
    const likeness = findLikeness(events);
    const found = events.filter(({ copies }) => copies.some((copy) => matches(copy, words)));
    const { shown, last } = partOf(found, { limit, after, ...placesOf(answered) }, (merged) =>
      toItem(merged, { ...answered, detail, likeness }),
    );
    return {
      ...answered.head,
      events: [...shown],
      count: found.length,
      ...(await moreOf(app, 'search_events', { said, after, last, range: answered.range })),
    };
  },
});
