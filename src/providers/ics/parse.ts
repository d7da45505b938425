/** iCalendar text to components. One broken component is a problem of its own and does not take its siblings along. */
import ICAL from 'ical.js';
import { CalmcpError } from '../../core/errors.ts';

export interface RawProperty {
  readonly parameters: Readonly<Record<string, string | string[] | undefined>>;
  readonly values: readonly unknown[];
}

export interface RawComponent {
  /** In lower case: `vevent`. */
  readonly name: string;
  /** Line of its BEGIN, from 1. */
  readonly line: number;
  readonly properties: ReadonlyMap<string, readonly RawProperty[]>;
  readonly children: readonly RawComponent[];
}

/** One VCALENDAR; a file may hold several. */
export interface RawCalendar {
  readonly properties: RawComponent;
  /** VTIMEZONEs by TZID. */
  readonly timeZones: ReadonlyMap<string, RawComponent>;
  readonly components: readonly RawComponent[];
}

/** What could not be read, and at which line it begins. */
export interface Problem {
  readonly line: number;
  /** Ends the sentence that begins with "the event at line 7 of team.ics". */
  readonly message: string;
}

export interface RawFile {
  readonly calendars: readonly RawCalendar[];
  readonly problems: readonly Problem[];
}

/** Lets others have their turn, and throws the reason when nobody waits for the answer any more. */
export type Breathe = () => Promise<void> | undefined;

interface Line {
  readonly number: number;
  readonly text: string;
}

/** Content lines, unfolded (RFC 5545 3.1). Text that a sloppy producer broke without folding goes to its line. */
function contentLines(text: string): Line[] {
  const lines: { number: number; text: string }[] = [];
  let number = 0;
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    number++;
    const last = lines.at(-1);
    if (/^[ \t]/.test(raw) && last !== undefined) last.text += raw.slice(1);
    else if (raw.trim() === '') continue;
    else if (last !== undefined && !/^[A-Za-z0-9.-]+[;:]/.test(raw)) last.text += `\\n${raw}`;
    else lines.push({ number, text: raw.trimEnd() });
  }
  return lines;
}

type Jcal = [name: string, properties: [string, RawProperty['parameters'], string, ...unknown[]][], children: Jcal[]];

function componentOf([name, jcalProperties, children]: Jcal, line: number): RawComponent {
  const properties = new Map<string, RawProperty[]>();
  for (const [property, parameters, , ...values] of jcalProperties) {
    const list = properties.get(property);
    if (list === undefined) properties.set(property, [{ parameters, values }]);
    else list.push({ parameters, values });
  }
  return { name, line, properties, children: children.map((child) => componentOf(child, line)) };
}

/** @throws whatever ical.js throws: it is strict about a few things, and the caller knows what it costs */
function parseComponent(lines: readonly Line[]): RawComponent {
  // ical.js takes recurrence rules in capitals only.
  const text = lines.map((line) => (/^(?:RRULE|EXRULE)[;:]/i.test(line.text) ? line.text.toUpperCase() : line.text));
  const jcal = ICAL.parse(text.join('\r\n')) as unknown as Jcal;
  if (typeof jcal[0] !== 'string') throw new Error('components are not nested properly');
  return componentOf(jcal, lines[0]?.number ?? 0);
}

const KINDS: Readonly<Record<string, string>> = { VTIMEZONE: 'time zone', VFREEBUSY: 'busy times' };

/**
 * @param where what the text came from, for messages: `team.ics`, `the feed at example.org`
 * @throws CalmcpError BAD_RESPONSE for what is not a calendar, or not all of one: it is never an empty calendar
 */
export async function parseIcs(text: string, where: string, breathe: Breathe): Promise<RawFile> {
  if (!/^\uFEFF?\s*BEGIN:VCALENDAR\s/i.test(text))
    throw new CalmcpError('BAD_RESPONSE', `${where} is not a calendar`, {
      hint: /^\s*<(?:!doctype|html)/i.test(text)
        ? 'it is a web page: copy the address of the calendar itself, which usually ends in .ics'
        : 'it does not begin with BEGIN:VCALENDAR',
    });
  const lines = contentLines(text);
  const incomplete = (): CalmcpError =>
    new CalmcpError('BAD_RESPONSE', `${where} is cut short: not everything that was begun is ended`);
  if (!/^END:VCALENDAR$/i.test(lines.at(-1)?.text ?? '')) throw incomplete();

  const calendars: RawCalendar[] = [];
  const problems: Problem[] = [];
  let header: Line[] = [];
  let timeZones = new Map<string, RawComponent>();
  let components: RawComponent[] = [];
  /** Index of the first line of the component being read, and how many components are open in the calendar. */
  let begin = 0;
  let depth = 0;
  let inside = false;

  for (const [index, line] of lines.entries()) {
    const boundary = /^(BEGIN|END):(.*)$/i.exec(line.text);
    const begins = boundary?.[1]?.toUpperCase() === 'BEGIN';
    const name = boundary?.[2]?.trim().toUpperCase();
    if (boundary && name === 'VCALENDAR') {
      // A calendar that begins inside a component, or ends in one, has lost its middle.
      if (depth > 0 || inside === begins) throw incomplete();
      inside = begins;
      if (begins) {
        header = [line];
        timeZones = new Map();
        components = [];
      } else {
        const properties = parseHeader([...header, line]);
        calendars.push({ properties, timeZones, components });
      }
    } else if (!inside) {
      throw incomplete();
    } else if (!boundary) {
      if (depth === 0) header.push(line);
    } else if (begins) {
      if (depth === 0) begin = index;
      depth++;
    } else {
      depth--;
      if (depth < 0) throw incomplete();
      if (depth > 0) continue;
      const first = lines[begin] as Line;
      try {
        const component = parseComponent(lines.slice(begin, index + 1));
        const tzid = component.properties.get('tzid')?.[0]?.values[0];
        // RFC 5545 has no event within another component: one that is there would be missed.
        if (holdsEvent(component))
          problems.push({ line: first.number, message: 'holds another event, which is not read' });
        if (component.name !== 'vtimezone') components.push(component);
        else if (typeof tzid === 'string') timeZones.set(tzid, component);
      } catch {
        const kind = first.text.slice('BEGIN:'.length).trim().toUpperCase();
        // A task or a journal is no time of anybody's; a zone that is not understood shows in the events that use it.
        if (kind === 'VEVENT' || kind === 'VFREEBUSY')
          problems.push({ line: first.number, message: `cannot be read (${KINDS[kind] ?? 'event'})` });
      }
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
  }
  if (inside) throw incomplete();
  return { calendars, problems };
}

function holdsEvent({ children }: RawComponent): boolean {
  return children.some((child) => child.name === 'vevent' || child.name === 'vfreebusy' || holdsEvent(child));
}

/** Properties of the calendar itself; one that cannot be read is left out, for none of them places an event. */
function parseHeader(lines: readonly Line[]): RawComponent {
  try {
    return parseComponent(lines);
  } catch {
    const wanted = lines.filter(({ text }) => /^(?:BEGIN|END|METHOD|NAME|X-WR-CALNAME|X-WR-TIMEZONE)[:;]/i.test(text));
    try {
      return parseComponent(wanted);
    } catch {
      return { name: 'vcalendar', line: lines[0]?.number ?? 0, properties: new Map(), children: [] };
    }
  }
}
