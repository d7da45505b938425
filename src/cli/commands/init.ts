import { access, chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CalmcpError } from '../../core/errors.ts';
import { writePrivateFile } from '../../io/private-file.ts';
import { clockOf } from '../clock-of.ts';
import type { AddCommand } from '../command.ts';
import { type GlobalOptions, pathsOf } from '../open-app.ts';
import type { Shell } from '../shell.ts';
import { EXAMPLE_ACCOUNTS, STARTER_ACCOUNTS } from '../starter.ts';

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export const addInit: AddCommand = (program, shell, run) => {
  program
    .command('init')
    .summary('write a first accounts.yaml')
    .description('Writes a commented accounts.yaml that reads a folder of .ics files, and says what to do next.')
    .option('--print', 'print the fully commented example instead of writing anything')
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp init\n  calmcp init --config ~/calendars/accounts.yaml\n  calmcp init --print',
    )
    .action((_options: unknown, command) =>
      run(async () => {
        const { print, ...options } = command.optsWithGlobals() as GlobalOptions & { print?: boolean };
        if (print) {
          shell.stdout.write(EXAMPLE_ACCOUNTS.replace('./docs/accounts.schema.json', schemaOf(shell)));
          return 0;
        }
        const { configFile } = pathsOf(shell, options);
        if (await exists(configFile))
          throw new CalmcpError('INPUT_INVALID', `${configFile} is there already and was left as it is`, {
            hint: 'edit it, or give another place with --config',
          });
        const folder = join(dirname(configFile), 'calendars');
        await writePrivateFile(configFile, `# yaml-language-server: $schema=${schemaOf(shell)}\n${STARTER_ACCOUNTS}`);
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const welcome = join(folder, 'welcome.ics');
        if (!(await exists(welcome))) {
          await writeFile(welcome, welcomeCalendar(new Date(clockOf(shell)().epochMilliseconds)), { mode: 0o600 });
          await chmod(welcome, 0o600);
        }
        shell.stdout.write(
          [
            `Wrote ${configFile}`,
            `and   ${welcome}`,
            '',
            'Next:',
            '  calmcp agenda                   your first agenda: what stands in that folder (drop .ics files into it)',
            '  edit accounts.yaml              add your Microsoft 365 accounts: the comments in it say how',
            '  calmcp login --account ID       sign in to each of them',
            '  calmcp install claude-desktop   have Claude Desktop start it (also claude-code, vscode, cursor)',
            '',
          ].join('\n'),
        );
        return 0;
      }),
    );
};

/** What editors complete accounts.yaml with. */
function schemaOf({ packageFolder }: Shell): string {
  return join(packageFolder, 'docs', 'accounts.schema.json');
}

/** One all-day event on the day of `calmcp init`, so that the first agenda has something to show. */
function welcomeCalendar(now: Date): string {
  const day = (offset: number): string =>
    new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate() + offset))
      .toISOString()
      .slice(0, 10)
      .replaceAll('-', '');
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//calmcp//init//EN',
    'X-WR-CALNAME:Welcome',
    'BEGIN:VEVENT',
    'UID:welcome@calmcp.invalid',
    `DTSTAMP:${day(0)}T000000Z`,
    `DTSTART;VALUE=DATE:${day(0)}`,
    `DTEND;VALUE=DATE:${day(1)}`,
    'SUMMARY:calmcp reads this folder: put your .ics files here',
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}
