import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePrivateFile } from '../../io/private-file.ts';
import { listEvents } from '../../operations/list-events.ts';
import type { AddCommand } from '../command.ts';
import { openAppFor } from '../open-app.ts';
import { withProgress } from '../progress.ts';
import { renderAgenda } from '../render-agenda.ts';
import { sandboxAccounts } from '../sandbox-accounts.ts';
import { linkFor, type Shell, styleFor } from '../shell.ts';

/** The Monday of the demo's week, and the moment that counts as now in it. */
const DEMO_WEEK = '2026-11-23';
const DEMO_NOW = '2026-11-23T08:00:00Z';
const SIGN_IN_MS = 60_000;

export const addDemo: AddCommand = (program, shell, run) => {
  program
    .command('demo')
    .summary('all of it in a minute, no account needed')
    .description(
      'Starts the sandbox, signs in to three accounts in three tenants and prints their merged week. Then it is gone.',
    )
    .action(() => run(() => runDemo(shell)));
};

async function runDemo(shell: Shell): Promise<number> {
  const { startSandbox } = await import('../../sandbox/index.ts');
  const style = styleFor(shell.stdout, shell.env);
  const say = (text = ''): void => shell.stdout.write(`${text}\n`);
  const home = await mkdtemp(join(tmpdir(), 'calmcp-demo-'));
  const sandbox = await startSandbox({ weekOf: DEMO_WEEK, deviceCodeIntervalSeconds: 0.2 });
  // A key file, said openly: a demo leaves nothing in the keychain.
  const demo: Shell = {
    ...shell,
    env: { PATH: shell.env.PATH, CALMCP_HOME: home, CALMCP_KEYSTORE: 'keyfile', CALMCP_NOW: DEMO_NOW },
  };
  try {
    await writePrivateFile(join(home, 'accounts.yaml'), sandboxAccounts(sandbox.origin));
    const app = await openAppFor(demo, {});
    try {
      say(style('bold', 'Signing in (in the sandbox: nothing leaves this machine)'));
      for (const account of app.accounts.filter(({ signInNeeded }) => signInNeeded)) {
        const call = {
          signal: AbortSignal.any([shell.interrupted, AbortSignal.timeout(SIGN_IN_MS)]),
          deadline: performance.now() + SIGN_IN_MS,
          countRequest: () => undefined,
        };
        const { username } = await account.signIn(
          {
            // What a person does on the page that the code is for.
            deviceCode: ({ userCode }) => sandbox.approve(userCode, `you@${account.id}.example`),
          },
          call,
        );
        say(`  ${account.id.padEnd(10)} signed in as ${username}`);
      }
      say(style('dim', '  xebia and marimer are two tenants with one client id: each keeps its own tokens.'));
      say();
      const agenda = await withProgress(shell.stderr, 'asking all accounts', () =>
        listEvents.run(app, { range: 'this week', detail: 'full' }, { signal: shell.interrupted }),
      );
      shell.stdout.write(renderAgenda(agenda, style, linkFor(shell.stdout, shell.env)));
      say();
      say(
        `${style('bold', 'Your own calendars:')} run calmcp init, add your accounts to accounts.yaml, then calmcp login --account ID and calmcp agenda.`,
      );
      return agenda.complete ? 0 : 3;
    } finally {
      await app.close();
    }
  } finally {
    await sandbox.close();
    await rm(home, { recursive: true, force: true });
  }
}
