import { Temporal } from 'temporal-polyfill';
import type { Mailbox, SandboxData, SandboxEvent } from './data.ts';
import type { AccessToken } from './grants.ts';
import { type Preferences, parsePreferences } from './graph-prefer.ts';
import { parseQuery } from './graph-query.ts';
import { graphRefusal } from './graph-refusal.ts';
import { eventsIn } from './graph-store.ts';
import { extentOf, type Window } from './graph-window.ts';
import { type Answer, type Incoming, json } from './http.ts';

/**
 * What the documentation promises; the service was seen to take 100.
 * https://learn.microsoft.com/graph/outlook-get-free-busy-schedule#limits-and-error-conditions,
 * https://github.com/microsoftgraph/microsoft-graph-docs/issues/7047
 */
const maximumSchedules = 20;
/** "Less than 62 days". */
const maximumDays = 62;
/** https://learn.microsoft.com/troubleshoot/exchange/calendars/cannot-view-another-user-calendar-free-busy-information */
const maximumItems = 1_000;
const minute = 60_000;

export interface ScheduleCall {
  readonly incoming: Incoming;
  readonly token: AccessToken;
  readonly data: SandboxData;
  readonly preferences: Preferences;
}

/**
 * Busy times out of the default calendars of people of the same tenant, with subjects and places, as if everybody
 * shared them. https://learn.microsoft.com/graph/api/calendar-getschedule
 */
export function getSchedule({ incoming, token, data, preferences }: ScheduleCall): Answer {
  parseQuery(incoming.query, { type: 'calendar', properties: [], options: [] });
  const asked = parseRequest(incoming);
  return json({
    '@odata.context': `${incoming.origin}/v1.0/$metadata#Collection(microsoft.graph.scheduleInformation)`,
    value: asked.schedules.map((scheduleId) => {
      const mailbox = findMailbox(scheduleId, token, data);
      return {
        scheduleId,
        ...(mailbox === undefined ? notFound(scheduleId) : scheduleOf(mailbox, asked, preferences)),
      };
    }),
  });
}

/** Part of the mailbox settings as well. */
export function workingHoursOf(timeZone: string) {
  return {
    daysOfWeek: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'],
    startTime: '09:00:00.0000000',
    endTime: '17:30:00.0000000',
    timeZone: { name: timeZone },
  };
}

interface Request {
  readonly schedules: readonly string[];
  readonly window: Window;
  /** Milliseconds. */
  readonly interval: number;
}

function parseRequest({ headers, body }: Incoming): Request {
  const given = parseBody(headers['content-type'], body);
  const schedules = parseSchedules(given.get('schedules'));
  const window = { start: parseTime(given, 'startTime'), end: parseTime(given, 'endTime') };
  if (window.end <= window.start) {
    throw graphRefusal(
      400,
      'ErrorInvalidTimeInterval',
      'The time duration specified for FreeBusyViewOptions.TimeWindow is invalid.',
    );
  }
  const days = (window.end - window.start) / 86_400_000;
  if (days >= maximumDays) {
    // https://github.com/microsoftgraph/microsoft-graph-docs/pull/19703
    throw graphRefusal(
      400,
      'ErrorTimeIntervalTooBig',
      `The requested time duration specified for FreeBusyViewOptions.TimeWindow is too long. The allowed limit = ${maximumDays} days; the actual limit = ${Math.ceil(days)} days.`,
    );
  }
  const minutes = given.get('availabilityviewinterval') ?? 30;
  const interval = typeof minutes === 'number' && Number.isInteger(minutes) ? minutes * minute : 0;
  if (interval < 5 * minute || interval > 1_440 * minute || interval > window.end - window.start) {
    // https://github.com/microsoftgraph/microsoft-graph-docs/issues/6450, https://github.com/PlaceOS/office365/issues/29
    throw graphRefusal(
      400,
      'ErrorInvalidMergedFreeBusyInterval',
      'The specified merged free/busy interval is not valid. Specify an interval that is less than the free/busy time window and  between 5 and 1440 minutes.',
    );
  }
  return { schedules, window, interval };
}

const parameters = ['schedules', 'startTime', 'endTime', 'availabilityViewInterval'];

/** The names in lower case: the documentation writes `Schedules` and `schedules`. */
function parseBody(type: string | undefined, text: string): Map<string, unknown> {
  const body = /^application\/json\b/i.test(type ?? '') ? parseJson(text) : undefined;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw graphRefusal(
      400,
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  }
  const known = parameters.map((name) => name.toLowerCase());
  const unknown = Object.keys(body).find((name) => !known.includes(name.toLowerCase()));
  if (unknown !== undefined) {
    throw graphRefusal(
      400,
      'BadRequest',
      `The parameter '${unknown}' in the request payload is not a valid parameter for the operation 'getSchedule'.`,
    );
  }
  return new Map(Object.entries(body).map(([name, value]) => [name.toLowerCase(), value]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function parseSchedules(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string' || each === '')) {
    throw invalid('schedules', 'a collection of addresses');
  }
  if (value.length === 0) {
    throw graphRefusal(400, 'ErrorMailboxDataArrayEmpty', 'There are no target users in the EmailAddress array.');
  }
  if (value.length > maximumSchedules) {
    throw graphRefusal(
      400,
      'ErrorMailboxDataArrayTooBig',
      `There are too many target users in the EmailAddress array. The allowed size = ${maximumSchedules}; the actual size = ${value.length}.`,
    );
  }
  return value as string[];
}

/** A local time and the zone it is in: https://learn.microsoft.com/graph/api/resources/datetimetimezone */
function parseTime(given: ReadonlyMap<string, unknown>, name: string): number {
  const { dateTime, timeZone } = (given.get(name.toLowerCase()) ?? {}) as Record<string, unknown>;
  if (typeof dateTime !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?$/.test(dateTime)) {
    throw invalid(name, 'a local time');
  }
  if (typeof timeZone !== 'string' || timeZone === '') throw invalid(name, 'a time in a zone');
  // The zones are the ones of the Prefer header, with the same refusal.
  const { iana } = parsePreferences(`outlook.timezone="${timeZone}"`).zone;
  try {
    return Temporal.PlainDateTime.from(dateTime).toZonedDateTime(iana).epochMilliseconds;
  } catch {
    throw invalid(name, 'a date of the calendar');
  }
}

function invalid(name: string, wanted: string) {
  return graphRefusal(400, 'ErrorInvalidParameter', `The parameter '${name}' must be ${wanted}.`);
}

function findMailbox(address: string, { user }: AccessToken, { users, mailboxes }: SandboxData): Mailbox | undefined {
  const wanted = address.toLowerCase();
  const found = users.find(({ username, tenant }) => username.toLowerCase() === wanted && tenant === user.tenant);
  return mailboxes.find(({ username }) => username === found?.username);
}

/** "Returns a single schedule item and indicates the error." */
function notFound(address: string) {
  const message = `Unable to resolve e-mail address <>SMTP:${address} to an Active Directory object.`;
  return failed('ErrorMailRecipientNotFound', message);
}

function failed(responseCode: string, message: string) {
  return { availabilityView: '', scheduleItems: [], error: { message, responseCode } };
}

function scheduleOf({ calendars, timeZone }: Mailbox, { window, interval }: Request, { zone }: Preferences) {
  const calendar = calendars.find(({ isDefaultCalendar }) => isDefaultCalendar);
  const events = (calendar === undefined ? [] : eventsIn(calendar, window)).sort(
    (one, other) => extentOf(one).start - extentOf(other).start,
  );
  if (events.length > maximumItems) {
    const sizes = `The allowed size = ${maximumItems}; the actual size = ${events.length}.`;
    return failed('5006', `The result set contains too many calendar entries. ${sizes}`);
  }
  return {
    availabilityView: viewOf(events, window, interval),
    scheduleItems: events.map((event) => renderItem(event, zone)),
    workingHours: workingHoursOf(timeZone),
  };
}

/**
 * What is only partly in the window comes "in its entirety", and an all-day event as the instants of its midnights.
 * https://learn.microsoft.com/exchange/client-developer/web-service-reference/timewindow
 */
function renderItem(event: SandboxEvent, zone: Preferences['zone']) {
  const { showAs, subject, location, sensitivity } = event.properties;
  const { start, end } = extentOf(event);
  const isPrivate = sensitivity === 'private' || sensitivity === 'confidential';
  const time = (instant: number) => ({
    dateTime: Temporal.Instant.fromEpochMilliseconds(instant)
      .toZonedDateTimeISO(zone.iana)
      .toPlainDateTime()
      .toString({ fractionalSecondDigits: 7 }),
    timeZone: zone.name,
  });
  return {
    isPrivate,
    status: showAs,
    ...(isPrivate ? {} : { subject: subject ?? '', location: location.displayName }),
    start: time(start),
    end: time(end),
  };
}

/** Working elsewhere is free: https://learn.microsoft.com/graph/api/resources/scheduleinformation#properties */
const digits = { free: 0, workingElsewhere: 0, tentative: 1, busy: 2, unknown: 2, oof: 3 } as const;

/** One digit for each slot, of what is most severe in it. */
function viewOf(events: readonly SandboxEvent[], window: Window, interval: number): string {
  const slots = new Uint8Array(Math.ceil((window.end - window.start) / interval));
  for (const event of events) {
    const { start, end } = extentOf(event);
    const digit = digits[event.properties.showAs];
    const first = Math.max(0, Math.floor((start - window.start) / interval));
    const last = Math.min(slots.length, Math.ceil((end - window.start) / interval));
    for (let slot = first; slot < last; slot++) slots[slot] = Math.max(slots[slot] ?? 0, digit);
  }
  return slots.join('');
}
