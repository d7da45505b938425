import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import { addDays } from '../../core/time.ts';
import type { MemoryEvent } from './options.ts';
import { parseTime } from './parse-time.ts';

interface Place {
  readonly id: string;
  readonly account: string;
  readonly calendar: Calendar;
  readonly timeZone: string;
}

function readTime(text: string, { timeZone, account }: Place): EventTime {
  const time = parseTime(text, timeZone);
  // Checked when accounts.yaml was loaded (options.ts).
  if (time === null) throw new CalmcpError('CONFIG_INVALID', 'an event has no time', { account });
  return time;
}

export function mapEvent(entry: MemoryEvent, place: Place): CalendarEvent {
  const { id, account, calendar } = place;
  const start = readTime(entry.start, place);
  const end = entry.end === undefined ? undefined : readTime(entry.end, place);
  return {
    account,
    calendar,
    id,
    uid: entry.uid ?? null,
    recurrenceKey: null,
    kind: 'single',
    start,
    end: end ?? (start.kind === 'date' ? { kind: 'date', date: addDays(start.date, 1) } : start),
    title: entry.title ?? null,
    busy: entry.busy,
    status: 'confirmed',
    sensitivity: 'normal',
    myResponse: 'none',
    type: 'default',
    updated: null,
    readOnly: true,
    ...(entry.location === undefined ? {} : { location: entry.location }),
  };
}
