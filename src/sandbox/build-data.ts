import { Temporal } from 'temporal-polyfill';
import { defaultZone, type EventInput, event, instantOf, masterOf } from './build-event.ts';
import type { Mailbox, Recurrence, SandboxCalendar, SandboxData, SandboxEvent } from './data.ts';
import { weekdayNames } from './graph-recurrence.ts';
import { changeKey, opaqueId, outlookUid } from './opaque.ts';
import { windowsZones } from './windows-zones.ts';

export interface SeriesInput extends EventInput {
  readonly weeks: number;
  /** ISO weekdays, 1 = Monday. Default: the weekday of `start`. */
  readonly weekdays?: readonly number[];
  /** Dates (YYYY-MM-DD) whose occurrence was deleted: absent from every answer. */
  readonly deleted?: readonly string[];
  /** What is different on a date: becomes an exception. */
  readonly changed?: Readonly<Record<string, Partial<EventInput>>>;
  /** Names the series across mailboxes. Default: subject and start. */
  readonly uid?: string;
  /** Whether the iCalUId of an occurrence holds its date (Graph documents so) or zeros (as seen in other mailboxes). */
  readonly datedUids?: boolean;
}

/** The occurrences of a weekly series from the week of `start` on. */
export function weekly(series: SeriesInput): SandboxEvent[] {
  const { weeks, weekdays, deleted = [], changed = {}, uid, datedUids = true, ...input } = series;
  const first = Temporal.PlainDateTime.from(input.start);
  const length = first.until(Temporal.PlainDateTime.from(input.end));
  const zone = windowsZones[input.zone ?? defaultZone] ?? input.zone ?? defaultZone;
  const monday = first.subtract({ days: first.dayOfWeek - 1 });
  const key = uid ?? JSON.stringify([input.subject, input.start]);
  const isAllDay = !input.start.includes('T');
  const local = (moment: Temporal.PlainDateTime) => (isAllDay ? moment.toPlainDate().toString() : moment.toString());
  const starts = Array.from(
    { length: weeks },
    (_, week) => weekdays?.map((day) => day + 7 * week) ?? [first.dayOfWeek + 7 * week],
  )
    .flat()
    .map((day) => monday.add({ days: day - 1 }))
    .filter((start) => Temporal.PlainDateTime.compare(start, first) >= 0);
  const [earliest = first] = starts;
  const plain = event({ ...input, start: local(earliest), end: local(earliest.add(length)), iCalUId: outlookUid(key) });
  const recurrence = weeklyRule(starts, weekdays ?? [first.dayOfWeek], plain.properties.originalStartTimeZone);
  const master: SandboxEvent = { ...plain, properties: { ...plain.properties, type: 'seriesMaster', recurrence } };

  return starts
    .filter((start) => !deleted.includes(start.toPlainDate().toString()))
    .map((start) => {
      const date = start.toPlainDate().toString();
      const change = changed[date];
      const occurrence = event({
        ...input,
        start: local(start),
        end: local(start.add(length)),
        iCalUId: outlookUid(key, datedUids ? date : undefined),
        series: { key, originalStart: instantOf(start.toString(), isAllDay ? 'UTC' : zone).toString() },
        ...(change === undefined ? {} : { type: 'exception' as const, ...change }),
      });
      return { ...occurrence, seriesMaster: { ...masterOf(key), given: { master, deleted } } };
    });
}

/** The rule behind the occurrences. */
function weeklyRule(starts: readonly Temporal.PlainDateTime[], weekdays: readonly number[], zone: string): Recurrence {
  const dates = starts.map((start) => start.toPlainDate().toString());
  return {
    pattern: {
      type: 'weekly',
      interval: 1,
      month: 0,
      dayOfMonth: 0,
      daysOfWeek: weekdays.flatMap((day) => weekdayNames[day - 1] ?? []),
      firstDayOfWeek: 'monday',
      index: 'first',
    },
    range: {
      type: 'endDate',
      startDate: dates[0] ?? '',
      endDate: dates.at(-1) ?? '',
      recurrenceTimeZone: zone,
      numberOfOccurrences: 0,
    },
  };
}

/** `count` quarters of an hour, one after the other. */
export function manyEvents(count: number, start: string, subject = 'Event'): SandboxEvent[] {
  const first = Temporal.PlainDateTime.from(start);
  return Array.from({ length: count }, (_, index) =>
    event({
      subject: `${subject} ${index + 1}`,
      start: first.add({ minutes: 15 * index }).toString(),
      end: first.add({ minutes: 15 * (index + 1) }).toString(),
      zone: 'UTC',
    }),
  );
}

export function calendar(
  name: string,
  events: SandboxEvent[],
  options: Partial<Omit<SandboxCalendar, 'name' | 'events'>> = {},
): SandboxCalendar {
  return { id: '', name, color: 'auto', hexColor: '', isDefaultCalendar: false, canEdit: true, ...options, events };
}

/** A mailbox whose ids exist nowhere else; the first calendar is the default one unless another says so. */
export function mailbox(username: string, calendars: SandboxCalendar[], timeZone = defaultZone): Mailbox {
  const chosen = calendars.some(({ isDefaultCalendar }) => isDefaultCalendar);
  return {
    username,
    timeZone,
    calendars: calendars.map((each, index) => ({
      ...each,
      id: each.id === '' ? opaqueId(`${username}/${each.name}`, 'AAMkAG') : each.id,
      isDefaultCalendar: chosen ? each.isDefaultCalendar : index === 0,
      events: each.events
        .map((one, position) => inMailbox(one, username, `${username}/${each.name}/${position}`, each.name))
        .map((one) => (each.canViewPrivateItems === false ? withoutPrivateDetails(one) : one)),
    })),
  };
}

/**
 * The copy of one mailbox. With hideAttendees an invitation names nobody but whom it goes to ("each attendee only sees
 * themselves": https://learn.microsoft.com/graph/api/resources/event#properties).
 */
function inMailbox(one: SandboxEvent, username: string, place: string, calendarName: string): SandboxEvent {
  const { seriesMaster: series } = one;
  const copy = copyIn(one, username, opaqueId(`${place}/${one.id}`, 'AAMkAG'));
  if (series === null) return copy;
  const ids = masterOf(`${username}/${calendarName}/${series.id}`);
  if (series.given === undefined) return { ...copy, seriesMaster: ids };
  const master = { ...copyIn(series.given.master, username, ids.id), ...ids };
  return { ...copy, seriesMaster: { ...ids, given: { ...series.given, master } } };
}

function copyIn(one: SandboxEvent, username: string, id: string): SandboxEvent {
  const { organizer: by, attendees, hideAttendees, isOrganizer } = one.properties;
  const organizer = by.emailAddress;
  return {
    ...one,
    id,
    immutableId: opaqueId(id, 'AAkALg'),
    properties: {
      ...one.properties,
      changeKey: changeKey(id),
      attendees:
        hideAttendees && !isOrganizer
          ? attendees.filter(({ emailAddress }) => emailAddress.address === username)
          : attendees,
      organizer: { emailAddress: organizer.address === '' ? { ...organizer, address: username } : organizer },
      webLink: `https://outlook.example/owa/?itemid=${encodeURIComponent(id)}&exvsurl=1&path=/calendar/item`,
    },
  };
}

/**
 * A private event in a calendar that somebody shared without such: its time, and that it is private. That is what sharing
 * promises (https://learn.microsoft.com/graph/outlook-share-or-delegate-calendar); what Graph does is not written
 * down. Lists were seen to hold such events whole (microsoft-graph-docs#14494), and over EWS not at all
 * (Ericsson/exchangecalendar#381). A calendar that is marked after `mailbox` has made it gives them whole.
 */
function withoutPrivateDetails(one: SandboxEvent): SandboxEvent {
  const { sensitivity } = one.properties;
  if (sensitivity !== 'private' && sensitivity !== 'confidential') return one;
  return {
    ...one,
    // The master would tell what its occurrences may not.
    seriesMaster: one.seriesMaster && { id: one.seriesMaster.id, immutableId: one.seriesMaster.immutableId },
    properties: {
      ...one.properties,
      subject: 'Private Appointment',
      bodyPreview: '',
      body: { contentType: 'html', content: '' },
      location: { displayName: '' },
      locations: [],
      attendees: [],
      categories: [],
      isOnlineMeeting: false,
      onlineMeeting: null,
    },
  };
}

export const clientId = '11111111-1111-1111-1111-111111111111';

/** The smallest data: one tenant, one application, one user with these calendars. */
export function singleMailbox(calendars: SandboxCalendar[], username = 'you@xebia.example'): SandboxData {
  const tenant = { id: '22222222-2222-2222-2222-222222222222', domain: username.split('@')[1] ?? '', name: 'Xebia' };
  return {
    tenants: [tenant],
    applications: [{ clientId, name: 'calmcp', tenants: [tenant.id] }],
    users: [{ oid: 'aaaaaaaa-0000-0000-0000-000000000001', tenant: tenant.id, username, displayName: 'You' }],
    mailboxes: [mailbox(username, calendars)],
  };
}
