/** What the strongest rival gets wrong where there is much of it: defects 16 (wall-clock times) and 17 (memory). */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, onTestFinished, test } from 'vitest';
import { builtEnvironment, temporaryFolder, writeAccounts } from '../harness.ts';
import { openAccounts } from '../operations/questions.ts';
import { openSession } from './mcp-session.ts';
import { allEvents, plusMinutes, wallClockTable } from './rival-world.ts';

const HALF_HOUR = 1_800_000;
/** What the server has to get along with in defect 17; the rival took 4.9 GiB. */
const HEAP_MB = 512;

describe('defect 16: times without an offset, for a year', () => {
  /** Three-hourly, and every half-hour within a day of a change of the clocks. */
  function sampleOf(table: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): [string, number][] {
    const isOdd = (map: ReadonlyMap<string, number>, days: Set<string>): void => {
      let [previous, before] = ['', 0];
      for (const [wall, instant] of map) {
        const isEven = Date.parse(`${wall}Z`) - Date.parse(`${previous || wall}Z`) === instant - (before || instant);
        if (!isEven)
          for (const shift of [-1, 0, 1]) days.add(new Date(instant + shift * 86_400_000).toISOString().slice(0, 10));
        [previous, before] = [wall, instant];
      }
    };
    const days = new Set<string>();
    isOdd(table, days);
    isOdd(others, days);
    return [...table].filter(([wall]) => days.has(wall.slice(0, 10)) || /T(?:00|03|06|09|12|15|18|21):00/.test(wall));
  }

  test.each([
    ['America/New_York', 'Europe/Amsterdam'],
    ['Australia/Lord_Howe', 'America/Santiago'],
  ])('made in %s and read in %s', async (own, read) => {
    const [from, to] = ['2026-01-01T00:00Z', '2027-01-01T00:00Z'];
    const table = sampleOf(wallClockTable(own, from, to), wallClockTable(read, from, to));
    expect(table.length).toBeGreaterThan(3_000);
    const rows = table.map(
      ([wall], index) => `      - { title: T${index}, start: ${wall}, end: ${plusMinutes(wall, 0)} }`,
    );
    const app = await openAccounts(
      `  home:\n    provider: memory\n    timeZone: ${own}\n    events:\n${rows.join('\n')}\n`,
    );
    const session = await openSession(app);
    const events = await allEvents(session, { from: '2025-12-30', to: '2027-01-03', timeZone: read, limit: 1_000 });
    const wrong = events.filter(({ title, start }) => Date.parse(start) !== table[Number(title.slice(1))]?.[1]);
    expect(wrong).toEqual([]);
    expect(events).toHaveLength(table.length);
    // As they are read, so they are shown: the wall clock of the reader, by the other table.
    const theirs = new Map([...wallClockTable(read, from, to)].map(([wall, instant]) => [instant, wall]));
    for (const { start } of events) {
      const wall = theirs.get(Date.parse(start));
      if (wall !== undefined) expect(start.slice(0, 16)).toBe(wall);
    }
  });

  test.each(['America/New_York', 'Europe/Amsterdam'])(
    'written for %s: each is the instant that it names, or is refused',
    async (zone) => {
      const app = await openAccounts('  home: { provider: memory, access: write }\n');
      const session = await openSession(app);
      const table = wallClockTable(zone, '2026-12-31T00:00Z', '2028-01-01T00:00Z');
      const names = [...table.keys()].filter((wall) => /^2027-(?:03-14|03-28|10-31|11-07)/.test(wall));
      const all = new Set(
        names.flatMap((wall) =>
          Array.from({ length: 48 }, (_, index) => plusMinutes(`${wall.slice(0, 10)}T00:00`, 30 * index)),
        ),
      );
      expect(all.size).toBe(4 * 48);
      let refused = 0;
      for (const wall of all) {
        const draft = { title: 'x', start: wall, end: '+30m', timeZone: zone, dryRun: true };
        const told = await session.call('create_event', draft);
        const at = table.get(wall);
        if (at === undefined) {
          expect(told.text).toMatch(/^INPUT_INVALID: .*does not exist/);
          refused++;
          continue;
        }
        const { changes } = told.structured as { changes: { field: string; to: string }[] };
        const of = (name: string): number => Date.parse(changes.find(({ field }) => field === name)?.to ?? '');
        expect([wall, of('start'), of('end')]).toEqual([wall, at, at + HALF_HOUR]);
      }
      // The hour that the clocks skip in spring.
      expect(refused).toBe(2);
    },
  );
});

/** Of a process, in megabytes. */
async function memoryOf(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1_024;
}

// There is no ps on Windows.
test.skipIf(process.platform === 'win32')(
  'defect 17: a server that is asked again and again about 40,000 events gets along with little memory',
  async () => {
    const folder = await temporaryFolder();
    const rows = Array.from({ length: 40_000 }, (_, index) => {
      const start = plusMinutes('2026-01-01T00:00', 13 * index).replaceAll(/[-:]/g, '');
      return `BEGIN:VEVENT\r\nUID:${index}@many.example\r\nDTSTART:${start}00Z\r\nDURATION:PT10M\r\nSUMMARY:Event ${index}\r\nDESCRIPTION:${'What there is to say. '.repeat(10)}\r\nEND:VEVENT\r\n`;
    });
    await writeFile(
      join(folder, 'many.ics'),
      `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//many//\r\n${rows.join('')}END:VCALENDAR\r\n`,
    );
    await writeAccounts(folder, 'version: 1\naccounts:\n  many: { provider: ics, path: ./many.ics }\n');
    const client = new Client({ name: 'calmcp-test', version: '0' });
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [join(import.meta.dirname, '../../dist/main.js'), 'mcp'],
      // Without a limit V8 lets garbage lie as long as there is room: what is not garbage is what counts.
      env: { ...builtEnvironment(folder), NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
      stderr: 'ignore',
    });
    await client.connect(transport);
    onTestFinished(() => client.close());
    const year = { from: '2026-01-01', to: '2026-12-31' };
    // On a busy machine it may take longer to read the file than a question has.
    await client.callTool({ name: 'list_events', arguments: { ...year, limit: 1 } });
    const figures: number[] = [];
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all([
        client.callTool({ name: 'list_events', arguments: { ...year, limit: 1_000 } }),
        client.callTool({ name: 'search_events', arguments: { ...year, query: 'event 777' } }),
        client.callTool({ name: 'get_free_busy', arguments: year }),
      ]);
      for (const { isError, structuredContent } of answers)
        expect([isError, structuredContent]).toMatchObject([undefined, { complete: true }]);
      figures.push(Math.round(await memoryOf(transport.pid ?? 0)));
    }
    process.stdout.write(`40,000 events, 12 questions, ${HEAP_MB} MB of heap: ${figures.join(', ')} MB\n`);
    expect(Math.max(...figures)).toBeLessThan(2 * HEAP_MB);
  },
  60_000,
);
