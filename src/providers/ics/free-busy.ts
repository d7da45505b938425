/** VFREEBUSY (RFC 5545 3.6.4): busy times without events, which some servers publish instead of a calendar. */
import type { Busy } from '../../core/event.ts';
import { DAY } from '../../core/time.ts';
import { parseLocal } from '../../core/wall-clock.ts';
import type { RawComponent } from './parse.ts';
import type { TimeContext } from './read-event.ts';
import { parameterOf, parseDuration, propertiesOf, textOf } from './values.ts';

export interface BusyTime {
  readonly start: number;
  readonly end: number;
  readonly busy: Busy;
}

export interface FreeBusy {
  readonly line: number;
  readonly times: readonly BusyTime[];
  /** What it speaks about: outside of that, nothing is known. */
  readonly from: number;
  readonly to: number;
  /** Some of its times cannot be read. */
  readonly damaged: boolean;
}

const TYPES: Readonly<Record<string, Busy>> = { 'BUSY-UNAVAILABLE': 'oof', 'BUSY-TENTATIVE': 'tentative' };

export function readFreeBusy(raw: RawComponent, { utc, floatingClock }: TimeContext): FreeBusy {
  const instant = (text: unknown): number | null => {
    const parsed = typeof text === 'string' ? parseLocal(text) : null;
    return parsed === null ? null : (parsed.utc ? utc : floatingClock).toEpochMs(parsed.local);
  };
  const times: BusyTime[] = [];
  let damaged = false;
  for (const property of propertiesOf(raw, 'freebusy')) {
    const type = parameterOf(property, 'fbtype')?.toUpperCase() ?? 'BUSY';
    if (type === 'FREE') continue;
    for (const value of property.values) {
      const [from, to] = Array.isArray(value) ? (value as readonly unknown[]) : [];
      const start = instant(from);
      const duration = typeof to === 'string' ? parseDuration(to) : null;
      const end = duration === null || start === null ? instant(to) : start + duration.days * DAY + duration.ms;
      if (start === null || end === null || end < start) damaged = true;
      else times.push({ start, end, busy: TYPES[type] ?? 'busy' });
    }
  }
  const from = instant(textOf(raw, 'dtstart'));
  const to = instant(textOf(raw, 'dtend'));
  return {
    line: raw.line,
    times,
    // Without bounds (METHOD:PUBLISH may leave them out) it vouches for what it lists, and no more.
    from: from ?? times.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
    to: to ?? times.reduce((most, { end }) => Math.max(most, end), Number.NEGATIVE_INFINITY),
    damaged,
  };
}

/** Whether these components together speak about all of `[start, end)`. */
export function covers(parts: readonly FreeBusy[], start: number, end: number): boolean {
  let reached = start;
  for (const { from, to } of [...parts].sort((a, b) => a.from - b.from))
    if (from <= reached) reached = Math.max(reached, to);
  return reached >= end;
}
