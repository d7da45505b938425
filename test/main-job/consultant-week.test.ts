/**
 * What a consultant asks, answered on the sandbox's weeks: golden files that a person has read line by line against
 * src/sandbox/data-mailboxes.ts. `npx vitest run test/main-job/consultant-week --update` writes them anew: read them again.
 */
import { expect, test } from 'vitest';
import { homeGoogleClient } from '../../src/sandbox/index.ts';
import {
  cli,
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

/** Colleagues in New York, whose hours are on New York's clock. */
const NEW_YORK = `accounts:
  newyork:
    provider: memory
    timeZone: America/New_York
    workingHours: { days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00" }
    events:
      - { title: Office move, start: 2026-10-28T09:00, end: 2026-10-28T11:00 }
`;

/** The week of 26 October: Europe's clocks went back on the 25th, America's do on 1 November. */
async function openWeek(weekOf: string, now: string): Promise<(args: string) => Promise<string>> {
  const sandbox = await openSandbox({ weekOf });
  const folder = await temporaryFolder();
  const yaml = joinAccounts(
    microsoftAccounts(sandbox, [XEBIA, MARIMER]),
    googleAccounts(sandbox, [{ id: 'home', ...homeGoogleClient }]),
    NEW_YORK,
  );
  await writeAccounts(folder, yaml);
  const { app } = await openTestApp(yaml, { folder });
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  await googleSignIn(app, sandbox, 'home', 'you@home.example');
  return async (args) => {
    const { status, stdout, stderr } = await cli(folder, args.split(' '), { env: { CALMCP_NOW: now } });
    return `$ calmcp ${args}\n${stdout}${stderr}exit status ${status}\n`;
  };
}

async function transcript(ask: (args: string) => Promise<string>, questions: readonly string[]): Promise<string> {
  const answers: string[] = [];
  for (const question of questions) answers.push(await ask(question));
  return answers.join('\n');
}

test('the week of the demo: agenda, free/busy, proposals, conflicts, and what a client sees of it', async () => {
  const ask = await openWeek('2026-11-23', '2026-11-23T08:00:00Z');
  const own = '--account xebia,marimer,home';
  await expect(
    await transcript(ask, [
      `agenda this week ${own}`,
      `freebusy this week ${own}`,
      `find-time this week --duration 45m --rank spread --limit 3 ${own}`,
      `conflicts this week ${own}`,
      `search aurora ${own}`,
      'agenda this week --audience marimer',
    ]),
  ).toMatchFileSnapshot('__golden__/demo-week.txt');
});

test('three proposals with New York while only Europe has changed its clocks, and a week later', async () => {
  const ask = await openWeek('2026-10-26', '2026-10-26T07:00:00Z');
  const proposals = '--duration 45m --rank spread --limit 3';
  await expect(
    await transcript(ask, [
      `find-time this week ${proposals}`,
      `find-time 2026-11-02..2026-11-06 ${proposals}`,
      `find-time this week ${proposals} --time-zone America/New_York`,
      'freebusy 2026-10-28',
      'freebusy 2026-11-02',
    ]),
  ).toMatchFileSnapshot('__golden__/clock-change.txt');
});
