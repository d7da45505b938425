import { z } from 'zod';
import { parsePerson } from '../../core/person.ts';
import { parseTime } from './parse-time.ts';

const time = z.string().refine((text) => parseTime(text, 'UTC') !== null, {
  error: 'is no time: write 2026-12-24, 2026-12-24T09:00 or 2026-12-24T09:00:00+01:00',
});

const person = z.string().refine((text) => parsePerson(text) !== null, {
  error: 'is nobody: write jane@example.org or Jane Doe <jane@example.org>',
});

const event = z
  .strictObject({
    title: z.string().optional().describe('What it is called.'),
    start: time.describe(
      '2026-12-24 for a whole day, else 2026-12-24T09:00 (in the account’s zone) or with an offset.',
    ),
    end: time.optional().describe('Exclusive, in the form of start; default: one day, or no duration.'),
    location: z.string().optional().describe('Where it is.'),
    text: z.string().optional().describe('What else there is to say about it.'),
    organizer: person.optional().describe('Who called it: jane@example.org or Jane Doe <jane@example.org>.'),
    attendees: z.array(person).optional().describe('Who is invited, each in the form of organizer.'),
    response: z
      .enum(['organizer', 'accepted', 'tentative', 'declined', 'notResponded', 'none'])
      .default('none')
      .describe('What you answered.'),
    sensitivity: z
      .enum(['normal', 'personal', 'private', 'confidential'])
      .default('normal')
      .describe('How private it is: all but normal is masked for everybody but you.'),
    busy: z
      .enum(['free', 'tentative', 'busy', 'oof', 'workingElsewhere'])
      .default('busy')
      .describe('What it does to your time.'),
    uid: z.string().optional().describe('iCalendar UID, where the event is a copy of another.'),
  })
  .superRefine(({ start, end }, context) => {
    const [from, to] = [parseTime(start, 'UTC'), end === undefined ? null : parseTime(end, 'UTC')];
    if (from === null || to === null) return;
    const problem = (message: string): void => context.addIssue({ code: 'custom', path: ['end'], message });
    const hasOffset = (text: string | undefined): boolean => /(?:Z|[+-]\d{2}:\d{2})$/.test(text ?? '');
    if (from.kind !== to.kind || (from.kind === 'timed' && hasOffset(start) !== hasOffset(end)))
      return problem('is not of the form of start: both dates, both local times, or both with an offset');
    const reversed =
      from.kind === 'date'
        ? to.kind === 'date' && to.date <= from.date
        : to.kind === 'timed' && to.epochMs < from.epochMs;
    if (reversed)
      problem(from.kind === 'date' ? 'is not after start; it is the day after the last one' : 'is before start');
  });

export const options = z.strictObject({
  events: z.array(event).default([]).describe('The events.'),
});

export type MemoryEvent = z.output<typeof event>;
