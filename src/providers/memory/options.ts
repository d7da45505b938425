import { z } from 'zod';

const event = z.strictObject({
  title: z.string().optional().describe('What it is called.'),
  start: z
    .string()
    .describe('2026-12-24 for a whole day, else 2026-12-24T09:00 (in the account’s zone) or with an offset.'),
  end: z.string().optional().describe('Exclusive, in the form of start; default: one day, or no duration.'),
  location: z.string().optional().describe('Where it is.'),
  busy: z
    .enum(['free', 'tentative', 'busy', 'oof', 'workingElsewhere'])
    .default('busy')
    .describe('What it does to your time.'),
  uid: z.string().optional().describe('iCalendar UID, where the event is a copy of another.'),
});

export const options = z.strictObject({
  events: z.array(event).default([]).describe('The events.'),
});

export type MemoryEvent = z.output<typeof event>;
