/** An agenda as a person reads it: what was read, then day by day. */
import type { AccountCoverage } from '../core/coverage.ts';
import { addDays } from '../core/time.ts';
import type { Agenda, AgendaItem } from '../operations/list-events.ts';
import { factsOf, incompleteLine, offsetOf } from '../server/text.ts';
import type { Screen, Style } from './shell.ts';
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

/** Codes of the answer in words for people. */
const WORDS: Readonly<Record<string, string>> = {
  oof: 'out of office',
  workingElsewhere: 'working elsewhere',
  notResponded: 'not answered',
};

const DAY_NAME = { timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' } as const;

function dayName(day: string): string {
  return new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', DAY_NAME).replace(',', '');
}

/** `Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)`; with times where days are not whole. */
function rangeLine({ range }: Agenda, firstDay: string, lastDay: string): string {
  const isWhole = [range.start, range.end].every((time) => time.slice(11, 19) === '00:00:00');
  const offsets = [...new Set([offsetOf(range.start), offsetOf(range.end)])].join(' to ');
  const zone = `${range.timeZone} (${offsets})`;
  if (!isWhole) return `${range.start} to ${range.end} ${range.timeZone}`;
  return firstDay === lastDay
    ? `${dayName(firstDay)}, ${zone}`
    : `${dayName(firstDay)} to ${dayName(lastDay)}, ${zone}`;
}

export function renderAgenda(agenda: Agenda, { style, link, columns }: Screen): string {
  const { range, complete, accounts, events } = agenda;
  const firstDay = range.start.slice(0, 10);
  const lastDay = range.end.slice(11, 19) === '00:00:00' ? addDays(range.end.slice(0, 10), -1) : range.end.slice(0, 10);
  const days = new Map<string, Row[]>();
  for (const item of events)
    for (const { day, ...row } of sharesOf(item, firstDay, lastDay)) {
      const rows = days.get(day);
      if (rows) rows.push(row);
      else days.set(day, [row]);
    }

  const lines = [...renderCoverage(accounts, complete, style), '', rangeLine(agenda, firstDay, lastDay)];
  if (events.length === 0) lines.push('', complete ? 'No events.' : 'No events in the accounts that were read.');
  const usual = offsetOf(range.start);
  const sections = [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, rows]) => {
      // What goes on since yesterday comes before what begins today; an event's own order is kept otherwise.
      const ordered = [...rows].sort(
        (a, b) =>
          Number(b.allDay) - Number(a.allDay) || Number(b.times.startsWith('…')) - Number(a.times.startsWith('…')),
      );
      // On a day on which clocks change there are two.
      const offsets = new Set(
        ordered.flatMap(({ item }) => (item.start.startsWith(day) ? offsetOf(item.start) || [] : [])),
      );
      const told =
        offsets.size > 1 || (offsets.size === 1 && !offsets.has(usual)) ? ` (${[...offsets].join(', then ')})` : '';
      const cells = ordered.map(({ times, item }) => {
        const { accounts: own = [], calendar: _calendar, join, ...rest } = item;
        const facts = factsOf(rest).map((fact) => WORDS[fact] ?? fact);
        return { row: [times, item.title ?? '(no title)', own.join(', '), facts.join(', ')], join };
      });
      return { heading: style('bold', dayName(day)) + style('dim', told), cells };
    });
  // One set of columns for the whole answer.
  const cells = sections.flatMap((section) => section.cells);
  const table = formatTable(
    cells.map(({ row, join }) => [
      ...row.slice(0, 3),
      [row[3], join === undefined ? '' : meetingName(join)].filter(Boolean).join(', '),
    ]),
    {
      indent: '  ',
      columns,
      style: (cell, column, row) => {
        if (column === 0) return style('cyan', cell);
        if (column < 2) return cell;
        const { join } = cells[row] ?? {};
        const name = join === undefined ? undefined : meetingName(join);
        const linked =
          column === 3 && join !== undefined && name !== undefined && cell.endsWith(name)
            ? cell.slice(0, -name.length) + link(name, join)
            : cell;
        return style('dim', linked);
      },
    },
  );
  let at = 0;
  for (const section of sections) {
    lines.push('', section.heading, ...table.slice(at, at + section.cells.length));
    at += section.cells.length;
  }
  return `${lines.join('\n')}\n`;
}
