import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import { addDays, wallTimeToEpochMs } from '../../core/time.ts';
import type { MemoryEvent } from './options.ts';

interface Place {
  readonly id: string;
  readonly account: string;
  readonly calendar: Calendar;
  readonly timeZone: string;
}

function parseTime(text: string, timeZone: string, account: string): EventTime {
  try {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return { kind: 'date', date: addDays(text, 0) };
    if (/(?:Z|[+-]\d{2}:\d{2})$/.test(text)) {
      const epochMs = Date.parse(text);
      if (!Number.isNaN(epochMs)) return { kind: 'timed', epochMs, zone: timeZone };
    }
    return { kind: 'timed', epochMs: wallTimeToEpochMs(text, timeZone), zone: timeZone };
  } catch {
    throw new CalmcpError('CONFIG_INVALID', `${JSON.stringify(text)} is no time`, {
      account,
      hint: 'write 2026-12-24, 2026-12-24T09:00 or 2026-12-24T09:00:00+01:00',
    });
  }
}

export function mapEvent(entry: MemoryEvent, { id, account, calendar, timeZone }: Place): CalendarEvent {
  const start = parseTime(entry.start, timeZone, account);
  const end = entry.end === undefined ? undefined : parseTime(entry.end, timeZone, account);
  if (end !== undefined && end.kind !== start.kind)
    throw new CalmcpError('CONFIG_INVALID', `the event of ${entry.start} mixes a date and a time`, { account });
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
