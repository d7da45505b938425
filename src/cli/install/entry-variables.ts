/** The variables that an entry starts calmcp with: those of this shell, and those it had before. */
import { resolve } from 'node:path';
import type { Shell } from '../shell.ts';

/** What a calmcp that the client starts must know as this one does. Never a passphrase: the file is no place for secrets. */
const CARRIED = ['CALMCP_HOME', 'CALMCP_CONFIG', 'CALMCP_KEYSTORE'] as const;

export type Variables = Readonly<Partial<Record<(typeof CARRIED)[number], string>>>;

export const isCarried = (name: string): boolean => (CARRIED as readonly string[]).includes(name);

/** Those of an entry that starts calmcp, as they stand there. */
export function variablesOf(entry: unknown): Variables {
  const env = (entry as { readonly env?: Readonly<Record<string, unknown>> | null } | undefined)?.env;
  return Object.fromEntries(
    CARRIED.flatMap((name) => {
      const value = env?.[name];
      return typeof value === 'string' && value !== '' ? [[name, value]] : [];
    }),
  );
}

export interface ChosenVariables {
  readonly variables: Variables;
  /** Those that this shell lacks and that were there before. */
  readonly kept: Variables;
}

/**
 * @param given as the command line has it
 * @param options as they are chosen
 * @param old of the entry that is there, if it is calmcp's
 */
export function chooseVariables(
  { env, cwd }: Pick<Shell, 'env' | 'cwd'>,
  given: { readonly config?: string | false | undefined },
  options: { readonly config?: string | undefined },
  old: Variables,
): ChosenVariables {
  // Beside --config, CALMCP_CONFIG would be ignored.
  const names = CARRIED.filter((name) => name !== 'CALMCP_CONFIG' || options.config === undefined);
  const own = names.flatMap((name) => {
    const value = env[name];
    return value ? [[name, name === 'CALMCP_KEYSTORE' ? value : resolve(cwd, value)] as const] : [];
  });
  // A client must not come upon other accounts or another key because another shell renewed its entry.
  const kept = names.flatMap((name) => {
    const value = old[name];
    const isTakenOff = name === 'CALMCP_CONFIG' && given.config === false;
    return value === undefined || env[name] || isTakenOff ? [] : [[name, value] as const];
  });
  return { variables: Object.fromEntries([...own, ...kept]), kept: Object.fromEntries(kept) };
}
