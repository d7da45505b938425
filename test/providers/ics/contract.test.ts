import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNT, providerContract, SERIES, STORY, ZONE } from '../../contract/provider-contract.ts';
import { openTestApp, temporaryFolder } from '../../harness.ts';

const stamp = (local: string): string => `${local.replaceAll(/[-:]/g, '')}${local.includes('T') ? '00' : ''}`;
const time = (name: string, local: string): string =>
  local.includes('T') ? `${name};TZID=${ZONE}:${stamp(local)}` : `${name};VALUE=DATE:${stamp(local)}`;

function storyCalendar(): string {
  const vevent = (uid: string, lines: readonly string[]): string[] => [
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20261101T000000Z',
    ...lines,
    'END:VEVENT',
  ];
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//calmcp//contract//EN',
    ...STORY.flatMap(({ title, start, end }, index) =>
      vevent(`single-${index}@contract.example`, [`SUMMARY:${title}`, time('DTSTART', start), time('DTEND', end)]),
    ),
    ...vevent('series@contract.example', [
      `SUMMARY:${SERIES.title}`,
      time('DTSTART', SERIES.start),
      time('DTEND', SERIES.end),
      `RRULE:FREQ=WEEKLY;COUNT=${SERIES.count}`,
      time('EXDATE', SERIES.cancelled),
    ]),
    ...vevent('series@contract.example', [
      `SUMMARY:${SERIES.title}`,
      time('RECURRENCE-ID', SERIES.moved.from),
      time('DTSTART', SERIES.moved.to),
      time('DTEND', SERIES.moved.end),
    ]),
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

providerContract('ics', {
  async open() {
    const folder = await temporaryFolder();
    const file = join(folder, 'story.ics');
    await writeFile(file, storyCalendar());
    const { app } = await openTestApp(`version: 1\naccounts:\n  ${ACCOUNT}: { provider: ics, path: ./story.ics }\n`, {
      folder,
    });
    return { provider: await app.account(ACCOUNT).open(), breakDown: () => rm(file) };
  },
});
