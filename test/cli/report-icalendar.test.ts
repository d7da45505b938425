import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ICAL from 'ical.js';
import { describe, expect, test } from 'vitest';
import { renderIcalendar } from '../../src/cli/report/icalendar.ts';
import type { FreeBusy } from '../../src/operations/get-free-busy.ts';
import { cli, temporaryFolder, writeAccounts } from '../harness.ts';

const GENERATED = Date.parse('2026-11-23T09:30:00Z');

const answer: FreeBusy = {
  range: { start: '2026-11-23T00:00:00+01:00', end: '2026-11-30T00:00:00+01:00', timeZone: 'Europe/Amsterdam' },
  complete: true,
  accounts: [
    { account: 'work', status: 'ok', asOf: '2026-11-23T08:00:00Z' },
    { account: 'feed', status: 'stale', asOf: '2026-11-22T20:00:00Z' },
  ],
  blocks: [
    { start: '2026-11-23T10:00:00+01:00', end: '2026-11-23T11:00:00+01:00', busy: 'busy', accounts: ['work'] },
    { start: '2026-11-24T10:00:00+01:00', end: '2026-11-24T10:30:00+01:00', busy: 'tentative', accounts: ['work'] },
    { start: '2026-11-25T00:00:00+01:00', end: '2026-11-26T00:00:00+01:00', busy: 'oof', accounts: ['work'] },
    { start: '2026-11-26T09:00:00+01:00', end: '2026-11-26T12:00:00+01:00', busy: 'unknown', accounts: ['feed'] },
  ],
  free: [{ start: '2026-11-23T11:00:00+01:00', end: '2026-11-23T17:30:00+01:00' }],
};

function parse(text: string): ICAL.Component {
  return new ICAL.Component(ICAL.parse(text));
}

const text = (component: ICAL.Component, name: string): string | undefined =>
  component.getFirstPropertyValue(name)?.toString();

test('says the same as VFREEBUSY and as events, and nothing more than is in the answer', () => {
  const calendar = parse(renderIcalendar(answer, GENERATED));
  expect(text(calendar, 'method')).toBe('PUBLISH');
  expect(text(calendar, 'x-calmcp-complete')).toBe('TRUE');
  expect(calendar.getFirstProperty('x-wr-caldesc')).toBeNull();
  const [freeBusy, ...others] = calendar.getAllSubcomponents('vfreebusy');
  expect(others).toEqual([]);
  if (freeBusy === undefined) throw new Error('no VFREEBUSY');
  expect([text(freeBusy, 'dtstart'), text(freeBusy, 'dtend')]).toEqual([
    '2026-11-22T23:00:00Z',
    '2026-11-29T23:00:00Z',
  ]);
  // As old as the oldest thing in it.
  expect(text(freeBusy, 'dtstamp')).toBe('2026-11-22T20:00:00Z');
  expect(
    freeBusy
      .getAllProperties('freebusy')
      .map((property) => [
        property.getFirstParameter('fbtype'),
        property.getFirstParameter('x-calmcp-status'),
        property.getFirstValue()?.toString(),
      ]),
  ).toEqual([
    ['BUSY', undefined, '2026-11-23T09:00:00Z/2026-11-23T10:00:00Z'],
    ['BUSY-TENTATIVE', undefined, '2026-11-24T09:00:00Z/2026-11-24T09:30:00Z'],
    ['BUSY-UNAVAILABLE', undefined, '2026-11-24T23:00:00Z/2026-11-25T23:00:00Z'],
    // No reader takes it for free, or for absence.
    ['BUSY', 'UNKNOWN', '2026-11-26T08:00:00Z/2026-11-26T11:00:00Z'],
  ]);
  const events = calendar.getAllSubcomponents('vevent');
  expect(
    events.map((event) =>
      ['summary', 'status', 'transp', 'class', 'x-microsoft-cdo-busystatus'].map((name) => text(event, name)),
    ),
  ).toEqual([
    ['Busy', undefined, 'OPAQUE', 'PUBLIC', 'BUSY'],
    ['Tentative', 'TENTATIVE', 'OPAQUE', 'PUBLIC', 'TENTATIVE'],
    ['Out of office', undefined, 'OPAQUE', 'PUBLIC', 'OOF'],
    ['Unknown', undefined, 'OPAQUE', 'PUBLIC', 'BUSY'],
  ]);
  expect(events.flatMap((event) => event.getAllSubcomponents('valarm'))).toEqual([]);
  expect(renderIcalendar(answer, GENERATED)).not.toMatch(/work|feed/);
});

test('an event keeps its UID from run to run, and has another one for another reader, time or kind', () => {
  const uids = (changed: FreeBusy): string[] =>
    parse(renderIcalendar(changed, GENERATED))
      .getAllSubcomponents('vevent')
      .map((event) => text(event, 'uid') ?? '');
  const before = uids(answer);
  expect(new Set(before).size).toBe(4);
  // A block more, another zone and another moment change nothing.
  const elsewhere = {
    ...answer,
    range: { start: '2026-11-22T23:00:00+00:00', end: '2026-11-29T23:00:00+00:00', timeZone: 'UTC' },
    accounts: [{ account: 'work', status: 'ok' as const, asOf: '2026-11-23T12:00:00Z' }],
    blocks: answer.blocks.slice(1).map((block) => ({
      ...block,
      start: new Date(block.start).toISOString(),
      end: new Date(block.end).toISOString(),
    })),
  };
  expect(uids(elsewhere)).toEqual(before.slice(1));
  expect(uids({ ...answer, audience: 'marimer' }).filter((uid) => before.includes(uid))).toEqual([]);
  const blocks = answer.blocks.map((block) => ({ ...block, busy: 'oof' as const }));
  expect(uids({ ...answer, blocks }).filter((uid) => before.includes(uid))).toEqual([before[2]]);
});

test('without a time of reading it is as old as the moment it was made', () => {
  const accounts = [{ account: 'work', status: 'ok' as const }];
  expect(renderIcalendar({ ...answer, accounts }, GENERATED)).toContain('\r\nDTSTAMP:20261123T093000Z\r\n');
});

test('fractions of a second make a block longer, never shorter', () => {
  const blocks = [
    { start: '2026-11-23T10:00:00.400+01:00', end: '2026-11-23T11:00:00.400+01:00', busy: 'busy' as const },
  ];
  expect(renderIcalendar({ ...answer, blocks }, GENERATED)).toContain('BUSY:20261123T090000Z/20261123T100001Z');
});

test('lines end with CRLF, have at most 75 octets, and are broken between characters', () => {
  const audience =
    'Müller, Söhne; Größe\\Maß „Überraschung“ 🎉🎉🎉 東京支社 und noch viel mehr Zeichen als auf eine Zeile gehen';
  const accounts = [{ account: audience, status: 'unavailable' as const }];
  const written = renderIcalendar({ ...answer, audience, complete: false, accounts }, GENERATED);
  expect(written.endsWith('END:VCALENDAR\r\n')).toBe(true);
  expect(written.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  for (const line of written.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  expect(written).not.toContain('\uFFFD');
  const calendar = parse(written);
  const said = `INCOMPLETE: the time of ${audience} is unknown, not free.`;
  expect(calendar.getFirstSubcomponent('vfreebusy')?.getFirstPropertyValue('comment')).toBe(said);
  // ical.js leaves what it does not know as it is; calendars read these two as texts.
  const escaped = audience.replaceAll(/[\\;,]/g, '\\$&');
  expect(text(calendar, 'x-wr-calname')).toBe(`Free/busy for ${escaped}`);
  expect(text(calendar, 'x-wr-caldesc')).toContain(escaped);
});

test('a zone that is an offset is not called one', () => {
  const range = { start: '2026-11-23T00:00:00+01:00', end: '2026-11-24T00:00:00+01:00', timeZone: '+01:00' };
  expect(renderIcalendar({ ...answer, range }, GENERATED)).not.toContain('X-WR-TIMEZONE');
});

describe('read by calmcp itself', () => {
  const EVENTS = `
      - { title: A, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }
      - { title: B, start: 2026-11-23T11:00, end: 2026-11-23T11:30, busy: tentative }
      - { title: C, start: 2026-11-24T22:00, end: 2026-11-25T02:00 }
      - { title: D, start: 2026-11-26, end: 2026-11-28, busy: oof }
      - { title: E, start: 2026-11-29T09:00:10, end: 2026-11-29T10:00:20 }
`;

  async function roundTrip(accounts: string): Promise<{ sent: FreeBusy; back: FreeBusy }> {
    const [folder, other] = [await temporaryFolder(), await temporaryFolder()];
    const head = 'version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n';
    await writeAccounts(folder, `${head}${accounts}`);
    await writeAccounts(other, `${head}  report: { provider: ics, path: ./report.ics }\n`);
    const args = ['report', 'freebusy', 'this', 'week'];
    await cli(folder, [...args, '-o', join(other, 'report.ics')]);
    expect(await readFile(join(other, 'report.ics'), 'utf8')).toMatch(/^BEGIN:VCALENDAR\r\n/);
    const [sent, back] = await Promise.all([folder, other].map((home) => cli(home, [...args, '--json'])));
    return { sent: JSON.parse(sent?.stdout ?? ''), back: JSON.parse(back?.stdout ?? '') };
  }

  const bare = ({ blocks }: FreeBusy) => blocks.map(({ start, end, busy }) => ({ start, end, busy }));

  test('the same blocks and the same free time come back', async () => {
    const { sent, back } = await roundTrip(`  work:\n    provider: memory\n    events:${EVENTS}`);
    expect(bare(sent).length).toBe(5);
    expect(back.complete).toBe(true);
    expect(bare(back)).toEqual(bare(sent));
    expect(back.free).toEqual(sent.free);
  });

  test('unknown time comes back as busy, and none of it as free', async () => {
    const { sent, back } = await roundTrip(
      `  work:\n    provider: memory\n    events:${EVENTS}  gone: { provider: ics, path: ./nope.ics }\n`,
    );
    expect([sent.complete, sent.free, back.free]).toEqual([false, [], []]);
    const away = { start: '2026-11-26T00:00:00+01:00', end: '2026-11-28T00:00:00+01:00', busy: 'oof' };
    expect(bare(back)).toEqual([
      { start: sent.range.start, end: away.start, busy: 'busy' },
      away,
      { start: away.end, end: sent.range.end, busy: 'busy' },
    ]);
  });
});
