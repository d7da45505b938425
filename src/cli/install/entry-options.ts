/** The options that an entry starts calmcp with: those given now, and those it had before. */
import { resolve } from 'node:path';
import { CalmcpError } from '../../core/errors.ts';
import { splitList } from '../range-options.ts';
import type { Variables } from './entry-variables.ts';

export interface EntryOptions {
  readonly config?: string | undefined;
  readonly readOnly?: boolean | undefined;
  readonly tools?: string | undefined;
}

/** As the command line has them: `false`, and tools that are `all`, take off what the entry had. */
export interface GivenOptions {
  readonly config?: string | false | undefined;
  readonly readOnly?: boolean | undefined;
  readonly tools?: string | undefined;
}

export const optionArguments = ({ config, readOnly, tools }: EntryOptions): readonly string[] => [
  ...(config === undefined ? [] : ['--config', config]),
  ...(readOnly ? ['--read-only'] : []),
  ...(tools === undefined ? [] : ['--tools', tools]),
];

/** The options of an entry that starts calmcp, as they stand there. */
export function optionsOf(entry: unknown): EntryOptions {
  const args: readonly unknown[] = (entry as { readonly args?: unknown[] } | undefined)?.args ?? [];
  const words = args.filter((argument) => typeof argument === 'string');
  // Of an option that is there twice the last counts, as where calmcp reads them.
  const lastOf = (flag: string): string | undefined =>
    words.reduce<string | undefined>((found, word, index) => {
      if (word === flag) return words[index + 1];
      return word.startsWith(`${flag}=`) ? word.slice(flag.length + 1) : found;
    }, undefined);
  return {
    config: lastOf('--config'),
    readOnly: words.includes('--read-only') || undefined,
    tools: lastOf('--tools'),
  };
}

/** @throws CalmcpError INPUT_INVALID */
function parseTools(tools: string): string | undefined {
  const names = splitList(tools);
  if (names.length === 1 && names[0] === 'all') return undefined;
  if (names.length > 0 && names.every((name) => /^[a-z_]+$/.test(name) && name !== 'all')) return names.join(',');
  throw new CalmcpError('INPUT_INVALID', '--tools names no tools', {
    hint: 'give some as list_events,find_free_time, or all alone',
  });
}

export interface ChosenOptions {
  readonly options: EntryOptions;
  /** Those that were not given and were there before. */
  readonly kept: EntryOptions;
}

/** @param old of the entry that is there, if it is calmcp's. @throws CalmcpError INPUT_INVALID */
export function chooseOptions(given: GivenOptions, old: EntryOptions, cwd: string): ChosenOptions {
  // What a person restricted stays so until told otherwise: a client that only reads must not begin to write by an update.
  const kept: EntryOptions = {
    config: given.config === undefined ? old.config : undefined,
    readOnly: given.readOnly === undefined ? old.readOnly : undefined,
    tools: given.tools === undefined ? old.tools : undefined,
  };
  const options: EntryOptions = {
    config: given.config ? resolve(cwd, given.config) : kept.config,
    readOnly: given.readOnly || kept.readOnly,
    tools: given.tools === undefined ? kept.tools : parseTools(given.tools),
  };
  return { options, kept };
}

/** How to take off what was kept. */
export const takingOff = ({ config, readOnly, tools }: EntryOptions, variables: Variables): readonly string[] => [
  ...(config === undefined && variables.CALMCP_CONFIG === undefined ? [] : ['--no-config']),
  ...(readOnly ? ['--no-read-only'] : []),
  ...(tools === undefined ? [] : ['--tools all']),
  ...(variables.CALMCP_HOME === undefined && variables.CALMCP_KEYSTORE === undefined ? [] : ['--remove, then again']),
];
