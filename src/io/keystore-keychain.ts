import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { CalmcpError } from '../core/errors.ts';
import { childEnvironment } from './child-environment.ts';
import { KEY_BYTES, type Keystore } from './keystore.ts';

const SERVICE = 'calmcp';
const TIME_LIMIT_MS = 5_000;
const HINT = 'unlock or start a keyring, or choose CALMCP_KEYSTORE=passphrase or keyfile (see docs/keystore.md)';

/**
 * One errand to the keychain, run by a process of its own. The library's constructor blocks its thread: 2 s when the
 * keyring hangs, for ever when the D-Bus bus itself does. A thread that is stuck there can be neither stopped nor left
 * behind, as `process.exit()` waits for it; a process can be killed. Source text, because the bundle has no file to name.
 *
 * The store is pinned: without that the library falls back in silence to the kernel keyring, which other processes can
 * read and a restart empties (https://github.com/Brooooooklyn/keyring-node/issues/142).
 */
const HELPER = `
const { createRequire } = require('node:module');
async function run() {
  let request = '';
  for await (const chunk of process.stdin) request += chunk;
  const { from, service, account, errand, fresh } = JSON.parse(request);
  const { AsyncEntry } = createRequire(from)('@napi-rs/keyring');
  const entry = new AsyncEntry(service, account, { linux: { store: 'secret-service' } });
  if (errand === 'delete') return void (await entry.deletePassword());
  if (errand === 'probe') {
    await entry.setPassword(fresh);
    try { return await entry.getPassword(); } finally { await entry.deletePassword(); }
  }
  const present = await entry.getPassword();
  if (errand === 'get' || present !== null) return present;
  await entry.setPassword(fresh);
  return await entry.getPassword();
}
run().then(
  (value) => ({ value }),
  (error) => ({ error: String(error && error.message) }),
).then((reply) => process.stdout.write(JSON.stringify(reply)));
`;

type Errand = 'get' | 'create' | 'delete' | 'probe';

interface Reply {
  readonly value?: string | null;
  readonly error?: string;
}

export interface KeychainOptions {
  /** Milliseconds that one errand may take. Give a person at a prompt more. Default 5,000. */
  readonly timeLimitMs?: number | undefined;
}

/**
 * Keys in the operating system's keychain: service `calmcp`, account = cache key, value = the key in base64. That is 88
 * bytes in Windows' UTF-16, of the 2,560 that its Credential Manager allows.
 */
export function openKeychain({ timeLimitMs = TIME_LIMIT_MS }: KeychainOptions = {}): Keystore {
  const ask = (errand: Errand, account: string) => runErrand(errand, account, timeLimitMs);

  return {
    kind: 'keychain',
    whereIs: (cacheKey) => `the keychain (service ${SERVICE}, account ${cacheKey})`,
    async get(cacheKey) {
      const text = await ask('get', cacheKey);
      return text === undefined ? undefined : parseKey(text, cacheKey);
    },
    async create(cacheKey) {
      const text = await ask('create', cacheKey);
      if (text === undefined) throw unreachable('it did not keep the key that was just put in');
      return parseKey(text, cacheKey);
    },
    async delete(cacheKey) {
      await ask('delete', cacheKey);
    },
    async probe() {
      const account = `probe-${randomBytes(8).toString('hex')}`;
      const text = await ask('probe', account);
      if (text === undefined) throw unreachable('it did not keep the entry that was just put in');
      parseKey(text, account);
    },
  };
}

function parseKey(text: string, cacheKey: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length === KEY_BYTES && key.toString('base64') === text) return key;
  throw new CalmcpError('AUTH_REQUIRED', `the keychain entry (service ${SERVICE}, account ${cacheKey}) is no key`, {
    hint: 'run: calmcp logout --account <account>, then calmcp login --account <account>',
  });
}

function runErrand(errand: Errand, account: string, timeLimitMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    // Keys go through the pipes: arguments and environment are there for others to see.
    const helper = spawn(process.execPath, ['--input-type=commonjs', '-e', HELPER], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
      // ELECTRON_RUN_AS_NODE: inside a desktop program the executable may be Electron, which would open a window.
      env: { ...childEnvironment(process.env), ELECTRON_RUN_AS_NODE: '1' },
    });
    const timer = setTimeout(() => {
      helper.kill('SIGKILL');
      reject(silent());
    }, timeLimitMs);

    let output = '';
    helper.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    helper.once('error', (error) => {
      clearTimeout(timer);
      reject(unreachable('its helper process could not be started', error));
    });
    helper.once('close', () => {
      clearTimeout(timer);
      const reply = parseReply(output);
      if (reply === undefined) reject(unreachable('its helper process ended without an answer'));
      else if (reply.error !== undefined) reject(refusal(reply.error));
      else resolve(reply.value ?? undefined);
    });
    // A helper that died early closes the pipe; `close` above has the verdict.
    helper.stdin.on('error', () => {});
    const fresh = randomBytes(KEY_BYTES).toString('base64');
    helper.stdin.end(JSON.stringify({ from: import.meta.url, service: SERVICE, account, errand, fresh }));
  });
}

function parseReply(output: string): Reply | undefined {
  try {
    return JSON.parse(output) as Reply;
  } catch {
    return undefined;
  }
}

/** Every error of the library has the code GenericFailure, so its text is all there is to tell them apart. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/cannot find (module|native binding)/i, '@napi-rs/keyring is not installed for this platform'],
  [/unlock prompt was dismissed|is locked/i, 'it is locked, and the prompt to unlock it was dismissed'],
  [/no result found/i, 'there is no keyring yet'],
  [/not provided by any \.service|serviceunknown/i, 'no keyring service is running'],
  [/interaction is not allowed/i, 'it is locked, and this session cannot show a prompt'],
  [/dbus|connect to socket/i, 'no D-Bus session'],
];

function refusal(message: string): CalmcpError {
  const cause = new Error(message);
  if (/did not receive a reply/i.test(message)) return silent(cause);
  const reason = REASONS.find(([pattern]) => pattern.test(message))?.[1] ?? 'it refused; the log says more';
  return unreachable(reason, cause);
}

function unreachable(reason: string, cause?: Error): CalmcpError {
  return new CalmcpError('UNAVAILABLE', `no keychain is reachable (${reason})`, { hint: HINT, cause });
}

function silent(cause?: Error): CalmcpError {
  return new CalmcpError('UNAVAILABLE', 'the keychain did not answer', {
    hint: `if it asks for a password on the screen, give it and try again; else ${HINT}`,
    cause,
  });
}
