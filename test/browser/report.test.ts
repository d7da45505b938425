/** The page of a report as a person sees it: calmcp's real command line, and a real browser. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { renderHtml } from '../../src/cli/report/html.ts';
import type { FreeBusy } from '../../src/operations/get-free-busy.ts';
import { cli, temporaryFolder, writeAccounts } from '../harness.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
/** Width of A4 on its side, without margins, in CSS pixels. */
const PAPER = 1047;

/** Everything at once: short and long, night and morning, all day, over midnight, of each kind. */
const WEEK = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  xebia:
    provider: memory
    events:
      - { start: 2026-11-23T09:00, end: 2026-11-23T09:15 }
      - { start: 2026-11-23T10:00, end: 2026-11-23T12:00 }
      - { start: 2026-11-23T16:10, end: 2026-11-23T16:15 }
      - { start: 2026-11-24T06:30, end: 2026-11-24T07:15 }
      - { start: 2026-11-25T16:00, end: 2026-11-25T16:30, busy: tentative }
      - { start: 2026-11-26T08:00, end: 2026-11-26T09:00, busy: oof }
      - { start: 2026-11-26T22:00, end: 2026-11-27T01:30 }
  marimer:
    provider: memory
    events:
      - { start: 2026-11-24T10:30, end: 2026-11-24T12:00 }
      - { start: 2026-11-24T19:00, end: 2026-11-24T21:30 }
      - { start: 2026-11-26T15:00, end: 2026-11-26T17:00, busy: tentative }
      - { start: 2026-11-28, end: 2026-11-29, busy: oof }
`;
const INCOMPLETE = `${WEEK}  feed: { provider: ics, path: ./nope.ics }\n`;
/** On the last Sunday of October 2026, 02:00 to 03:00 passes twice in Amsterdam. */
const CLOCK_CHANGE = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  xebia:
    provider: memory
    events:
      - { start: "2026-10-25T01:00:00+02:00", end: "2026-10-25T02:10:00+02:00", busy: oof }
      - { start: "2026-10-25T02:15:00+02:00", end: "2026-10-25T02:45:00+02:00" }
      - { start: "2026-10-25T02:20:00+01:00", end: "2026-10-25T02:50:00+01:00", busy: tentative }
      - { start: "2026-10-25T10:00:00+01:00", end: "2026-10-25T11:00:00+01:00" }
`;

interface Block {
  readonly day: string;
  readonly times: string;
  readonly isAtEdge: boolean;
  readonly box: Box;
  readonly column: Box;
}
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}
interface Grid {
  /** Where the hours are written. */
  readonly hours: readonly { readonly hour: number; readonly y: number }[];
  readonly blocks: readonly Block[];
}

// The tests have no types of the DOM: what runs in the page is a text.
const READ_GRIDS = `[...document.querySelectorAll('.grid')].map((grid) => {
  const box = (element) => { const { left, right, top, bottom } = element.getBoundingClientRect(); return { left, right, top, bottom }; };
  return {
    hours: [...grid.querySelectorAll('.hours span:not(.edge)')].map((label) => {
      const { top, bottom } = label.getBoundingClientRect();
      return { hour: parseInt(label.textContent, 10), y: (top + bottom) / 2 };
    }),
    blocks: [...grid.querySelectorAll('.day li')].map((item) => ({
      day: item.closest('.day').querySelector('h3').textContent,
      times: item.querySelector('b').textContent,
      isAtEdge: item.classList.contains('edge'),
      box: box(item),
      column: box(item.closest('.day')),
    })),
  };
})`;

/** Every text that is seen, with its contrast to each colour of the ground behind it. */
const READ_CONTRASTS = `(() => {
  const rgb = (text) => [...text.matchAll(/rgba?\\(([^)]+)\\)/g)].map((match) => match[1].split(',').map(Number)).filter(([, , , alpha = 1]) => alpha > 0);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (a, b) => { const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x); return (high + 0.05) / (low + 0.05); };
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(at);
      if (rgb(backgroundColor).length > 0) return [...rgb(backgroundColor), ...rgb(backgroundImage)];
    }
    return [[255, 255, 255]];
  };
  return [...document.body.querySelectorAll('*')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '') && element.checkVisibility())
    .map((element) => ({
      text: element.textContent,
      kind: element.closest('.day li')?.className ?? element.tagName,
      contrast: Math.min(...groundOf(element).map((ground) => contrast(rgb(getComputedStyle(element).color)[0], ground))),
    }));
})()`;

/** Hours since midnight of \`09:30\`. */
function hoursOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours + minutes / 60;
}

/** From when to when a block says it goes. */
function spanOf(times: string): readonly [number, number] {
  const said = times.replaceAll(/ [+-]\d\d:\d\d/g, '');
  if (said === 'All day') return [0, 24];
  if (said.startsWith('Until ')) return [0, hoursOf(said.slice(6))];
  if (said.startsWith('From ')) return [hoursOf(said.slice(5)), 24];
  const [start = '', end = ''] = said.split('–');
  return [hoursOf(start), hoursOf(end)];
}

const intersect = (a: Box, b: Box): boolean =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;

// In CI a missing browser is a failure: there it would never be noticed otherwise.
const skipped = !existsSync(CHROMIUM) && !process.env.CI;

describe.skipIf(skipped)(`in Chromium${skipped ? ` (skipped: there is no ${CHROMIUM})` : ''}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
  });

  /** Writes the page with the real command. */
  async function write(accounts: string, ...args: string[]): Promise<string> {
    const folder = await temporaryFolder();
    await writeAccounts(folder, accounts);
    const { stderr } = await cli(folder, ['report', 'freebusy', ...args, '-o', 'report.html']);
    expect(stderr).toMatch(/report is in .*report\.html\n$/);
    return join(folder, 'report.html');
  }

  interface Look {
    readonly width: number;
    readonly scheme?: 'light' | 'dark';
    readonly media?: 'screen' | 'print';
  }

  /** Opens it; fails when it asks for anything, or complains. */
  async function open(file: string, { width, scheme = 'light', media = 'screen' }: Look): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
    const page = await context.newPage();
    const address = pathToFileURL(file).href;
    const problems: string[] = [];
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) problems.push(request.url());
    });
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    onTestFinished(async () => {
      await context.close();
      expect(problems).toEqual([]);
    });
    await page.emulateMedia({ media });
    await page.goto(address);
    return page;
  }

  const looks: readonly Look[] = [
    { width: 1280 },
    { width: 1280, scheme: 'dark' },
    { width: 768 },
    { width: 390 },
    { width: 390, scheme: 'dark' },
    { width: PAPER, media: 'print' },
  ];

  describe.each(looks)('%j', (look) => {
    test.each([
      ['a week', WEEK, 'this week'],
      ['an incomplete week', INCOMPLETE, 'this week'],
      ['a month', WEEK, 'this month'],
      ['a day', WEEK, 'today'],
      ['a clock change', CLOCK_CHANGE, '2026-W43'],
    ])('%s fits, and every text can be read', async (_name, accounts, range) => {
      const page = await open(await write(accounts, range), look);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.width);
      const texts = await page.evaluate<{ text: string; kind: string; contrast: number }[]>(READ_CONTRASTS);
      expect(texts.length).toBeGreaterThan(10);
      expect(texts.filter(({ contrast }) => contrast < 4.5)).toEqual([]);
    });
  });

  describe.each(looks.filter(({ width }) => width > 390))('the grid at %j', (look) => {
    test.each([
      ['a week', WEEK, ['this', 'week'], 20],
      ['an incomplete week', INCOMPLETE, ['this', 'week'], 20],
      ['half days', WEEK, ['--from', '2026-11-23T10:30', '--to', '2026-11-25T12:00'], 8],
      ['a clock change', CLOCK_CHANGE, ['2026-W43'], 8],
      [
        'the end of a clock change',
        CLOCK_CHANGE,
        ['--from', '2026-10-25T02:30:00+01:00', '--to', '2026-10-26T12:00'],
        3,
      ],
    ])('%s: each block is in its day, at its time, and in nobody’s way', async (_name, accounts, args, least) => {
      const page = await open(await write(accounts, ...args), look);
      const grids = await page.evaluate<Grid[]>(READ_GRIDS);
      const blocks = grids.flatMap((grid) => grid.blocks);
      expect(blocks.length).toBeGreaterThanOrEqual(least);
      for (const { hours, blocks: own } of grids) {
        const [first, last] = [hours[0], hours.at(-1)];
        if (first === undefined || last === undefined) throw new Error('no hours');
        expect(first.hour).toBeLessThanOrEqual(8);
        expect(last.hour).toBeGreaterThanOrEqual(18);
        const yOf = (hour: number): number =>
          first.y +
          (Math.min(Math.max(hour, first.hour), last.hour) - first.hour) *
            ((last.y - first.y) / (last.hour - first.hour));
        for (const { day, times, isAtEdge, box, column } of own) {
          const what = `${day} ${times}`;
          expect(box.left, what).toBeGreaterThanOrEqual(column.left);
          expect(box.right, what).toBeLessThanOrEqual(column.right);
          const [start, end] = spanOf(times);
          if (isAtEdge) {
            expect(end <= first.hour || start >= last.hour, what).toBe(true);
            if (end <= first.hour) expect(box.bottom, what).toBeLessThanOrEqual(first.y);
            else expect(box.top, what).toBeGreaterThanOrEqual(last.y);
          } else {
            expect(Math.abs(box.top - yOf(start)), what).toBeLessThan(1.5);
            expect(Math.abs(box.bottom - yOf(end)), what).toBeLessThan(1.5);
          }
          const others = own.filter((other) => other.box !== box && other.day === day && intersect(other.box, box));
          expect(
            others.map((other) => other.times),
            what,
          ).toEqual([]);
        }
      }
    });
  });

  test('on a phone the days are a list, in order, and nothing is cut off', async () => {
    const page = await open(await write(INCOMPLETE), { width: 390 });
    expect(await page.locator('.hours').isVisible()).toBe(false);
    const [grid] = await page.evaluate<Grid[]>(READ_GRIDS);
    const blocks = grid?.blocks ?? [];
    expect(blocks.length).toBeGreaterThan(20);
    for (const [index, { box, times, day }] of blocks.entries()) {
      expect(box.left).toBeGreaterThanOrEqual(0);
      expect(box.right).toBeLessThanOrEqual(390);
      expect(box.bottom - box.top, `${day} ${times}`).toBeGreaterThan(24);
      expect(box.top).toBeGreaterThan(blocks[index - 1]?.box.bottom ?? 0);
    }
    expect(
      await page.evaluate(
        `[...document.querySelectorAll('.text')].filter((text) => text.scrollWidth > text.clientWidth + 1).length`,
      ),
    ).toBe(0);
    expect(await page.getByText('Monday', { exact: true }).isVisible()).toBe(true);
  });

  test.each([1280, 390])('at %d, what is missing is said first, in sight and in the title', async (width) => {
    const page = await open(await write(INCOMPLETE), { width });
    const banner = page.getByText('Incomplete: the time of feed is unknown, not free.');
    expect(await banner.isVisible()).toBe(true);
    expect((await banner.boundingBox())?.y).toBeLessThan(400);
    expect(await page.title()).toBe('INCOMPLETE: Free/busy, 23–29 November 2026');
    const whole = await open(await write(WEEK), { width });
    expect(await whole.locator('.banner').count()).toBe(0);
    expect(await whole.title()).toBe('Free/busy, 23–29 November 2026');
  });

  test.each([1280, 390])('at %d, somebody who only listens hears each day and what is on it', async (width) => {
    const page = await open(await write(WEEK, '--audience', 'marimer'), { width });
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('23–29 November 2026');
    const day = page.locator('section.day', { has: page.getByRole('heading', { name: 'Tuesday 24 November' }) });
    expect((await day.getByRole('listitem').allTextContents()).slice(0, 4)).toEqual([
      '06:30–07:15 Busy',
      '09:00–10:30 Free',
      '10:30–12:00 Busy',
      '12:00–17:30 Free',
    ]);
    expect(await page.getByText('Free/busy · For marimer').isVisible()).toBe(true);
  });

  test('kinds differ in more than their colour', async () => {
    const page = await open(await write(INCOMPLETE), { width: 1280 });
    const looksOf = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.legend i')].map((sign) => { const style = getComputedStyle(sign); return style.backgroundImage.replace(/\\(.*/, '') + (style.backgroundImage.match(/\\d+deg/)?.[0] ?? '') + (style.boxShadow === 'none' ? '' : ' rim'); })`,
    );
    expect(looksOf).toHaveLength(5);
    expect(new Set(looksOf).size).toBe(5);
  });

  test('on paper it is light, keeps its colours, and has one page a week', async () => {
    const file = await write(WEEK, '2026-11');
    const page = await open(file, { width: PAPER, scheme: 'dark', media: 'print' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.busy')).printColorAdjust`)).toBe('exact');
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.toString('latin1').match(/\/Type *\/Page\b/g)).toHaveLength(6);
    // A4 on its side.
    expect(pdf.toString('latin1')).toMatch(/\/MediaBox *\[0 0 84[12](?:\.\d+)? 59[45](?:\.\d+)?\]/);
    const incomplete = await open(await write(INCOMPLETE), { width: PAPER, media: 'print' });
    const one = await incomplete.pdf({ preferCSSPageSize: true });
    expect(one.toString('latin1').match(/\/Type *\/Page\b/g)).toHaveLength(1);
  });

  test('a full year opens quickly', async () => {
    const blocks: FreeBusy['blocks'] = Array.from({ length: 3_700 }, (_, index) => {
      const start = Date.UTC(2026, 0, 1 + Math.floor(index / 10), 8 + (index % 10));
      const busy = (['busy', 'tentative', 'oof', 'unknown'] as const)[index % 4] ?? 'busy';
      return { start: new Date(start).toISOString(), end: new Date(start + 2_400_000).toISOString(), busy };
    });
    const range = { start: '2026-01-01T00:00:00+00:00', end: '2027-01-06T00:00:00+00:00', timeZone: 'UTC' };
    const file = join(await temporaryFolder(), 'year.html');
    await writeFile(file, renderHtml({ range, complete: true, accounts: [], blocks, free: [] }));
    const started = performance.now();
    const page = await open(file, { width: 1280 });
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBeGreaterThan(20_000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
