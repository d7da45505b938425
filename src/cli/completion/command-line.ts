/** A command line that is still being typed, read as commander would read it. */
import type { Argument, Command, Option } from 'commander';

export interface Typed {
  /** The command that the words lead to. */
  readonly command: Command;
  /** The option whose value stands at the cursor. */
  readonly option: Option | undefined;
  /** What stands before the value in the same word: `--account=`. */
  readonly prefix: string;
  /** The beginning of the word, or of the value. */
  readonly current: string;
  /** Words that are neither options nor commands. */
  readonly values: readonly string[];
  /** Options that were given, with their values. */
  readonly given: readonly { readonly option: Option; readonly value: string | undefined }[];
  /** Whether options have ended (`--`). */
  readonly ended: boolean;
}

/** Options that a command takes: its own and those of all commands around it, without those it has no use for. */
export type OptionsOf = (command: Command) => readonly Option[];

/** Bash hands `--account=xe` over as three words, and `--account=` as two. */
export function joinAssignments(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const afterSign = words[index - 1] === '=' && words[index - 2]?.startsWith('--');
    if ((word === '=' && words[index - 1]?.startsWith('--')) || afterSign) joined.push(`${joined.pop() ?? ''}${word}`);
    else joined.push(word);
  }
  return joined;
}

const takesValue = (option: Option): boolean => option.required || option.optional;

/** @param before the words before the one at the cursor @param last the beginning of that one */
export function readTyped(program: Command, before: readonly string[], last: string, optionsOf: OptionsOf): Typed {
  let command = program;
  let waiting: Option | undefined;
  let ended = false;
  const values: string[] = [];
  const given: { option: Option; value: string | undefined }[] = [];
  const optionNamed = (name: string): Option | undefined =>
    optionsOf(command).find(({ short, long }) => name === short || name === long);
  for (const word of before) {
    if (waiting !== undefined) {
      given.push({ option: waiting, value: word });
      waiting = undefined;
    } else if (ended) values.push(word);
    else if (word === '--') ended = true;
    else if (word.startsWith('-') && word.length > 1) {
      const [name = '', ...rest] = word.split('=');
      const option = optionNamed(name);
      if (option === undefined) continue;
      if (option.required && rest.length === 0) waiting = option;
      else given.push({ option, value: rest.length === 0 ? undefined : rest.join('=') });
    } else {
      const child = command
        .createHelp()
        .visibleCommands(command)
        .find((each) => each.name() === word);
      if (child !== undefined && values.length === 0) command = child;
      else values.push(word);
    }
  }
  const assigned = /^(--[\w-]+)=(.*)$/s.exec(last);
  const option = ended || waiting !== undefined || assigned === null ? waiting : optionNamed(assigned[1] ?? '');
  const isAssigned = waiting === undefined && option !== undefined && takesValue(option);
  return {
    command,
    option: isAssigned || waiting !== undefined ? option : undefined,
    prefix: isAssigned ? `${assigned?.[1] ?? ''}=` : '',
    current: isAssigned ? (assigned?.[2] ?? '') : last,
    values,
    given,
    ended,
  };
}

/** The argument that stands at the cursor. */
export function argumentAt({ command, values }: Typed): Argument | undefined {
  const known = command.registeredArguments;
  const last = known.at(-1);
  return known[values.length] ?? (last?.variadic ? last : undefined);
}
