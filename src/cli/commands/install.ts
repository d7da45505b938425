import { stat } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import { CalmcpError } from '../../core/errors.ts';
import { neutralize } from '../../core/text.ts';
import { clockOf } from '../clock-of.ts';
import type { AddCommand } from '../command.ts';
import { CLIENTS, findPlace, type McpClient } from '../install/clients.ts';
import { readClientFile, writeClientFile } from '../install/edit-file.ts';
import { type Entry, isCalmcp, makeEntry, mergeEntry, scriptOf, warningsOf } from '../install/entry.ts';
import {
  chooseOptions,
  type EntryOptions,
  type GivenOptions,
  optionArguments,
  optionsOf,
  takingOff,
} from '../install/entry-options.ts';
import { chooseVariables, variablesOf } from '../install/entry-variables.ts';
import { entryOf, removeEntry, setEntry } from '../install/json-edit.ts';
import { changeLines, shownOf } from '../install/show-change.ts';
import { type GlobalOptions, pathsOf } from '../open-app.ts';
import { confirm } from '../prompt.ts';
import { type Shell, styleFor } from '../shell.ts';

interface Options extends Omit<GlobalOptions, 'config'>, GivenOptions {
  readonly name: string;
  readonly print?: true;
  readonly remove?: true;
  readonly replace?: true;
  readonly yes?: true;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** @throws CalmcpError INPUT_INVALID */
function checkOptions({ name, print, remove, readOnly, tools, config }: Options): void {
  // What Claude Code takes for a name, and shows in front of each tool.
  if (!/^[\w-]{1,40}$/.test(name))
    throw new CalmcpError('INPUT_INVALID', 'a name has letters, digits, - and _, at most 40', {
      hint: 'leave --name out for calmcp',
    });
  if (!remove) return;
  if (print) throw new CalmcpError('INPUT_INVALID', 'give either --print or --remove');
  if (readOnly !== undefined || tools !== undefined || config !== undefined)
    throw new CalmcpError('INPUT_INVALID', '--remove goes with none of --read-only, --tools and --config', {
      hint: 'leave them out: the whole entry is removed',
    });
}

/** What is true of the entry whatever becomes of it. */
async function remarksOn(
  shell: Shell,
  { config }: EntryOptions,
  name: string,
  entry: Entry,
  client: McpClient,
): Promise<readonly string[]> {
  // As the calmcp that the client starts: with what the entry keeps.
  const env = { ...shell.env, ...entry.env };
  const { configFile } = pathsOf({ ...shell, env }, { config });
  const isConfigured = await stat(configFile).then(
    () => true,
    () => false,
  );
  return [
    ...warningsOf(entry, client.id, name),
    ...(env.CALMCP_KEYSTORE === 'passphrase'
      ? [
          `The passphrase is not written anywhere: set CALMCP_PASSPHRASE_FILE or CALMCP_PASSPHRASE where ${client.title} is started.`,
        ]
      : []),
    ...(isConfigured ? [] : [`There is no ${configFile} yet. Run: calmcp init`]),
  ];
}

/** Prints the entry for those who paste it themselves. */
async function print(shell: Shell, client: McpClient, options: Options): Promise<number> {
  const { options: chosen } = chooseOptions(options, {}, shell.cwd);
  const { variables } = chooseVariables(shell, options, chosen, {});
  const entry = await makeEntry(shell, client, chosen, variables);
  const { file, lookedAt } = await findPlace(client, shell);
  shell.stdout.write(options.json ? json(entry) : `${JSON.stringify(options.name)}: ${json(entry)}`);
  const remarks = await remarksOn(shell, chosen, options.name, entry, client);
  const where = `Goes into ${JSON.stringify(client.container)} of ${file ?? lookedAt.join(' or ')}`;
  for (const line of [where, ...remarks]) shell.stderr.write(`${line}\n`);
  return 0;
}

/** @throws CalmcpError NOT_FOUND that says where it was looked for */
async function requireFile(shell: Shell, client: McpClient): Promise<string> {
  const { file, lookedAt } = await findPlace(client, shell);
  if (file !== undefined) return file;
  throw new CalmcpError('NOT_FOUND', `${client.title} was not found on this machine`, {
    problems: lookedAt.map((place) => `looked for ${place}`),
    hint: `${client.get}; or put in the entry yourself: calmcp install ${client.id} --print`,
  });
}

async function install(shell: Shell, client: McpClient, options: Options): Promise<number> {
  const { name, remove = false } = options;
  const path = { container: client.container, name };
  const file = await requireFile(shell, client);
  const source = { name: file, withComments: client.withComments };
  const found = await readClientFile(file);
  const before = entryOf(found.text, path, source);
  const wasOwn = before !== undefined && (await isCalmcp(before, await scriptOf(shell)));
  if (before !== undefined && !wasOwn && !options.replace)
    throw new CalmcpError('INPUT_INVALID', `${file} has an entry ${JSON.stringify(name)} that does not start calmcp`, {
      hint: `choose another --name, or ${remove ? 'remove' : 'replace'} it all the same with --replace`,
    });
  const { options: chosen, kept } = chooseOptions(options, wasOwn ? optionsOf(before) : {}, shell.cwd);
  const { variables, kept: keptVariables } = chooseVariables(shell, options, chosen, wasOwn ? variablesOf(before) : {});
  const entry = await makeEntry(shell, client, chosen, variables);
  const after = remove ? undefined : wasOwn ? mergeEntry(before, entry) : entry;
  const text = after === undefined ? removeEntry(found.text, path, source) : setEntry(found.text, path, after, source);
  const tell = (line: string): void => (options.json ? shell.stderr : shell.stdout).write(`${line}\n`);
  const keptWords = remove
    ? []
    : [...optionArguments(kept), ...Object.entries(keptVariables).map(([variable, value]) => `${variable}=${value}`)];
  const result = {
    client: client.id,
    file,
    name,
    // As in what is shown before: the variables of an entry hold secrets of whoever added them.
    ...(after === undefined ? {} : { entry: shownOf(after, true) }),
    ...(keptWords.length === 0 ? {} : { kept: keptWords }),
  };
  const remarks = remove ? [] : await remarksOn(shell, chosen, name, entry, client);
  if (keptWords.length > 0)
    tell(
      neutralize(`Kept as it was: ${keptWords.join(' ')} (to take off: ${takingOff(kept, keptVariables).join(', ')})`),
    );
  if (before === after) {
    tell(remove ? `${file} has no entry ${JSON.stringify(name)}.` : `${client.title} has this entry already.`);
    for (const remark of remarks) shell.stderr.write(`${remark}\n`);
    if (options.json) shell.stdout.write(json({ ...result, changed: false }));
    return 0;
  }
  const output = options.json ? shell.stderr : shell.stdout;
  const style = styleFor(output, shell.env);
  for (const line of changeLines({ file, path, before, wasOwn, after }, style)) tell(line);
  if (shell.stderr.isTerminal && !options.yes && !(await confirm(shell, 'Write this change?'))) {
    shell.stderr.write('Nothing was changed.\n');
    if (options.json) shell.stdout.write(json({ ...result, changed: false }));
    return 0;
  }
  const stamp = clockOf(shell)().toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  const backup = await writeClientFile(file, found, text, stamp);
  const next = remove ? `Restart ${client.title} to have it gone.` : client.next(name);
  if (options.json) shell.stdout.write(json({ ...result, changed: true, ...(backup ? { backup } : {}), next }));
  else {
    tell(remove ? `Removed ${name} from ${client.title}.` : `Installed ${name} in ${client.title}.`);
    if (backup !== undefined) tell(`The file as it was: ${backup}`);
    tell(`Next: ${next}`);
  }
  for (const remark of remarks) shell.stderr.write(`${remark}\n`);
  return 0;
}

export const addInstall: AddCommand = (program, shell, run) => {
  program
    .command('install')
    .summary('put calmcp into the configuration of an MCP client')
    .description(
      'Writes the entry that has an MCP client start calmcp, after showing it. The rest of the file stays as it is, and the ' +
        'file as it was is kept beside it. An entry that is there already keeps its --read-only, --tools and --config until ' +
        'others are given. --config, and CALMCP_HOME, CALMCP_CONFIG and CALMCP_KEYSTORE where they are set, go ' +
        'into the entry, which keeps those that it has where they are not set; secrets never do.',
    )
    .addArgument(new Argument('<client>', 'the client').choices(CLIENTS.map(({ id }) => id)))
    .option('--print', 'print the entry instead of writing it; with --json as JSON alone')
    .option('--remove', 'take the entry out')
    .option('--name <name>', 'name of the entry', 'calmcp')
    .option('--read-only', 'the client gets no tools that write')
    .option('--no-read-only', 'takes --read-only off an entry that has it')
    .option('--tools <names>', 'the client gets these tools alone, separated by commas; all: takes --tools off')
    .option('--no-config', 'takes --config off an entry that has it')
    .option('--replace', 'also where an entry of that name does not start calmcp')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Without a terminal it does not ask: it prints the change and writes it.

Examples:
  calmcp install claude-desktop
  calmcp install claude-code --read-only
  calmcp install claude-code --no-read-only
  calmcp install vscode --tools list_events,find_free_time --name calendar
  calmcp install cursor --print
  calmcp install claude-desktop --remove --yes

Exit status 0: done, or nothing to do; 66: the client is not on this machine; 78: its file is not valid, and was left alone.
More: calmcp help clients`,
    )
    .action((id: string, _options: unknown, command: Command) =>
      run(async () => {
        const { config, ...others } = command.optsWithGlobals<Omit<Options, 'config'> & { config: string | boolean }>();
        // True is what commander says where neither --config nor --no-config is given.
        const options: Options = { ...others, ...(config === true ? {} : { config }) };
        const client = CLIENTS.find((known) => known.id === id);
        if (client === undefined) throw new TypeError('commander lets no other client through');
        checkOptions(options);
        return options.print ? print(shell, client, options) : install(shell, client, options);
      }),
    );
};
