/** A report as a page that needs nothing but itself: no script, and nothing is fetched. */
import { Temporal } from 'temporal-polyfill';
import { addDays, weekdayOf } from '../../core/civil-days.ts';
import type { FreeBusy } from '../../operations/get-free-busy.ts';
import { dayName } from '../day-names.ts';
import { type Day, daysOf, type Share } from './days.ts';
import { dateSpan, factsOf } from './facts.ts';
import { STYLE } from './html-style.ts';
import { KIND_WORDS, type Kind } from './stretches.ts';

/** What a week shows at least, in hours of the day. */
const USUAL = { from: 8, to: 18 };
const LEGEND: readonly Kind[] = ['free', 'tentative', 'busy', 'oof', 'unknown'];

function safe(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
/** As CSS takes it, and no longer than needed. */
const number = (value: number): string => String(Math.round(value * 10_000) / 10_000);

/** The days of one ISO 8601 week, from Monday; `undefined` where the range does not reach. */
interface Week {
  readonly monday: string;
  readonly days: readonly (Day | undefined)[];
}

function weeksOf(days: readonly Day[]): Week[] {
  const weeks = new Map<string, (Day | undefined)[]>();
  for (const day of days) {
    const weekday = weekdayOf(day.date);
    const monday = addDays(day.date, -weekday);
    const week = weeks.get(monday) ?? Array.from({ length: 7 }, () => undefined);
    week[weekday] = day;
    weeks.set(monday, week);
  }
  return [...weeks].map(([monday, week]) => ({ monday, days: week }));
}

interface Hours {
  readonly from: number;
  readonly to: number;
}

/**
 * Which hours of the day a week shows: all in which something begins and ends. What reaches midnight, or is not known,
 * goes beyond its edges: a night or a whole day would make everything else small.
 */
function hoursOf(week: Week): Hours {
  const shares = week.days
    .flatMap((day) => day?.shares ?? [])
    .filter(({ kind, top, bottom }) => kind !== 'unknown' && top > 0 && bottom < 24);
  return {
    from: Math.min(USUAL.from, ...shares.map(({ top }) => Math.floor(top))),
    to: Math.max(USUAL.to, ...shares.map(({ bottom }) => Math.ceil(bottom))),
  };
}

/** A share and where its week shows it: among the hours, or at an edge when it lies before or after all of them. */
interface Placed {
  readonly share: Share;
  readonly place: 'earlier' | 'hours' | 'later';
  /** Of those at an edge, the how manieth. */
  readonly line: number;
  /** Two that the clock shows at the same time stand side by side: they are of an hour that passes twice. */
  readonly side?: 'left' | 'right';
}

function placesOf({ shares }: Day, { from, to }: Hours): Placed[] {
  const lines = { earlier: 0, hours: 0, later: 0 };
  return shares.map((share, index) => {
    const place = share.bottom <= from ? 'earlier' : share.top >= to ? 'later' : 'hours';
    const before = shares[index - 1];
    const after = shares[index + 1];
    const side =
      before !== undefined && before.bottom > share.top
        ? 'right'
        : after !== undefined && after.top < share.bottom
          ? 'left'
          : undefined;
    return { share, place, line: lines[place]++, ...(side === undefined ? {} : { side }) };
  });
}

function item({ share, place, line, side }: Placed, { from, to }: Hours): string {
  const { kind, accounts, times, top, bottom } = share;
  const [start, end] = [Math.max(top, from), Math.min(bottom, to)];
  const classes = [
    kind,
    place === 'hours' ? side : `edge ${place}`,
    place === 'hours' && top < from ? 'above' : undefined,
    place === 'hours' && bottom > to ? 'below' : undefined,
  ];
  const style = place === 'hours' ? `--y:${number(start - from)};--h:${number(end - start)}` : `--k:${line}`;
  // Where there is no room to write it.
  const title = place !== 'hours' || end - start <= 0.5 ? ` title="${safe(`${times}, ${KIND_WORDS[kind]}`)}"` : '';
  const whose = accounts.length === 0 ? '' : ` <small>${safe(accounts.join(', '))}</small>`;
  return `<li class="${classes.filter(Boolean).join(' ')}" style="${style}"${title}><div class="text"><b>${safe(capital(times))}</b> <span>${capital(KIND_WORDS[kind])}</span>${whose}</div></li>`;
}

/** The parts of a day's hours that were not asked about. */
function outside(day: Day, { from, to }: Hours): string {
  return [
    [from, Math.min(day.top, to)],
    [Math.max(day.bottom, from), to],
  ]
    .filter(([start = 0, end = 0]) => end > start)
    .map(
      ([start = 0, end = 0]) =>
        `<div class="out" style="--y:${number(start - from)};--h:${number(end - start)}" title="not in this report"></div>`,
    )
    .join('');
}

function column(date: string, day: Day | undefined, placed: readonly Placed[], hours: Hours): string {
  const [weekday = '', dayOfMonth = '', month = ''] = dayName(date).split(' ');
  const short = weekday.slice(0, 3);
  if (day === undefined)
    return `<section class="day off" aria-hidden="true"><h3><span class="short">${short}</span> <b>${dayOfMonth}</b></h3><div class="box"></div></section>`;
  const unusual = day.unusualHours === undefined ? '' : ` <small>${number(day.unusualHours)}-hour day</small>`;
  const none = placed.length === 0 ? '<p class="none">No busy time, no working hours</p>' : '';
  return [
    `<section class="day"><h3><span class="short" aria-hidden="true">${short}</span><span class="hush">${weekday}</span> <b>${dayOfMonth}</b> <span class="hush">${month}</span>${unusual}</h3>`,
    `${none}<div class="box">${outside(day, hours)}`,
    `<ul>${placed.map((one) => item(one, hours)).join('\n')}</ul></div></section>`,
  ].join('\n');
}

function weekSection(week: Week, isAlone: boolean): string {
  const hours = hoursOf(week);
  const columns = week.days.flatMap((day, weekday) => {
    // Of several weeks, each weekday keeps its place.
    if (day === undefined && isAlone) return [];
    const date = addDays(week.monday, weekday);
    return [{ date, day, placed: day === undefined ? [] : placesOf(day, hours), isWeekend: weekday > 4 }];
  });
  const most = (place: Placed['place']): number =>
    Math.max(0, ...columns.map(({ placed }) => placed.filter((one) => one.place === place).length));
  const widths = columns.map(({ day, isWeekend, placed }) => {
    if (isWeekend && placed.length === 0 && columns.length > 2) return 'minmax(0,.42fr)';
    // There, times are written with their offsets.
    return day?.unusualHours === undefined ? 'minmax(0,1fr)' : 'minmax(0,1.5fr)';
  });
  // Each line at an edge takes a strip, and they keep their distance from the hours.
  const edge = (place: Placed['place']): string =>
    most(place) === 0 ? '0rem' : `calc(${most(place)}*var(--strip) + .5rem)`;
  const variables = `--earlier:${edge('earlier')};--later:${edge('later')};--span:${hours.to - hours.from}`;
  const shape = `grid-template-columns:var(--gutter) ${widths.join(' ')}`;
  const width = columns.length < 3 ? ` style="max-width:${columns.length * 18 + 16}rem"` : '';
  const labels = Array.from({ length: hours.to - hours.from + 1 }, (_, index) => {
    const hour = String(hours.from + index).padStart(2, '0');
    return `<span style="--y:${index}">${hour}:00</span>`;
  });
  const edges = [
    ...(most('earlier') === 0 ? [] : ['<span class="edge">earlier</span>']),
    ...(most('later') === 0 ? [] : ['<span class="edge later">later</span>']),
  ];
  const { weekOfYear } = Temporal.PlainDate.from(week.monday);
  const asked = columns.flatMap(({ date, day }) => (day === undefined ? [] : date));
  const span = dateSpan(asked[0] ?? week.monday, asked.at(-1) ?? week.monday);
  return [
    `<section class="week"${width}><h2>Week ${weekOfYear}${isAlone ? '' : ` <span>${span}</span>`}</h2>`,
    `<div class="grid" style="${variables};${shape}">`,
    `<div class="hours" aria-hidden="true">${[...labels, ...edges].join('')}</div>`,
    ...columns.map(({ date, day, placed }) => column(date, day, placed, hours)),
    '</div></section>',
  ].join('\n');
}

export function renderHtml(answer: FreeBusy): string {
  const { title, whom, zone, asOf, free, warning } = factsOf(answer);
  const weeks = weeksOf(daysOf(answer));
  const isCut = weeks.some(({ days }) =>
    days.some((day) => (day === undefined ? weeks.length > 1 : day.top > 0 || day.bottom < 24)),
  );
  const legend = [
    ...LEGEND.map((kind) => `<li><i class="${kind}"></i>${capital(KIND_WORDS[kind])}</li>`),
    ...(isCut ? ['<li><i class="beyond"></i>Not in this report</li>'] : []),
  ];
  const fact = (name: string, value: string): string => `<div><dt>${name}</dt><dd>${safe(value)}</dd></div>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${warning === undefined ? '' : 'INCOMPLETE: '}Free/busy, ${safe(title)}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<div><p class="whom">Free/busy · ${safe(whom)}</p><h1>${safe(title)}</h1></div>
<dl>${fact('Time zone', zone)}${asOf === undefined ? '' : fact('As of', asOf)}${fact('Free within working hours', free)}</dl>
</header>
${warning === undefined ? '' : `<p class="banner" role="note"><strong>${safe(warning.replace(/^INCOMPLETE: /, 'Incomplete: '))}</strong></p>\n`}<ul class="legend" aria-label="Legend">${legend.join('')}</ul>
${weeks.map((week) => weekSection(week, weeks.length === 1)).join('\n')}
<footer>Free: within the working hours of all accounts. Unknown: could not be read, so not free.</footer>
</main>
</body>
</html>
`;
}
