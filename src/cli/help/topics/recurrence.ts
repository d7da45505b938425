import type { Topic } from '../topic.ts';

export const recurrence: Topic = {
  name: 'recurrence',
  summary: 'how a series is said and shown',
  text: `
Lists show each occurrence with its own time and id. --repeat takes the value of
an RRULE (RFC 5545), or one of these words: daily, weekdays, weekly, monthly,
yearly.

  calmcp event create "Stand-up" --start 2026-12-01T09:00 --repeat weekdays

  FREQ=WEEKLY;BYDAY=MO                  every Monday
  FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH    Tuesday and Thursday, every other week
  FREQ=MONTHLY;BYDAY=1MO                the first Monday of each month
  FREQ=MONTHLY;BYDAY=-1FR               the last Friday
  FREQ=MONTHLY;BYMONTHDAY=15            the 15th
  FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1
                                        the last working day
  FREQ=YEARLY                           each year, on the day of the start
  FREQ=DAILY;COUNT=5                    five times
  FREQ=WEEKLY;BYDAY=MO;UNTIL=20261218   to that day, the day included

COUNT and UNTIL do not go together; with neither the series has no end. Nothing
repeats more often than daily. The start has to be a day that the rule names;
when it is not, the message says the first one that is. A series lives by the
zone of its start: at 10:00 it stays at 10:00 when the clocks change. An empty
--repeat makes a series happen once.

Outlook holds fewer kinds of series than Google. What a service cannot hold is
refused, with what it can. To change or delete one: calmcp help writing.
`,
};
