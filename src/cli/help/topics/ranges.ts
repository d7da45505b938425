import type { Topic } from '../topic.ts';

export const ranges: Topic = {
  name: 'ranges',
  summary: 'how to say a stretch of time',
  text: `
A range is words after the command; quotes are not needed.

  today  tomorrow  yesterday
  friday                        the coming one, today included
  next friday                   that of next week
  this week  next week  last week
  this weekend  next weekend    Saturday and Sunday of that week
  this month  next month  last month
  next 10 days  next 2 weeks    from today on, today included
  last 7 days  last 2 weeks     up to yesterday
  2026-12-01                    one day
  2026-12-01..2026-12-05        the last day included
  2026-12-01 to 2026-12-05      the same
  2026-W49                      a week of ISO 8601
  2026-12                       a month

Weeks start on Monday. Words mean days in the zone of the answer: --time-zone,
else defaults.timeZone in accounts.yaml, else that of this machine. The answer
states the range with dates and offsets.

Instead of words, --from and --to take a date, a local time or a time with an
offset; a bare date in --to includes that day:

  calmcp agenda --from 2026-12-01T09:00 --to 2026-12-01T18:00
  calmcp agenda --from 2026-12-01T09:00:00+01:00 --to 2026-12-05

A range is at most 370 days. Without one, agenda and freebusy answer for today,
find-time and conflicts for the next 7 days, report for this week, and search
from 30 days back to 90 days ahead.
`,
};
