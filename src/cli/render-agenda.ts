/** An agenda as a person reads it: what was read, then day by day. */
import { addDays } from '../core/civil-days.ts';
import type { Agenda, AgendaItem } from '../operations/list-events.ts';
import { factsOf, offsetOf } from '../server/text.ts';
import { dayList, dayName, finalDayOf, isMidnight } from './day-names.ts';
import { accountPainter, MARKER, renderHead } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable, type Yield } from './table.ts';

/** A day's share of an event. */
interface Share {
  readonly day: string;
  readonly allDay: boolean;
  readonly times: string;
  readonly item: AgendaItem;
}

const DAY_MS = 86_400_000;
const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/** The days of the range that an event touches, with what to print for each: one event stands under all its days (T17). */
function sharesOf(item: AgendaItem, firstDay: string, lastDay: string): Share[] {
  const startDay = item.start.slice(0, 10);
  const finalDay = finalDayOf(item);
  const allDay = item.allDay === true;
  const count = daysBetween(startDay, finalDay) + 1;
  const shares = [];
  for (let index = 0; index < count; index++) {
    const day = addDays(startDay, index);
    if (day < firstDay || day > lastDay) continue;
    const from = index === 0 ? item.start.slice(11, 16) : '…';
    const endOfDay = finalDay < item.end.slice(0, 10) ? '24:00' : item.end.slice(11, 16);
    const to = index < count - 1 ? '…' : endOfDay;
    // Where clocks go back in between, the same time of day is another moment.
    const offset = to === endOfDay && offsetOf(item.end) !== offsetOf(item.start) ? offsetOf(item.end) : '';
    const plain = item.start === item.end ? from : `${from}–${to}${offset}`;
    const times = allDay ? `all day${count > 1 ? ` ${index + 1}/${count}` : ''}` : plain;
    shares.push({ day, allDay, times, item });
  }
  return shares;
}

/** Whether somebody has to be there then. What stands for another event of the agenda takes no time of its own. */
function takesTime({ allDay, busy = 'busy', status, response, mirror, possibleDuplicateOf }: AgendaItem): boolean {
  return (
    !allDay &&
    (busy === 'busy' || busy === 'tentative' || busy === 'oof') &&
    status !== 'cancelled' &&
    response !== 'declined' &&
    !mirror &&
    possibleDuplicateOf === undefined
  );
}

interface Overlap {
  readonly other: AgendaItem;
  readonly firstDay: string;
  readonly lastDay: string;
}

/** What else takes the time of an event, and on which days. Events that only touch do not, nor do those without duration. */
function overlapsOf(items: readonly AgendaItem[]): ReadonlyMap<AgendaItem, readonly Overlap[]> {
  const spans = items
    .filter(takesTime)
    .map((item) => ({ item, start: Date.parse(item.start), end: Date.parse(item.end) }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start);
  const found = new Map<AgendaItem, Overlap[]>(spans.map(({ item }) => [item, []]));
  let active: typeof spans = [];
  for (const next of spans) {
    active = active.filter(({ end }) => end > next.start);
    for (const other of active) {
      const { start } = next.item;
      const { end } = other.end < next.end ? other.item : next.item;
      const days = { firstDay: start.slice(0, 10), lastDay: finalDayOf({ start, end }) };
      found.get(next.item)?.push({ other: other.item, ...days });
      found.get(other.item)?.push({ other: next.item, ...days });
    }
    active.push(next);
  }
  return found;
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
export const WORDS: Readonly<Record<string, string>> = {
  oof: 'out of office',
  workingElsewhere: 'working elsewhere',
  notResponded: 'not answered',
};

/** Days of a week that have no events are worth a line; of a month they would be a list. */
const WEEK = 7;

/** The days that are known to hold nothing: none unless the answer is complete and says all of them. */
function emptyDays(
  { range, complete, events }: Agenda,
  firstDay: string,
  lastDay: string,
  days: Set<string>,
): string[] {
  const count = daysBetween(firstDay, lastDay) + 1;
  if (!complete || events.length === 0 || count > WEEK || !isMidnight(range.start) || !isMidnight(range.end)) return [];
  return Array.from({ length: count }, (_, index) => addDays(firstDay, index)).filter((day) => !days.has(day));
}

/** What an event is called. One of which an audience may know the time alone has no title, not even an empty one. */
function titleOf({ title, busy = 'busy' }: AgendaItem): string {
  return title === undefined ? (WORDS[busy] ?? busy) : (title ?? '(no title)');
}

/** With what an event overlaps, where that has a name: the mark tells it anyway. */
function overlapFact(others: readonly AgendaItem[]): string | undefined {
  const name = others.find(({ title }) => title != null)?.title;
  if (name == null) return undefined;
  return `overlaps ${name}${others.length > 1 ? ` and ${others.length - 1} more` : ''}`;
}

const OVERLAP_LEGEND = 'at the same time as another event; what is free or all day does not count';

/** How a line gives way on a narrow screen: time and title come first, and markers tell the accounts too. */
const YIELDS: readonly Yield[] = [
  [3, 16],
  [1, 28],
  [2, 8],
  [3, 8],
  [1, 12],
  [2, 0],
  [3, 0],
];

/** One event under one day, as the cells of the table and what their style needs to know. */
interface Line {
  /** `!`, markers and times: the first cell, in parts. */
  readonly mark: '!' | ' ';
  readonly accounts: readonly string[];
  readonly times: string;
  readonly title: string;
  /** What `facts` begins with, where there is a link to follow. */
  readonly meeting: string | undefined;
  readonly join: string | undefined;
  readonly facts: string;
}

function lineOf({ day, times, item }: Share, overlaps: readonly Overlap[], withIds: boolean): Line {
  const {
    accounts = [],
    calendar: _calendar,
    join,
    busy,
    status,
    response,
    mirror,
    possibleDuplicateOf,
    ...rest
  } = item;
  const { id, title, start, end } = item;
  const others = overlaps
    .filter(({ firstDay, lastDay }) => firstDay <= day && day <= lastDay)
    .map(({ other }) => other);
  const meeting = join === undefined ? undefined : meetingName(join);
  const facts = [
    // First, so that it is there to click on however narrow the screen is.
    meeting,
    withIds ? id : undefined,
    // A title that is no more than busy or tentative is not said twice.
    ...factsOf({ id, title, start, end, ...(title === undefined ? {} : { busy }), status, response }),
    overlapFact(others),
    mirror ? 'mirror' : undefined,
    possibleDuplicateOf === undefined ? undefined : 'possible duplicate',
    ...factsOf(rest),
  ];
  return {
    mark: others.length > 0 ? '!' : ' ',
    accounts,
    times,
    title: titleOf(item),
    meeting,
    join,
    facts: facts.flatMap((fact) => (fact === undefined ? [] : (WORDS[fact] ?? fact))).join(', '),
  };
}

function formatLines(lines: readonly Line[], agenda: Agenda, { style, link, columns }: Screen): string[] {
  const paint = accountPainter(agenda.accounts, style);
  const markers = style.isColoured ? Math.max(0, ...lines.map(({ accounts }) => accounts.length)) : 0;
  const room = markers === 0 ? 0 : markers + 1;
  const head = ({ mark, accounts, times }: Line): string =>
    `${mark} ${MARKER.repeat(room === 0 ? 0 : accounts.length).padEnd(room)}${times}`;
  const styledHead = ({ mark, accounts, times }: Line): string => {
    const bars = accounts.map((account) => paint(account, MARKER)).join('');
    return `${mark === '!' ? style('yellow', mark) : mark} ${room === 0 ? '' : bars + ' '.repeat(room - accounts.length)}${times}`;
  };
  return formatTable(
    lines.map((line) => [head(line), line.title, line.accounts.join(', '), line.facts]),
    {
      columns,
      yields: YIELDS,
      style: (cell, column, row) => {
        const line = lines[row];
        if (line === undefined || column === 1) return cell;
        if (column === 0) return cell === head(line) ? styledHead(line) : cell;
        if (column === 2)
          return cell
            .split(', ')
            .map((name, index) => paint(line.accounts[index], name))
            .join(', ');
        const { meeting, join } = line;
        return style(
          'dim',
          meeting !== undefined && join !== undefined && cell.startsWith(meeting)
            ? link(meeting, join) + cell.slice(meeting.length)
            : cell,
        );
      },
    },
  );
}

export interface AgendaOptions {
  /** Also what `calmcp event get` wants to know. */
  readonly withIds?: boolean | undefined;
  /** Some events were picked out: a day without one of them may be full of others. */
  readonly isSelection?: boolean | undefined;
}

export function renderAgenda(
  agenda: Agenda,
  screen: Screen,
  { withIds = false, isSelection = false }: AgendaOptions = {},
): string {
  const { range, complete, events } = agenda;
  const { style } = screen;
  const firstDay = range.start.slice(0, 10);
  const lastDay = finalDayOf(range);
  const days = new Map<string, Share[]>();
  for (const item of events)
    for (const share of sharesOf(item, firstDay, lastDay)) {
      const shares = days.get(share.day);
      if (shares) shares.push(share);
      else days.set(share.day, [share]);
    }

  const output = renderHead(agenda, screen);
  const none = agenda.continued ? 'No more events' : isSelection ? 'Nothing found' : 'No events';
  if (events.length === 0) output.push('', complete ? `${none}.` : `${none} in the accounts that were read.`);
  const overlaps = overlapsOf(events);
  const usual = offsetOf(range.start);
  const sections = [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, shares]) => {
      // What goes on since yesterday comes before what begins today; an event's own order is kept otherwise.
      const ordered = [...shares].sort(
        (a, b) =>
          Number(b.allDay) - Number(a.allDay) || Number(b.times.startsWith('…')) - Number(a.times.startsWith('…')),
      );
      // On a day on which clocks change there are two.
      const offsets = new Set(
        ordered.flatMap(({ item }) => (item.start.startsWith(day) ? offsetOf(item.start) || [] : [])),
      );
      const told =
        offsets.size > 1 || (offsets.size === 1 && !offsets.has(usual)) ? ` (${[...offsets].join(', then ')})` : '';
      return {
        heading: style('bold', dayName(day)) + style('dim', told),
        lines: ordered.map((share) => lineOf(share, overlaps.get(share.item) ?? [], withIds)),
      };
    });
  // One set of columns for the whole answer.
  const table = formatLines(
    sections.flatMap(({ lines }) => lines),
    agenda,
    screen,
  );
  for (const { heading, lines } of sections) output.push('', heading, ...table.splice(0, lines.length));

  const empty = isSelection ? [] : emptyDays(agenda, firstDay, lastDay, new Set(days.keys()));
  if (empty.length > 0) output.push('', style('dim', `Nothing on ${dayList(empty)}.`));
  if (sections.some(({ lines }) => lines.some(({ mark }) => mark === '!')))
    output.push('', `${style('yellow', '!')} ${style('dim', OVERLAP_LEGEND)}`);
  return `${output.join('\n')}\n`;
}
