/** An app that follows its accounts.yaml, for a program that runs for long. */
import { statSync } from 'node:fs';
import { type Refresher, type RefresherOptions, startRefresher } from '../accounts/refresher.ts';
import type { App } from '../accounts/registry.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import { logOf } from './log-of.ts';
import { type GlobalOptions, loadConfig, openAppFor, pathsOf } from './open-app.ts';
import type { Shell } from './shell.ts';

function stampOf(path: string): string {
  try {
    // Not by a thread of its own: every question looks, and waiting for one takes twenty times as long as looking.
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino} ${mtimeNs} ${size}`;
  } catch {
    return 'none';
  }
}

export interface WatchedApp {
  app(): Promise<App>;
  close(): Promise<void>;
}

/**
 * Opens the app at the first call and looks at accounts.yaml at every further one, which costs next to nothing: a
 * changed file is taken over account by account, and one that cannot be used leaves everything as it is and is told in
 * every answer until it is mended.
 * @param background where it also looks at what was asked about of late while nobody asks
 * @returns the app. It throws CalmcpError while there is no configuration that could be used
 */
export function openWatchedApp(
  shell: Shell,
  options: GlobalOptions,
  background?: Pick<RefresherOptions, 'isPaused'>,
): WatchedApp {
  const log = logOf(shell, options);
  const { configFile } = pathsOf(shell, options);
  let opened: { readonly app: App; stamp: string } | undefined;
  const closing = new AbortController();
  let refresher: Refresher | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  async function open(): Promise<App> {
    const stamp = stampOf(configFile);
    if (opened === undefined) {
      const app = await openAppFor(shell, options, { keeps: true });
      opened = { app, stamp };
      if (background !== undefined)
        refresher = startRefresher({
          ...background,
          accounts: () => app.accounts,
          monotonic: () => performance.now(),
          log,
          closed: closing.signal,
        });
    } else if (opened.stamp !== stamp) {
      opened.stamp = stamp;
      try {
        opened.app.apply(await loadConfig(shell, options));
        log.info('accounts.yaml taken over', { accounts: opened.app.accounts.length });
      } catch (thrown) {
        const error = toCalmcpError(thrown);
        log.warn('accounts.yaml not taken over', { error });
        const [problem = error.message] = error.problems;
        opened.app.keep(`accounts.yaml was changed and cannot be used, so the last good one still counts: ${problem}`);
      }
    }
    return opened.app;
  }

  return {
    app() {
      // One after the other: two questions must not open two apps.
      const next = turn.then(open);
      turn = next.catch(() => undefined);
      return next;
    },
    async close() {
      await turn;
      refresher?.end();
      closing.abort(new CalmcpError('UNAVAILABLE', 'calmcp is closing'));
      await opened?.app.close();
    },
  };
}
