/** What every command gets, and how a command that asks a question is run. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { OWNER } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Operation } from '../operations/operation.ts';
import { optionOf } from './help/command-words.ts';
import { type GlobalOptions, openAppFor } from './open-app.ts';
import { withProgress } from './progress.ts';
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

/** Asks one operation. What the person typed for all commands (`--account`, `--time-zone`) goes along. @throws CalmcpError */
export async function answerOf<Input extends z.ZodObject, Output extends z.ZodObject>(
  shell: Shell,
  options: GlobalOptions,
  operation: Operation<Input, Output>,
  input: Record<string, unknown>,
): Promise<z.output<Output>> {
  const app = await openAppFor(shell, options);
  try {
    const parsed = parseInput(operation.input, {
      ...('accounts' in operation.input.shape && options.account !== undefined ? { accounts: options.account } : {}),
      ...('timeZone' in operation.input.shape && options.timeZone !== undefined ? { timeZone: options.timeZone } : {}),
      ...input,
    });
    // Whom an answer is for may look on, and must not learn which accounts there are. A cursor may hold an audience.
    const isForOwner = input.cursor === undefined && (input.audience === undefined || input.audience === OWNER);
    const names = isForOwner ? (options.account ?? app.accounts.map(({ id }) => id)).join(', ') : 'all accounts';
    return await withProgress(shell.stderr, `asking ${names}`, () =>
      operation.run(app, parsed, { signal: shell.interrupted }),
    );
  } finally {
    await app.close();
  }
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
