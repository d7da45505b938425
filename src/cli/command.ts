/** What every command gets, and how a command that asks a question is run. */
import type { Command } from 'commander';
import type { z } from 'zod';
import type { Config } from '../accounts/load.ts';
import type { AccountCoverage } from '../core/coverage.ts';
import { OWNER } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Operation } from '../operations/operation.ts';
import { askThrough } from './daemon/ask.ts';
import { attachDaemon } from './daemon/attach.ts';
import { optionOf } from './help/command-words.ts';
import { type GlobalOptions, loadConfig, logOf, openAppFor } from './open-app.ts';
import { withProgress } from './progress.ts';
import { renderCost } from './render-cost.ts';
import type { Shell } from './shell.ts';

/** Exit status of an answer that was printed and is incomplete. */
export const EXIT_INCOMPLETE = 3;

/** Adds one command; its action returns the exit status. */
export type AddCommand = (program: Command, shell: Shell, run: Run) => void;
export type Run = (action: () => Promise<number>) => Promise<void>;

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

/** Asks one operation, and says with `--verbose` what that cost. @throws CalmcpError */
export async function answerOf<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: Shell,
  options: GlobalOptions,
  operation: Operation<Input, Output>,
  input: Record<string, unknown>,
): Promise<z.output<Output>> {
  const began = performance.now();
  const { answer, from } = await askSomebody(shell, options, operation, input);
  if (options.verbose) {
    const { accounts = [] } = answer as { readonly accounts?: readonly AccountCoverage[] };
    const asked = accounts.filter(({ status }) => status !== undefined);
    shell.stderr.write(renderCost(asked, performance.now() - began, from));
  }
  return answer;
}

/** What the person typed for all commands (`--account`, `--time-zone`) goes along. @throws CalmcpError */
async function askSomebody<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: Shell,
  options: GlobalOptions,
  operation: Operation<Input, Output>,
  input: Record<string, unknown>,
): Promise<Told<z.output<Output>>> {
  const asked: Record<string, unknown> = {
    ...('accounts' in operation.input.shape && options.account !== undefined ? { accounts: options.account } : {}),
    ...('timeZone' in operation.input.shape && options.timeZone !== undefined ? { timeZone: options.timeZone } : {}),
    ...input,
  };
  // Whom an answer is for may look on, and must not learn which accounts there are. A cursor may hold an audience.
  const isForOwner = input.cursor === undefined && (input.audience === undefined || input.audience === OWNER);
  const work = <T>(accounts: readonly { readonly id: string }[], ask: () => Promise<T>): Promise<T> => {
    const names = isForOwner ? (options.account ?? accounts.map(({ id }) => id)).join(', ') : 'all accounts';
    return withProgress(shell.stderr, `asking ${names}`, ask);
  };
  const answer = await throughDaemon(shell, options, operation, asked, work);
  if (answer !== undefined) return { answer: answer as z.output<Output>, from: 'the daemon' };
  const app = await openAppFor(shell, options);
  try {
    const parsed = parseInput(operation.input, asked);
    const own = await work(app.accounts, () => operation.run(app, parsed, { signal: shell.interrupted }));
    return { answer: own, from: 'this process' };
  } finally {
    await app.close();
  }
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
  // A daemon goes on with the last accounts.yaml that could be used; whoever types a command is told what is wrong with this one.
  const config = await loadConfig(shell, options).catch((thrown: unknown) => {
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
  if (answer === undefined) logOf(shell, options).info('the daemon did not answer, so it is asked again without it');
  return answer;
}

/** Asks one operation and prints its answer. @returns the exit status */
export async function ask<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: Shell,
  options: GlobalOptions,
  operation: Operation<Input, Output>,
  input: Record<string, unknown>,
  render: (result: z.output<Output>) => string,
  isComplete: (result: z.output<Output>) => boolean = (result) => (result as { complete?: boolean }).complete !== false,
): Promise<number> {
  const result = await answerOf(shell, options, operation, input);
  shell.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : render(result));
  return isComplete(result) ? 0 : EXIT_INCOMPLETE;
}
