/** Whose a port on this machine is: a token is sent to nobody who has not been looked at first. */
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { CalmcpError } from '../core/errors.ts';
import { processesOfGroup } from './process-table.ts';

const run = promisify(execFile);
const LOOPBACK = '127.0.0.1';

/** `everywhere`: it listens for other machines, too. */
export type PortOwner = 'group' | 'everywhere' | 'other' | 'nobody';

/**
 * Below the ports that systems give to outgoing connections (Linux from 32768, others from 49152: RFC 6335 section 6), so that none of
 * those takes it before it is listened on.
 */
const CHOSEN = { from: 20_000, to: 32_000 };

/** A port that nobody listens on now. @throws CalmcpError UNAVAILABLE */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = randomInt(CHOSEN.from, CHOSEN.to);
    if (await isPortFree(port)) return port;
  }
  throw new CalmcpError('UNAVAILABLE', `no free port was found from ${CHOSEN.from} to ${CHOSEN.to}`, {
    hint: 'set child.port to one that is free',
  });
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });
}

interface Listener {
  readonly address: string;
  readonly inode: string;
}

/** Sockets that listen on `port`: proc_net_tcp(5), state 0A. */
export function parseProcNetTcp(text: string, port: number): Listener[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', localPort] = local.split(':');
    return state === '0A' && localPort === hex ? [{ address, inode }] : [];
  });
}

/** 127.0.0.1 as the kernel writes it, on either byte order. */
const LOOPBACK_WORDS = ['0100007F', '7F000001'];

async function listenersOnLinux(port: number): Promise<Listener[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  return tables.flatMap((table) => parseProcNetTcp(table, port));
}

async function judge(listeners: readonly Listener[], group: number): Promise<PortOwner> {
  if (listeners.length === 0) return 'nobody';
  const members = await processesOfGroup(group);
  const links = await Promise.all(
    members.map(async ({ pid }) => {
      const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
      return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
    }),
  );
  const own = new Set(links.flat());
  if (!listeners.every(({ inode }) => own.has(`socket:[${inode}]`))) return 'other';
  return listeners.every(({ address }) => LOOPBACK_WORDS.includes(address)) ? 'group' : 'everywhere';
}

/** Records of `lsof -F pgn`: `p` a process, `g` its group, `n` the address of each of its sockets. */
export function parseLsof(printed: string): { readonly group: number; readonly address: string }[] {
  let group = 0;
  return printed.split('\n').flatMap((line) => {
    if (line.startsWith('g')) group = Number(line.slice(1));
    return line.startsWith('n') ? [{ group, address: line.slice(1) }] : [];
  });
}

async function ownerByLsof(port: number, group: number): Promise<PortOwner> {
  // It fails when nothing is found.
  const found = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-F', 'pgn']).catch(() => ({ stdout: '' }));
  const listeners = parseLsof(found.stdout);
  if (listeners.length === 0) return 'nobody';
  if (!listeners.every((each) => each.group === group)) return 'other';
  return listeners.every(({ address }) => address === `${LOOPBACK}:${port}`) ? 'group' : 'everywhere';
}

/** Rows of `netstat -ano -p TCP` that listen: their peer is none, whatever the language of the word for it. */
export function parseNetstat(printed: string, port: number): { readonly pid: number; readonly address: string }[] {
  return [...printed.matchAll(/^\s*TCP\s+(\S+):(\d+)\s+\S+:0\s+\S+\s+(\d+)\s*$/gm)]
    .filter(([, , local]) => Number(local) === port)
    .map(([, address = '', , pid]) => ({ address, pid: Number(pid) }));
}

/** Windows has no groups: it must be the process itself. */
async function ownerByNetstat(port: number, pid: number): Promise<PortOwner> {
  const { stdout } = await run('netstat', ['-ano', '-p', 'TCP']).catch(() => ({ stdout: '' }));
  const listeners = parseNetstat(stdout, port);
  if (listeners.length === 0) return 'nobody';
  if (!listeners.every((each) => each.pid === pid)) return 'other';
  return listeners.every(({ address }) => address === LOOPBACK) ? 'group' : 'everywhere';
}

/**
 * Who listens on `port`, as often as it is asked: a process of `group` (on Windows the process with that number), or somebody
 * else. Whose a socket is need be found out once, as long as it is the same socket.
 */
export function watchPort(port: number, group: number): () => Promise<PortOwner> {
  if (process.platform === 'win32') return () => ownerByNetstat(port, group);
  if (process.platform !== 'linux') return () => ownerByLsof(port, group);
  let proven: string | undefined;
  return async () => {
    const listeners = await listenersOnLinux(port);
    const sockets = listeners.map(({ address, inode }) => `${address} ${inode}`).join();
    if (sockets !== '' && sockets === proven) return 'group';
    const owner = await judge(listeners, group);
    proven = owner === 'group' ? sockets : undefined;
    return owner;
  };
}
