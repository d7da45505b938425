// Accounts on a sandbox, signed in: a folder that the program and the app in this process can both use.
import { execFile, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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
  /** A command of the program in this world. @returns what it printed, as JSON */
  async function command(program, ...args) {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, '--json'], { env: environment });
    return JSON.parse(stdout);
  }
  /** The program that the daemon runs. */
  let running;
  async function stopDaemon() {
    if (running !== undefined) await command(running, 'daemon', 'stop');
    running = undefined;
  }

  return {
    accounts,
    calendars,
    delayMs,
    folder,
    environment,
    sandbox,
    openApp,
    /** Starts one as people do, so with the limits that it has for them. @returns its process, when it answers */
    async startDaemon(program) {
      await stopDaemon();
      const { pid, outcome, socket } = await command(program, 'daemon', 'start');
      running = program;
      if (outcome !== 'started') throw new Error(`the daemon was not started: ${outcome}`);
      return { pid, socket };
    },
    stopDaemon,
    async close() {
      await stopDaemon();
      sandbox.close();
    },
  };
}
