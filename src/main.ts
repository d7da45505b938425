#!/usr/bin/env node
/** The only reader of argv, environment and working folder: makes the shell and runs one command in it. */
import { homedir } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import { runCli } from './cli/run.ts';
import type { Shell } from './cli/shell.ts';
import { providers } from './providers/index.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
process.once('SIGTERM', () => interrupted.abort(new Error('terminated')));
// Whoever read the output has gone: nobody is left to tell.
process.stdout.on('error', () => process.exit(0));

const shell: Shell = {
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  platform: process.platform,
  version: packageJson.version,
  stdout: { write: (text) => void process.stdout.write(text), isTerminal: process.stdout.isTTY === true },
  stderr: { write: (text) => void process.stderr.write(text), isTerminal: process.stderr.isTTY === true },
  systemTimeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  fetch: globalThis.fetch,
  providers,
  interrupted: interrupted.signal,
  stdinEnded: () =>
    new Promise((resolve) => {
      process.stdin.once('end', resolve).once('close', resolve);
      interrupted.signal.addEventListener('abort', () => resolve(), { once: true });
    }),
};

process.exitCode = await runCli(process.argv.slice(2), shell);
