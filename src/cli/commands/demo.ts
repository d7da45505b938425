import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { writePrivateFile } from '../../io/private-file.ts';
import { limitedSignal } from '../../io/time-limit.ts';
import { createEvent } from '../../operations/create-event.ts';
import { findConflicts } from '../../operations/find-conflicts.ts';
import { findFreeTime } from '../../operations/find-free-time.ts';
import { listEvents } from '../../operations/list-events.ts';
import type { Operation } from '../../operations/operation.ts';
import { type AddCommand, parseInput } from '../command.ts';
import { openAppFor } from '../open-app.ts';
import { withProgress } from '../progress.ts';
import { renderAgenda } from '../render-agenda.ts';
import { conflictLines } from '../render-conflicts.ts';
import { slotLines } from '../render-free-time.ts';
import { renderOutcome } from '../render-outcome.ts';
import { sandboxAccounts } from '../sandbox-accounts.ts';
import { type Shell, screenOf, styleFor } from '../shell.ts';

/** The Monday of the demo's week, and the moment that counts as now in it. */
const DEMO_WEEK = '2026-11-23';
const DEMO_NOW = '2026-11-23T08:00:00Z';
const DEMO_SEARCH = { durationMinutes: 45, rank: 'spread', limit: 3, bufferBefore: 10, bufferAfter: 10 };
const SIGN_IN_MS = 60_000;

export const addDemo: AddCommand = (program, shell, run) => {
  program
    .command('demo')
    .summary('all of it in a minute, no account needed')
    .description(
      'Starts the sandbox, signs in to three accounts in three tenants and prints their merged week. Then it is gone.',
    )
    .addHelpText('after', '\nExample:\n  calmcp demo')
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
      for (const account of app.accounts.filter(({ signInMethods }) => signInMethods.length > 0)) {
        const call = {
          signal: limitedSignal(SIGN_IN_MS, () => new Error('the sandbox did not answer'), shell.interrupted),
          deadline: performance.now() + SIGN_IN_MS,
          countRequest: () => undefined,
        };
        const { username } = await account.signIn(
          {
            method: 'device-code',
            // What a person does on the page that the code is for.
            deviceCode: ({ userCode }) => sandbox.approve(userCode, `you@${account.id}.example`),
            openUrl: async () => undefined,
            pasteAnswer: async () => '',
          },
          call,
        );
        say(`  ${account.id.padEnd(10)} signed in as ${username}`);
      }
      say(style('dim', '  xebia and marimer: two tenants, one client id, tokens kept apart.'));
      say();
      const agenda = await withProgress(shell.stderr, 'asking all accounts', () =>
        listEvents.run(app, { range: 'this week', detail: 'full' }, { signal: shell.interrupted }),
      );
      shell.stdout.write(renderAgenda(agenda, screenOf(shell)));
      const asker = { signal: shell.interrupted };
      const ask = <Input extends z.ZodObject, Output extends z.ZodObject>(
        operation: Operation<Input, Output>,
        input: Record<string, unknown>,
      ): Promise<z.output<Output>> => operation.run(app, parseInput(operation.input, input), asker);
      const free = await ask(findFreeTime, { ...DEMO_SEARCH, range: 'this week' });
      say(`\n${style('bold', 'When am I free for 45 minutes, with 10 minutes around each meeting?')}`);
      for (const line of slotLines(free, screenOf(shell))) say(line);
      const conflicts = await ask(findConflicts, { range: 'this week' });
      say(`\n${style('bold', 'Am I double-booked?')}`);
      for (const line of conflictLines(conflicts, screenOf(shell)).slice(1)) say(line);
      const shown = await ask(listEvents, { range: '2026-11-24', audience: 'marimer' });
      say(
        `\n${style('bold', 'What may marimer see of Tuesday? Its own events; of the others when they are, and no more.')}`,
      );
      for (const line of renderAgenda(shown, screenOf(shell)).trimEnd().split('\n').slice(5)) say(line);
      const [slot] = free.slots;
      if (slot !== undefined) {
        // northwind is the only account that may be written to, so nobody has to name it.
        const plan = { title: 'Roadmap talk', start: slot.start, end: slot.end };
        say(`\n${style('bold', 'Put a talk into the first of these slots.')}`);
        shell.stdout.write(renderOutcome(await ask(createEvent, { ...plan, dryRun: true }), screenOf(shell)));
        shell.stdout.write(renderOutcome(await ask(createEvent, plan), screenOf(shell)));
      }
      say();
      const install = shell.env.npm_lifecycle_event === 'demo' ? 'npm run build && npm install --global . && ' : '';
      say(`${style('bold', 'Your own calendars:')} ${install}calmcp init, then follow what it says.`);
      return agenda.complete ? 0 : 3;
    } finally {
      await app.close();
    }
  } finally {
    await sandbox.close();
    await rm(home, { recursive: true, force: true });
  }
}
