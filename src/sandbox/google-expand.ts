import { ownedBy } from './google-build.ts';
import type { GoogleCalendar, GoogleEvent, GoogleMoment } from './google-data.ts';
import { parseRule, startsOf } from './google-recurrence.ts';
import { endFor, instanceSuffix, instantOfMoment } from './google-time.ts';

/** Epoch milliseconds; an event is in it when it ends after `from` and starts before `to`. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** One thing on the calendar: a single event, a series as a whole, or an instance of one. */
export interface Occurrence {
  readonly id: string;
  readonly event: GoogleEvent;
  readonly start: GoogleMoment;
  readonly end: GoogleMoment;
  readonly masterId?: string;
  readonly originalStart?: GoogleMoment;
}

/** How far an endless series goes when nobody says until when. The real figure is not documented. */
const horizonDays = 730;

/** What of a calendar is in the window: series as instances (`singleEvents`), or as masters with their exceptions. */
export function expand(calendar: GoogleCalendar, window: Window, singleEvents: boolean, now: number): Occurrence[] {
  const inWindow = ({ start, end }: Occurrence) =>
    instantOfMoment(end, calendar.timeZone) > window.from && instantOfMoment(start, calendar.timeZone) < window.to;
  const overridden = new Set(calendar.events.filter(({ exception }) => exception !== undefined).map(({ id }) => id));
  const until = Number.isFinite(window.to) ? window.to : now + horizonDays * 86_400_000;
  return calendar.events.flatMap((stored) => {
    const event = ownedBy(stored, calendar.id);
    if (event.recurrence === undefined) return [occurrenceOf(event)].filter(inWindow);
    const instances = instancesOf(event, until);
    if (singleEvents) return instances.filter(({ id }) => !overridden.has(id)).filter(inWindow);
    return instances.some(inWindow) ? [occurrenceOf(event)] : [];
  });
}

export function occurrenceOf(event: GoogleEvent): Occurrence {
  const { id, start, end, exception } = event;
  const origin =
    exception === undefined ? {} : { masterId: exception.masterId, originalStart: exception.originalStart };
  return { id, event, start, end, ...origin };
}

function instancesOf(master: GoogleEvent, until: number): Occurrence[] {
  const recurrence = parseRule(master.recurrence ?? []);
  // The starts of dates are compared as UTC: a day of reserve for the zones west of it.
  return [...startsOf(master.start, recurrence, until + 86_400_000)].map((start) => instanceAt(master, start));
}

/** The instance that starts by its rule at a moment, if there is one. */
export function instanceOf(master: GoogleEvent, start: GoogleMoment): Occurrence | undefined {
  const wanted = instanceSuffix(start);
  const { recurrence = [] } = master;
  if (recurrence.length === 0 || 'date' in start !== 'date' in master.start) return undefined;
  const before = 1 + ('date' in start ? Date.parse(start.date) : Date.parse(start.instant));
  for (const found of startsOf(master.start, parseRule(recurrence), before)) {
    if (instanceSuffix(found) === wanted) return instanceAt(master, found);
  }
  return undefined;
}

function instanceAt(master: GoogleEvent, originalStart: GoogleMoment): Occurrence {
  return {
    id: `${master.id}_${instanceSuffix(originalStart)}`,
    event: master,
    start: originalStart,
    end: endFor(originalStart, master.start, master.end),
    masterId: master.id,
    originalStart,
  };
}
