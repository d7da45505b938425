import { parseBody } from './google-body.ts';
import { roleOn } from './google-build.ts';
import type { GoogleContext } from './google-context.ts';
import type { GoogleCalendar } from './google-data.ts';
import { expand, type Window } from './google-expand.ts';
import { freeBusyShape, selectFields } from './google-fields.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { parseTime, readParameters } from './google-query.ts';
import { badParameter, googleRefusal } from './google-refusal.ts';
import { instantOfMoment, inZone, isZone } from './google-time.ts';
import { type Answer, type Incoming, json } from './http.ts';

const maximumCalendars = 50;
const maximumGroup = 100;
const maximumDays = 90;

/** https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query */
export function queryFreeBusy({ query, body }: Incoming, token: GoogleAccessToken, context: GoogleContext): Answer {
  readParameters(query, []);
  const asked = parseBody(body);
  const window = { from: timeOf(asked, 'timeMin'), to: timeOf(asked, 'timeMax') };
  if (window.to <= window.from) throw timeRange('timeRangeEmpty', 'The specified time range is empty.');
  if (window.to - window.from > maximumDays * 86_400_000) {
    throw timeRange('timeRangeTooLong', 'The requested time range is too long.');
  }
  const timeZone = asked.timeZone ?? 'UTC';
  if (typeof timeZone !== 'string' || !isZone(timeZone))
    throw badParameter('timeZone', 'Invalid time zone.', 'invalid');
  const most = limitOf(asked, 'calendarExpansionMax', maximumCalendars);
  limitOf(asked, 'groupExpansionMax', maximumGroup);
  const ids = idsOf(asked.items);
  const answer = {
    kind: 'calendar#freeBusy',
    timeMin: new Date(window.from).toISOString(),
    timeMax: new Date(window.to).toISOString(),
    calendars: Object.fromEntries(
      ids.map((id) => {
        if (ids.length > most) return [id, failed('calendar', 'tooManyCalendarsRequested')];
        const calendar = find(id, token, context);
        if (calendar === undefined) return [id, failed('global', 'notFound')];
        const busy = computed(() => busyOf(calendar, window, context.now()));
        if (busy === undefined) return [id, failed('global', 'internalError')];
        const times = busy.map(({ from, to }) => ({ start: inZone(from, timeZone), end: inZone(to, timeZone) }));
        return [id, { busy: times }];
      }),
    ),
  };
  return json(selectFields(answer, query.get('fields'), freeBusyShape));
}

/** Nothing where it failed: of a calendar with a series that cannot be expanded, say. Other calendars do not suffer. */
function computed(work: () => Window[]): Window[] | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Cut to the window and merged. Neither free nor declined time counts; unanswered and tentative time does. */
function busyOf(calendar: GoogleCalendar, window: Window, now: number): Window[] {
  const blocks = expand(calendar, window, true, now)
    .filter(({ event: { properties } }) => {
      const me = properties.attendees?.find(({ email }) => email.toLowerCase() === calendar.id.toLowerCase());
      return (
        properties.status !== 'cancelled' &&
        properties.transparency !== 'transparent' &&
        properties.eventType !== 'workingLocation' &&
        me?.responseStatus !== 'declined'
      );
    })
    .map(({ start, end }) => ({
      from: Math.max(window.from, instantOfMoment(start, calendar.timeZone)),
      to: Math.min(window.to, instantOfMoment(end, calendar.timeZone)),
    }))
    .filter(({ from, to }) => from < to)
    .sort((one, other) => one.from - other.from);
  const merged: Window[] = [];
  for (const block of blocks) {
    const last = merged.at(-1);
    if (last === undefined || last.to < block.from) merged.push(block);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, block.to) };
  }
  return merged;
}

function find(id: string, { user }: GoogleAccessToken, { data }: GoogleContext): GoogleCalendar | undefined {
  const wanted = id === 'primary' ? user.username : id;
  return data.calendars.find((calendar) => calendar.id === wanted && roleOn(calendar, user.username) !== undefined);
}

function failed(domain: string, reason: string) {
  return { errors: [{ domain, reason }], busy: [] };
}

function timeOf(asked: Record<string, unknown>, name: string): number {
  const value = asked[name];
  if (value === undefined) throw googleRefusal(400, `Missing ${name} parameter.`, { reason: 'required' });
  return parseTime(name, String(value));
}

function limitOf(asked: Record<string, unknown>, name: string, maximum: number): number {
  const value = asked[name] ?? maximum;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maximum) return value;
  throw badParameter(name, `Invalid value for ${name}: at most ${maximum}.`, 'invalid');
}

function idsOf(items: unknown): string[] {
  const ids = (Array.isArray(items) ? items : []).map((item: unknown) => (item as { id?: unknown } | null)?.id);
  if ((items !== undefined && !Array.isArray(items)) || ids.some((id) => typeof id !== 'string' || id === '')) {
    throw googleRefusal(400, 'Bad Request', { reason: 'badRequest' });
  }
  return [...new Set(ids as string[])];
}

function timeRange(reason: string, message: string) {
  return googleRefusal(400, message, { domain: 'calendar', reason, location: 'timeMax', locationType: 'parameter' });
}
