import { Option } from 'commander';
import type { Ranking } from '../../core/slots.ts';
import { type AddQuestion, ask } from '../command.ts';
import { addRangeOptions, parseCount, parseMinutes, rangeInputOf, splitList } from '../range-options.ts';

const question = {
  name: 'find_free_time',
  load: async () => (await import('../alone.ts')).findFreeTime,
};

/** RANKINGS of core/slots.ts, which loads much. */
const RANKINGS: Readonly<Record<Ranking, true>> = { earliest: true, spread: true, compact: true };
const TREATMENTS = ['busy', 'soft', 'free'];

interface Options {
  readonly duration: string;
  readonly hours?: string;
  readonly days?: string;
  readonly buffer?: string;
  readonly bufferBefore?: string;
  readonly bufferAfter?: string;
  readonly notice?: string;
  readonly grid?: string;
  readonly tentative?: string;
  readonly focusTime?: string;
  readonly workingElsewhere?: string;
  readonly ignoreAllDay?: true;
  readonly rank?: string;
  readonly limit?: string;
  readonly limitPerDay?: string;
  readonly people?: string;
  readonly via?: string;
}

/** Options as the operation takes them. @throws CalmcpError INPUT_INVALID */
function inputOf(options: Options): Record<string, unknown> {
  const minutes = (text: string | undefined, option: string): number | undefined =>
    text === undefined ? undefined : parseMinutes(text, option);
  const count = (text: string | undefined, option: string): number | undefined =>
    text === undefined ? undefined : parseCount(text, option);
  const buffer = (text: string | undefined, option: string): number | undefined =>
    minutes(text, option) ?? minutes(options.buffer, '--buffer');
  const input = {
    durationMinutes: parseMinutes(options.duration, '--duration'),
    hours: options.hours,
    days: options.days === undefined ? undefined : splitList(options.days.toLowerCase()),
    bufferBefore: buffer(options.bufferBefore, '--buffer-before'),
    bufferAfter: buffer(options.bufferAfter, '--buffer-after'),
    noticeMinutes: minutes(options.notice, '--notice'),
    gridMinutes: minutes(options.grid, '--grid'),
    tentativeAs: options.tentative,
    focusTimeAs: options.focusTime,
    workingElsewhereAs: options.workingElsewhere,
    ignoreAllDay: options.ignoreAllDay,
    rank: options.rank,
    limit: count(options.limit, '--limit'),
    limitPerDay: count(options.limitPerDay, '--limit-per-day'),
    people: options.people === undefined ? undefined : splitList(options.people),
    via: options.via,
  };
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

export const addFindTime: AddQuestion = (program, shell, run) => {
  addRangeOptions(program.command('find-time'), 'the next 7 days')
    .summary('free slots across all accounts')
    .description(
      'Proposes free slots of one length, within the working hours of all accounts, best first. A slot that touches an ' +
        'account that could not be read is printed as not verified.',
    )
    .requiredOption('-d, --duration <time>', 'length of a slot: 45m, 1h, 1h30m')
    .option(
      '--hours <from-to>',
      '"08:00-20:00" or "any", instead of those of accounts.yaml; on the clock of each account',
    )
    .option('--days <days>', 'mon,tue,… instead of the working days of accounts.yaml')
    .option('--buffer <time>', 'time to keep free before and after each meeting')
    .option('--buffer-before <time>', 'the same, before only')
    .option('--buffer-after <time>', 'the same, after only')
    .option('--notice <time>', 'no sooner than so long from now: 2h, 1d')
    .option('--grid <time>', 'slots start at multiples of it; default: 15m')
    .addOption(
      new Option('--tentative <as>', 'what tentative time is; soft: used last; default: soft').choices(TREATMENTS),
    )
    .addOption(new Option('--focus-time <as>', 'what focus time is; default: busy').choices(TREATMENTS))
    .addOption(new Option('--working-elsewhere <as>', 'what working elsewhere is; default: free').choices(TREATMENTS))
    .option('--ignore-all-day', 'all-day events do not count; days out of office are used last')
    .addOption(
      new Option('--rank <way>', 'earliest (default), spread over days, or compact beside other meetings').choices([
        ...Object.keys(RANKINGS),
      ]),
    )
    .option('--limit <number>', 'most slots, at most 100; default: 5')
    .option('--limit-per-day <number>', 'most slots on one day')
    .option('--people <addresses>', 'other people who must be free, by e-mail address, separated by commas')
    .option('--via <account>', 'the account that people are asked through')
    .addHelpText(
      'after',
      `
Examples:
  calmcp find-time this week --duration 45m
  calmcp find-time next 10 days -d 1h --rank spread --limit 3 --notice 1d
  calmcp find-time tomorrow -d 30m --buffer 10m --hours 08:00-20:00 --audience marimer
  calmcp find-time next week -d 1h --people architect@xebia.example --via xebia

Exit status 0: complete; 3: printed, but somebody's time could not be read.
More: calmcp help ranges`,
    )
    .action((words: string[], _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals();
        const input = { ...rangeInputOf(words, options), ...inputOf(options) };
        return ask(shell, options, question, input, async (result, screen) => {
          const { renderFreeTime } = await import('../renderers.ts');
          return renderFreeTime(result, screen);
        });
      }),
    );
};
