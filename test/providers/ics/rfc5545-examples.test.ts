/** Every example of RFC 5545 3.8.5.3, with the dates that the RFC lists for it. */
import { describe, expect, test } from 'vitest';
import { calendar, days, event, readText } from './harness.ts';

interface Example {
  readonly title: string;
  readonly start?: string;
  readonly rules: readonly string[];
  readonly more?: readonly string[];
  /** Month and days by year, at 09:00; or times as they are. Ends where the RFC ends its list. */
  readonly expected: Readonly<Record<string, Readonly<Record<string, string>>>> | readonly string[];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function listed(expected: Example['expected']): string[] {
  if (Array.isArray(expected)) return [...expected];
  const two = (value: number): string => String(value).padStart(2, '0');
  return Object.entries(expected).flatMap(([year, months]) =>
    Object.entries(months as Readonly<Record<string, string>>).flatMap(([month, text]) =>
      text.split(',').flatMap((part) => {
        const [from = 0, to = from] = part.split('-').map(Number);
        const list = Array.from({ length: to - from + 1 }, (_, index) => from + index);
        return list.map((day) => `${year}-${two(MONTHS.indexOf(month) + 1)}-${two(day)}T09:00`);
      }),
    ),
  );
}

const january = Object.fromEntries([1998, 1999, 2000].map((year) => [year, { Jan: '1-31' }]));
const june10 = Object.fromEntries([1997, 1998, 1999, 2000, 2001].map((year) => [year, { Jun: '10', Jul: '10' }]));
const early = Object.fromEntries([1999, 2001, 2003].map((year) => [year, { Jan: '10', Feb: '10', Mar: '10' }]));
const everyTwentyMinutes = ['02', '03'].flatMap((day) =>
  [9, 10, 11, 12, 13, 14, 15, 16].flatMap((hour) =>
    ['00', '20', '40'].map((minute) => `1997-09-${day}T${String(hour).padStart(2, '0')}:${minute}`),
  ),
);

const EXAMPLES: readonly Example[] = [
  { title: 'daily for 10 occurrences', rules: ['FREQ=DAILY;COUNT=10'], expected: { 1997: { Sep: '2-11' } } },
  {
    title: 'daily until December 24, 1997',
    rules: ['FREQ=DAILY;UNTIL=19971224T000000Z'],
    expected: { 1997: { Sep: '2-30', Oct: '1-31', Nov: '1-30', Dec: '1-23' } },
  },
  {
    title: 'every other day, forever',
    rules: ['FREQ=DAILY;INTERVAL=2'],
    expected: {
      1997: {
        Sep: '2,4,6,8,10,12,14,16,18,20,22,24,26,28,30',
        Oct: '2,4,6,8,10,12,14,16,18,20,22,24,26,28,30',
        Nov: '1,3,5,7,9,11,13,15,17,19,21,23,25,27,29',
        Dec: '1,3',
      },
    },
  },
  {
    title: 'every 10 days, 5 occurrences',
    rules: ['FREQ=DAILY;INTERVAL=10;COUNT=5'],
    expected: { 1997: { Sep: '2,12,22', Oct: '2,12' } },
  },
  {
    title: 'every day in January, for 3 years',
    start: '19980101T090000',
    rules: [
      'FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA',
      'FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1',
    ],
    expected: january,
  },
  {
    title: 'weekly for 10 occurrences',
    rules: ['FREQ=WEEKLY;COUNT=10'],
    expected: { 1997: { Sep: '2,9,16,23,30', Oct: '7,14,21,28', Nov: '4' } },
  },
  {
    title: 'weekly until December 24, 1997',
    rules: ['FREQ=WEEKLY;UNTIL=19971224T000000Z'],
    expected: { 1997: { Sep: '2,9,16,23,30', Oct: '7,14,21,28', Nov: '4,11,18,25', Dec: '2,9,16,23' } },
  },
  {
    title: 'every other week, forever',
    rules: ['FREQ=WEEKLY;INTERVAL=2;WKST=SU'],
    expected: {
      1997: { Sep: '2,16,30', Oct: '14,28', Nov: '11,25', Dec: '9,23' },
      1998: { Jan: '6,20', Feb: '3,17' },
    },
  },
  {
    title: 'weekly on Tuesday and Thursday for five weeks',
    rules: ['FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH', 'FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH'],
    expected: { 1997: { Sep: '2,4,9,11,16,18,23,25,30', Oct: '2' } },
  },
  {
    title: 'every other week on Monday, Wednesday and Friday until December 24, 1997',
    start: '19970901T090000',
    rules: ['FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR'],
    expected: {
      1997: { Sep: '1,3,5,15,17,19,29', Oct: '1,3,13,15,17,27,29,31', Nov: '10,12,14,24,26,28', Dec: '8,10,12,22' },
    },
  },
  {
    title: 'every other week on Tuesday and Thursday, for 8 occurrences',
    rules: ['FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH'],
    expected: { 1997: { Sep: '2,4,16,18,30', Oct: '2,14,16' } },
  },
  {
    title: 'monthly on the first Friday for 10 occurrences',
    start: '19970905T090000',
    rules: ['FREQ=MONTHLY;COUNT=10;BYDAY=1FR'],
    expected: {
      1997: { Sep: '5', Oct: '3', Nov: '7', Dec: '5' },
      1998: { Jan: '2', Feb: '6', Mar: '6', Apr: '3', May: '1', Jun: '5' },
    },
  },
  {
    title: 'monthly on the first Friday until December 24, 1997',
    start: '19970905T090000',
    rules: ['FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR'],
    expected: { 1997: { Sep: '5', Oct: '3', Nov: '7', Dec: '5' } },
  },
  {
    title: 'every other month on the first and last Sunday for 10 occurrences',
    start: '19970907T090000',
    rules: ['FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU'],
    expected: { 1997: { Sep: '7,28', Nov: '2,30' }, 1998: { Jan: '4,25', Mar: '1,29', May: '3,31' } },
  },
  {
    title: 'monthly on the second-to-last Monday for 6 months',
    start: '19970922T090000',
    rules: ['FREQ=MONTHLY;COUNT=6;BYDAY=-2MO'],
    expected: { 1997: { Sep: '22', Oct: '20', Nov: '17', Dec: '22' }, 1998: { Jan: '19', Feb: '16' } },
  },
  {
    title: 'monthly on the third-to-the-last day, forever',
    start: '19970928T090000',
    rules: ['FREQ=MONTHLY;BYMONTHDAY=-3'],
    expected: { 1997: { Sep: '28', Oct: '29', Nov: '28', Dec: '29' }, 1998: { Jan: '29', Feb: '26' } },
  },
  {
    title: 'monthly on the 2nd and 15th for 10 occurrences',
    rules: ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15'],
    expected: { 1997: { Sep: '2,15', Oct: '2,15', Nov: '2,15', Dec: '2,15' }, 1998: { Jan: '2,15' } },
  },
  {
    title: 'monthly on the first and last day for 10 occurrences',
    start: '19970930T090000',
    rules: ['FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1'],
    expected: { 1997: { Sep: '30', Oct: '1,31', Nov: '1,30', Dec: '1,31' }, 1998: { Jan: '1,31', Feb: '1' } },
  },
  {
    title: 'every 18 months on the 10th thru 15th for 10 occurrences',
    start: '19970910T090000',
    rules: ['FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15'],
    expected: { 1997: { Sep: '10-15' }, 1999: { Mar: '10-13' } },
  },
  {
    title: 'every Tuesday, every other month',
    rules: ['FREQ=MONTHLY;INTERVAL=2;BYDAY=TU'],
    expected: { 1997: { Sep: '2,9,16,23,30', Nov: '4,11,18,25' }, 1998: { Jan: '6,13,20,27', Mar: '3,10,17,24,31' } },
  },
  {
    title: 'yearly in June and July for 10 occurrences',
    start: '19970610T090000',
    rules: ['FREQ=YEARLY;COUNT=10;BYMONTH=6,7'],
    expected: june10,
  },
  {
    title: 'every other year in January, February and March for 10 occurrences',
    start: '19970310T090000',
    rules: ['FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3'],
    expected: { 1997: { Mar: '10' }, ...early },
  },
  {
    title: 'every third year on the 1st, 100th and 200th day for 10 occurrences',
    start: '19970101T090000',
    rules: ['FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200'],
    expected: {
      1997: { Jan: '1', Apr: '10', Jul: '19' },
      2000: { Jan: '1', Apr: '9', Jul: '18' },
      2003: { Jan: '1', Apr: '10', Jul: '19' },
      2006: { Jan: '1' },
    },
  },
  {
    title: 'every 20th Monday of the year, forever',
    start: '19970519T090000',
    rules: ['FREQ=YEARLY;BYDAY=20MO'],
    expected: { 1997: { May: '19' }, 1998: { May: '18' }, 1999: { May: '17' } },
  },
  {
    title: 'Monday of week number 20, forever',
    start: '19970512T090000',
    rules: ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO'],
    expected: { 1997: { May: '12' }, 1998: { May: '11' }, 1999: { May: '17' } },
  },
  {
    title: 'every Thursday in March, forever',
    start: '19970313T090000',
    rules: ['FREQ=YEARLY;BYMONTH=3;BYDAY=TH'],
    expected: { 1997: { Mar: '13,20,27' }, 1998: { Mar: '5,12,19,26' }, 1999: { Mar: '4,11,18,25' } },
  },
  {
    title: 'every Thursday, but only in June, July and August, forever',
    start: '19970605T090000',
    rules: ['FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8'],
    expected: {
      1997: { Jun: '5,12,19,26', Jul: '3,10,17,24,31', Aug: '7,14,21,28' },
      1998: { Jun: '4,11,18,25', Jul: '2,9,16,23,30', Aug: '6,13,20,27' },
      1999: { Jun: '3,10,17,24', Jul: '1,8,15,22,29', Aug: '5,12,19,26' },
    },
  },
  {
    title: 'every Friday the 13th, forever',
    rules: ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13'],
    more: ['EXDATE;TZID=America/New_York:19970902T090000'],
    expected: { 1998: { Feb: '13', Mar: '13', Nov: '13' }, 1999: { Aug: '13' }, 2000: { Oct: '13' } },
  },
  {
    title: 'the first Saturday that follows the first Sunday of the month, forever',
    start: '19970913T090000',
    rules: ['FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13'],
    expected: {
      1997: { Sep: '13', Oct: '11', Nov: '8', Dec: '13' },
      1998: { Jan: '10', Feb: '7', Mar: '7', Apr: '11', May: '9', Jun: '13' },
    },
  },
  {
    title: 'every 4 years, the first Tuesday after a Monday in November',
    start: '19961105T090000',
    rules: ['FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8'],
    expected: { 1996: { Nov: '5' }, 2000: { Nov: '7' }, 2004: { Nov: '2' } },
  },
  {
    title: 'the third instance into the month of one of Tuesday, Wednesday or Thursday, for 3 months',
    start: '19970904T090000',
    rules: ['FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3'],
    expected: { 1997: { Sep: '4', Oct: '7', Nov: '6' } },
  },
  {
    title: 'the second-to-last weekday of the month',
    start: '19970929T090000',
    rules: ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2'],
    expected: { 1997: { Sep: '29', Oct: '30', Nov: '27', Dec: '30' }, 1998: { Jan: '29', Feb: '26', Mar: '30' } },
  },
  {
    // The RFC writes UNTIL=19970902T170000Z, which is 13:00 in New York, and lists 15:00: it means 17:00 there.
    title: 'every 3 hours from 9:00 AM to 5:00 PM on a specific day',
    rules: ['FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z'],
    expected: ['1997-09-02T09:00', '1997-09-02T12:00', '1997-09-02T15:00'],
  },
  {
    title: 'every 15 minutes for 6 occurrences',
    rules: ['FREQ=MINUTELY;INTERVAL=15;COUNT=6'],
    expected: ['09:00', '09:15', '09:30', '09:45', '10:00', '10:15'].map((time) => `1997-09-02T${time}`),
  },
  {
    title: 'every hour and a half for 4 occurrences',
    rules: ['FREQ=MINUTELY;INTERVAL=90;COUNT=4'],
    expected: ['09:00', '10:30', '12:00', '13:30'].map((time) => `1997-09-02T${time}`),
  },
  {
    title: 'every 20 minutes from 9:00 AM to 4:40 PM every day',
    rules: [
      'FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40',
      'FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16',
    ],
    expected: everyTwentyMinutes,
  },
  {
    title: 'a week that starts on Monday makes a difference',
    start: '19970805T090000',
    rules: ['FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO'],
    expected: { 1997: { Aug: '5,10,19,24' } },
  },
  {
    title: 'a week that starts on Sunday makes a difference',
    start: '19970805T090000',
    rules: ['FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU'],
    expected: { 1997: { Aug: '5,17,19,31' } },
  },
  {
    title: 'an invalid date (February 30) is ignored',
    start: '20070115T090000',
    rules: ['FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5'],
    expected: { 2007: { Jan: '15,30', Feb: '15', Mar: '15,30' } },
  },
];

/** New York in the years of the RFC: what an instant shows on the wall, by the platform's own zone data. */
const newYork = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/New_York',
  dateStyle: 'short',
  timeStyle: 'short',
});

describe('RFC 5545 3.8.5.3', () => {
  const rows = EXAMPLES.flatMap((example) => example.rules.map((rule) => ({ ...example, rule })));
  test.each(rows)('$title: $rule', async ({ rule, start = '19970902T090000', more = [], expected }) => {
    const wanted = listed(expected);
    const text = calendar(event(`DTSTART;TZID=America/New_York:${start}`, `RRULE:${rule}`, ...more));
    const ends = /COUNT|UNTIL/.test(rule);
    // A year at a time, as a user may ask; a rule without an end is read as far as the RFC lists it.
    const until = ends ? '2010-01-01' : `${wanted.at(-1)?.slice(0, 10)}`;
    const found = new Set<string>();
    for (let year = 1996; year <= Number(until.slice(0, 4)); year++) {
      const end = until.startsWith(String(year)) ? days(until).end : days(`${year + 1}-01-01`).start;
      const read = await readText(text, { ...days(`${year}-01-01`), end });
      expect(read.problems).toBeUndefined();
      for (const { start: time } of read.events)
        if (time.kind === 'timed') found.add(newYork.format(time.epochMs).replace(' ', 'T'));
    }
    expect([...found].sort()).toEqual(wanted);
  });
});
