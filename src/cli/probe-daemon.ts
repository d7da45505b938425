import { isNewer } from '../io/daemon-version.ts';
import { lookAtDaemon } from './daemon/lifecycle.ts';
import type { GlobalOptions } from './open-app.ts';
import { failedProbe, type Probe } from './probe.ts';
import type { Shell } from './shell.ts';

/** Whether a daemon runs, and whether commands typed here use it. None of it is needed for an answer. */
export async function probeDaemon(shell: Shell, options: GlobalOptions): Promise<Probe> {
  const name = 'daemon';
  try {
    const seen = await lookAtDaemon(shell, options);
    if (seen.state === 'none')
      return seen.leftovers.length === 0
        ? { name, state: 'ok', message: 'none runs, and none is needed' }
        : {
            name,
            state: 'warn',
            message: 'one that was killed has left files behind; that does no harm',
            hint: 'run: calmcp daemon stop',
          };
    const { pid, version } = seen.record;
    if (seen.state === 'hung')
      return {
        name,
        state: 'warn',
        message: `process ${pid} runs and does not answer: everything is done without it, and later by two seconds`,
        hint: 'run: calmcp daemon stop',
      };
    const again = 'run: calmcp daemon stop, then calmcp daemon start';
    if (!seen.isUsedHere)
      return {
        name,
        state: 'warn',
        message: `process ${pid} is not used from here: it has another accounts.yaml, keystore, clock, time zone or other variables`,
        hint: again,
      };
    if (isNewer(shell.version, version))
      return { name, state: 'warn', message: `process ${pid} is calmcp ${version}, and this is newer`, hint: again };
    return { name, state: 'ok', message: `process ${pid}, calmcp ${version}` };
  } catch (thrown) {
    return failedProbe(name, thrown);
  }
}
