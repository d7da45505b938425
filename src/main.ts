#!/usr/bin/env node
/** The only reader of argv, environment and working folder: makes the shell and runs one command in it. */
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };
import { runCli } from './cli/run.ts';
import type { Shell } from './cli/shell.ts';
import { providers } from './providers/index.ts';

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

function systemTimeZone(): string {
  try {
    return Intl.DateTimeFormat().resolvedOptions().timeZone;
  } catch {
    return '';
  }
}

const shell: Shell = {
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
  systemTimeZone: systemTimeZone(),
  fetch: globalThis.fetch,
  providers,
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
};

const status = await runCli(process.argv.slice(2), shell);
if (!outputFailed) process.exitCode = status;
// What a library still waits for (the next poll of a device code) is waited for by nobody.
if (interrupted.signal.aborted) process.exit();
