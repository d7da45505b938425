/** The one place that decides what an event does to its owner's time. */
import type { BlockingBusy, Busy, CalendarEvent } from './event.ts';

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

export function isAtLeast(a: Busy, b: Busy): boolean {
  return SEVERITY[a] >= SEVERITY[b];
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

export function isBlocking(busy: Busy): busy is BlockingBusy {
  return busy !== 'free' && busy !== 'workingElsewhere';
}

/** How a search for free time takes what is not plainly busy: it blocks, may be used last, or does not count. */
export type Treatment = 'busy' | 'soft' | 'free';

/** The choices that are the asker's. Out of office and busy time always blocks. */
export interface BusyPolicy {
  readonly tentativeAs: Treatment;
  readonly focusTimeAs: Treatment;
  readonly workingElsewhereAs: Treatment;
  /** All-day events do not count; an all-day absence is still used last. */
  readonly ignoreAllDay: boolean;
}

/** Graph's own availability view has working elsewhere as free: https://learn.microsoft.com/graph/api/calendar-getschedule */
export const DEFAULT_POLICY: BusyPolicy = {
  tentativeAs: 'soft',
  focusTimeAs: 'busy',
  workingElsewhereAs: 'free',
  ignoreAllDay: false,
};

/** What an event is to a search for free time. */
export function treatmentOf(
  event: Pick<CalendarEvent, 'status' | 'myResponse' | 'type' | 'busy' | 'start'>,
  policy: BusyPolicy,
): Treatment {
  const busy = busyOf(event);
  if (busy === 'free') return 'free';
  if (policy.ignoreAllDay && event.start.kind === 'date') return busy === 'oof' ? 'soft' : 'free';
  if (busy === 'workingElsewhere') return policy.workingElsewhereAs;
  if (busy === 'tentative') return policy.tentativeAs;
  return event.type === 'focusTime' && busy === 'busy' ? policy.focusTimeAs : 'busy';
}
