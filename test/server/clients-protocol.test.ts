/** What the protocol has besides tools, for clients of every age: giving up, progress, prompts, resources. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  lasting,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';
import { type AnyClient, CLIENTS, connectClient } from './any-client.ts';

const names = Object.keys(CLIENTS);

interface SilentVendor {
  readonly origin: string;
  /** Requests that wait for an answer now. */
  waiting(): number;
  /** Requests whose client has gone away without one. */
  given(): number;
  close(): Promise<void>;
}

/** Takes every request and answers none. */
async function openSilentVendor(): Promise<SilentVendor> {
  let [waiting, given] = [0, 0];
  const server = createServer((_request, response) => {
    waiting++;
    response.once('close', () => {
      waiting--;
      given++;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waiting: () => waiting,
    given: () => given,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a question that is given up', () => {
  let vendor: SilentVendor;
  let folder: string;
  const ends: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    vendor = await openSilentVendor();
    const { opened, end } = await lasting(async () => {
      const sandbox = await openSandbox();
      const { app, folder } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
      await signIn(app, sandbox, 'xebia', 'you@xebia.example');
      // Signed in where somebody answers, and asked where nobody does.
      await writeAccounts(
        folder,
        microsoftAccounts(sandbox, [XEBIA]).replace(`graph: "${sandbox.origin}"`, `graph: "${vendor.origin}"`),
      );
      return folder;
    });
    folder = opened;
    ends.push(end, vendor.close);
  });

  afterAll(async () => {
    for (const end of ends) await end();
  });

  test.each(names)('by a client on %s is given up at the vendor, and the server goes on', async (name) => {
    const client = await connectClient(name, folder);
    ends.unshift(() => client.close());
    const before = vendor.given();
    const asker = new AbortController();
    const answer = client.call('list_events', { range: 'this week' }, { signal: asker.signal });
    const refused = expect(answer).rejects.toThrow();
    await expect.poll(vendor.waiting, { timeout: 5_000, interval: 10 }).toBeGreaterThan(0);
    expect(vendor.given()).toBe(before);
    const started = performance.now();
    asker.abort(new Error('never mind'));
    await refused;
    await expect.poll(vendor.waiting, { timeout: 5_000, interval: 10 }).toBe(0);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(vendor.given()).toBeGreaterThan(before);
    expect((await client.call('get_current_time')).structuredContent).toHaveProperty('now');
  });
});

const ACCOUNTS = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  fixed:
    provider: memory
    access: write
    events:
      - { title: Sprint review, start: 2026-11-23T10:00, end: 2026-11-23T10:45 }
  feed: { provider: ics, path: ./missing.ics }
`;

describe.each(names)('a client on %s', (name) => {
  let client: AnyClient;
  let end = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const { opened, end: remove } = await lasting(temporaryFolder);
    await writeAccounts(opened, ACCOUNTS);
    client = await connectClient(name, opened);
    end = async () => {
      await client.close();
      await remove();
    };
  });

  afterAll(() => end());

  describe('that wants to hear of progress', () => {
    test('hears how many of the accounts have answered', async () => {
      const heard: { progress: number; total?: number | undefined }[] = [];
      await client.call('list_events', { range: 'this week' }, { onprogress: (progress) => heard.push(progress) });
      expect(heard.length).toBeGreaterThan(0);
      expect(heard.map(({ progress }) => progress)).toEqual([...new Set(heard.map(({ progress }) => progress))].sort());
      for (const { progress, total } of heard) {
        expect(total).toBe(2);
        expect(progress).toBeLessThanOrEqual(2);
      }
    });

    // What arrives together with the answer, these clients do not tell.
    test('hears of it going on alone, where accounts are asked more than once', { retry: 4 }, async () => {
      const created = await client.call('create_event', {
        account: 'fixed',
        title: 'Move me',
        start: '2026-12-01T10:00',
      });
      const { event } = created.structuredContent as { event: { id: string } };
      const heard: { progress: number; total?: number | undefined }[] = [];
      const answer = await client.call(
        'update_event',
        { id: event.id, start: '11:00', dryRun: true },
        { onprogress: (progress) => heard.push(progress) },
      );
      expect(answer.structuredContent?.outcome).toBe('preview');
      // Of finding the event, and of looking at what else there is at that time.
      expect(heard.length).toBeGreaterThan(2);
      const counts = heard.map(({ progress }) => progress);
      expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
      for (const { progress, total = progress } of heard) expect(progress).toBeLessThanOrEqual(total);
    });
  });

  describe('that asks for prompts', () => {
    test('gets those of calmcp, which name tools that there are', async () => {
      const { prompts } = await client.listPrompts();
      expect(prompts.map((prompt) => prompt.name)).toEqual(['daily_brief', 'plan_meeting', 'week_review']);
      const tools = (await client.listTools()).tools.map((tool) => tool.name);
      const isTool = /\b(?:list|search|get|find|create|update|delete|respond)_[a-z_]+\b/g;
      for (const { name: prompt, description, arguments: fields = [] } of prompts) {
        expect(description).toEqual(expect.any(String));
        const given = fields.map((field) => [field.name, field.name.includes('inutes') ? '45' : 'this week']);
        const { messages } = await client.getPrompt({ name: prompt, arguments: Object.fromEntries(given) });
        expect(messages.map(({ role, content }) => [role, content.type])).toContainEqual(['user', 'text']);
        const named = messages.flatMap(({ content }) => content.text.match(isTool) ?? []);
        expect(named).not.toEqual([]);
        expect(tools).toEqual(expect.arrayContaining(named));
      }
    });

    test('can have each without what it need not say', async () => {
      const { prompts } = await client.listPrompts();
      expect(prompts).not.toEqual([]);
      for (const { name: prompt, arguments: fields = [] } of prompts) {
        const needed = fields.filter(({ required }) => required).map((field) => [field.name, '45']);
        const { messages } = await client.getPrompt({ name: prompt, arguments: Object.fromEntries(needed) });
        expect(messages[0]?.content.text).toEqual(expect.any(String));
        expect(messages[0]?.content.text).not.toMatch(/undefined|null/);
      }
    });

    test('is refused one that does not exist', async () => {
      await expect(client.getPrompt({ name: 'year_review', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    });
  });

  describe('that asks for resources', () => {
    const read = async (uri: string): Promise<string> => {
      const { contents } = await client.readResource({ uri });
      expect(contents).toEqual([{ uri, mimeType: expect.any(String), text: expect.any(String) }]);
      return contents[0]?.text ?? '';
    };

    test('finds the accounts and the agenda', async () => {
      const { resources } = await client.listResources();
      expect(resources.map(({ uri }) => uri)).toContain('calendar://accounts');
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['calendar://agenda/{range}']);
    });

    test('reads the accounts', async () => {
      const accounts = await read('calendar://accounts');
      for (const account of ['fixed', 'feed']) expect(accounts).toContain(account);
    });

    test.each(['today', 'this%20week', '2026-11-23..2026-11-24'])(
      'reads the agenda of %s, and what it lacks',
      async (range) => {
        const agenda = await read(`calendar://agenda/${range}`);
        expect(agenda).toContain('Sprint review');
        expect(agenda).toMatch(/feed.*unavailable/s);
      },
    );

    test('is refused one that does not exist, and told about a range that is none', async () => {
      await expect(client.readResource({ uri: 'calendar://nothing' })).rejects.toThrow(/calendar:\/\/nothing/);
      await expect(client.readResource({ uri: 'calendar://agenda/whenever' })).rejects.toThrow(/whenever/);
      for (const badlyEncoded of ['%', '%E0%A4%A', 'today%'])
        await expect(client.readResource({ uri: `calendar://agenda/${badlyEncoded}` })).rejects.toMatchObject({
          code: -32602,
          message: expect.stringMatching(/^(?:MCP error -32602: )?INPUT_INVALID/),
        });
    });
  });
});
