/** Processes whose time of day a test sets while they run: libfaketime in front of the C library. The clock that nobody sets goes on. */
import { readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Debian and Fedora. */
const LIBRARIES = ['/usr/lib', '/usr/lib64'];

function findLibrary(): string | undefined {
  for (const folder of process.platform === 'linux' ? LIBRARIES : []) {
    try {
      for (const place of ['', ...readdirSync(folder).filter((name) => name.includes('linux'))]) {
        const path = join(folder, place, 'faketime');
        try {
          if (readdirSync(path).includes('libfaketime.so.1')) return join(path, 'libfaketime.so.1');
        } catch {
          // Not there.
        }
      }
    } catch {
      // No such folder.
    }
  }
  return undefined;
}

const library = findLibrary();

/** Why there is no clock to move, or nothing. */
export const whyNoMovableClock: string | undefined =
  library === undefined ? 'it takes Linux and libfaketime: apt-get install faketime' : undefined;

export interface MovableClock {
  /** For programs that go by it. */
  readonly env: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  now(): number;
  /** For all of these programs at one moment. */
  jump(milliseconds: number): Promise<void>;
}

/**
 * @param folder where its file is
 * @param begins RFC 3339 instant that it begins with
 */
export async function openMovableClock(folder: string, begins: string): Promise<MovableClock> {
  const path = join(folder, 'clock');
  let offset = Date.parse(begins) - Date.now();
  async function write(): Promise<void> {
    // At once, as it is read at every look at the clock.
    await writeFile(`${path}.new`, `${offset < 0 ? '-' : '+'}${(Math.abs(offset) / 1_000).toFixed(3)}\n`);
    await rename(`${path}.new`, path);
  }
  await write();
  return {
    env: {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    now: () => Date.now() + offset,
    jump(milliseconds) {
      offset += milliseconds;
      return write();
    },
  };
}
