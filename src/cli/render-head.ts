/** How every answer begins on a screen: what was read, and for which time. */
import { addDays } from '../core/time.ts';
import type { Head } from '../operations/question.ts';
import { offsetOf, weekdayOf as weekdayName } from '../server/text.ts';
import { dayName, rangeLine, renderCoverage } from './render-agenda.ts';
import type { Screen } from './shell.ts';

const MIDNIGHT = '00:00';

/** `10:00–10:45`, `22:00–Fri 01:30`, `13:00–24:00`, `all day`; of times as `--json` has them. */
export function timesOn({
  start,
  end,
  allDay,
}: {
  readonly start: string;
  readonly end: string;
  readonly allDay?: true | undefined;
}): string {
  const [firstDay, endDay] = [start.slice(0, 10), end.slice(0, 10)];
  if (allDay) {
    const lastDay = addDays(endDay, -1);
    return lastDay <= firstDay ? 'all day' : `all day to ${weekdayName(lastDay)} ${lastDay.slice(8)}`;
  }
  const [from, to] = [start.slice(11, 16), end.slice(11, 16)];
  if (start === end) return from;
  // At midnight a day is over before the next one begins.
  const lastDay = to === MIDNIGHT ? addDays(endDay, -1) : endDay;
  const until = to === MIDNIGHT ? '24:00' : to;
  // Where clocks change in between, the same time of day may be another moment.
  const offset = offsetOf(end) === offsetOf(start) ? '' : offsetOf(end);
  return `${from}–${lastDay === firstDay ? '' : `${weekdayName(lastDay)} `}${until}${offset}`;
}

export function renderHead(head: Head, { style }: Screen): string[] {
  return [
    ...(head.notices ?? []).map((notice) => style('yellow', notice)),
    ...renderCoverage(head.accounts, head.complete, style),
    '',
    rangeLine(head),
  ];
}

/** A heading per day, and lines under it. */
export function renderDays<Item extends { readonly start: string }>(
  items: readonly Item[],
  lines: readonly string[],
  { style }: Screen,
): string[] {
  const rendered: string[] = [];
  let heading = '';
  for (const [index, { start }] of items.entries()) {
    const day = start.slice(0, 10);
    if (day !== heading) rendered.push('', style('bold', dayName(day)));
    heading = day;
    rendered.push(lines[index] ?? '');
  }
  return rendered;
}
