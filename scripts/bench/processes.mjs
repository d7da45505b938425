// What the system tells of processes that are measured. Linux alone tells what they hold and have used.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const isLinux = process.platform === 'linux';

/** Of clock ticks, USER_HZ: proc(5). */
const TICK_MS = 10;

/** Megabytes in memory. */
export function memoryOf(pid) {
  if (!isLinux) return Number.NaN;
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;
}

/** Milliseconds of processor time since it was started, of its threads as well. */
export function processorTimeOf(pid) {
  if (!isLinux) return Number.NaN;
  const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(afterName[11]) + Number(afterName[12])) * TICK_MS;
}

/** Milliseconds from its start to its end. @throws Error when it fails */
export function lifeOf(args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    spawn(process.execPath, args, { stdio: 'ignore', ...options })
      .once('error', reject)
      .once('exit', (status) =>
        status === 0 ? resolve(performance.now() - started) : reject(new Error(`${args[1]} ended with ${status}`)),
      );
  });
}

export const bareNode = () => lifeOf(['-e', '0']);

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
