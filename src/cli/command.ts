/** What every command gets, and how a command that asks a question is run. Loads little: most answers come from the daemon. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { Config } from '../accounts/load.ts';
import type { AccountCoverage } from '../core/coverage.ts';
import { OWNER } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import { resolvePaths } from '../io/paths.ts';
import { readTextFile } from '../io/read-file.ts';
import type { Operation } from '../operations/operation.ts';
import { askThrough } from './daemon/ask.ts';
import { attachDaemon } from './daemon/attach.ts';
import { optionOf } from './help/command-words.ts';
import { logOf } from './log-of.ts';
import type { GlobalOptions } from './open-app.ts';
import { withProgress } from './progress.ts';
import { renderCost } from './render-cost.ts';
import type { LightShell, Screen, Shell } from './shell.ts';

/** Exit status of an answer that was printed and is incomplete. */
export const EXIT_INCOMPLETE = 3;

/** Adds one command; its action returns the exit status. */
export type AddCommand = (program: Command, shell: Shell, run: Run) => void;
/** The same for one that only asks, and needs no provider where a daemon answers. */
export type AddQuestion = (program: Command, shell: AskingShell, run: Run) => void;
export type Run = (action: () => Promise<number>) => Promise<void>;

/** The shell as a question has it: whole, or with the rest of it at hand. */
export type AskingShell = Shell | (LightShell & { readonly whole: () => Promise<Shell> });

const wholeOf = async (shell: AskingShell): Promise<Shell> => ('providers' in shell ? shell : shell.whole());

/**
 * An operation that only reads, and whose every answer has `notices`. It is loaded where no daemon answers: schemas take longer
 * to load than all that a question needs besides.
 */
export interface Reading<Input extends z.ZodObject, Output extends z.ZodObject> {
  /** Of the operation. */
  readonly name: string;
  readonly load: () => Promise<Operation<Input, Output>>;
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `give one of ${issue.values.join(', ')}`;
  if (issue.code === 'too_big' && issue.origin === 'string') return `at most ${issue.maximum} characters`;
  if (issue.code === 'too_big' && issue.origin === 'array') return `at most ${issue.maximum} of them`;
  if (issue.code === 'too_small' && issue.origin === 'string') return 'may not be empty';
  return issue.message;
}

/** Input as a schema reads it. @throws CalmcpError INPUT_INVALID */
export function parseInput<Schema extends z.ZodObject>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new TypeError('refused without a reason');
  throw new CalmcpError('INPUT_INVALID', `${optionOf(String(issue.path[0] ?? 'input'))}: ${messageOf(issue)}`);
}

/** An answer, and who gave it. */
interface Told<T> {
  readonly answer: T;
  readonly from: 'the daemon' | 'this process';
}

/** Milliseconds that the start of a command may take. */
const MOMENT_MS = 3_000;
/** Milliseconds that accounts have at the least, however late it is. */
const LEAST_MS = 5_000;

/** Asks one operation, and says with `--verbose` what that cost. @throws CalmcpError */
export async function answerOf<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: AskingShell,
  options: GlobalOptions,
  question: Operation<Input, Output> | Reading<Input, Output>,
  input: Record<string, unknown>,
): Promise<z.output<Output>> {
  const began = performance.now();
  const { answer, from } = await askSomebody(shell, options, question, input);
  if (options.verbose) {
    const { accounts = [] } = answer as { readonly accounts?: readonly AccountCoverage[] };
    const asked = accounts.filter(({ status }) => status !== undefined);
    shell.stderr.write(renderCost(asked, performance.now() - began, from));
  }
  return answer;
}

/** Whom an answer is for may look on, and must not learn which accounts there are. A cursor may hold an audience. */
function isForOwner({ cursor, audience }: Readonly<Record<string, unknown>>): boolean {
  return cursor === undefined && (audience === undefined || audience === OWNER);
}

/** What the person typed for all commands (`--account`, `--time-zone`) goes along. @throws CalmcpError */
async function askSomebody<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: AskingShell,
  options: GlobalOptions,
  question: Operation<Input, Output> | Reading<Input, Output>,
  input: Record<string, unknown>,
): Promise<Told<z.output<Output>>> {
  const began = performance.now();
  const isReading = 'load' in question;
  if (isReading) {
    const answer = await readThroughDaemon(shell, options, question.name, input);
    if (answer !== undefined) return { answer: answer as z.output<Output>, from: 'the daemon' };
  }
  const operation = isReading ? await question.load() : question;
  const asked: Record<string, unknown> = {
    ...('accounts' in operation.input.shape && options.account !== undefined ? { accounts: options.account } : {}),
    ...('timeZone' in operation.input.shape && options.timeZone !== undefined ? { timeZone: options.timeZone } : {}),
    ...input,
  };
  const work = <T>(accounts: readonly { readonly id: string }[], ask: () => Promise<T>): Promise<T> => {
    const names = isForOwner(input) ? (options.account ?? accounts.map(({ id }) => id)).join(', ') : 'all accounts';
    return withProgress(shell.stderr, `asking ${names}`, ask);
  };
  const whole = await wholeOf(shell);
  if (!isReading) {
    const answer = await throughDaemon(whole, options, operation, asked, work);
    if (answer !== undefined) return { answer: answer as z.output<Output>, from: 'the daemon' };
  }
  const { openAppFor } = await import('./alone.ts');
  const app = await openAppFor(whole, options);
  try {
    const parsed = parseInput(operation.input, asked);
    // What was waited for a daemon in vain is not waited for again.
    const lostMs = performance.now() - began;
    const left = lostMs < MOMENT_MS ? {} : { deadlineMs: Math.max(LEAST_MS, app.deadlineMs - lostMs) };
    const own = await work(app.accounts, () => operation.run(app, parsed, { signal: shell.interrupted, ...left }));
    return { answer: own, from: 'this process' };
  } finally {
    await app.close();
  }
}

async function loadConfigFor(shell: AskingShell, options: GlobalOptions): Promise<Config> {
  const [{ loadConfig }, whole] = await Promise.all([import('./alone.ts'), wholeOf(shell)]);
  return loadConfig(whole, options);
}

const MAX_CONFIG_BYTES = 1_048_576;

/**
 * Whether an accounts.yaml of which the daemon says nothing may be wrong all the same. A daemon looks at its stamp before each
 * question, says so where it cannot use a changed one, and has the variables that it names. It does not see that the
 * file may not be read any more, nor what becomes of the files that it names.
 */
async function isInDoubt({ env, platform, home, cwd }: LightShell, { config }: GlobalOptions): Promise<boolean> {
  const { configFile } = resolvePaths({ env, platform, home, cwd, config });
  const text = await readTextFile(configFile, MAX_CONFIG_BYTES).catch(() => undefined);
  return text?.includes('${FILE:') !== false;
}

/** Milliseconds after which somebody waits, who wants to know for whom. */
const WAITED_MS = 150;

/** Who is asked, for a person at a terminal: accounts.yaml is read for that only where it takes a while. */
async function namesOf(
  shell: AskingShell,
  options: GlobalOptions,
  input: Readonly<Record<string, unknown>>,
  answer: Promise<unknown>,
): Promise<string> {
  const unnamed = 'all accounts';
  if (!shell.stderr.isTerminal || !isForOwner(input)) return unnamed;
  if (options.account !== undefined) return options.account.join(', ');
  const hasCome = () => false;
  const isWaited = await Promise.race([answer.then(hasCome, hasCome), pause(WAITED_MS, true, { ref: false })]);
  if (!isWaited) return unnamed;
  // What is wrong with it is said in the place of the answer.
  return loadConfigFor(shell, options).then(
    ({ accounts }) => accounts.map(({ id }) => id).join(', '),
    () => unnamed,
  );
}

/**
 * The daemon knows what may be asked, and the rest is asked again here, to be refused in the words of a command.
 * @returns `undefined` where no daemon is used, and where it gave no answer
 */
async function readThroughDaemon(
  shell: AskingShell,
  options: GlobalOptions,
  tool: string,
  input: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const log = logOf(shell, options);
  const channel = await attachDaemon(shell, options, { answers: 'script' }, log);
  if (channel === undefined) return undefined;
  const { account: accounts, timeZone } = options;
  const answering = askThrough(channel, {
    tool,
    input: { accounts, timeZone, ...input },
    isRepeatable: true,
    version: shell.version,
    signal: shell.interrupted,
  });
  // A daemon goes on with the last accounts.yaml that could be used; whoever types a command is told what is wrong with this one.
  const answer = await withProgress(
    shell.stderr,
    `asking ${await namesOf(shell, options, input, answering)}`,
    () => answering,
  ).catch(async (thrown: unknown) => {
    if (thrown instanceof CalmcpError) await loadConfigFor(shell, options);
    throw thrown;
  });
  if (answer === undefined) log.info('the daemon gave no answer, so it is asked again without it');
  else if (answer.notices !== undefined || (await isInDoubt(shell, options))) await loadConfigFor(shell, options);
  return answer;
}

/** @returns `undefined` where no daemon is used, and where something is wrong that is said as it is without one */
async function throughDaemon(
  shell: Shell,
  options: GlobalOptions,
  { name, effect, input: schema }: Operation,
  asked: Readonly<Record<string, unknown>>,
  work: <T>(accounts: Config['accounts'], ask: () => Promise<T>) => Promise<T>,
): Promise<unknown> {
  if (!schema.safeParse(asked).success) return undefined;
  const channel = await attachDaemon(shell, options, { answers: 'script' }, logOf(shell, options));
  if (channel === undefined) return undefined;
  // As above, and before anything is changed.
  const config = await loadConfigFor(shell, options).catch((thrown: unknown) => {
    channel.destroy();
    throw thrown;
  });
  const question = {
    tool: name,
    input: asked,
    isRepeatable: effect === 'read' || asked.dryRun === true,
    version: shell.version,
    signal: shell.interrupted,
  };
  const answer = await work(config.accounts, () => askThrough(channel, question));
  if (answer === undefined) logOf(shell, options).info('the daemon gave no answer, so it is asked again without it');
  return answer;
}

/** Asks one operation and prints its answer. @returns the exit status */
export async function ask<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: AskingShell,
  options: GlobalOptions,
  question: Operation<Input, Output> | Reading<Input, Output>,
  input: Record<string, unknown>,
  render: (result: z.output<Output>, screen: Screen) => string | Promise<string>,
  isComplete: (result: z.output<Output>) => boolean = (result) => (result as { complete?: boolean }).complete !== false,
): Promise<number> {
  const result = await answerOf(shell, options, question, input);
  if (options.json) shell.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else {
    const { screenOf } = await import('./renderers.ts');
    shell.stdout.write(await render(result, screenOf(shell)));
  }
  return isComplete(result) ? 0 : EXIT_INCOMPLETE;
}
