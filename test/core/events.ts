/** Events for the tests of core: whatever is not said is unremarkable. */
import type {
  Busy,
  Calendar,
  CalendarEvent,
  EventStatus,
  EventTime,
  EventType,
  Response,
} from '../../src/core/event.ts';

export const at = (instant: string, zone: string | null = 'Europe/Amsterdam'): EventTime => ({
  kind: 'timed',
  epochMs: Date.parse(instant),
  zone,
});

export const on = (date: string): EventTime => ({ kind: 'date', date });

export const calendar = (id: string, name = 'Calendar'): Calendar => ({ id, name, isDefault: true, access: 'write' });

export function event(fields: Partial<CalendarEvent> = {}): CalendarEvent {
  return {
    account: 'work',
    calendar: calendar('primary'),
    id: 'event-1',
    uid: null,
    recurrenceKey: null,
    kind: 'single',
    start: at('2026-10-12T07:00:00Z'),
    end: at('2026-10-12T08:00:00Z'),
    title: 'Stand-up',
    busy: 'busy',
    status: 'confirmed',
    sensitivity: 'normal',
    myResponse: 'none',
    type: 'default',
    updated: null,
    readOnly: false,
    ...fields,
  };
}

/** All that an event can say of these. */
export const BUSY: readonly Busy[] = ['free', 'workingElsewhere', 'tentative', 'unknown', 'busy', 'oof'];
export const STATUSES: readonly EventStatus[] = ['confirmed', 'tentative', 'cancelled'];
export const RESPONSES: readonly Response[] = [
  'organizer',
  'accepted',
  'tentative',
  'declined',
  'notResponded',
  'none',
];
export const TYPES: readonly EventType[] = [
  'default',
  'outOfOffice',
  'focusTime',
  'workingLocation',
  'birthday',
  'holiday',
  'fromGmail',
  'task',
];
