/** What may stand at the cursor of a command line. */
import type { Argument, Command, Option } from 'commander';
import { OWNER } from '../../core/disclosure.ts';
import { operations } from '../../operations/index.ts';
import { accountFlags } from '../account-entry.ts';
import { isUnused } from '../help/global-options.ts';
import { TOPICS } from '../help/topics.ts';
import { parseConfigText, pathsOf, readConfigText } from '../open-app.ts';
import type { Shell } from '../shell.ts';
import { argumentAt, type OptionsOf, readTyped, type Typed } from './command-line.ts';
import { FILES } from './scripts.ts';

/** A word, and what it is. */
type Candidate = readonly [value: string, about?: string];

const words = (text: string): readonly Candidate[] => text.split(' ').map((word) => [word]);

const WEEKDAYS = 'monday tuesday wednesday thursday friday saturday sunday';
const RANGE_WORDS = words(`today tomorrow yesterday this next last weekend ${WEEKDAYS}`);
/** The words of a range that may follow others: core/range.ts. */
const AFTER: Readonly<Record<string, readonly Candidate[]>> = {
  '': RANGE_WORDS,
  this: words('week weekend month'),
  next: words(`week weekend month 7 10 14 30 ${WEEKDAYS}`),
  last: words('week month 7 14 30'),
};

function rangeCandidates(typed: readonly string[]): readonly Candidate[] {
  const [first = '', second] = typed;
  if (typed.length < 2) return AFTER[first] ?? [];
  return typed.length === 2 && /^\d+$/.test(second ?? '') && /^(?:next|last)$/.test(first) ? words('days weeks') : [];
}

interface Known {
  accounts(): Promise<readonly Candidate[]>;
  clients(): Promise<readonly Candidate[]>;
}

/** What accounts.yaml says; nothing where it is not there or not right: completing is no place for errors. */
function openKnown(shell: Shell, { given }: Typed): Known {
  const config = given.findLast(({ option }) => option.attributeName() === 'config')?.value;
  const read = async (): Promise<ReturnType<typeof parseConfigText>['accounts']> => {
    const paths = pathsOf(shell, { config });
    const text = await readConfigText(paths);
    return text === undefined ? [] : parseConfigText(shell, paths, text, () => undefined).accounts;
  };
  return {
    accounts: async () => (await read()).map(({ id, settings }) => [id, settings.displayName ?? '']),
    clients: async () => {
      const clients = (await read()).map(({ id, settings }) => settings.client ?? id);
      return [[OWNER, 'you'] as const, ...[...new Set(clients)].map((client): Candidate => [client])];
    },
  };
}

/** Several values in one word, separated by commas: the last of them is completed, and what stands is not offered again. */
function listed(candidates: readonly Candidate[], current: string): readonly Candidate[] {
  const before = current.split(',').slice(0, -1);
  const head = before.map((value) => `${value},`).join('');
  return candidates
    .filter(([value]) => !before.includes(value))
    .map(([value, ...about]): Candidate => [`${head}${value}`, ...about]);
}

async function valuesOf(option: Option, typed: Typed, known: Known): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((choice): Candidate => [choice]);
  switch (option.attributeName()) {
    case 'account':
      return listed(await known.accounts(), typed.current);
    case 'via':
      return known.accounts();
    case 'audience':
      return known.clients();
    case 'days':
      return listed(words('mon tue wed thu fri sat sun'), typed.current);
    case 'timeZone':
      return Intl.supportedValuesOf('timeZone').map((zone): Candidate => [zone]);
    case 'tools':
      return listed(
        operations.map(({ name, title }): Candidate => [name, title]),
        typed.current,
      );
    case 'provider':
      return []; // filled in by the caller, who knows the providers
    default:
      return /<(?:path|file)>/.test(option.flags) ? [[FILES]] : [];
  }
}

async function argumentsOf(
  argument: Argument,
  typed: Typed,
  program: Command,
  known: Known,
): Promise<readonly Candidate[]> {
  if (argument.argChoices !== undefined) return argument.argChoices.map((choice): Candidate => [choice]);
  const { command, values } = typed;
  const parent = command.parent?.name();
  if (argument.name() === 'range') return rangeCandidates(values.slice(command.registeredArguments.length - 1));
  if (/^ids?$/.test(argument.name()) && (parent === 'accounts' || parent === 'children') && command.name() !== 'add')
    return (await known.accounts()).filter(([id]) => !values.includes(id));
  if (command.name() !== 'help') return [];
  const below = values.reduce<Command | undefined>(
    (at, word) => at?.commands.find((each) => each.name() === word),
    program,
  );
  const commands = below === undefined ? [] : commandsOf(below);
  if (values.length > 0) return commands;
  const topics = TOPICS.map(({ name, summary }): Candidate => [name, summary]);
  return [
    ['topics', 'the list of topics'],
    ...topics,
    ...commands.filter(([name]) => !topics.some(([own]) => own === name)),
  ];
}

const commandsOf = (command: Command): readonly Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((each) => [each.name(), each.summary() || each.description()]);

/** @param before the words before the one at the cursor @param last the beginning of that one */
export async function candidatesFor(
  shell: Shell,
  program: Command,
  before: readonly string[],
  last: string,
): Promise<readonly Candidate[]> {
  const optionsOf: OptionsOf = (command) => {
    const help = command.createHelp();
    const isAdd = command.name() === 'add' && command.parent?.name() === 'accounts';
    const all = [
      ...help.visibleOptions(command),
      ...(isAdd ? accountFlags(shell.providers) : []),
      ...help.visibleGlobalOptions(command),
    ];
    return all.filter((option) => !isUnused(command, option));
  };
  const typed = readTyped(program, before, last, optionsOf);
  const known = openKnown(shell, typed);
  const { command, option, current, prefix, given } = typed;
  const fitting = (candidates: readonly Candidate[]): readonly Candidate[] =>
    candidates
      .filter(([value]) => value === FILES || value.startsWith(current))
      .map(([value, ...about]): Candidate => [value === FILES ? value : `${prefix}${value}`, ...about]);
  if (option !== undefined) {
    if (option.attributeName() === 'provider') return fitting(shell.providers.map(({ type }): Candidate => [type]));
    return fitting(await valuesOf(option, typed, known));
  }
  if (current.startsWith('-') && !typed.ended) {
    const isGiven = (each: Option): boolean =>
      each.attributeName() !== 'account' && given.some(({ option: one }) => one.long === each.long);
    return fitting(
      optionsOf(command)
        .filter((each) => !isGiven(each))
        .map((each): Candidate => [each.long ?? each.short ?? '', each.description]),
    );
  }
  const argument = argumentAt(typed);
  return fitting([
    ...(typed.values.length === 0 ? commandsOf(command) : []),
    ...(argument === undefined ? [] : await argumentsOf(argument, typed, program, known)),
  ]);
}
