// Accounts on a sandbox, signed in: a folder that the program and the app in this process can both use.
import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './load-calmcp.mjs';

export const WEEK = '2026-11-23';
export const NOW = `${WEEK}T08:00:00Z`;
const ZONE = 'Europe/Amsterdam';
const GOOGLE = ['111111111111-shared.apps.googleusercontent.com', 'GOCSPX-sandbox-shared'];
const CLIENT = '11111111-1111-1111-1111-111111111111';

const EXPORTED = {
  'accounts/load': 'parseConfig',
  'accounts/registry': 'openApp',
  'io/change-stamp': 'openChangeStamp',
  'io/child-servers': 'createChildServers',
  'io/read-file': 'createReadFile',
  'io/secret-store': 'openSecretStores',
  'io/signing-key': 'createSigner',
  'io/wake': 'watchClocks',
  'operations/get-free-busy': 'getFreeBusy',
  'operations/list-events': 'listEvents',
  'providers/index': 'providers',
};

const SANDBOX = {
  'sandbox/index':
    'calendar, clientId, event, googleCalendar, googleEvent, googleUser, mailbox, sharedGoogleClient, startSandbox',
};

const silent = { error() {}, warn() {}, info() {}, debug() {} };

/** @returns what opens worlds, and ends them all */
export async function openLaboratory() {
  const home = mkdtempSync(join(tmpdir(), 'calmcp-bench-'));
  const ends = [() => rmSync(home, { recursive: true, force: true })];
  const folder = (name) => mkdtempSync(join(home, `${name}-`));
  const calmcp = await import(await bundle(folder('app'), EXPORTED));
  const sandboxAddress = await bundle(folder('sandbox'), SANDBOX);
  const worlds = new Map();

  return {
    calmcp,
    folder,
    /** The same world for whoever wants the same. */
    world(wish) {
      const key = JSON.stringify(wish);
      if (!worlds.has(key)) {
        const made = openWorld(calmcp, sandboxAddress, folder('world'), wish);
        ends.unshift(async () => (await made).close());
        worlds.set(key, made);
      }
      return worlds.get(key);
    },
    async close() {
      for (const end of ends) await end();
    },
  };
}

function accountsOf(count) {
  return Array.from({ length: count }, (_, index) =>
    index % 2 === 0
      ? {
          id: `m${index}`,
          provider: 'microsoft',
          username: `you@m${index}.example`,
          tenantId: `22222222-2222-2222-2222-${String(index).padStart(12, '0')}`,
        }
      : { id: `g${index}`, provider: 'google', username: `you@g${index}.example` },
  );
}

/** More than the vendors allow: questions come faster here than people ask. */
const LIMITS = 'limits: { perMinute: 100000 }';

function yamlOf({ signIn, calendars }, accounts) {
  const google = `${signIn}/google`;
  const entries = accounts.map(({ id, provider, username, tenantId }) =>
    provider === 'microsoft'
      ? `  ${id}: { provider: microsoft, clientId: ${CLIENT}, tenantId: ${tenantId}, username: ${username}, ${LIMITS}, cloud: { authority: "${signIn}", graph: "${calendars}" } }`
      : `  ${id}: { provider: google, clientId: ${GOOGLE[0]}, clientSecret: ${GOOGLE[1]}, username: ${username}, ${LIMITS}, endpoints: { authorization: "${google}/o/oauth2/v2/auth", token: "${google}/token", revocation: "${google}/revoke", calendar: "${calendars}/google" } }`,
  );
  const registrations = `registrations: { ${GOOGLE[0]}: { perMinute: 100000 } }`;
  return `version: 1\ndefaults: { timeZone: ${ZONE} }\n${registrations}\naccounts:\n${entries.join('\n')}\n`;
}

async function startSandbox(address, settings) {
  const child = fork(fileURLToPath(new URL('sandbox-process.mjs', import.meta.url)), [
    address,
    JSON.stringify(settings),
  ]);
  const waiting = new Map();
  const answer = (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the sandbox has ended'));
  });
  const origins = await answer(0);
  let last = 0;
  return {
    origins,
    tell(order, about = {}) {
      const id = ++last;
      child.send({ id, order, ...about });
      return answer(id);
    },
    close: () => child.disconnect(),
  };
}

async function openWorld(
  calmcp,
  sandboxAddress,
  folder,
  { accounts: count, calendars = 3, events = 5, delayMs = 0, remembers = true },
) {
  const accounts = accountsOf(count);
  const sandbox = await startSandbox(sandboxAddress, { accounts, calendars, events, delayMs, remembers, weekOf: WEEK });
  const yaml = yamlOf(sandbox.origins, accounts);
  writeFileSync(join(folder, 'accounts.yaml'), yaml);
  const state = join(folder, 'state');
  const now = calmcp.Temporal.Instant.from(NOW);

  /** As a daemon has it: what was read is kept. @param fetch what is asked with */
  function openApp({ fetch = globalThis.fetch, deadlineMs } = {}) {
    const secrets = calmcp.openSecretStores({ folder: state, keystore: 'keyfile' });
    const source = { name: 'accounts.yaml', text: yaml, env: {}, readReference: () => undefined };
    return calmcp.openApp({
      config: calmcp.parseConfig(source, calmcp.providers),
      secrets: (cacheKey) => secrets.scope(cacheKey),
      fetch,
      readFile: calmcp.createReadFile(folder),
      now: () => now,
      systemTimeZone: ZONE,
      log: silent,
      sign: calmcp.createSigner(state),
      changes: calmcp.openChangeStamp(state),
      keeping: {
        monotonic: () => performance.now(),
        wall: () => Date.now(),
        watchClocks: (onJump) => calmcp.watchClocks({ onJump }),
      },
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      children: calmcp.createChildServers({
        stateFolder: state,
        machine: { env: process.env, from: import.meta.url, version: '0.0.0-bench' },
        log: silent,
      }),
    });
  }

  async function signIn() {
    const app = openApp();
    const prompts = (username) => ({
      deviceCode: ({ userCode }) => sandbox.tell('approve', { code: userCode, username }),
      openUrl: async (url) => {
        const back = await sandbox.tell('consent', { url, username });
        fetch(back).catch(() => undefined);
      },
      pasteAnswer: async () => '',
    });
    for (const { id, provider, username } of accounts)
      await app
        .account(id)
        .signIn(
          { method: provider === 'google' ? 'browser' : 'device-code', ...prompts(username) },
          { signal: AbortSignal.timeout(20_000), deadline: performance.now() + 20_000, countRequest() {} },
        );
    await app.close();
  }
  await signIn();

  const environment = { PATH: process.env.PATH, CALMCP_HOME: folder, CALMCP_KEYSTORE: 'keyfile', CALMCP_NOW: NOW };
  let daemon;
  async function stopDaemon() {
    if (daemon === undefined) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
    daemon = undefined;
  }

  return {
    accounts,
    calendars,
    delayMs,
    folder,
    environment,
    sandbox,
    openApp,
    recordOf: () => JSON.parse(readFileSync(join(state, 'daemon.json'), 'utf8')),
    /** @returns the process of a new daemon, when it answers */
    async startDaemon(program, nodeOptions = []) {
      await stopDaemon();
      daemon = spawn(process.execPath, [...nodeOptions, program, 'daemon', 'run'], {
        env: environment,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      await new Promise((resolve, reject) => {
        let said = '';
        daemon.stderr.on('data', (piece) => {
          said += piece;
          if (said.includes('listens at')) resolve();
        });
        daemon.once('exit', () => reject(new Error(`the daemon has ended: ${said}`)));
      });
      return daemon;
    },
    stopDaemon,
    async close() {
      await stopDaemon();
      sandbox.close();
    },
  };
}
