/**
 * The conformance suite of the protocol, in both eras: on the server as it is handed out, and on the same server with what
 * the suite calls mounted on it. https://github.com/modelcontextprotocol/conformance
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMcpServer } from '../../src/server/mcp.ts';
import { type HttpFront, mountFixtures, openHttpFront } from '../fakes/conformance-server.ts';
import { lasting, openTestApp, silentLog, startMcpServer, temporaryFolder } from '../harness.ts';
import {
  type Baseline,
  hasFailed,
  hasProven,
  type Needs,
  readBaseline,
  readNeeds,
  runSuite,
  type SuiteRun,
  type Verdict,
} from './conformance-suite.ts';
import { whyNoNewerNode } from './newer-node.ts';

const ACCOUNTS = `version: 1
accounts:
  fixed: { provider: memory, events: [{ title: Review, start: 2026-11-23T10:00 }] }
`;

const SUITES = {
  '2025-11-25': ['conformance-2025', '--spec-version', '2025-11-25', '--suite', 'all'],
  '2026-07-28': ['conformance-2026', '--requirements', '2026-07-28'],
} as const;

type Era = keyof typeof SUITES;

const RUNS = [
  ['production', '2025-11-25'],
  ['production', '2026-07-28'],
  ['fixtures', '2025-11-25'],
  ['fixtures', '2026-07-28'],
] as const;

/** What a server has of all that scenarios call, by the names of needs.yml. */
async function offersOf(url: string, era: Era): Promise<string[]> {
  const client = new Client(
    { name: 'calmcp-test', version: '0' },
    { versionNegotiation: { mode: era === '2026-07-28' ? { pin: era } : 'legacy' } },
  );
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  const { extensions = {}, ...capabilities } = client.getServerCapabilities() ?? {};
  const offers = [
    ...Object.entries(capabilities).map(([name, said]) => [`capability ${name}`, said] as const),
    ...Object.entries(capabilities).flatMap(([name, said]) =>
      Object.entries(said ?? {}).map(([detail, is]) => [`capability ${name}.${detail}`, is] as const),
    ),
    ...Object.keys(extensions).map((name) => [`extension ${name}`, true] as const),
    ...(await client.listTools()).tools.map(({ name }) => [`tool ${name}`, true] as const),
    ...(await client.listPrompts()).prompts.map(({ name }) => [`prompt ${name}`, true] as const),
    ...(await client.listResources()).resources.map(({ uri }) => [`resource ${uri}`, true] as const),
    ...(await client.listResourceTemplates()).resourceTemplates.map(
      ({ uriTemplate }) => [`template ${uriTemplate}`, true] as const,
    ),
    // Without one, nothing leads back from the server to a client of 2025.
    ['session', transport.sessionId !== undefined] as const,
  ];
  await client.close();
  return offers.filter(([, is]) => is).map(([name]) => name);
}

interface Report extends SuiteRun {
  readonly baseline: Baseline;
  readonly offers: readonly string[];
}

const told = (verdicts: readonly Verdict[]): string[] => verdicts.map(({ name }) => name);

describe.skipIf(whyNoNewerNode !== undefined)(
  `the conformance suite${whyNoNewerNode ? ` (${whyNoNewerNode})` : ''}`,
  () => {
    const reports = new Map<string, Report>();
    let needs: Needs;
    let end = async (): Promise<void> => undefined;

    const lacks = ({ name }: Verdict, offers: readonly string[]): string[] =>
      needs[name]?.filter((need) => !offers.includes(need)) ?? [];

    beforeAll(async () => {
      needs = await readNeeds();
      const apart = Object.keys(needs).filter((name) => name.includes(':'));
      const { opened, end: remove } = await lasting(async () => {
        const { app } = await openTestApp(ACCOUNTS);
        const production = () => createMcpServer({ version: '0', app: async () => app, log: silentLog });
        const fronts: Record<'production' | 'fixtures', HttpFront> = {
          production: await openHttpFront(production),
          fixtures: await openHttpFront((_context, notify) => mountFixtures(production(), notify)),
        };
        const report = async (kind: keyof typeof fronts, era: Era): Promise<void> => {
          const { url } = fronts[kind];
          const [suite, ...args] = SUITES[era];
          const suiteRun = await runSuite(suite, ['--url', url, ...args], apart);
          const baseline = await readBaseline(`${kind}-${era}`);
          reports.set(`${kind} ${era}`, { ...suiteRun, baseline, offers: await offersOf(url, era) });
        };
        // Two at a time: each waits more than it works.
        const row = async (kind: keyof typeof fronts): Promise<void> => {
          for (const era of Object.keys(SUITES) as Era[]) await report(kind, era);
        };
        await Promise.all([row('production'), row('fixtures')]);
        return fronts;
      });
      end = async () => {
        await Promise.all(Object.values(opened).map((front) => front.close()));
        await remove();
      };
    }, 120_000);

    afterAll(() => end());

    describe.each(RUNS)('on %s, in the era of %s', (kind, era) => {
      const sorted = (): Report & Record<'failed' | 'counted' | 'uncounted', Verdict[]> => {
        const report = reports.get(`${kind} ${era}`);
        if (report === undefined) throw new TypeError('did not run');
        const { verdicts, offers } = report;
        const counts = (verdict: Verdict): boolean => hasProven(verdict) && lacks(verdict, offers).length === 0;
        const rest = verdicts.filter((verdict) => !hasFailed(verdict));
        return {
          ...report,
          failed: verdicts.filter(hasFailed),
          counted: rest.filter(counts),
          uncounted: rest.filter((verdict) => !counts(verdict)),
        };
      };

      test('runs, and of each scenario it is known what it calls', () => {
        const { verdicts, total, counted, failed, uncounted } = sorted();
        expect(verdicts.length).toBeGreaterThan(30);
        expect(total).toMatch(/^Total: \d+ passed, \d+ failed/);
        expect(Object.keys(needs)).toEqual(expect.arrayContaining(told(verdicts)));
        process.stdout.write(
          `conformance ${era}, ${kind}: ${counted.length} passed, ${failed.length} failed, ${uncounted.length} not applicable (checks, as the suite counts them: ${total.replace('Total: ', '')})\n`,
        );
      });

      test('fails where the baseline says so, and nowhere else', () => {
        const { failed, baseline } = sorted();
        expect(told(failed)).toEqual([...baseline.server].sort());
      });

      test('fails only where something is called that is not there', () => {
        const { failed, offers } = sorted();
        expect(told(failed.filter((verdict) => lacks(verdict, offers).length === 0))).toEqual([]);
      });

      test('passes nowhere else without that what is called is there, and something is proven', () => {
        const { uncounted, baseline } = sorted();
        expect(told(uncounted)).toEqual([...baseline['not-applicable']].sort());
      });

      test('passes without a warning', () => {
        const { counted } = sorted();
        const doubts = counted.flatMap(({ name, checks }) =>
          checks
            .filter(({ status, details }) => status === 'WARNING' || details?.untestable)
            .map(({ id, errorMessage }) => `${name}:${id}: ${errorMessage}`),
        );
        expect(doubts).toEqual([]);
      });
    });

    test.each(Object.keys(SUITES) as Era[])('finds all its fixtures in the era of %s', (era) => {
      const { verdicts, offers = [] } = reports.get(`fixtures ${era}`) ?? { verdicts: [] };
      const called = verdicts
        .flatMap(({ name }) => needs[name] ?? [])
        .filter((need) => /^(?:tool|prompt|resource|template) /.test(need));
      expect(called.length).toBeGreaterThan(15);
      expect(offers).toEqual(expect.arrayContaining(called));
    });

    test('has nothing listed that none of its versions runs', () => {
      const ran = [...reports.values()].flatMap(({ verdicts }) => told(verdicts));
      expect(ran).toEqual(expect.arrayContaining(Object.keys(needs)));
    });
  },
);

test('what is handed out has none of the fixtures', async () => {
  const client = await startMcpServer(await temporaryFolder());
  const names = [
    ...(await client.listTools()).tools.map(({ name }) => name),
    ...(await client.listPrompts()).prompts.map(({ name }) => name),
    ...(await client.listResources()).resources.map(({ uri }) => uri),
  ];
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => /^test|json_schema/.test(name))).toEqual([]);
  const dist = join(import.meta.dirname, '../../dist');
  const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.js'));
  expect(files).toContain('main.js');
  const codes = await Promise.all(files.map((file) => readFile(join(dist, file), 'utf8')));
  expect(codes.filter((code) => /test_simple_text|test:\/\/|conformance suite/.test(code))).toEqual([]);
});
