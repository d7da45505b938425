import { spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, isPortFree, parseLsof, parseNetstat, parseProcNetTcp, watchPort } from '../../src/io/port-owner.ts';

async function listen(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A process in a group of its own that listens; or whose own child does. */
async function startListener(host: string, wrapped = false): Promise<{ port: number; group: number }> {
  const program = `const server = require('node:net').createServer().listen(0, '${host}', () => console.log(server.address().port));
    setTimeout(() => process.exit(), 30_000);`;
  const args = wrapped
    ? [
        '-e',
        `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(program)}], { stdio: 'inherit' })`,
      ]
    : ['-e', program];
  const running = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const group = running.pid ?? 0;
  onTestFinished(() => {
    process.kill(-group, 'SIGKILL');
  });
  for await (const line of createInterface({ input: running.stdout })) return { port: Number(line), group };
  throw new Error('it does not listen');
}

test('a port is free until somebody listens on it', async () => {
  const port = await freePort();
  expect(await isPortFree(port)).toBe(true);
  expect(await isPortFree(await listen('127.0.0.1'))).toBe(false);
  expect(await isPortFree(await listen('0.0.0.0'))).toBe(false);
});

test.runIf(process.platform !== 'win32')(
  'the owner of a port is a process of the group, or somebody else',
  async () => {
    const own = await startListener('127.0.0.1');
    const wrapped = await startListener('127.0.0.1', true);
    expect(await watchPort(own.port, own.group)()).toBe('group');
    expect(await watchPort(wrapped.port, wrapped.group)()).toBe('group');
    expect(await watchPort(own.port, wrapped.group)()).toBe('other');
    expect(await watchPort(await listen('127.0.0.1'), own.group)()).toBe('other');
    expect(await watchPort(await freePort(), own.group)()).toBe('nobody');
  },
);

test.runIf(process.platform !== 'win32')(
  'one that listens for other machines is told from one that does not',
  async () => {
    for (const host of ['0.0.0.0', '::']) {
      const { port, group } = await startListener(host);
      expect(await watchPort(port, group)()).toBe('everywhere');
      expect(await watchPort(port, group + 1)()).toBe('other');
    }
  },
);

test('/proc/net/tcp tells who listens, and not who is connected', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1162 1 00000000c558e3e8 100 0 0 10 0
   1: 0100007F:AFD1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1037134 1 00000000e5dd5a90 100 0 0 10 0
   2: 0100007F:AFD1 0100007F:07E8 01 00000000:00000000 00:00000000 00000000     0        0 1037135 1 00000000e5dd5a91 20 4 30 10 -1
`;
  expect(parseProcNetTcp(table, 0xafd1)).toEqual([{ address: '0100007F', inode: '1037134' }]);
  expect(parseProcNetTcp(table, 2_024)).toEqual([{ address: '00000000', inode: '1162' }]);
  expect(parseProcNetTcp(table, 80)).toEqual([]);
});

test('lsof tells the group of each socket', () => {
  const printed = 'p2796\ng2794\nf18\nn127.0.0.1:37759\np2801\ng2801\nf20\nn*:37759\nf21\nn[::1]:37759\n';
  expect(parseLsof(printed)).toEqual([
    { group: 2_794, address: '127.0.0.1:37759' },
    { group: 2_801, address: '*:37759' },
    { group: 2_801, address: '[::1]:37759' },
  ]);
  expect(parseLsof('')).toEqual([]);
});

test('netstat tells who listens in any language', () => {
  const printed = [
    '',
    'Aktive Verbindungen',
    '',
    '  Proto  Lokale Adresse         Remoteadresse          Status           PID',
    '  TCP    0.0.0.0:135            0.0.0.0:0              ABHÖREN         1036',
    '  TCP    127.0.0.1:3000         0.0.0.0:0              ABHÖREN         8412',
    '  TCP    127.0.0.1:3000         127.0.0.1:50123        HERGESTELLT     8412',
    '  TCP    127.0.0.1:50123        127.0.0.1:3000         HERGESTELLT     9000',
    '  TCP    [::]:3000              [::]:0                 LISTENING       77',
    '',
  ].join('\r\n');
  expect(parseNetstat(printed, 3_000)).toEqual([
    { pid: 8_412, address: '127.0.0.1' },
    { pid: 77, address: '[::]' },
  ]);
  expect(parseNetstat(printed, 300)).toEqual([]);
});
