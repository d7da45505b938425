import { z } from 'zod';
import { DAY_NAMES } from '../core/calendar-words.ts';
import { requireZone, zoneClock } from '../core/time.ts';
import { timeZoneInput } from './envelope.ts';
import { defineOperation } from './operation.ts';

const output = z.object({
  now: z.string(),
  timeZone: z.string(),
  date: z.string(),
  weekday: z.string(),
  isoWeek: z.string(),
});

export const getCurrentTime = defineOperation({
  name: 'get_current_time',
  title: 'Get current time',
  description: 'Tells the time, date, weekday and ISO week in the zone that answers are given in, or in another one.',
  effect: 'read',
  input: z.strictObject({ timeZone: timeZoneInput }),
  output,
  async run(app, { timeZone }) {
    const zone = requireZone(timeZone ?? app.timeZone);
    const now = app.now();
    const local = now.toZonedDateTimeISO(zone);
    return {
      now: zoneClock(zone).format(now.epochMilliseconds - (now.epochMilliseconds % 1_000)),
      timeZone: zone,
      date: local.toPlainDate().toString(),
      weekday: DAY_NAMES[local.dayOfWeek - 1] ?? '',
      isoWeek: `${local.yearOfWeek}-W${String(local.weekOfYear).padStart(2, '0')}`,
    };
  },
});
