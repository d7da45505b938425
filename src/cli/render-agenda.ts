/** An agenda as a person reads it: what was read, then day by day. */
import type { AccountCoverage } from '../core/coverage.ts';
import { addDays } from '../core/time.ts';
import type { Agenda, AgendaItem } from '../operations/list-events.ts';
import { factsOf, incompleteLine, offsetOf } from '../server/text.ts';
import type { Link, Style } from './shell.ts';
import { formatTable } from './table.ts';

export function renderCoverage(accounts: readonly AccountCoverage[], complete: boolean, style: Style): string[] {
  const rows = accounts.map(({ account, status, calendars, skipped, message, hint, problems = [] }) => [
    account,
    status,
    [
      calendars === undefined ? undefined : `${calendars} calendar${calendars === 1 ? '' : 's'}`,
      skipped === undefined ? undefined : `${skipped} skipped`,
      message,
      hint,
      ...problems,
    ]
      .filter((fact) => fact !== undefined)
      .join('; '),
  ]);
  const lines = formatTable(rows, {
    style: (cell, column) =>
      column === 1 ? style(cell === 'ok' ? 'green' : cell === 'stale' ? 'yellow' : 'red', cell) : cell,
  });
  const warning = incompleteLine(accounts, complete);
  return warning === undefined ? lines : [...lines, style('red', warning)];
}

/** A day's share of an event. */
interface Row {
  readonly allDay: boolean;
  readonly times: string;
  readonly item: AgendaItem;
}

const DAY_MS = 86_400_000;
const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/** The days of the range that an event touches, with what to print for each: one event stands under all its days (T17). */
function sharesOf(item: AgendaItem, firstDay: string, lastDay: string): (Row & { readonly day: string })[] {
  const startDay = item.start.slice(0, 10);
  const endDay = item.end.slice(0, 10);
  const allDay = item.allDay === true;
  const endsAtMidnight = allDay || (item.end.slice(11, 19) === '00:00:00' && item.end !== item.start);
  const finalDay = endsAtMidnight && endDay > startDay ? addDays(endDay, -1) : endDay;
  const count = daysBetween(startDay, finalDay) + 1;
  const shares = [];
  for (let index = 0; index < count; index++) {
    const day = addDays(startDay, index);
    if (day < firstDay || day > lastDay) continue;
    const from = index === 0 ? item.start.slice(11, 16) : '…';
    const to = index === count - 1 ? (endsAtMidnight ? '24:00' : item.end.slice(11, 16)) : '…';
    const plain = item.start === item.end ? from : `${from}–${to}`;
    const times = allDay ? `all day${count > 1 ? ` ${index + 1}/${count}` : ''}` : plain;
    shares.push({ day, allDay, times, item });
  }
  return shares;
}

function heading(day: string, offset: string, style: Style): string {
  const name = new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', {
    timeZone: 'UTC',
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
  return `${style('bold', name.replace(',', ''))} ${style('dim', `(${offset})`)}`;
}

const MEETING_NAMES: Readonly<Record<string, string>> = {
  'teams.microsoft.com': 'Teams',
  'teams.live.com': 'Teams',
  'meet.google.com': 'Meet',
  'zoom.us': 'Zoom',
  'webex.com': 'Webex',
};

function meetingName(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : 'link';
  return Object.entries(MEETING_NAMES).find(([known]) => host === known || host.endsWith(`.${known}`))?.[1] ?? host;
}

export function renderAgenda({ range, complete, accounts, events }: Agenda, style: Style, link: Link): string {
  const firstDay = range.start.slice(0, 10);
  const lastDay = range.end.slice(11, 19) === '00:00:00' ? addDays(range.end.slice(0, 10), -1) : range.end.slice(0, 10);
  const days = new Map<string, Row[]>();
  for (const item of events)
    for (const { day, ...row } of sharesOf(item, firstDay, lastDay)) days.set(day, [...(days.get(day) ?? []), row]);

  const lines = [...renderCoverage(accounts, complete, style), '', `${range.start} to ${range.end} ${range.timeZone}`];
  if (events.length === 0) lines.push('', complete ? 'No events.' : 'No events in the accounts that were read.');
  for (const [day, rows] of [...days].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // What goes on since yesterday comes before what begins today; an event's own order is kept otherwise.
    const ordered = [...rows].sort(
      (a, b) =>
        Number(b.allDay) - Number(a.allDay) || Number(b.times.startsWith('…')) - Number(a.times.startsWith('…')),
    );
    const offset = ordered.map(({ item }) => offsetOf(item.start)).find((text) => text !== '') ?? offsetOf(range.start);
    lines.push('', heading(day, offset, style));
    lines.push(
      ...formatTable(
        ordered.map(({ times, item }) => {
          const { accounts: own = [], calendar: _calendar, join, ...rest } = item;
          const facts = join === undefined ? factsOf(rest) : [...factsOf(rest), link(meetingName(join), join)];
          return [times, item.title ?? '(no title)', own.join(', '), facts.join(', ')];
        }),
        {
          indent: '  ',
          style: (cell, column) => (column === 0 ? style('cyan', cell) : column > 1 ? style('dim', cell) : cell),
        },
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}
