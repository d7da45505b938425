/** `calmcp mcp --read-only` and `--tools`: what a client of the built program is shown, and what it can call. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, onTestFinished, test } from 'vitest';
import { operations } from '../../src/operations/index.ts';
import { promptsOf } from '../../src/server/prompts.ts';
import { builtEnvironment, cli, temporaryFolder, writeAccounts } from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const ACCOUNTS = `version: 1
accounts:
  home: { provider: memory, access: write }
`;
const ALL = operations.map(({ name }) => name);
const WRITING = ['create_event', 'update_event', 'delete_event', 'respond_to_event'];

const AGENDAS = ['today', 'tomorrow', 'this%20week', 'next%20week'].map((range) => `calendar://agenda/${range}`);

async function openHome(): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, ACCOUNTS);
  return folder;
}

async function serve(...args: string[]): Promise<{ client: Client; folder: string; names: string[] }> {
  const folder = await openHome();
  const client = new Client({ name: 'calmcp-test', version: '0' });
  const transport = { command: process.execPath, args: [bin, 'mcp', ...args], env: builtEnvironment(folder) };
  await client.connect(new StdioClientTransport({ ...transport, stderr: 'ignore' }));
  onTestFinished(() => client.close());
  return { client, folder, names: (await client.listTools()).tools.map(({ name }) => name) };
}

describe('a server', () => {
  test('has all tools, unless told otherwise', async () => {
    expect((await serve()).names).toEqual(ALL);
  });

  test('that is read-only lacks the four that write, and does not write when they are called', async () => {
    const { client, folder, names } = await serve('--read-only');
    expect(names).toEqual(ALL.filter((name) => !WRITING.includes(name)));
    // Which changes no calendar.
    expect(names).toContain('sign_in');
    const { tools } = await client.listTools();
    for (const { name, annotations } of tools)
      expect([name, annotations?.readOnlyHint]).toEqual([name, name !== 'sign_in']);
    for (const name of WRITING) {
      const input = { account: 'home', title: 'x', start: '2026-11-24', id: 'home.0000000000' };
      await expect(client.callTool({ name, arguments: input })).rejects.toMatchObject({ code: -32602 });
    }
    const { stdout } = await cli(folder, ['agenda', 'this week', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ events: [] });
  });

  test('of some tools has these alone, in their usual order', async () => {
    const { client, names } = await serve('--tools', 'find_free_time, list_events,,');
    expect(names).toEqual(['list_events', 'find_free_time']);
    await expect(client.callTool({ name: 'list_accounts', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    expect((await client.callTool({ name: 'list_events', arguments: { range: 'today' } })).isError ?? false).toBe(
      false,
    );
  });

  test('of some tools has no resource, prompt or capability that needs another', async () => {
    const { client } = await serve('--tools', 'get_free_busy');
    expect(client.getServerCapabilities()).toEqual({ tools: expect.anything() });
    const notThere = { code: -32601 };
    await expect(client.request({ method: 'prompts/list' })).rejects.toMatchObject(notThere);
    await expect(client.request({ method: 'resources/list' })).rejects.toMatchObject(notThere);
    await expect(client.request({ method: 'resources/templates/list' })).rejects.toMatchObject(notThere);
    for (const uri of ['calendar://accounts', 'calendar://agenda/today'])
      await expect(client.request({ method: 'resources/read', params: { uri } })).rejects.toMatchObject(notThere);
    expect(client.getInstructions()).not.toContain('dryRun');
  });

  test.each<[string, { prompts: string[]; resources: string[]; templates: string[] }]>([
    [
      'list_events, find_conflicts',
      { prompts: ['daily_brief'], resources: AGENDAS, templates: ['calendar://agenda/{range}'] },
    ],
    ['list_accounts', { prompts: [], resources: ['calendar://accounts'], templates: [] }],
    ['find_free_time, create_event', { prompts: ['plan_meeting'], resources: [], templates: [] }],
  ])('of %s has what these serve', async (tools, { prompts, resources, templates }) => {
    const { client } = await serve('--tools', tools);
    const { completions: _of, ...capabilities } = client.getServerCapabilities() ?? {};
    expect(Object.keys(capabilities).sort()).toEqual(
      [...(prompts.length > 0 ? ['prompts'] : []), ...(resources.length > 0 ? ['resources'] : []), 'tools'].sort(),
    );
    if (prompts.length > 0) expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(prompts);
    if (resources.length > 0) {
      expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual(resources);
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(templates);
    }
    expect(client.getInstructions()?.includes('dryRun')).toBe(tools.includes('create_event'));
  });

  test('that is read-only tells nobody how to write', async () => {
    const { client } = await serve('--read-only');
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(['daily_brief', 'week_review']);
    const { message } = await client.getPrompt({ name: 'plan_meeting', arguments: {} }).then(
      () => ({ message: 'served' }),
      (refused: Error) => refused,
    );
    expect(message).toContain('plan_meeting');
    expect(client.getInstructions()).toContain('coverage');
    expect(client.getInstructions()).not.toMatch(/dryRun|Before you write|notify/);
    expect((await serve()).client.getInstructions()).toMatch(/Before you write.*dryRun/);
  });

  test('that is both has what both leave', async () => {
    expect((await serve('--read-only', '--tools', 'list_events')).names).toEqual(['list_events']);
  });
});

describe('is refused before a client asks anything, with the tools that there are:', () => {
  test.each<[string[], RegExp]>([
    [['--tools', 'list_event'], /^calmcp: list_event: no tool$/m],
    [['--tools', 'list_events,agenda,nope'], /^calmcp: agenda, nope: no tool$/m],
    [['--tools', ','], /^calmcp: no tool is named$/m],
    [['--read-only', '--tools', 'create_event'], /^calmcp: create_event: no tool of a read-only server$/m],
  ])('%j', async (args, says) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'mcp', ...args], {
      env: builtEnvironment(await openHome()),
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(says);
    const isReadOnly = args.includes('--read-only');
    const known = ALL.filter((name) => !isReadOnly || !WRITING.includes(name));
    expect(stderr).toContain(`tools are: ${known.join(', ')}`);
  });
});

describe('docs/mcp-tools.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/mcp-tools.md'), 'utf8');
  const rows = new Map(
    [...page.matchAll(/^\| `(\w+)`( \+)? \| (.*?) \|/gm)].map(([, name = '', plus, inputs = '']) => [
      name,
      { hasUsual: plus !== undefined, inputs: [...inputs.matchAll(/`(\w+)`/g)].map(([, input]) => input ?? '') },
    ]),
  );

  test.each(operations.map((operation) => [operation.name, operation] as const))(
    'has %s, with all of its inputs',
    (name, { input }) => {
      const { hasUsual = false, inputs = [] } = rows.get(name) ?? {};
      const usual = hasUsual ? ['range', 'from', 'to', 'accounts', 'timeZone', 'audience', 'detail'] : [];
      expect([...usual, ...inputs].sort()).toEqual(Object.keys(input.shape).sort());
    },
  );

  test('has no tool that there is not, and all prompts', () => {
    expect([...rows.keys()]).toEqual(ALL);
    const prompts = promptsOf(new Set(ALL)).map(({ name }) => name);
    expect(prompts.length).toBeGreaterThan(0);
    for (const name of prompts) expect(page).toContain(`\`${name}\``);
  });
});
