/** What a child server says on its stderr, kept for whoever has to find out why it fails: little of it, and redacted. */
import { appendFile, rename, stat } from 'node:fs/promises';
import { redact } from './log.ts';
import { readTextFile } from './read-file.ts';

/** Half of it is kept when it is full. */
const MAX_BYTES = 512 * 1_024;
const MAX_LINE = 500;
const MOST_HIDDEN = 5;
/** What is shorter is no token, and may be a word. */
const LEAST_SECRET = 12;
/** What is written at once; a child that says more than is written meanwhile is not listened to. */
const MAX_WAITING = 64 * 1_024;

export interface ChildLog {
  /** Takes text as it comes; the lines that it makes are written in a moment. */
  write(text: string): void;
  /** From now on this does not get into the log, whatever it looks like. */
  hide(secret: string): void;
  /** A line of calmcp's own. */
  note(line: string): void;
  /** All that was said so far is on the disk. */
  flush(): Promise<void>;
}

const ADDRESS = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;

/** One line as it may be kept: no credential, no address of a person, nothing that a terminal obeys. */
export function cleanLine(line: string, hidden: readonly string[] = []): string {
  const clean = hidden
    .reduce((text, secret) => text.replaceAll(secret, '[redacted]'), redact(line))
    .replaceAll(ADDRESS, '[address]')
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim();
  return clean.length > MAX_LINE ? `${clean.slice(0, MAX_LINE)}…` : clean;
}

/** @param path is made when something is said; what was said before that is in `path.1` */
export function createChildLog(path: string, now: () => Date = () => new Date()): ChildLog {
  /** The last few: what was lent before is no good any more. */
  let hidden: readonly string[] = [];
  let partial = '';
  let waiting = '';
  let dropped = 0;
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;

  async function drain(): Promise<void> {
    while (waiting !== '' || dropped > 0) {
      const text = waiting + (dropped > 0 ? `${now().toISOString()} calmcp: ${dropped} lines were left out\n` : '');
      waiting = '';
      dropped = 0;
      const size = await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
      if (size + Buffer.byteLength(text) > MAX_BYTES / 2) await rename(path, `${path}.1`).catch(() => undefined);
      // A full disk is no reason to fail: nothing depends on a log.
      await appendFile(path, text, { mode: 0o600 }).catch(() => undefined);
    }
    isWriting = false;
  }

  function keep(line: string): void {
    const clean = cleanLine(line, hidden);
    if (clean === '') return;
    if (waiting.length > MAX_WAITING) {
      dropped++;
      return;
    }
    waiting += `${now().toISOString()} ${clean}\n`;
    if (isWriting) return;
    isWriting = true;
    writing = drain();
  }

  return {
    write(text) {
      const lines = (partial + text).split('\n');
      partial = (lines.pop() ?? '').slice(0, MAX_LINE * 4);
      for (const line of lines) keep(line);
    },
    hide(secret) {
      if (secret.length >= LEAST_SECRET) hidden = [secret, ...hidden].slice(0, MOST_HIDDEN);
    },
    note: (line) => keep(`calmcp: ${line}`),
    async flush() {
      if (partial !== '') keep(partial);
      partial = '';
      await writing;
    },
  };
}

/** The last `count` lines. */
export async function readChildLog(path: string, count: number): Promise<string[]> {
  const parts = await Promise.all([readTextFile(`${path}.1`, MAX_BYTES), readTextFile(path, MAX_BYTES)]);
  return parts
    .flatMap((part) => (part ?? '').split('\n'))
    .filter((line) => line !== '')
    .slice(-count);
}
