/** What becomes of the exceptions of a series when the series changes. */
import type { GoogleAttendee, GoogleCalendar, GoogleData, GoogleEvent, GoogleEventProperties } from './google-data.ts';
import { instanceOf } from './google-expand.ts';
import { exceptionsOf, isSame, put } from './google-stored.ts';
import { endFor } from './google-time.ts';

/**
 * An exception keeps what is its own and follows the series in the rest: "changes are preserved even if the recurring
 * event itself is updated" (https://gsuite-developers.googleblog.com/2011/12/calendar-v3-best-practices-recurring.html).
 * One whose original start the rule no longer gives has nothing to stand for. What the service does with it is written
 * down for "all following" alone, see `GoogleData.keepsOrphans`; that a new start of a series works as any other change
 * of its rule is this sandbox's reading of taylorwilsdon/google_workspace_mcp#780.
 */
export function followSeries(
  calendar: GoogleCalendar,
  before: GoogleEvent,
  after: GoogleEvent,
  { keepsOrphans = false }: GoogleData,
): void {
  for (const exception of exceptionsOf(calendar, after.id)) {
    const { originalStart } = exception.exception ?? {};
    if (originalStart === undefined) continue;
    if (instanceOf(after, originalStart) === undefined) {
      if (!keepsOrphans) calendar.events = calendar.events.filter(({ id }) => id !== exception.id);
      continue;
    }
    const wasAsLong =
      isSame(exception.start, originalStart) && isSame(exception.end, endFor(originalStart, before.start, before.end));
    put(calendar, {
      ...exception,
      ...(wasAsLong ? { end: endFor(originalStart, after.start, after.end) } : {}),
      properties: followed(exception.properties, before.properties, after.properties),
    });
  }
}

function followed(
  own: GoogleEventProperties,
  before: GoogleEventProperties,
  after: GoogleEventProperties,
): GoogleEventProperties {
  const merged = new Map<string, unknown>(Object.entries(own));
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof GoogleEventProperties>;
  for (const name of names) {
    if (name === 'status' || name === 'attendees' || !isSame(own[name], before[name])) continue;
    if (after[name] === undefined) merged.delete(name);
    else merged.set(name, after[name]);
  }
  const attendees = followedAttendees(own.attendees ?? [], before.attendees ?? [], after.attendees ?? []);
  merged.delete('attendees');
  const properties = Object.fromEntries(merged) as unknown as GoogleEventProperties;
  return attendees.length === 0 ? properties : { ...properties, attendees };
}

function followedAttendees(
  own: readonly GoogleAttendee[],
  before: readonly GoogleAttendee[],
  after: readonly GoogleAttendee[],
): GoogleAttendee[] {
  const kept = own.flatMap((attendee) => {
    const [old, changed] = [personIn(before, attendee.email), personIn(after, attendee.email)];
    if (old === undefined) return [attendee];
    if (changed === undefined) return [];
    return [isSame(attendee, old) ? changed : attendee];
  });
  const added = after.filter(
    ({ email }) => personIn(before, email) === undefined && personIn(own, email) === undefined,
  );
  return [...kept, ...added];
}

export function personIn<Person extends { readonly email: string }>(
  people: readonly Person[],
  email: string,
): Person | undefined {
  return people.find((person) => isPerson(person, email));
}

export function isPerson(person: { readonly email: string }, email: string): boolean {
  return person.email.toLowerCase() === email.toLowerCase();
}
