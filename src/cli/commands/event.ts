import { Argument, type Command, Option } from 'commander';
import { MADE_TYPES } from '../../core/change.ts';
import { CalmcpError, ERRORS } from '../../core/errors.ts';
import { SCOPES } from '../../core/series.ts';
import { createEvent } from '../../operations/create-event.ts';
import { deleteEvent } from '../../operations/delete-event.ts';
import { getEvent } from '../../operations/get-event.ts';
import type { Operation } from '../../operations/operation.ts';
import { respondToEvent } from '../../operations/respond-to-event.ts';
import { updateEvent } from '../../operations/update-event.ts';
import type { Outcome } from '../../operations/writing/outcome.ts';
import { type AddCommand, answerOf, ask, EXIT_INCOMPLETE, type Run } from '../command.ts';
import type { GlobalOptions } from '../open-app.ts';
import { confirm } from '../prompt.ts';
import { parseCount, parseMinutes } from '../range-options.ts';
import { renderEvent } from '../render-event.ts';
import { renderOutcome } from '../render-outcome.ts';
import { type Shell, screenOf } from '../shell.ts';

const IDS = 'as calmcp agenda --ids and search --ids print it';
const EXITS = `
Exit status 0: done; 3: a preview that does not know all accounts; 75: the event has changed since, nothing was done;
77: it may not be changed.`;
/** What people say, and what an operation calls it. */
const ANSWERS: Readonly<Record<string, string>> = {
  accept: 'accepted',
  tentative: 'tentative',
  decline: 'declined',
  accepted: 'accepted',
  declined: 'declined',
  maybe: 'tentative',
};
const BUSY = ['free', 'tentative', 'busy', 'oof', 'workingElsewhere'];
const SENSITIVITY = ['normal', 'personal', 'private', 'confidential'];
const NOTIFY = ['all', 'none'];

type Options = GlobalOptions & Readonly<Record<string, unknown>>;

/** All that was given, in order; `--no-...` before it counts for nothing. */
const collect = (value: string, before?: unknown): string[] => [...(Array.isArray(before) ? before : []), value];

const choice = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices([...choices]);

function addFields(command: Command): Command {
  return command
    .option('--location <place>', 'where it is; "" clears')
    .option('--text <text>', 'what else there is to say; "" clears')
    .addOption(choice('--busy <how>', 'what it does to your time; default: busy', BUSY))
    .addOption(choice('--sensitivity <level>', 'how private it is; default: normal', SENSITIVITY))
    .option('--online', 'with a Teams or Meet link')
    .option('--no-online', 'without one')
    .option('--reminder <minutes>', 'minutes before the start; repeatable', collect)
    .option('--no-reminder', 'without a reminder')
    .option('--category <name>', 'category (Microsoft); repeatable', collect)
    .option('--color <name>', 'colour (Google), such as tomato')
    .option('--repeat <rule>', 'daily, weekdays, weekly, monthly, yearly or an RRULE; see calmcp help recurrence');
}

function addWriting(command: Command): Command {
  return command
    .addOption(choice('--notify <whom>', 'all: e-mail those concerned, which events with attendees need', NOTIFY))
    .option('--dry-run', 'only print what would be done')
    .option('-y, --yes', 'do not ask on a terminal');
}

function addTarget(command: Command): Command {
  return command
    .argument('<id>', IDS)
    .addOption(
      choice('--scope <scope>', 'how much of an event that repeats; following: this and all later ones', SCOPES),
    )
    .option('--if-version <version>', 'only if it still is this version, as an answer gave it');
}

function accountOf({ account = [] }: GlobalOptions): { account?: string } {
  if (account.length > 1)
    throw new CalmcpError('INPUT_INVALID', 'an event is in one account', { hint: 'name one with --account' });
  return account[0] === undefined ? {} : { account: account[0] };
}

/** A length as operations take it for an end. @throws CalmcpError INPUT_INVALID */
function lengthText(text: string): string {
  const minutes = parseMinutes(text.replace(/^\s*\+/, ''), '--duration');
  return `+${Math.floor(minutes / 60)}h${minutes % 60}m`;
}

/** Options as the operation has them; what was not given is not there. */
function fieldsOf(options: Options): Record<string, unknown> {
  const { location, text, busy, sensitivity, online, reminder, category, color, repeat } = options;
  const reminders =
    reminder === false ? [] : (reminder as string[] | undefined)?.map((minutes) => parseCount(minutes, '--reminder'));
  if (options.duration !== undefined && options.end !== undefined)
    throw new CalmcpError('INPUT_INVALID', '--end and --duration say the same', { hint: 'give one of them' });
  const end = options.duration === undefined ? options.end : lengthText(String(options.duration));
  const all = {
    title: options.title,
    start: options.start,
    end,
    calendar: options.calendar,
    attendees: options.attendee,
    optionalAttendees: options.optionalAttendee,
    addAttendees: options.addAttendee,
    removeAttendees: options.removeAttendee,
    type: options.type,
    key: options.key,
    scope: options.scope,
    version: options.ifVersion,
    comment: options.comment,
    notify: options.notify,
    location,
    text,
    busy,
    sensitivity,
    online,
    reminders,
    categories: category,
    color,
    repeat,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

interface Write {
  // biome-ignore lint/suspicious/noExplicitAny: any of the four, each with an input of its own
  readonly operation: Operation<any, any>;
  readonly input: Record<string, unknown>;
  /** Whether a person at a terminal looks at it first. */
  readonly asksFirst: boolean;
}

/** Nothing is done yet: what a person would agree to. @returns whether they do, or the status when there is nothing to agree to */
async function agreedTo(
  shell: Shell,
  options: Options,
  { operation, input }: Pick<Write, 'operation' | 'input'>,
): Promise<{ readonly version?: string } | number> {
  const preview = (await answerOf(shell, options, operation, { ...input, dryRun: true })) as Outcome;
  const shown = renderOutcome(preview, screenOf(shell));
  if (preview.outcome === 'conflict') {
    shell.stdout.write(shown);
    return ERRORS.CONFLICT.exit;
  }
  shell.stderr.write(shown);
  // It is refused for that, in words that say what to type.
  if (preview.needs !== undefined) return {};
  if (await confirm(shell, 'Do it?')) {
    const { version } = preview.event ?? {};
    return version === undefined || !('version' in operation.input.shape) ? {} : { version };
  }
  shell.stderr.write('nothing was done\n');
  return 0;
}

async function write(shell: Shell, options: Options, { operation, input, asksFirst }: Write): Promise<number> {
  const all = { ...input, ...accountOf(options), ...(options.dryRun ? { dryRun: true } : {}) };
  const isAsked = asksFirst && shell.stderr.isTerminal && !options.yes && !options.dryRun && !options.json;
  const agreed = isAsked ? await agreedTo(shell, options, { operation, input: all }) : {};
  if (typeof agreed === 'number') return agreed;
  // What was shown is what is changed.
  const outcome = (await answerOf(shell, options, operation, { ...agreed, ...all })) as Outcome;
  shell.stdout.write(options.json ? `${JSON.stringify(outcome, null, 2)}\n` : renderOutcome(outcome, screenOf(shell)));
  if (outcome.outcome === 'conflict') return ERRORS.CONFLICT.exit;
  return outcome.outcome === 'preview' && outcome.complete === false ? EXIT_INCOMPLETE : 0;
}

function addGet(event: Command, shell: Shell, run: Run): void {
  event
    .command('get')
    .argument('<id>', IDS)
    .summary('all about one event')
    .description('Prints one event with its people, and with its text where asked for.')
    .option('--text', 'also the text that its author wrote')
    .option('--audience <client>', 'show only what this client may see; default: you, who sees all')
    .addHelpText(
      'after',
      `
Examples:
  calmcp search dentist --ids
  calmcp event get xebia.fwjcgmc5p3 --text`,
    )
    .action((id: string, _options: unknown, command) =>
      run(() => {
        const { text, audience, ...options } = command.optsWithGlobals();
        const input = { id, ...(text ? { text } : {}), ...(audience === undefined ? {} : { audience }) };
        return ask(shell, options, getEvent, input, (result) => renderEvent(result, screenOf(shell), text === true));
      }),
    );
}

function addCreate(event: Command, shell: Shell, run: Run): void {
  const create = event
    .command('create')
    .argument('<title>', 'what it is called')
    .summary('a new event')
    .description(
      'Creates an event in one account, which --account names where several can be written to. The same command again is the same event.',
    )
    .requiredOption(
      '--start <time>',
      '2026-12-01T10:00, 2026-12-01T10:00[America/New_York], "tomorrow 14:00" or a date',
    )
    .option('--end <time>', 'like --start, exclusive; of whole days the day after the last one')
    .option('--duration <length>', 'instead of --end: 45m, 1h30m; default: 30m')
    .option('--calendar <name>', 'calendar of the account; default: its default one')
    .option('--attendee <address>', 'who is invited; repeatable', collect)
    .option('--optional-attendee <address>', 'who may come; repeatable', collect)
    .addOption(choice('--type <type>', 'of Google', MADE_TYPES))
    .option('--key <key>', 'one key is one event, however often this runs; default: made from the rest');
  addWriting(addFields(create))
    .addHelpText(
      'after',
      `
Examples:
  calmcp event create "Dentist" --account home --start "tomorrow 14:00" --duration 45m
  calmcp event create "Review" --account xebia --start 2026-12-01T10:00 --attendee ann@client.example --notify all
  calmcp event create "Stand-up" --account xebia --start 2026-12-01T09:00 --duration 15m --repeat weekdays --dry-run
${EXITS}
More: calmcp help writing`,
    )
    .action((title: string, _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals() as Options;
        const input = fieldsOf({ ...options, title });
        return write(shell, options, { operation: createEvent, input, asksFirst: options.notify === 'all' });
      }),
    );
}

function addUpdate(event: Command, shell: Shell, run: Run): void {
  const update = addTarget(event.command('update'))
    .summary('change or move an event')
    .description('Changes an event; what is not named stays as it is.')
    .option('--title <title>', 'another title')
    .option('--start <time>', 'another start; it keeps its length without --end')
    .option('--end <time>', 'another end, exclusive')
    .option('--duration <length>', 'instead of --end: 45m, 1h30m')
    .option('--add-attendee <address>', 'who is invited too; repeatable', collect)
    .option('--remove-attendee <address>', 'who is not any more; repeatable', collect);
  addWriting(addFields(update))
    .addHelpText(
      'after',
      `
Examples:
  calmcp event update home.fwjcgmc5p3 --start "friday 15:00"
  calmcp event update xebia.fwjcgmc5p3 --scope following --start 10:00 --notify all --dry-run
  calmcp event update xebia.fwjcgmc5p3 --add-attendee ann@client.example --notify all
${EXITS}
More: calmcp help writing`,
    )
    .action((id: string, _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals() as Options;
        const input = { id, ...fieldsOf(options) };
        return write(shell, options, { operation: updateEvent, input, asksFirst: options.notify === 'all' });
      }),
    );
}

function addDelete(event: Command, shell: Shell, run: Run): void {
  addWriting(addTarget(event.command('delete')))
    .summary('delete or cancel an event')
    .description(
      'Deletes an event; your own meeting is cancelled for all who are invited. Outlook keeps deleted events in Deleted Items, ' +
        'Google in its bin for 30 days.',
    )
    .addHelpText(
      'after',
      `
Examples:
  calmcp event delete home.fwjcgmc5p3
  calmcp event delete xebia.fwjcgmc5p3 --scope this --notify all --yes
${EXITS}
More: calmcp help writing`,
    )
    .action((id: string, _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals() as Options;
        return write(shell, options, { operation: deleteEvent, input: { id, ...fieldsOf(options) }, asksFirst: true });
      }),
    );
}

function parseAnswer(text: string): string {
  const response = ANSWERS[text.trim().toLowerCase()];
  if (response !== undefined) return response;
  throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(text.slice(0, 40))} is no answer`, {
    hint: 'answer accept, tentative or decline',
  });
}

function addRespond(event: Command, shell: Shell, run: Run): void {
  const answerArgument = new Argument('<answer>', 'your answer')
    .choices(['accept', 'tentative', 'decline'])
    .argParser(parseAnswer);
  addWriting(addTarget(event.command('respond')).addArgument(answerArgument))
    .summary('answer an invitation')
    .description('Accepts or declines an invitation, or answers maybe. --notify all tells the organizer.')
    .option('--comment <text>', 'for the organizer')
    .addHelpText(
      'after',
      `
Examples:
  calmcp event respond xebia.fwjcgmc5p3 accept --notify all
  calmcp event respond xebia.fwjcgmc5p3 decline --scope this --notify all --comment "On leave"
${EXITS}
More: calmcp help writing`,
    )
    .action((id: string, response: string, _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals() as Options;
        if (options.notify === undefined)
          throw new CalmcpError('INPUT_INVALID', 'is the organizer to be told?', {
            hint: 'say so: --notify all, or --notify none',
          });
        const input = { id, response, ...fieldsOf(options) };
        return write(shell, options, { operation: respondToEvent, input, asksFirst: false });
      }),
    );
}

export const addEvent: AddCommand = (program, shell, run) => {
  const event = program
    .command('event')
    .summary('one event: get, create, update, delete, respond')
    .description('Shows, creates and changes single events.')
    .addHelpText(
      'after',
      `
Examples:
  calmcp event get xebia.fwjcgmc5p3
  calmcp event create "Lunch" --account home --start "tomorrow 12:30"
  calmcp event delete home.fwjcgmc5p3`,
    );
  for (const add of [addGet, addCreate, addUpdate, addDelete, addRespond]) add(event, shell, run);
};
