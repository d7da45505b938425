import type { GoogleAttendee } from './google-data.ts';
import { isPerson, personIn } from './google-series.ts';

type Attendees = readonly GoogleAttendee[];

/**
 * Who is on a copy after a change that is not the organizer's. The own answer counts and nobody else's does; people who
 * are left out are gone from this copy, as from any list that is replaced, until the organizer's calendar brings them
 * back, where the sandbox has it.
 * @param isOmitted `attendeesOmitted`: "can be used to only update the participant's response"
 */
export function attendeesOfCopy(stored: Attendees, wanted: Attendees, self: string, isOmitted: boolean): Attendees {
  const answer = personIn(wanted, self);
  if (isOmitted) return stored.map((each) => (answer !== undefined && isPerson(each, self) ? answer : each));
  return wanted.map((each) => (isPerson(each, self) ? each : (personIn(stored, each.email) ?? each)));
}

/** Those of `after` who are not in `before`. */
export function addedGuests(before: Attendees, after: Attendees): Attendees {
  return after.filter(({ email }) => personIn(before, email) === undefined);
}
