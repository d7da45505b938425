// node scripts/bench/children.mjs: ten accounts, each through a child server of its own (the real packages of the tests), beside the
// same ten on the direct way, all on the sandbox. More than a minute, so it is no part of npm run bench. Machines are shared and
// noisy: the ratios are the figures, and nothing here fails.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installChildren, installMissing } from '../prepare.mjs';
import { median, timed } from './figures.mjs';
import { bundle } from './load-calmcp.mjs';

const ACCOUNTS = Array.from({ length: 10 }, (_, index) => `account-${index}`);
const ROUNDS = 20;
const NOW = '2026-11-23T08:00:00Z';
const root = fileURLToPath(new URL('../../', import.meta.url));

installMissing();
installChildren();

const EXPORTED = {
  'accounts/load': 'parseConfig',
  'accounts/registry': 'openApp',
  'io/child-servers': 'createChildServers',
  'io/read-file': 'createReadFile',
  'io/secret-store': 'openSecretStores',
  'operations/list-events': 'listEvents',
  'providers/index': 'providers',
  'sandbox/index': 'startSandbox, homeGoogleClient, clientId',
};

const home = mkdtempSync(join(tmpdir(), 'calmcp-bench-'));
const calmcp = await import(await bundle(home, EXPORTED));
const sandbox = await calmcp.startSandbox({ weekOf: '2026-11-23', deviceCodeIntervalSeconds: 0.02 });
const children = createRequire(join(root, 'test/children/package.json'));

function childOf(server, name, entry, more) {
  const preload = `${new URL('../../test/fakes/redirect.mjs', import.meta.url)}?${new URLSearchParams({ origin: sandbox.origin })}`;
  const program = join(children.resolve(`${name}/package.json`), '..', entry);
  return { server, ...more, command: [process.execPath, '--import', preload, program] };
}

const ms365 = (transport) => childOf('ms-365', '@softeria/ms-365-mcp-server', 'dist/index.js', { transport });
const google = `${sandbox.origin}/google`;
const VENDORS = {
  microsoft: {
    you: 'you@xebia.example',
    options: {
      provider: 'microsoft',
      clientId: calmcp.clientId,
      tenantId: '22222222-2222-2222-2222-222222222222',
      cloud: { authority: sandbox.origin, graph: sandbox.origin },
    },
  },
  google: {
    you: 'you@home.example',
    options: {
      provider: 'google',
      clientId: calmcp.homeGoogleClient.clientId,
      clientSecret: calmcp.homeGoogleClient.clientSecret,
      endpoints: {
        authorization: `${google}/o/oauth2/v2/auth`,
        token: `${google}/token`,
        revocation: `${google}/revoke`,
        calendar: google,
      },
    },
  },
};

const WAYS = [
  ['microsoft', 'direct', undefined],
  ['microsoft', 'ms-365, http', ms365('http')],
  ['microsoft', 'ms-365, stdio', ms365('stdio')],
  ['google', 'direct', undefined],
  ['google', 'google-calendar', childOf('google-calendar', '@cocal/google-calendar-mcp', 'build/index.js', {})],
];

const silent = { error() {}, warn() {}, info() {}, debug() {} };

function openApp(folder, options, child) {
  const entry = JSON.stringify({ ...options, ...(child === undefined ? {} : { child }) });
  const text = `version: 1\naccounts:\n${ACCOUNTS.map((id) => `  ${id}: ${entry}`).join('\n')}\n`;
  const source = { name: 'accounts.yaml', text, env: {}, readReference: () => undefined };
  const secrets = calmcp.openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' });
  const now = calmcp.Temporal.Instant.from(NOW);
  return calmcp.openApp({
    config: calmcp.parseConfig(source, calmcp.providers),
    secrets: (cacheKey) => secrets.scope(cacheKey),
    fetch: globalThis.fetch,
    readFile: calmcp.createReadFile(folder),
    now: () => now,
    systemTimeZone: 'Europe/Amsterdam',
    log: silent,
    deadlineMs: 60_000,
    children: calmcp.createChildServers({
      stateFolder: join(folder, 'state'),
      machine: { env: process.env, from: join(root, 'package.json'), version: '0.0.0-bench' },
      log: silent,
    }),
  });
}

async function signIn(app, vendor, you) {
  for (const id of ACCOUNTS)
    await app.account(id).signIn(
      {
        method: vendor === 'google' ? 'browser' : 'device-code',
        deviceCode: ({ userCode }) => sandbox.approve(userCode, you),
        openUrl: async (url) => {
          void fetch(sandbox.google.consent(url, you)).catch(() => undefined);
        },
        pasteAnswer: async () => '',
      },
      { signal: AbortSignal.timeout(10_000), deadline: performance.now() + 10_000, countRequest() {} },
    );
}

/** Megabytes of all processes that have the folder in their environment; PSS counts what they share once. Linux alone tells. */
function memoryIn(folder) {
  if (process.platform !== 'linux') return { rss: Number.NaN, pss: Number.NaN, count: Number.NaN };
  const sum = { rss: 0, pss: 0, count: 0 };
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder)) continue;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1_024;
      sum.rss += of('Rss');
      sum.pss += of('Pss');
      sum.count += 1;
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum;
}

async function measure([vendor, , child]) {
  const { you, options } = VENDORS[vendor];
  const folder = mkdtempSync(join(tmpdir(), 'calmcp-bench-'));
  const week = async (app, accounts) => {
    const { complete } = await calmcp.listEvents.run(
      app,
      { range: 'this week', detail: 'full', ...(accounts === undefined ? {} : { accounts }) },
      { signal: new AbortController().signal },
    );
    if (!complete) throw new Error('an answer is not complete');
  };
  const before = openApp(folder, options, child);
  await signIn(before, vendor, you);
  await before.close();
  const app = openApp(folder, options, child);
  try {
    const first = await timed(() => week(app));
    const one = [];
    const all = [];
    for (let round = 0; round < ROUNDS; round++) {
      one.push(await timed(() => week(app, ACCOUNTS[round % ACCOUNTS.length])));
      all.push(await timed(() => week(app)));
    }
    return { first, one: median(one), all: median(all), ...memoryIn(folder) };
  } finally {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows = [];
try {
  // The first of all pays for loading and compiling.
  await measure(WAYS[0]);
  await measure(WAYS[3]);
  for (const way of WAYS) rows.push({ way, ...(await measure(way)) });
} finally {
  await sandbox.close();
  rmSync(home, { recursive: true, force: true });
}

console.log(
  `${ACCOUNTS.length} accounts, each through a child server, beside the same on the direct way; x: as often as direct`,
);
console.log(
  `first answer: of all accounts, everything started for it; warm: median of ${ROUNDS}, milliseconds; memory in MB`,
);
const cell = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '').padStart(9);
const head = ['first', 'x', 'warm: 1', 'x', `warm: ${ACCOUNTS.length}`, 'x', 'processes', 'RSS', 'PSS', 'PSS each'];
console.log(''.padEnd(26) + head.map((title) => title.padStart(9)).join(' '));
for (const { way, first, one, all, rss, pss, count } of rows) {
  const [vendor, name] = way;
  const base = rows.find((row) => row.way[0] === vendor && row.way[2] === undefined);
  const cells = [
    cell(first),
    cell(first / base.first, 1),
    cell(one),
    cell(one / base.one, 1),
    cell(all),
    cell(all / base.all, 1),
    cell(count),
    ...(count > 0 ? [cell(rss), cell(pss), cell(pss / count)] : []),
  ];
  console.log(`${vendor}, ${name}`.padEnd(26) + cells.join(' '));
}
