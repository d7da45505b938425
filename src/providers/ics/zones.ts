/** Clocks that read and set wall-clock times: of known zones, and of the VTIMEZONEs that a calendar brings along. */
import { createBudget, expandRule, RuleError } from '../../core/recurrence-rule.ts';
import { DAY, parseZone, zoneClock } from '../../core/time.ts';
import { createWallClock, type OffsetAt, parseLocal, type WallClock } from '../../core/wall-clock.ts';
import type { RawComponent } from './parse.ts';
import { parseRule } from './rule.ts';
import { textOf, valuesOf } from './values.ts';

interface Transition {
  readonly at: number;
  readonly offset: number;
}

/** Transitions are worked out this far; what lies beyond keeps the last offset. */
const LAST_TRANSITION = Date.UTC(2200, 0, 1);

function parseOffset(text: string | null): number | null {
  const match = /^([+-])(\d{2}):?(\d{2})?:?(\d{2})?$/.exec(text ?? '');
  if (!match) return null;
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = match;
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  // No clock on earth has ever been further from UTC; a slip of the keyboard would move an event to another day.
  if (size > 18 * 3_600) return null;
  return (sign === '-' ? -size : size) * 1_000;
}

/** The offsets that a VTIMEZONE describes (RFC 5545 3.6.5), or `null` where it describes none. */
function offsetsOf(component: RawComponent): OffsetAt | null {
  const transitions: Transition[] = [];
  let earliest: { at: number; offset: number } | undefined;
  const budget = createBudget();
  for (const observance of component.children) {
    const from = parseOffset(textOf(observance, 'tzoffsetfrom'));
    const to = parseOffset(textOf(observance, 'tzoffsetto'));
    const start = parseLocal(textOf(observance, 'dtstart') ?? '');
    if (from === null || to === null || start === null) continue;
    const onsets = [start.local];
    for (const value of valuesOf(observance, 'rrule')) {
      const rule = parseRule(value);
      const until = rule.until === null ? null : parseLocal(rule.until);
      // UNTIL is in UTC here, onsets are in the wall-clock time before the change.
      const end = until === null ? LAST_TRANSITION : until.local + (until.utc ? from : 0) + 1;
      onsets.push(...expandRule(rule, start.local, { from: start.local, to: Math.min(end, LAST_TRANSITION) }, budget));
    }
    for (const value of valuesOf(observance, 'rdate')) {
      const onset = parseLocal(String(Array.isArray(value) ? value[0] : value));
      if (onset !== null) onsets.push(onset.utc ? onset.local + from : onset.local);
    }
    for (const onset of onsets) transitions.push({ at: onset - from, offset: to });
    const first = Math.min(...onsets) - from;
    if (earliest === undefined || first < earliest.at) earliest = { at: first, offset: from };
  }
  if (earliest === undefined) return null;
  transitions.sort((a, b) => a.at - b.at);
  const { offset: initial } = earliest;
  return (epochMs) => {
    let [low, high] = [0, transitions.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((transitions[middle]?.at ?? 0) <= epochMs) low = middle + 1;
      else high = middle;
    }
    return transitions[low - 1]?.offset ?? initial;
  };
}

/** A zone whose rules are not understood is one that the file does not describe. */
function understood(component: RawComponent): OffsetAt | null {
  try {
    return offsetsOf(component);
  } catch (thrown) {
    if (thrown instanceof RuleError) return null;
    throw thrown;
  }
}

export interface Zones {
  /** Clock of a zone by IANA name or fixed offset. */
  named(zone: string): WallClock;
  /** Clock of the zone that a calendar calls `tzid`; `null` where that says nothing about its offsets. */
  resolve(tzid: string, embedded: ReadonlyMap<string, RawComponent>): WallClock | null;
}

export function createZones(): Zones {
  const known = new Map<string, { clock: WallClock; offsetAt: OffsetAt }>();
  const described = new WeakMap<RawComponent, { clock: WallClock | null }>();

  function lookUp(zone: string): { clock: WallClock; offsetAt: OffsetAt } {
    let entry = known.get(zone);
    if (entry === undefined) {
      const { offsetMinutes } = zoneClock(zone);
      const offsetAt = (epochMs: number): number => offsetMinutes(epochMs) * 60_000;
      entry = { clock: createWallClock(offsetAt, () => zone), offsetAt };
      known.set(zone, entry);
    }
    return entry;
  }

  /** Embedded rules win over the name they go by (T26); the name is told where both agree in that year. */
  function describe(tzid: string, component: RawComponent): WallClock | null {
    const offsetAt = understood(component);
    if (offsetAt === null) return null;
    const name = parseZone(tzid) ?? parseZone(textOf(component, 'x-lic-location') ?? '');
    if (name === null) return createWallClock(offsetAt, () => null);
    const agreement = new Map<number, boolean>();
    function agrees(epochMs: number): boolean {
      const actual = lookUp(name as string).offsetAt;
      const year = new Date(epochMs).getUTCFullYear();
      let same = agreement.get(year);
      if (same === undefined) {
        same = true;
        for (let at = Date.UTC(year, 0, 1); same && at < Date.UTC(year + 1, 0, 1); at += 3 * DAY)
          same = offsetAt?.(at) === actual(at);
        agreement.set(year, same);
      }
      return same && offsetAt?.(epochMs) === actual(epochMs);
    }
    return createWallClock(offsetAt, (epochMs) => (agrees(epochMs) ? name : null));
  }

  return {
    named: (zone) => lookUp(zone).clock,
    resolve(tzid, embedded) {
      const component = embedded.get(tzid);
      if (component !== undefined) {
        let entry = described.get(component);
        if (entry === undefined) {
          entry = { clock: describe(tzid, component) };
          described.set(component, entry);
        }
        if (entry.clock !== null) return entry.clock;
      }
      const zone = parseZone(tzid);
      return zone === null ? null : lookUp(zone).clock;
    },
  };
}
