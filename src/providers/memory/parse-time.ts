import { Temporal } from 'temporal-polyfill';
import type { EventTime } from '../../core/event.ts';
import { wallTimeToEpochMs } from '../../core/time.ts';

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(Z|[+-]\d{2}:\d{2})?$/;

/** A date, a local time or a time with an offset, as people write them into accounts.yaml; `null` for anything else. */
export function parseTime(text: string, timeZone: string): EventTime | null {
  try {
    if (DATE.test(text))
      return { kind: 'date', date: Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() };
    const match = TIME.exec(text);
    if (match === null) return null;
    const local = text.slice(0, text.length - (match[1]?.length ?? 0));
    // Also with an offset: the local part must be a time of the calendar, or 30 February would become 2 March.
    Temporal.PlainDateTime.from(local, { overflow: 'reject' });
    const epochMs =
      match[1] === undefined ? wallTimeToEpochMs(local, timeZone) : Temporal.Instant.from(text).epochMilliseconds;
    return { kind: 'timed', epochMs, zone: timeZone };
  } catch {
    return null;
  }
}
