/** A report that other calendars can import or subscribe to: RFC 5545, one VFREEBUSY and an event for every busy block. */
import { createHash } from 'node:crypto';
import { OWNER } from '../../core/disclosure.ts';
import type { FreeBusy } from '../../operations/get-free-busy.ts';
import { incompleteLine } from '../../server/text.ts';
import { oldestOf } from './facts.ts';
import { KIND_WORDS, type Kind, type Stretch, stretchesOf } from './stretches.ts';

/**
 * RFC 5545 3.2.9 has no word for unknown time. It is said to be BUSY, as no reader takes that for free; BUSY-UNAVAILABLE
 * would say that somebody is away, and a type of our own is left out by readers that do not treat it as BUSY, as they must.
 * That it is unknown stands in a parameter beside it.
 */
const FREE_BUSY_TYPES: Readonly<Record<Exclude<Kind, 'free'>, string>> = {
  busy: 'FBTYPE=BUSY',
  tentative: 'FBTYPE=BUSY-TENTATIVE',
  oof: 'FBTYPE=BUSY-UNAVAILABLE',
  unknown: 'FBTYPE=BUSY;X-CALMCP-STATUS=UNKNOWN',
};

/** @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcical/cd68eae7-ed65-4dd3-8ea7-ad585c76c736 */
const OUTLOOK_STATUSES: Readonly<Record<Exclude<Kind, 'free'>, string>> = {
  busy: 'BUSY',
  tentative: 'TENTATIVE',
  oof: 'OOF',
  unknown: 'BUSY',
};

/** RFC 5545 3.3.11 */
function text(value: string): string {
  return value.replaceAll(/[\\;,]/g, String.raw`\$&`).replaceAll(/\r\n|\r|\n/g, String.raw`\n`);
}

/** A time has no fractions of a second: a block begins a little earlier, or ends a little later, rather than be cut. */
function instant(epochMs: number, edge: 'start' | 'end'): string {
  const seconds = edge === 'start' ? Math.floor(epochMs / 1_000) : Math.ceil(epochMs / 1_000);
  return new Date(seconds * 1_000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** Lines of at most 75 octets, broken between characters (RFC 5545 3.1). */
function fold(line: string): string {
  const lines: string[] = [];
  let current = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > 75) {
      lines.push(current);
      // The space that a continued line begins with counts.
      [current, octets] = [' ', 1];
    }
    current += character;
    octets += size;
  }
  return [...lines, current].join('\r\n');
}

/** Always the same for the same block and the same reader, and made of nothing else. */
function uid(parts: readonly string[]): string {
  return `${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}@calmcp`;
}

type Block = Stretch & { readonly kind: Exclude<Kind, 'free'> };

export function renderIcalendar(answer: FreeBusy, generatedAt: number): string {
  const { audience = OWNER, range, accounts, complete } = answer;
  const warning = incompleteLine(accounts, complete);
  const blocks = stretchesOf(answer).filter((stretch): stretch is Block => stretch.kind !== 'free');
  const stamp = `DTSTAMP:${instant(oldestOf(accounts) ?? generatedAt, 'start')}`;
  const [from, to] = [instant(Date.parse(range.start), 'start'), instant(Date.parse(range.end), 'end')];
  const name = audience === OWNER ? 'Free/busy' : `Free/busy for ${audience}`;
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//calmcp//report freebusy//EN',
    `X-CALMCP-COMPLETE:${complete ? 'TRUE' : 'FALSE'}`,
    ...(warning === undefined ? [] : [`X-WR-CALDESC:${text(warning)}`]),
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${text(name)}`,
    // A fixed offset is no name of a zone.
    ...(/^[a-z]/i.test(range.timeZone) ? [`X-WR-TIMEZONE:${text(range.timeZone)}`] : []),
    'BEGIN:VFREEBUSY',
    `UID:${uid([audience, from, to, 'freebusy'])}`,
    stamp,
    `DTSTART:${from}`,
    `DTEND:${to}`,
    ...(warning === undefined ? [] : [`COMMENT:${text(warning)}`]),
    // Busy time alone, as RFC 5546 3.3.1 wants it: what is not listed and within the bounds is free.
    ...blocks.map(
      ({ start, end, kind }) => `FREEBUSY;${FREE_BUSY_TYPES[kind]}:${instant(start, 'start')}/${instant(end, 'end')}`,
    ),
    'END:VFREEBUSY',
    ...blocks.flatMap(({ start, end, kind }) => {
      const [begins, ends] = [instant(start, 'start'), instant(end, 'end')];
      const word = KIND_WORDS[kind];
      return [
        'BEGIN:VEVENT',
        `UID:${uid([audience, begins, ends, kind])}`,
        stamp,
        `DTSTART:${begins}`,
        `DTEND:${ends}`,
        `SUMMARY:${word.charAt(0).toUpperCase()}${word.slice(1)}`,
        ...(kind === 'tentative' ? ['STATUS:TENTATIVE'] : []),
        'CLASS:PUBLIC',
        'TRANSP:OPAQUE',
        `X-MICROSOFT-CDO-BUSYSTATUS:${OUTLOOK_STATUSES[kind]}`,
        ...(kind === 'unknown' ? ['X-CALMCP-STATUS:UNKNOWN'] : []),
        'END:VEVENT',
      ];
    }),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${fold(line)}\r\n`).join('');
}
