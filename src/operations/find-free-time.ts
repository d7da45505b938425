import { z } from 'zod';
import type { Account } from '../accounts/registry.ts';
import { type BusyPolicy, busyOf, DEFAULT_POLICY, type Treatment, treatmentOf } from '../core/busy.ts';
import { spanOfCopy } from '../core/busy-blocks.ts';
import { OTHER_ACCOUNTS } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import { type Intervals, meets, NOTHING, union, unionOf } from '../core/intervals.ts';
import { type FoundSlots, findSlots, RANKINGS, type Slot } from '../core/slots.ts';
import { WEEKDAYS, type WorkingHours } from '../core/working-hours.ts';
import { wholeNumber } from './envelope.ts';
import { detailInput, formatSpan } from './event-item.ts';
import { defineOperation } from './operation.ts';
import { type AskedPerson, parsePeople, peopleInput, readPeople } from './people.ts';
import {
  type Answered,
  commonHours,
  parseQuestion,
  questionInput,
  questionOutput,
  readQuestion,
  widened,
} from './question.ts';

const MINUTE = 60_000;
const LONGEST_MINUTES = 1_440;
const MOST = 100;
const HOURS = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d:[0-5]\d|2[0-3]:[0-5]\d|24:00)$/;

const treatment = z.enum(['busy', 'soft', 'free']);
const minutes = wholeNumber(0, LONGEST_MINUTES);

const input = z.strictObject({
  durationMinutes: wholeNumber(1, LONGEST_MINUTES),
  ...questionInput,
  range: questionInput.range.describe('Default next 7 days.'),
  hours: z.string().optional().describe('"08:00-20:00" or "any"; default: working hours.'),
  days: z
    .array(z.enum(WEEKDAYS, { error: `days are ${WEEKDAYS.join(', ')}` }))
    .min(1)
    .optional(),
  bufferBefore: minutes.default(0).describe('Minutes around meetings.'),
  bufferAfter: minutes.default(0),
  noticeMinutes: wholeNumber(0, 525_600).default(0).describe('Earliest, from now.'),
  gridMinutes: wholeNumber(1, LONGEST_MINUTES).default(15),
  tentativeAs: treatment.default(DEFAULT_POLICY.tentativeAs).describe('soft = used last.'),
  focusTimeAs: treatment.default(DEFAULT_POLICY.focusTimeAs),
  workingElsewhereAs: treatment.default(DEFAULT_POLICY.workingElsewhereAs),
  ignoreAllDay: z.boolean().default(false),
  rank: z.enum(RANKINGS).default('earliest'),
  limit: wholeNumber(1, MOST).default(5),
  limitPerDay: wholeNumber(1, MOST).optional(),
  ...peopleInput,
  detail: detailInput,
});

const output = z.object({
  ...questionOutput,
  slots: z
    .array(
      z.object({
        start: z.string(),
        end: z.string().describe('Exclusive; time of day when on the day of start.'),
        reasons: z.array(z.string()).optional(),
        soft: z.literal(true).optional().describe('Over time that is tentative.'),
        unverified: z.array(z.string()).optional().describe('Whose time is unknown: not known to be free.'),
      }),
    )
    .describe('Best first.'),
  emptyReason: z.enum(['outsideHours', 'tooSoon', 'noGap']).optional(),
  explanation: z.string().optional().describe('Why there are none.'),
  people: z
    .array(z.object({ person: z.string(), status: z.enum(['ok', 'unknown']), message: z.string().optional() }))
    .optional(),
});

export type FreeTime = z.output<typeof output>;

type Asked = z.output<typeof input>;

/** Instead of the working hours and days of accounts.yaml. */
type HoursAsked = Pick<Asked, 'hours' | 'days'>;

function hoursOf(account: Account, { hours, days }: HoursAsked): WorkingHours {
  const own = { ...account.workingHours, ...(days === undefined ? {} : { days }) };
  if (hours === undefined) return own;
  if (hours === 'any') return { days: days ?? WEEKDAYS, start: '00:00', end: '24:00' };
  const match = HOURS.exec(hours.trim());
  const [start, end] = hours.trim().split('-');
  if (match === null || start === undefined || end === undefined || start >= end)
    throw new CalmcpError('INPUT_INVALID', `cannot read the hours ${JSON.stringify(hours.slice(0, 40))}`, {
      hint: 'give them as "08:00-20:00" with the end after the start, or "any"',
    });
  return { ...own, start, end };
}

interface Layer {
  readonly time: Intervals;
  /** Whose time it is, and why it is soft. */
  readonly reason: string;
}

/** What is taken, with the buffers around it, and what may be used last. */
interface Taken {
  readonly blocked: Intervals;
  readonly soft: readonly Layer[];
}

const SOFT_REASON: Readonly<Record<string, string>> = {
  tentative: 'tentative',
  busy: 'focus time',
  oof: 'out of office all day',
  workingElsewhere: 'working elsewhere',
};

function takenBy(answered: Answered, people: readonly AskedPerson[], asked: Asked): Taken {
  const { events, clockOf } = answered;
  const policy: BusyPolicy = asked;
  const [before, after] = [asked.bufferBefore * MINUTE, asked.bufferAfter * MINUTE];
  const stretches: { treatment: Treatment; start: number; end: number; reason: string }[] = [];
  for (const merged of events) {
    if (merged.event.status === 'cancelled') continue;
    for (const copy of merged.copies) {
      // A copy that is known to be old is where the meeting is now.
      const { start: place } = merged.staleCopies.includes(copy) ? merged.event : copy;
      const treatment = treatmentOf({ ...copy, start: place }, policy);
      const { start, end } = spanOfCopy(merged, copy, clockOf);
      if (treatment === 'free' || end <= start) continue;
      const isTimed = place.kind === 'timed';
      // Of what may not be shown, no more is said than that it may be used last.
      const kind = copy.disclosed !== undefined ? 'tentative' : copy.type === 'focusTime' ? 'busy' : busyOf(copy);
      const why = SOFT_REASON[kind] ?? 'tentative';
      stretches.push({
        treatment,
        start: isTimed ? start - before : start,
        end: isTimed ? end + after : end,
        reason: copy.account === OTHER_ACCOUNTS ? why : `${why} in ${copy.account}`,
      });
    }
  }
  for (const { person, blocks = [] } of people)
    for (const { start, end, busy } of blocks) {
      const treatment = busy === 'tentative' ? policy.tentativeAs : 'busy';
      if (treatment !== 'free')
        stretches.push({ treatment, start: start - before, end: end + after, reason: `tentative for ${person}` });
    }
  const soft = stretches.filter((stretch) => stretch.treatment === 'soft');
  const reasons = [...new Set(soft.map(({ reason }) => reason))];
  const timeOf = (list: typeof stretches): Intervals =>
    unionOf(
      list.map(({ start }) => start),
      list.map(({ end }) => end),
    );
  return {
    blocked: timeOf(stretches.filter((stretch) => stretch.treatment === 'busy')),
    soft: reasons.map((reason) => ({ reason, time: timeOf(soft.filter((stretch) => stretch.reason === reason)) })),
  };
}

function reasonsOf(slot: Slot, index: number, { soft }: Taken, { rank }: Asked): string[] {
  return [
    ...(index === 0 && rank === 'earliest' && !slot.soft ? ['earliest'] : []),
    ...(slot.follows && slot.precedes
      ? ['fills a gap']
      : slot.follows
        ? ['right after another meeting']
        : slot.precedes
          ? ['right before another meeting']
          : []),
    ...soft.filter(({ time }) => meets(time, slot.start, slot.end)).map(({ reason }) => reason),
  ];
}

const lengthOf = (long: number): string => (long < 60 || long % 60 !== 0 ? `${long} min` : `${long / 60} h`);

function explain({ emptyReason, longestFreeMinutes }: FoundSlots, { durationMinutes, gridMinutes }: Asked): string {
  const wanted = lengthOf(durationMinutes);
  if (emptyReason === 'outsideHours')
    return `no stretch of working hours in this range is ${wanted} long: widen the range, or give hours`;
  if (emptyReason === 'tooSoon') return 'the working hours of this range are over, or too near for the notice wanted';
  if (longestFreeMinutes >= durationMinutes)
    return `the free stretches of ${wanted} do not begin on the grid of ${lengthOf(gridMinutes)}: take a finer grid`;
  return `everything is taken: the longest free stretch is ${lengthOf(longestFreeMinutes)}`;
}

export const findFreeTime = defineOperation({
  name: 'find_free_time',
  title: 'Find free time',
  description:
    'Finds free slots of one length across all accounts, within working hours, best first. ' +
    'A slot with unverified is not known to be free: say so.',
  effect: 'read',
  input,
  output,
  async run(app, asked, asker) {
    const { range, from, to, accounts, timeZone, audience, people, via, detail } = asked;
    if (LONGEST_MINUTES % asked.gridMinutes !== 0)
      throw new CalmcpError('INPUT_INVALID', `a grid of ${asked.gridMinutes} minutes does not divide the day`, {
        hint: 'take 5, 10, 15, 20, 30 or 60',
      });
    const question = parseQuestion(app, { accounts, timeZone, audience, range, from, to }, 'next 7 days');
    const hours = commonHours(question, (account) => hoursOf(account, asked));
    const peopleQuestion = await parsePeople(app, { people, via }, question);
    // Of what ends as the range begins, the buffer is in it.
    const marginMs = Math.max(asked.bufferBefore, asked.bufferAfter) * MINUTE;
    const [answered, others = []] = await Promise.all([
      readQuestion(app, question, asker, { marginMs, detail }),
      peopleQuestion === undefined ? undefined : readPeople(app, peopleQuestion, widened(question, marginMs), asker),
    ]);
    const { clock, head } = answered;
    const taken = takenBy(answered, others, asked);
    const found = findSlots({
      range: question.range,
      notBefore: app.now().epochMilliseconds + asked.noticeMinutes * MINUTE,
      durationMinutes: asked.durationMinutes,
      gridMinutes: asked.gridMinutes,
      clock,
      hours,
      blocked: taken.blocked,
      soft: taken.soft.map(({ time }) => time).reduce(union, NOTHING),
      ranking: asked.rank,
      limit: asked.limit,
      limitPerDay: asked.limitPerDay,
    });
    const unverified = [
      ...answered.unknown,
      ...others.filter(({ blocks }) => blocks === undefined).map(({ person }) => person),
    ];
    return {
      ...head,
      complete: unverified.length === 0,
      slots: found.slots.map((slot, index) => {
        const reasons = reasonsOf(slot, index, taken, asked);
        return {
          ...formatSpan(slot.start, slot.end, clock, detail === 'full'),
          ...(reasons.length === 0 ? {} : { reasons }),
          ...(slot.soft ? { soft: true as const } : {}),
          ...(unverified.length === 0 ? {} : { unverified }),
        };
      }),
      ...(found.emptyReason === undefined
        ? {}
        : { emptyReason: found.emptyReason, explanation: explain(found, asked) }),
      ...(others.length === 0
        ? {}
        : {
            people: others.map(({ person, blocks, message }) => ({
              person,
              status: blocks === undefined ? ('unknown' as const) : ('ok' as const),
              ...(message === undefined ? {} : { message }),
            })),
          }),
    };
  },
});
