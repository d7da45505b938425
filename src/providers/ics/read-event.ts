/** A VEVENT with its times understood: which zone, which length, which rules. */
import { type Rule, RuleError } from '../../core/recurrence-rule.ts';
import { DAY } from '../../core/time.ts';
import { type LocalTime, parseLocal, type WallClock } from '../../core/wall-clock.ts';
import type { Problem, RawComponent, RawProperty } from './parse.ts';
import { parseRule } from './rule.ts';
import { type Duration, parameterOf, parseDuration, propertiesOf, textOf, valuesOf } from './values.ts';

/** A date, or a wall-clock time and the clock it is read on. */
export interface TimeValue {
  readonly kind: 'date' | 'timed';
  readonly local: number;
  readonly clock: WallClock;
  readonly floating: boolean;
  /** Was written with a Z. */
  readonly utc: boolean;
}

export interface ExtraTime {
  readonly time: TimeValue;
  /** Of an RDATE with a PERIOD (R13). */
  readonly end?: TimeValue | Duration;
}

export interface ParsedEvent {
  readonly raw: RawComponent;
  readonly uid: string | null;
  readonly sequence: number;
  /** LAST-MODIFIED, else DTSTAMP, in epoch milliseconds: which of two copies is newer. */
  readonly stamp: number;
  readonly start: TimeValue;
  readonly end: TimeValue | Duration | null;
  readonly rules: readonly { readonly rule: Rule; readonly until: LocalTime | null }[];
  readonly extra: readonly ExtraTime[];
  readonly excluded: readonly TimeValue[];
  readonly recurrenceId: TimeValue | null;
  readonly thisAndFuture: boolean;
  readonly cancelled: boolean;
  /** Its times cannot be placed: the message says why. They are read in UTC, so at most a day off. */
  readonly unplaced: string | null;
  /** It repeats in a way that is not expanded, until then at the latest. */
  readonly unexpandable: { readonly message: string; readonly until: LocalTime | null } | null;
  readonly warnings: readonly string[];
}

/** What a calendar says about reading its times. */
export interface TimeContext {
  /** `null` for a zone that nobody describes. */
  readonly clockOf: (tzid: string) => WallClock | null;
  /** Of times without a zone (T22). */
  readonly floatingClock: WallClock;
  readonly utc: WallClock;
  /** METHOD of the calendar, in capitals. */
  readonly method: string | null;
}

export function isDuration(value: TimeValue | Duration): value is Duration {
  return 'days' in value;
}

/** The date that a value means: a UTC midnight is a date in disguise, any other instant falls on a day of that clock. */
export function dateOf(time: { local: number; utc: boolean }, clock: WallClock): number {
  const midnight = (local: number): number => Math.floor(local / DAY) * DAY;
  return midnight(time.utc && time.local % DAY !== 0 ? clock.toLocal(time.local) : time.local);
}

class Unreadable extends Error {}

/** A component that cannot be read comes back as a {@link Problem}. */
export function readEvent(raw: RawComponent, context: TimeContext): ParsedEvent | Problem {
  try {
    return read(raw, context);
  } catch (thrown) {
    if (thrown instanceof Unreadable) return { line: raw.line, message: thrown.message };
    throw thrown;
  }
}

function read(raw: RawComponent, context: TimeContext): ParsedEvent {
  const warnings: string[] = [];
  let unplaced: string | null = null;
  let unexpandable: ParsedEvent['unexpandable'] = null;

  function timeOf(text: unknown, property: RawProperty, name: string): TimeValue {
    const parsed = typeof text === 'string' ? parseLocal(text) : null;
    if (parsed === null) throw new Unreadable(`has a ${name} that is no date and no time`);
    const { kind, local, utc } = parsed;
    if (kind === 'date') return { kind, local, clock: context.floatingClock, floating: false, utc };
    if (utc) return { kind, local, clock: context.utc, floating: false, utc };
    const tzid = parameterOf(property, 'tzid');
    if (tzid === null) return { kind, local, clock: context.floatingClock, floating: true, utc };
    const clock = context.clockOf(tzid);
    if (clock === null) unplaced = 'is in a time zone that neither the file describes nor calmcp knows';
    return { kind, local, clock: clock ?? context.utc, floating: false, utc };
  }

  function first(name: string): TimeValue | null {
    const property = propertiesOf(raw, name)[0];
    return property === undefined ? null : timeOf(property.values[0], property, name.toUpperCase());
  }

  function durationOf(value: unknown): Duration {
    const duration = parseDuration(String(value));
    if (duration === null) throw new Unreadable('has a DURATION that is none');
    return duration;
  }

  const start = first('dtstart');
  if (start === null) throw new Unreadable('has no start');
  const length = propertiesOf(raw, 'duration')[0];
  const end = first('dtend') ?? (length === undefined ? null : durationOf(length.values[0]));

  const rules: { rule: Rule; until: LocalTime | null }[] = [];
  const recurs = valuesOf(raw, 'rrule');
  try {
    for (const value of recurs) {
      const rule = parseRule(value);
      const until = rule.until === null ? null : parseLocal(rule.until);
      if (rule.until !== null && until === null) throw new RuleError('repeats until a time that cannot be read');
      if (start.kind === 'date' && (rule.frequency === 'HOURLY' || rule.frequency === 'MINUTELY'))
        throw new RuleError('lasts all day and repeats several times a day');
      // An all-day event has no time of day to choose (RFC 5545 3.3.10).
      const dates = start.kind === 'date' ? { byHour: null, byMinute: null, bySecond: null } : {};
      rules.push({ rule: { ...rule, ...dates }, until });
    }
    if (propertiesOf(raw, 'exrule').length > 0) throw new RuleError('has an EXRULE, which RFC 5545 did away with');
  } catch (thrown) {
    if (!(thrown instanceof RuleError)) throw thrown;
    const until = recurs.length === 1 ? parseLocal(String((recurs[0] as { until?: unknown } | null)?.until)) : null;
    unexpandable = { message: thrown.message, until };
  }

  const extra = propertiesOf(raw, 'rdate').flatMap((property) =>
    property.values.map((value): ExtraTime => {
      if (!Array.isArray(value)) return { time: timeOf(value, property, 'RDATE') };
      const [from, to] = value as readonly unknown[];
      const duration = typeof to === 'string' && /^[+-]?P/.test(to);
      return {
        time: timeOf(from, property, 'RDATE'),
        end: duration ? durationOf(to) : timeOf(to, property, 'RDATE'),
      };
    }),
  );
  const excluded = propertiesOf(raw, 'exdate').flatMap((property) =>
    property.values.map((value) => timeOf(value, property, 'EXDATE')),
  );
  const recurrenceId = first('recurrence-id');
  const range = propertiesOf(raw, 'recurrence-id')[0];

  if (end !== null && !isDuration(end) && end.kind !== start.kind)
    warnings.push('its start and end are not both dates or both times');
  return {
    raw,
    uid: textOf(raw, 'uid'),
    sequence: Number.parseInt(textOf(raw, 'sequence') ?? '0', 10) || 0,
    stamp: stampOf(raw, 'last-modified') ?? stampOf(raw, 'dtstamp') ?? 0,
    start,
    end,
    rules,
    extra,
    excluded,
    recurrenceId,
    thisAndFuture: range !== undefined && parameterOf(range, 'range')?.toUpperCase() === 'THISANDFUTURE',
    cancelled: context.method === 'CANCEL' || textOf(raw, 'status')?.toUpperCase() === 'CANCELLED',
    unplaced,
    unexpandable,
    warnings,
  };
}

/** Epoch milliseconds of a property that RFC 5545 wants in UTC. */
export function stampOf(raw: RawComponent, name: string): number | null {
  return parseLocal(textOf(raw, name) ?? '')?.local ?? null;
}
