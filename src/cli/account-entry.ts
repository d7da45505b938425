/** A new entry of accounts.yaml, from flags and, on a terminal, from what a person answers. */
import { Option } from 'commander';
import { addAccount } from '../accounts/edit.ts';
import { type Field, fieldsOf, isInClear, withField } from '../accounts/fields.ts';
import { isAccountId } from '../accounts/schema.ts';
import { CalmcpError } from '../core/errors.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import type { Paths } from '../io/paths.ts';
import { parseConfigText } from './open-app.ts';
import { prompt } from './prompt.ts';
import type { Shell } from './shell.ts';

/** Taken by an option of every command. */
const GLOBAL_FIELD = 'timeZone';

export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** One flag per field of any provider that a line of text can say. */
export function accountFlags(providers: readonly ProviderDefinition[]): readonly Option[] {
  const known = new Map<string, { readonly field: Field; readonly types: string[] }[]>();
  for (const provider of providers)
    for (const field of fieldsOf(provider)) {
      if (!field.plain || field.name === GLOBAL_FIELD) continue;
      const uses = known.get(field.name) ?? [];
      known.set(field.name, uses);
      const same = uses.find((use) => use.field.description === field.description);
      if (same === undefined) uses.push({ field, types: [provider.type] });
      else same.types.push(provider.type);
    }
  return [...known].map(([name, uses]) => {
    const described = uses.map(({ field, types }) => {
      const choices = field.choices.length === 0 ? '' : ` (${field.choices.join(', ')})`;
      return `${types.length === providers.length ? '' : `${types.join(', ')}: `}${field.description}${choices}`;
    });
    const isSwitch = uses.every(({ field }) => field.isSwitch);
    return new Option(isSwitch ? flagOf(name) : `${flagOf(name)} <value>`, described.join(' '));
  });
}

export interface EntryInput {
  readonly id: string | undefined;
  readonly provider: string | undefined;
  /** Field to text. */
  readonly fields: Readonly<Record<string, string>>;
  /** `key=value`, the key with dots. */
  readonly set: readonly string[];
}

export interface NewAccount {
  readonly id: string;
  readonly provider: ProviderDefinition;
  readonly entry: Readonly<Record<string, unknown>>;
}

/** What is wrong with an entry, without naming a value: `clientId: is no GUID`. */
function problemsOf({ id, entry }: NewAccount, shell: Shell, paths: Paths): readonly string[] {
  const text = addAccount('version: 1\naccounts: {}\n', id, entry);
  try {
    parseConfigText(shell, paths, text, () => undefined);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof CalmcpError)) throw thrown;
    return thrown.problems.map((problem) =>
      problem.slice(paths.configFile.length).replace(/^:\d+:\d+ accounts\.[^.:]+(?:\.|: )/, ''),
    );
  }
}

function requireProvider(type: string, providers: readonly ProviderDefinition[]): ProviderDefinition {
  const provider = providers.find((candidate) => candidate.type === type);
  if (provider !== undefined) return provider;
  throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(type.slice(0, 40))} is no kind of account`, {
    hint: `one of ${providers.map((candidate) => candidate.type).join(', ')}`,
  });
}

async function askProvider(shell: Shell): Promise<ProviderDefinition> {
  const width = Math.max(...shell.providers.map(({ type }) => type.length));
  shell.stderr.write('Which kind of account?\n');
  for (const { type, title } of shell.providers) shell.stderr.write(`  ${type.padEnd(width)}  ${title}\n`);
  return prompt(shell, 'kind:', (answer) => {
    const value = shell.providers.find(({ type }) => type === answer.toLowerCase());
    return value === undefined ? { wrong: `one of ${shell.providers.map(({ type }) => type).join(', ')}` } : { value };
  });
}

async function askId(shell: Shell, taken: ReadonlySet<string>): Promise<string> {
  return prompt(shell, 'a short name for it (work, home, …):', (answer) => {
    if (!isAccountId(answer)) return { wrong: 'lower-case letters, digits, - and _, at most 63 of them' };
    return taken.has(answer) ? { wrong: `there is an account ${answer} already` } : { value: answer };
  });
}

/** The name of an environment variable for a secret: `HOME_CLIENT_SECRET`. */
function variableOf(id: string, field: string): string {
  return `${id}_${flagOf(field).slice(2)}`.toUpperCase().replaceAll('-', '_');
}

async function askField(shell: Shell, paths: Paths, account: NewAccount, field: Field): Promise<NewAccount> {
  const { name, description, required, secret, choices } = field;
  shell.stderr.write(`\n${description}\n`);
  if (secret)
    shell.stderr.write(`It is a secret: better a reference, \${ENV:${variableOf(account.id, name)}}, than in clear.\n`);
  const suffix = choices.length > 0 ? ` (${choices.join(', ')})` : '';
  return prompt(shell, `${name}${suffix}${required ? '' : ', or nothing'}:`, (answer) => {
    if (answer === '') return required ? { wrong: `${name} is needed` } : { value: account };
    const next = { ...account, entry: withField(account.entry, account.provider, name, answer) };
    const wrong = problemsOf(next, shell, paths).find(
      (problem) => problem.startsWith(`${name}:`) || problem.startsWith(`${name}.`),
    );
    return wrong === undefined ? { value: next } : { wrong };
  });
}

/** Asks for what is required, and for the provider's own other fields where nothing was given at all. */
async function askFields(shell: Shell, paths: Paths, account: NewAccount, all: boolean): Promise<NewAccount> {
  const fields = fieldsOf(account.provider).filter(({ plain }) => plain);
  let filled = account;
  for (const field of fields.filter(({ required }) => required))
    if (filled.entry[field.name] === undefined) filled = await askField(shell, paths, filled, field);
  if (!all) return filled;
  for (const field of fields.filter(
    ({ own, required, list, isSwitch, choices }) => own && !required && !list && !isSwitch && choices.length === 0,
  ))
    filled = await askField(shell, paths, filled, field);
  return filled;
}

/**
 * @param taken ids that are there already
 * @throws CalmcpError INPUT_INVALID with all that is wrong or missing
 */
export async function composeAccount(
  shell: Shell,
  paths: Paths,
  input: EntryInput,
  taken: ReadonlySet<string>,
): Promise<NewAccount> {
  const attended = shell.stderr.isTerminal;
  if (!attended && (input.id === undefined || input.provider === undefined))
    throw new CalmcpError('INPUT_INVALID', 'which account? give its id and --provider', {
      hint: 'calmcp accounts add --help has examples; on a terminal it asks',
    });
  if (input.id !== undefined && taken.has(input.id))
    throw new CalmcpError('INPUT_INVALID', `there is an account ${input.id} already; it was left as it is`, {
      hint: `choose another id, or run: calmcp accounts remove ${input.id}`,
    });
  const provider =
    input.provider === undefined ? await askProvider(shell) : requireProvider(input.provider, shell.providers);
  const id = input.id ?? (await askId(shell, taken));
  let entry: Record<string, unknown> = { provider: provider.type };
  for (const [name, text] of Object.entries(input.fields)) entry = withField(entry, provider, name, text);
  for (const assignment of input.set) {
    const [, key, text] = /^([^=]+)=([\s\S]*)$/.exec(assignment) ?? [];
    if (key === undefined || text === undefined)
      throw new CalmcpError('INPUT_INVALID', '--set takes KEY=VALUE', {
        hint: 'for instance: --set calendars.exclude=Birthdays,Team',
      });
    entry = withField(entry, provider, key.trim(), text);
  }
  const nothingGiven = Object.keys(input.fields).length + input.set.length === 0;
  const given = { id, provider, entry };
  let account = attended ? await askFields(shell, paths, given, nothingGiven) : given;
  let problems = problemsOf(account, shell, paths);
  // What no single field can say: one of two is needed, for instance.
  if (attended && nothingGiven && problems.length > 0) {
    shell.stderr.write(`\n${problems.join('\n')}\n`);
    account = await askFields(shell, paths, given, true);
    problems = problemsOf(account, shell, paths);
  }
  if (problems.length === 0) return account;
  const plain = new Set(fieldsOf(provider).flatMap((field) => (field.plain ? [field.name] : [])));
  throw new CalmcpError('INPUT_INVALID', `the account ${id} is not complete or not right; nothing was written`, {
    problems: problems.map((problem) => {
      const [, name] = /^(\w+):/.exec(problem) ?? [];
      return name !== undefined && plain.has(name) ? `${flagOf(name)}${problem.slice(name.length)}` : problem;
    }),
    hint: 'calmcp accounts add --help lists what can be given',
  });
}

/** What a person should know of secrets that were given as they are. */
export function clearSecretWarnings({ id, provider, entry }: NewAccount): readonly string[] {
  return fieldsOf(provider)
    .filter(({ name, secret }) => secret && isInClear(entry[name]))
    .map(
      ({ name }) =>
        `${name} stands in clear in accounts.yaml now; better: put it into the environment and write \${ENV:${variableOf(id, name)}}`,
    );
}
