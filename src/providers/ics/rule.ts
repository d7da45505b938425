/** Recurrence rules as ical.js hands them over. */
import { FREQUENCIES, type Rule, RuleError, WEEKDAY_CODES, type WeekdayPart } from '../../core/recurrence-rule.ts';

/**
 * The rule in what ical.js makes of an RRULE.
 * @throws RuleError for a rule that RFC 5545 does not allow or that would need another calendar (RFC 7529): to ignore
 * the part that is not understood would make up times
 */
export function parseRule(recur: unknown): Rule {
  if (typeof recur !== 'object' || recur === null) throw new RuleError('repeats by a rule that cannot be read');
  const parts = recur as Readonly<Record<string, unknown>>;
  const invalid = (): RuleError => new RuleError('repeats by a rule that RFC 5545 does not know');
  const list = (name: string): readonly unknown[] | null => {
    const value = parts[name];
    return value === undefined ? null : Array.isArray(value) ? value : [value];
  };
  const numbers = (name: string): readonly number[] | null => {
    const values = list(name);
    if (values === null) return null;
    if (!values.every((value) => typeof value === 'number' && Number.isInteger(value))) throw invalid();
    return [...(values as number[])].sort((a, b) => a - b);
  };
  const frequency = FREQUENCIES.find((known) => known === parts.freq);
  if (frequency === undefined)
    throw parts.freq === 'SECONDLY' ? new RuleError('repeats every few seconds, which is not expanded') : invalid();
  if (/^(?!GREGORIAN$)./.test(String(parts.rscale ?? '')) || /^(?!OMIT$)./.test(String(parts.skip ?? '')))
    throw new RuleError('repeats in another calendar than the Gregorian one');

  const byDay =
    list('byday')?.map((value): WeekdayPart => {
      const match = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(String(value));
      if (!match) throw invalid();
      return { nth: Number(match[1] ?? 0), weekday: WEEKDAY_CODES.indexOf(match[2] ?? '') };
    }) ?? null;
  const count = parts.count === undefined ? null : Number(parts.count);
  const rule: Rule = {
    frequency,
    // ical.js makes 1 of zero and less, which some producers write.
    interval: parts.interval === undefined ? 1 : Number(parts.interval),
    count,
    until: typeof parts.until === 'string' ? parts.until : null,
    // ical.js counts from Sunday as 1.
    weekStart: typeof parts.wkst === 'number' ? (parts.wkst + 5) % 7 : 0,
    byMonth: numbers('bymonth'),
    byWeekNo: numbers('byweekno'),
    byYearDay: numbers('byyearday'),
    byMonthDay: numbers('bymonthday'),
    byDay,
    byHour: numbers('byhour'),
    byMinute: numbers('byminute'),
    bySecond: numbers('bysecond'),
    bySetPos: numbers('bysetpos'),
  };
  const numbered = byDay?.some(({ nth }) => nth !== 0) ?? false;
  if (!(rule.interval >= 1) || (count !== null && !(count >= 1))) throw invalid();
  if (numbered && frequency !== 'MONTHLY' && frequency !== 'YEARLY') throw invalid();
  if (rule.byWeekNo !== null && (numbered || frequency !== 'YEARLY')) throw invalid();
  return rule;
}
