import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Agenda } from '../../src/operations/list-events.ts';
import {
  cli,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  startMcpServer,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const fixed = (title: string): string =>
  `version: 1\naccounts:\n  fixed: { provider: memory, events: [{ title: ${title}, start: 2026-11-23T10:00 }] }\n`;

interface Answer {
  readonly agenda: Agenda | undefined;
  readonly text: string;
}

async function startServer(folder: string): Promise<(range?: string) => Promise<Answer>> {
  const client = await startMcpServer(folder);
  return async (range = 'this week') => {
    const { structuredContent, content } = await client.callTool({
      name: 'list_events',
      arguments: { range, maxAgeSeconds: 0 },
    });
    return { agenda: structuredContent as Agenda | undefined, text: (content as { text: string }[])[0]?.text ?? '' };
  };
}

const titles = ({ agenda }: Answer): (string | null | undefined)[] | undefined =>
  agenda?.events.map(({ title }) => title);

test('a running server follows accounts.yaml; a broken one keeps the last good one and says so in every answer', async () => {
  const folder = await temporaryFolder();
  await writeAccounts(folder, fixed('Before'));
  const ask = await startServer(folder);
  expect(titles(await ask())).toEqual(['Before']);

  await writeAccounts(folder, fixed('After'));
  expect(titles(await ask())).toEqual(['After']);

  await writeFile(join(folder, 'accounts.yaml'), 'version: 1\naccounts:\n  fixed: { provider: memory, evnts: [] }\n');
  for (let time = 0; time < 2; time++) {
    const answer = await ask();
    expect(titles(answer)).toEqual(['After']);
    expect(answer.agenda?.notices).toEqual([
      expect.stringMatching(/last good one still counts: .*accounts\.yaml:3:30 accounts\.fixed\.evnts: unknown key/),
    ]);
    expect(answer.text.split('\n')[0]).toMatch(/^accounts\.yaml was changed and cannot be used/);
  }

  await rm(join(folder, 'accounts.yaml'));
  expect((await ask()).agenda?.notices).toHaveLength(1);

  await writeAccounts(folder, fixed('Mended'));
  const mended = await ask();
  expect(titles(mended)).toEqual(['Mended']);
  expect(mended.agenda).not.toHaveProperty('notices');
});

test('a server that started without a usable configuration works as soon as there is one', async () => {
  const folder = await temporaryFolder();
  const ask = await startServer(folder);
  expect((await ask()).text).toMatch(/^CONFIG_INVALID: there is no /);
  await writeAccounts(folder, fixed('There'));
  expect(titles(await ask())).toEqual(['There']);
});

test('an account that is added, or signed in to by another process, counts in a running server; the others keep their tokens', async () => {
  const sandbox = await openSandbox();
  const folder = await temporaryFolder();
  const person = (username: string) => ({
    stderr: {
      isTerminal: false,
      write(text: string): void {
        const code = /type (\S+) /.exec(text)?.[1];
        if (code !== undefined) sandbox.approve(code, username);
      },
    },
  });
  await writeAccounts(folder, microsoftAccounts(sandbox, [XEBIA]));
  const ask = await startServer(folder);
  expect((await ask()).text).toMatch(/AUTH_REQUIRED: .*\nrun: calmcp login --account xebia/);
  expect((await cli(folder, ['login', '--account', 'xebia'], person('you@xebia.example'))).status).toBe(0);
  expect((await ask()).agenda?.complete).toBe(true);

  await writeAccounts(folder, microsoftAccounts(sandbox, [XEBIA, MARIMER]));
  expect((await ask()).agenda?.accounts.map(({ status }) => status)).toEqual(['ok', 'needs-login']);
  const before = sandbox.redemptions.length;
  expect((await cli(folder, ['login', '--account', 'marimer'], person('you@marimer.example'))).status).toBe(0);
  expect((await ask()).agenda?.complete).toBe(true);
  expect(sandbox.redemptions.slice(before).filter(({ grant }) => grant === 'refresh_token')).toEqual([]);

  sandbox.revoke('you@marimer.example');
  const revoked = await ask();
  expect(revoked.agenda?.accounts[1]).toMatchObject({
    status: 'needs-login',
    hint: 'run: calmcp login --account marimer',
  });
  expect((await cli(folder, ['login', '--account', 'marimer'], person('you@marimer.example'))).status).toBe(0);
  expect((await ask()).agenda?.complete).toBe(true);
});
