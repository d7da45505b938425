#!/usr/bin/env node
/** The only reader of argv, environment and working folder: makes the shell and runs one command in it. */
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import { plainMcp } from './cli/daemon/plain-mcp.ts';
import type { LightShell, Shell } from './cli/shell.ts';
import { ERRORS, toCalmcpError } from './core/errors.ts';
import { likelyTimeZone, systemTimeZone } from './io/system-time-zone.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));

/** EX_IOERR of sysexits.h. */
const OUTPUT_FAILED = 74;
let outputFailed = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read the output has read enough (`| head`): the answer was given, and its status stands.
  if (error.code === 'EPIPE') return;
  outputFailed = true;
  process.exitCode = OUTPUT_FAILED;
  process.stderr.write(`calmcp: the output could not be written (${error.code ?? error.message})\n`);
});
// Nobody is left to tell.
process.stderr.on('error', () => undefined);

const facts: Omit<LightShell, 'systemTimeZone'> = {
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  platform: process.platform,
  version: packageJson.version,
  packageFolder: fileURLToPath(new URL('..', import.meta.url)),
  program: { node: process.execPath, script: fileURLToPath(import.meta.url) },
  stdout: {
    write: (text) => void process.stdout.write(text),
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns,
  },
  stderr: { write: (text) => void process.stderr.write(text), isTerminal: process.stderr.isTTY === true },
  likelyTimeZone: likelyTimeZone(process.env),
  fetch: globalThis.fetch,
  interrupted: interrupted.signal,
  async readLine(signal) {
    const reader = createInterface({ input: process.stdin, signal });
    try {
      for await (const line of reader) return line;
      return '';
    } finally {
      reader.close();
    }
  },
  stdinEnded: () =>
    new Promise((resolve) => {
      process.stdin.once('end', resolve).once('close', resolve);
      interrupted.signal.addEventListener('abort', () => resolve(), { once: true });
    }),
  streams: () => ({ input: process.stdin, output: process.stdout }),
};

/** Everything but the ways below is loaded here, when it is needed. */
async function wholeShell(): Promise<Shell> {
  const { providers } = await import('./providers/index.ts');
  return { ...facts, systemTimeZone: systemTimeZone(), providers };
}

const shell: LightShell & { readonly whole: () => Promise<Shell> } = {
  ...facts,
  // Not before somebody asks: it loads Intl.
  get systemTimeZone() {
    return systemTimeZone();
  },
  whole: wholeShell,
};

async function runCommand(argv: readonly string[]): Promise<number> {
  const { runCli } = await import('./cli/run.ts');
  return runCli(argv, shell);
}

/** Clients start a process each and keep it for days: with a daemon, one that has loaded next to nothing. */
async function run(argv: readonly string[]): Promise<number> {
  const choice = plainMcp(argv);
  if (choice === undefined) return runCommand(argv);
  const { serveThroughDaemon } = await import('./cli/daemon/serve-through-daemon.ts');
  const isServed = await serveThroughDaemon(shell, choice, async (client, heard) => {
    const [{ serveAlone }, whole] = await Promise.all([import('./cli/commands/mcp.ts'), wholeShell()]);
    await serveAlone(whole, choice, client, heard);
  });
  return isServed ? 0 : runCommand([...argv, '--no-daemon']);
}

const status = await run(process.argv.slice(2)).catch((thrown: unknown) => {
  const { code, message } = toCalmcpError(thrown);
  process.stderr.write(`calmcp: ${message}\n`);
  return ERRORS[code].exit;
});
if (!outputFailed) process.exitCode = status;
// What a library still waits for (the next poll of a device code) is waited for by nobody.
if (interrupted.signal.aborted) process.exit();
