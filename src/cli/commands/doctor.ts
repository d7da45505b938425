import type { Config } from '../../accounts/load.ts';
import type { App } from '../../accounts/registry.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { sameMailboxes } from '../../operations/list-accounts.ts';
import type { AddCommand } from '../command.ts';
import { type GlobalOptions, openAppFor, openSecrets, pathsOf, readConfig } from '../open-app.ts';
import { failedProbe, type Probe } from '../probe.ts';
import { probeAccount } from '../probe-account.ts';
import { type SeenChildren, watchChildren } from '../probe-child.ts';
import { probeDaemon } from '../probe-daemon.ts';
import {
  describeConfig,
  probeConfigFile,
  probeKeystore,
  probeLeftovers,
  probeNode,
  probeStateFolder,
} from '../probe-machine.ts';
import { withProgress } from '../progress.ts';
import { type Shell, type Style, styleFor } from '../shell.ts';
import { formatTable } from '../table.ts';
import { exitOf, parseTimeout } from '../try-account.ts';

async function probeAccounts(
  shell: Shell,
  app: App,
  ids: readonly string[] | undefined,
  timeLimitMs: number,
  children: SeenChildren,
): Promise<readonly Probe[]> {
  const asked = ids === undefined ? app.accounts : ids.map((id) => app.account(id));
  const twins = await sameMailboxes(app.accounts);
  const probes = asked.map((account) =>
    probeAccount(shell, app, account, { timeLimitMs, sameAs: twins.get(account.id) ?? [], children }),
  );
  return (await Promise.all(probes)).flat();
}

async function examine(shell: Shell, options: GlobalOptions, timeLimitMs: number): Promise<readonly Probe[]> {
  const paths = pathsOf(shell, options);
  let config: Config | undefined;
  let opened: App | undefined;
  let configProbe: Probe;
  try {
    config = await readConfig(shell, paths, options.config !== undefined);
    configProbe = describeConfig(config, paths);
  } catch (thrown) {
    configProbe = failedProbe('config', thrown);
  }
  // An unknown account is a mistake in the question, and not something to find out about.
  const unread = config === undefined;
  const needed = unread || config?.accounts.some(({ provider }) => (provider.signInMethods ?? []).length > 0) === true;
  const machine = await Promise.all([
    probeNode(process.versions.node),
    configProbe,
    probeConfigFile(shell, paths),
    probeStateFolder(paths),
    probeLeftovers(paths),
    probeKeystore(shell, () => openSecrets(shell, paths, false), needed),
    probeDaemon(shell, options),
  ]);
  if (config === undefined)
    return [...machine, { name: 'accounts', state: 'skipped', message: 'not looked at before accounts.yaml is right' }];
  let children: SeenChildren = new Map();
  try {
    opened = await openAppFor(shell, options, {
      watch: (real) => {
        const watched = watchChildren(real);
        children = watched.seen;
        return watched.children;
      },
    });
  } catch (thrown) {
    // What the environment gets wrong; the keystore has told its own part already.
    return [...machine, failedProbe('accounts', thrown)];
  }
  try {
    return [...machine, ...(await probeAccounts(shell, opened, options.account, timeLimitMs, children))];
  } finally {
    await opened.close();
  }
}

/** 3 as long as an account (or, without accounts, the configuration) is all right; else what all failures share. */
function exitStatus(probes: readonly Probe[]): number {
  const failures = probes.filter(({ state }) => state === 'fail');
  const config = failures.find(({ name }) => name === 'config' || name === 'accounts');
  if (config !== undefined) return exitOf([config.code ?? 'CONFIG_INVALID'], false);
  const accounts = [...new Set(probes.flatMap(({ account }) => account ?? []))];
  const answered = accounts.some((id) =>
    probes.some(({ account, state, name }) => account === id && name === 'calendars' && state === 'ok'),
  );
  const codes = (of: readonly Probe[]): ErrorCode[] => of.map(({ code }) => code ?? 'INTERNAL');
  const own = failures.filter(({ account }) => account !== undefined);
  return exitOf(codes(own.length > 0 && !answered ? own : failures), answered || accounts.length === 0);
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skipped: 'dim' } as const;

function render(probes: readonly Probe[], style: Style): string {
  const rows = probes.map(({ state, account, name, message }) => [state, account ?? 'calmcp', name, message]);
  const table = formatTable(rows, {
    style: (cell, column, row) => (column === 0 ? style(COLOURS[probes[row]?.state ?? 'ok'], cell) : cell),
  });
  const lines = probes.flatMap(({ hint, problems = [] }, row) => [
    table[row] ?? '',
    ...problems.map((problem) => `         ${problem}`),
    ...(hint === undefined ? [] : [`         ${style('bold', hint)}`]),
  ]);
  const count = (wanted: Probe['state']): number => probes.filter(({ state }) => state === wanted).length;
  const [failed, warned] = [count('fail'), count('warn')];
  const several = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  const summary =
    failed + warned === 0
      ? 'All is well.'
      : [failed === 0 ? [] : several(failed, 'problem'), warned === 0 ? [] : several(warned, 'warning')]
          .flat()
          .join(', ');
  return `${[...lines, '', summary].join('\n')}\n`;
}

export const addDoctor: AddCommand = (program, shell, run) => {
  program
    .command('doctor')
    .summary('look for what is wrong, and say how to mend it')
    .description(
      'Tries everything that calmcp needs, one thing after the other: Node.js, accounts.yaml, permissions, the keystore, and ' +
        'for each account its service, the clock, the sign-in, its child server where it has one, and its calendars. Changes nothing and shows no event.',
    )
    .option('--timeout <seconds>', 'how long one probe may take', '10')
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp doctor\n  calmcp doctor --account xebia\n  calmcp doctor --json\n\nExit status 0: nothing is wrong, warnings aside; 3: something is, and an account can be read; others: calmcp help exit-status.',
    )
    .action((_options: unknown, command) =>
      run(async () => {
        const { timeout, ...options } = command.optsWithGlobals() as GlobalOptions & { timeout: string };
        const timeLimitMs = parseTimeout(timeout);
        const probes = await withProgress(shell.stderr, 'examining', () => examine(shell, options, timeLimitMs));
        const healthy = probes.every(({ state }) => state !== 'fail');
        shell.stdout.write(
          options.json
            ? `${JSON.stringify({ healthy, probes }, null, 2)}\n`
            : render(probes, styleFor(shell.stdout, shell.env)),
        );
        return exitStatus(probes);
      }),
    );
};
