/** What every form of a report for people says at its top. */
import { addDays } from '../../core/civil-days.ts';
import { formatOffset, type ZoneClock, zoneClock } from '../../core/time.ts';
import type { FreeBusy } from '../../operations/get-free-busy.ts';
import { incompleteLine } from '../../server/text.ts';
import { dayName } from '../day-names.ts';
import { changeBetween, wallTime } from './days.ts';
import { stretchesOf } from './stretches.ts';

export interface Facts {
  /** `23–29 November 2026` */
  readonly title: string;
  /** `For marimer`, `Yours` */
  readonly whom: string;
  /** `Europe/Amsterdam (+01:00)` */
  readonly zone: string;
  /** When the oldest thing in it was read. */
  readonly asOf: string | undefined;
  /** How much is free within working hours: `12 h 30 min`; `not known` where it may be more. */
  readonly free: string;
  /** What an incomplete report does not know. */
  readonly warning: string | undefined;
}

export function factsOf(answer: FreeBusy): Facts {
  const { audience, range, accounts, complete } = answer;
  const clock = zoneClock(range.timeZone);
  const asOf = oldestOf(accounts);
  return {
    title: spanName(Date.parse(range.start), Date.parse(range.end), clock),
    whom: audience === undefined ? 'Yours' : `For ${audience}`,
    zone: zoneName(Date.parse(range.start), Date.parse(range.end), clock),
    asOf:
      asOf === undefined
        ? undefined
        : `${dayOf(clock.date(asOf))}, ${clock.timeOfDay(asOf)} (${formatOffset(clock.offsetMinutes(asOf))})`,
    free: complete
      ? duration(
          stretchesOf(answer)
            .filter(({ kind }) => kind === 'free')
            .reduce((sum, { start, end }) => sum + end - start, 0),
        )
      : 'not known',
    warning: incompleteLine(accounts, complete),
  };
}

/** Epoch milliseconds. */
export function oldestOf(accounts: FreeBusy['accounts']): number | undefined {
  const times = accounts.flatMap(({ asOf }) => (asOf === undefined ? [] : Date.parse(asOf)));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** `Monday 23 November 2026`, `23–29 November 2026`, `30 November – 6 December 2026`, with times where days are not whole. */
export function spanName(start: number, end: number, clock: ZoneClock): string {
  const [firstDay, lastDay] = [clock.date(start), clock.date(end - 1)];
  if (start === clock.startOfDay(firstDay) && end === clock.startOfDay(addDays(lastDay, 1)))
    return dateSpan(firstDay, lastDay);
  const to = end === clock.startOfDay(addDays(lastDay, 1)) ? '24:00' : wallTime(end, clock);
  return firstDay === lastDay
    ? `${dayName(firstDay)}, ${wallTime(start, clock)}–${to}`
    : `${dayOf(firstDay)}, ${wallTime(start, clock)} – ${dayOf(lastDay)}, ${to}`;
}

/** `23 November 2026` */
function dayOf(date: string): string {
  return dayName(date).split(' ').slice(1).join(' ');
}

export function dateSpan(firstDay: string, lastDay: string): string {
  if (firstDay === lastDay) return dayName(firstDay);
  const [, day, month, year] = dayName(firstDay).split(' ');
  const last = dayOf(lastDay);
  if (firstDay.slice(0, 7) === lastDay.slice(0, 7)) return `${day}–${last}`;
  return firstDay.slice(0, 4) === lastDay.slice(0, 4)
    ? `${day} ${month} – ${last}`
    : `${day} ${month} ${year} – ${last}`;
}

/** The zone with its offset, and with those that it changes to within the range. */
function zoneName(start: number, end: number, clock: ZoneClock): string {
  const offset = formatOffset(clock.offsetMinutes(start));
  const parts = [offset];
  let known = start;
  for (let date = clock.date(start); clock.startOfDay(date) < end; date = addDays(date, 1)) {
    const until = Math.min(clock.startOfDay(addDays(date, 1)), end) - 1;
    if (clock.offsetMinutes(until) !== clock.offsetMinutes(known)) {
      const change = changeBetween(known, until, clock);
      parts.push(`${formatOffset(clock.offsetMinutes(change))} from ${dayOf(date)}`);
    }
    known = until;
  }
  return clock.timeZone === offset && parts.length === 1 ? offset : `${clock.timeZone} (${parts.join(', ')})`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours === 0 && rest > 0 ? '' : `${hours} h`, rest === 0 ? '' : `${rest} min`].filter(Boolean).join(' ');
}
