/** Which processes belong to a test: those with its folder in their environment. Linux alone tells. */
import { readdir, readFile } from 'node:fs/promises';
import { pause } from '../src/io/time-limit.ts';

/** Child servers have their home in the state folder; calmcp itself has not. */
export async function childrenUnder(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [environment, stat] = await Promise.all(
        ['environ', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
      );
      const isZombie = /\) Z /.test(stat ?? '');
      return !isZombie && (environment ?? '').includes(`\0HOME=${folder}`) ? [pid] : [];
    }),
  );
  return found.flat();
}

/** @throws when one of them still runs after `ms` */
export async function untilNoneUnder(folder: string, ms: number): Promise<void> {
  const until = performance.now() + ms;
  for (;;) {
    const left = await childrenUnder(folder);
    if (left.length === 0) return;
    if (performance.now() > until) throw new Error(`still running: ${left.join(', ')}`);
    await pause(25, new AbortController().signal);
  }
}
