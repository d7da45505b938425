/** The MCP Inspector's command line on the built program: https://modelcontextprotocol.io/docs/tools/inspector */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { builtEnvironment, lasting, temporaryFolder, writeAccounts } from '../harness.ts';
import { newerNode, whyNoNewerNode } from './newer-node.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const inspector = join(
  import.meta.dirname,
  '../clients/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
);

const ACCOUNTS = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  fixed: { provider: memory, events: [{ title: Review, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }] }
  feed: { provider: ics, path: ./missing.ics }
`;

interface Inspected {
  readonly status: number;
  readonly result: Readonly<Record<string, unknown>>;
  /** The lines of stderr. */
  readonly said: readonly string[];
}

describe.skipIf(whyNoNewerNode !== undefined)(`the Inspector${whyNoNewerNode ? ` (${whyNoNewerNode})` : ''}`, () => {
  let folder: string;
  let end = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const { opened, end: remove } = await lasting(temporaryFolder);
    folder = opened;
    end = remove;
    await writeAccounts(folder, ACCOUNTS);
  });

  afterAll(() => end());

  async function inspect(...args: readonly string[]): Promise<Inspected> {
    const env = Object.entries(builtEnvironment(folder)).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const command = [inspector, '--cli', process.execPath, bin, 'mcp', ...env, '--format', 'json', ...args];
    return await new Promise((resolve) => {
      // It keeps a folder of its own in HOME.
      const options = { env: { PATH: process.env.PATH ?? '', HOME: folder }, maxBuffer: 2 ** 24 };
      execFile(newerNode ?? '', command, options, (error, stdout, stderr) =>
        resolve({
          status: error === null ? 0 : Number(error.code),
          result: (JSON.parse(stdout || '{}') as { result?: Record<string, unknown> }).result ?? {},
          said: stderr.split('\n').filter((line) => line !== ''),
        }),
      );
    });
  }

  const named = (entries: unknown): unknown[] => (entries as { name: string }[]).map(({ name }) => name);

  test.concurrent.for(['legacy', 'modern'])('finds no fault with the tools in the %s era', async (era, { expect }) => {
    const { status, result, said } = await inspect('--protocol-era', era, '--method', 'tools/list', '--strict');
    expect({ status, errors: said.filter((line) => line.startsWith('Error')) }).toEqual({ status: 0, errors: [] });
    expect(named(result.tools)).toContain('list_events');
  });

  test.concurrent('calls a tool, and shows what is unknown', async ({ expect }) => {
    const { status, result } = await inspect(
      ...['--protocol-era', 'modern', '--method', 'tools/call', '--tool-name', 'list_events'],
      ...['--tool-args-json', '{"range":"today"}'],
    );
    expect(status).toBe(0);
    expect(result).toMatchObject({
      structuredContent: { complete: false, events: [{ title: 'Review' }] },
      content: [{ type: 'text', text: expect.stringContaining('the time of feed is unknown, not free') }],
    });
  });

  test.concurrent('fails where a tool refuses, and says why', async ({ expect }) => {
    const { status, result } = await inspect(
      ...['--method', 'tools/call', '--tool-name', 'list_events'],
      ...['--tool-args-json', '{"accounts":"nobody"}'],
    );
    expect(status).not.toBe(0);
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^ACCOUNT_UNKNOWN: .*\nknown: fixed, feed$/) }],
    });
  });

  describe('that asks for prompts and resources', () => {
    test.concurrent('lists the prompts', async ({ expect }) => {
      const { status, result } = await inspect('--method', 'prompts/list');
      expect(status).toBe(0);
      expect(named(result.prompts)).toEqual(['daily_brief', 'plan_meeting', 'week_review']);
    });

    test.concurrent('lists the resources', async ({ expect }) => {
      const { status, result } = await inspect('--method', 'resources/list');
      expect(status).toBe(0);
      expect(result.resources).toContainEqual(expect.objectContaining({ uri: 'calendar://accounts' }));
    });

    test.concurrent('reads a resource', async ({ expect }) => {
      const { status, result } = await inspect('--method', 'resources/read', '--uri', 'calendar://agenda/today');
      expect(status).toBe(0);
      expect(result).toMatchObject({ contents: [{ text: expect.stringContaining('Review') }] });
    });
  });
});
