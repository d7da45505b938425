/** What a command of one version makes of what a daemon of another one does not understand. */

import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askThrough } from '../../src/cli/daemon/ask.ts';
import { connectDaemon } from '../../src/io/daemon-connection.ts';
import { createSocketService } from '../../src/server/socket.ts';
import { openTestApp, silentLog, temporaryFolder } from '../harness.ts';

test('a change that the daemon’s schema refuses was not made, and is told so', async () => {
  const { app } = await openTestApp('version: 1\naccounts:\n  home: { provider: memory, access: write }\n');
  const service = createSocketService({
    version: '2.0.0',
    app: async () => app,
    log: silentLog,
    status: async () => ({}),
    onFinish: () => undefined,
  });
  const server = createServer(service.accept);
  const folder = await temporaryFolder();
  await chmod(folder, 0o700);
  const socket = join(folder, 's');
  server.listen(socket);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await service.drain(0);
  });
  const channel = await connectDaemon({ socket }, { version: '1.0.0', answers: 'script' });
  if (typeof channel === 'string') throw new Error(channel);
  // As an older command says it, whose schema has other fields.
  const told = await askThrough(channel, {
    tool: 'create_event',
    input: { account: 'home', title: 'x', start: '2026-12-01T10:00', formerField: true },
    isRepeatable: false,
    version: '1.0.0',
    signal: new AbortController().signal,
  }).catch((e) => `${e.code}: ${e.message}`);
  expect(told).toMatch(/^UNAVAILABLE: .* nothing was done$/);
});
