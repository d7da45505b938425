import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { CalmcpError } from '../../../src/core/errors.ts';
import type { ReadFile } from '../../../src/core/provider.ts';
import { ics } from '../../../src/providers/ics/index.ts';
import { startProcessorTime } from '../../processor-time.ts';
import {
  calendar,
  callOf,
  contextOf,
  days,
  event,
  filesOf,
  messages,
  openText,
  readOnly,
  readText,
  starts,
} from './harness.ts';

const one = (uid: string): string => event(`UID:${uid}`, 'DTSTART:20261012T090000Z');
const range = days('2026-10-12');

async function open(readFile: ReadFile, path = 'calendars') {
  return ics.open({ path }, contextOf({ readFile }));
}

describe('options', () => {
  test('exactly one of url and path is wanted', async () => {
    expect(ics.check?.({})).toBe('give url or path');
    expect(ics.check?.({ url: 'https://example.org/a.ics', path: 'a.ics' })).toBe('give either url or path, not both');
    expect(ics.check?.({ path: 'a.ics' })).toBeUndefined();
    await expect(ics.open({}, contextOf())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test.each([
    'https://example.org/x.ics',
    'webcal://example.org/x',
    'WEBCAL://example.org/x',
    'http://127.0.0.1:8080/x',
    'http://[::1]/x',
    'http://localhost/x',
  ])('%s may be fetched', (url) => {
    expect(ics.options.safeParse({ url }).success).toBe(true);
  });

  test.each([
    'http://example.org/x',
    'file:///etc/passwd',
    'ftp://example.org/x',
    'example.org/x',
    'http://10.0.0.1/x',
    'http://[::ffff:127.0.0.1]/x',
  ])('T13: %s may not, and the message does not repeat it', (url) => {
    const { error } = ics.options.safeParse({ url });
    expect(error?.issues).toHaveLength(1);
    expect(JSON.stringify(error?.issues)).not.toContain('/x');
  });

  test('every field is described, and unknown ones are refused', () => {
    for (const field of Object.values(z.toJSONSchema(ics.options).properties ?? {}))
      expect((field as { description?: string }).description).toMatch(/\w/);
    expect(ics.options.safeParse({ path: 'a', mail: 'me@example.org' }).success).toBe(false);
    expect(ics.options.safeParse({ path: 'a', email: 'me@example.org' }).success).toBe(true);
    expect(ics.options.safeParse({ path: 'a', email: ['me@example.org'] }).success).toBe(true);
  });
});

describe('files', () => {
  test('a folder is one calendar a file, sorted, by the name it gives itself', async () => {
    const provider = await open(
      filesOf({
        'b.ics': calendar('X-WR-CALNAME:Team B', one('b')),
        'a.ics': calendar('NAME:Team A', one('a')),
        'c.ics': calendar(one('c')),
      }),
    );
    expect(await provider.listCalendars(callOf())).toEqual([
      { id: 'a.ics', name: 'Team A', isDefault: false, access: 'read' },
      { id: 'b.ics', name: 'Team B', isDefault: false, access: 'read' },
      { id: 'c.ics', name: 'c', isDefault: false, access: 'read' },
    ]);
  });

  test('a broken file of a folder is that calendar’s error, and its siblings are read', async () => {
    const unreadable = { name: 'c.ics', error: new CalmcpError('FORBIDDEN', 'c.ics cannot be read') };
    const provider = await open(async () => [
      { name: 'a.ics', text: 'hello' },
      { name: 'b.ics', text: calendar(one('b')) },
      unreadable,
    ]);
    const call = callOf();
    const reads = await provider.readCalendars(await provider.listCalendars(call), range, call);
    expect(reads.map((read) => ('error' in read ? read.error.message : read.events.length))).toEqual([
      'a.ics is not a calendar',
      1,
      'c.ics cannot be read',
    ]);
  });

  test('a missing file is named as it was written', async () => {
    const provider = await open(async () => {
      throw new CalmcpError('NOT_FOUND', '/home/somebody/secret/cal.ics');
    }, './cal.ics');
    await expect(provider.listCalendars(callOf())).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'there is no file or folder ./cal.ics',
    });
  });

  test('an empty folder is an error and not an empty day', async () => {
    const provider = await open(filesOf({}));
    await expect(provider.listCalendars(callOf())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('a calendar whose file went away has an answer of its own', async () => {
    const files: Record<string, string> = { 'a.ics': calendar(one('a')), 'b.ics': calendar(one('b')) };
    const provider = await open(async () => Object.entries(files).map(([name, text]) => ({ name, text })));
    const calendars = await provider.listCalendars(callOf());
    delete files['a.ics'];
    const reads = await provider.readCalendars(calendars, range, callOf());
    expect(reads.map((read) => ('error' in read ? read.error.code : read.events.length))).toEqual(['NOT_FOUND', 1]);
  });

  test('a changed file is read anew', async () => {
    const files: Record<string, string> = { 'a.ics': calendar(one('a')) };
    const provider = await open(async () => Object.entries(files).map(([name, text]) => ({ name, text })));
    expect((await readOnly(provider, range)).events).toHaveLength(1);
    files['a.ics'] = calendar(one('a'), one('b'));
    expect((await readOnly(provider, range)).events).toHaveLength(2);
  });

  test.each([
    ['nothing', ''],
    ['a web page', '<!doctype html><html>sign in</html>'],
    ['half a calendar', calendar(one('a')).replace(/END:VEVENT[\s\S]*/, '')],
    ['a calendar without its end', calendar(one('a')).replace(/END:VCALENDAR\s*/, '')],
    ['a calendar that begins inside another', `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\n${calendar(one('a'))}`],
    ['an end too many', `BEGIN:VCALENDAR\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`],
  ])('%s is an error and never a calendar without events', async (_, text) => {
    const provider = await openText(text);
    await expect(provider.listCalendars(callOf())).rejects.toMatchObject({ code: 'BAD_RESPONSE', account: 'team' });
  });

  test('one broken event is a problem, and the others are read', async () => {
    const text = calendar(
      event('UID:none'),
      event('UID:garbage', 'DTSTART:tomorrow'),
      event('UID:february', 'DTSTART;VALUE=DATE:20260230'),
      event('UID:rule', 'DTSTART:20261012T090000Z', 'RRULE:FREQ=NEVER'),
      one('good'),
    );
    const read = await readText(text, range);
    expect(starts(read)).toEqual(['2026-10-12T09:00Z']);
    expect(messages(read).sort()).toEqual(
      [
        'the event at line 15 of team.ics cannot be read (event)',
        'the event at line 4 of team.ics has no start',
        'the event at line 7 of team.ics has a DTSTART that is no date and no time',
        'the event at line 11 of team.ics has a DTSTART that is no date and no time',
      ].sort(),
    );
  });

  test('several calendars in one file, a byte order mark and bare line feeds are fine', async () => {
    const text = `\uFEFF${calendar(one('a'))}${calendar('X-WR-TIMEZONE:Asia/Tokyo', event('UID:b', 'DTSTART:20261012T090000'))}`;
    expect(starts(await readText(text.replaceAll('\r\n', '\n'), range))).toEqual([
      '2026-10-12T00:00Z',
      '2026-10-12T09:00Z',
    ]);
  });

  test('calendars as Outlook and Google write them are read', async () => {
    const load = (name: string): Promise<string> =>
      readFile(new URL(`../../fixtures/ics/${name}`, import.meta.url), 'utf8');
    const outlook = await readText(await load('outlook.ics'), days('2026-10-01', '2026-11-01'));
    expect(outlook.problems).toBeUndefined();
    expect(starts(outlook)).toEqual([
      '2026-10-06T07:00Z',
      '2026-10-13T12:00Z',
      '2026-10-20T07:00Z',
      '2026-10-27T08:00Z',
      '2026-10-30',
    ]);
    expect(outlook.calendar.name).toBe('Calendar');
    expect(outlook.events.every(({ start }) => start.kind === 'date' || start.zone === 'Europe/Berlin')).toBe(true);
    const google = await readText(await load('google.ics'), days('2026-10-01', '2026-11-01'));
    expect(google.problems).toBeUndefined();
    expect(starts(google)).toEqual(['2026-10-05', '2026-10-12T13:30Z', '2026-10-19T13:30Z']);
    expect(google.events.find(({ start }) => start.kind === 'timed')?.join).toBe(
      'https://meet.google.com/abc-defg-hij',
    );
  });

  test('5,000 events are read in well under a second', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => {
      const day = new Date(Date.UTC(2026, 0, 1) + (index % 365) * 86_400_000)
        .toISOString()
        .slice(0, 10)
        .replaceAll('-', '');
      const rule = index % 10 === 0 ? ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE'] : [];
      return event(
        `UID:${index}`,
        `DTSTART;TZID=Europe/Berlin:${day}T090000`,
        'DURATION:PT1H',
        `SUMMARY:Event ${index}`,
        'ATTENDEE;CN=Bob:mailto:bob@example.org',
        ...rule,
      );
    });
    const provider = await openText(calendar(...lines));
    const spent = startProcessorTime();
    expect((await readOnly(provider, days('2026-10-12', '2026-10-19'))).events.length).toBeGreaterThan(500);
    const first = spent();
    await readOnly(provider, days('2026-11-12', '2026-11-19'));
    expect(first).toBeLessThan(1500);
    expect(spent() - first).toBeLessThan(first);
  });

  test('T27: many events under one UID are sorted out in bounded time', async () => {
    const stamp = (index: number): string =>
      new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
    const many = Array.from({ length: 20_000 }, (_, index) =>
      event(`DTSTART:${stamp(index)}Z`, ...(index % 2 ? [`RECURRENCE-ID:${stamp(index)}Z`] : [])),
    );
    const spent = startProcessorTime();
    const read = await readText(calendar(...many), days('2026-01-01', '2026-02-01'));
    expect(read.events).toHaveLength(20_000);
    expect(new Set(read.events.map(({ id }) => id)).size).toBe(20_000);
    expect(spent()).toBeLessThan(5000);
  });

  test('whoever stops waiting stops the work', async () => {
    const many = Array.from({ length: 3000 }, (_, index) =>
      event(`UID:${index}`, 'DTSTART:20260101T000000Z', 'RRULE:FREQ=MINUTELY'),
    );
    const provider = await openText(calendar(...many));
    const controller = new AbortController();
    const call = callOf(controller.signal);
    const calendars = await provider.listCalendars(call);
    const reason = new CalmcpError('UNAVAILABLE', 'no time left');
    const began = performance.now();
    setTimeout(() => controller.abort(reason), 30);
    await expect(provider.readCalendars(calendars, days('2026-01-01', '2027-01-01'), call)).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
