import { CalmcpError } from '../core/errors.ts';
import type { Shell } from './shell.ts';

/** Wrong answers until calmcp gives up: whoever closed stdin gives empty ones for ever. */
const MAX_TRIES = 3;

export type Verdict<T> = { readonly value: T } | { readonly wrong: string };

/** Asks a person, again after a wrong answer. @throws CalmcpError INPUT_INVALID after the third one */
export async function prompt<T>(shell: Shell, question: string, judge: (answer: string) => Verdict<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    shell.stderr.write(`${question} `);
    const answer = await shell.readLine(shell.interrupted);
    shell.interrupted.throwIfAborted();
    const verdict = judge(answer.trim());
    if ('value' in verdict) return verdict.value;
    if (tries === MAX_TRIES)
      throw new CalmcpError('INPUT_INVALID', verdict.wrong, { hint: 'nothing was changed; run it again' });
    shell.stderr.write(`  ${verdict.wrong}\n`);
  }
}

export function confirm(shell: Shell, question: string): Promise<boolean> {
  return prompt(shell, `${question} [y/N]`, (answer) => ({ value: /^(?:y|yes)$/i.test(answer) }));
}
