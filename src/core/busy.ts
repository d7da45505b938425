/** The one place that decides what an event does to its owner's time. */
import type { Busy, CalendarEvent } from './event.ts';

/** From harmless to blocking; what a backend would not tell blocks like `busy` (RFC 5545 3.8.2.7: OPAQUE is the default). */
const SEVERITY: Readonly<Record<Busy, number>> = {
  free: 0,
  workingElsewhere: 1,
  tentative: 2,
  unknown: 3,
  busy: 4,
  oof: 5,
};

export function mostSevere(a: Busy, b: Busy): Busy {
  return SEVERITY[b] > SEVERITY[a] ? b : a;
}

/** What the event does to the time of the person whose copy this is. */
export function busyOf(event: Pick<CalendarEvent, 'status' | 'myResponse' | 'type' | 'busy'>): Busy {
  if (event.status === 'cancelled' || event.myResponse === 'declined') return 'free';
  if (event.type === 'workingLocation' || event.type === 'birthday' || event.type === 'holiday') return 'free';
  if (event.busy === 'free') return 'free';
  if (event.busy === 'oof' || event.type === 'outOfOffice') return 'oof';
  if (event.busy === 'workingElsewhere') return 'workingElsewhere';
  if (event.busy === 'tentative' || event.status === 'tentative') return 'tentative';
  // An invitation nobody answered is busy at Google and tentative at Microsoft: calmcp says tentative for both.
  if (event.myResponse === 'tentative' || event.myResponse === 'notResponded') return 'tentative';
  return 'busy';
}
