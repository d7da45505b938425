/** What every answer of the soak is held against. Each function returns what is wrong, in words; nothing is right by default. */
import type { Incident } from './soak-chaos.ts';
import {
  type Asked,
  datesAfter,
  type Entry,
  isThroughout,
  isWithin,
  type Ledger,
  midnight,
  type Range,
  type Span,
  sameSpan,
  standing,
  type Version,
} from './soak-ledger.ts';
import { ACCOUNTS, PRIVATE_BIRD, type SoakAccount, SPARE } from './soak-world.ts';

export interface Question {
  readonly tool: string;
  readonly range: Range;
  /** `undefined`: all. */
  readonly accounts: readonly string[] | undefined;
  readonly audience: string | undefined;
  readonly query: string | undefined;
  /** Seconds; `undefined`: as ever. */
  readonly maxAge: number | undefined;
  readonly isFull: boolean;
}

interface Coverage {
  readonly account: string;
  readonly status: string;
  readonly asOf?: string;
  readonly message?: string;
}

export interface Item {
  readonly id?: string;
  readonly title?: string | null;
  readonly start: string;
  readonly end: string;
  readonly allDay?: true;
  readonly busy?: string;
  readonly accounts?: readonly string[];
}

/** One or more parts of an answer. */
export interface Answer {
  readonly asked: number;
  readonly answered: number;
  readonly structured: Readonly<Record<string, unknown>>;
  readonly text: string | undefined;
}

const KNOWN = ['ok', 'stale', 'partial', 'needs-login', 'unavailable', 'rate-limited'];
const OTHERS = 'other accounts';
/** Seconds that an answer may be old, unless it was asked otherwise. */
const USUAL_AGE = 60;
const STALE_AGE = 600;
/** `asOf` is cut to whole seconds. */
const SECOND = 1_000;

export const isTold = (status: string | undefined): boolean => status === 'ok' || status === 'stale';

const coverageOf = ({ structured }: Answer): readonly Coverage[] => (structured.accounts ?? []) as readonly Coverage[];

/** Compact answers give an end on the day of the start as a time of day. */
export function spanOfItem({ start, end, allDay }: Item): Span {
  if (allDay) return { kind: 'days', start, end };
  const whole = /^\d\d:\d\d$/.test(end) ? start.replace(/T\d\d:\d\d(?::\d\d)?/, `T${end}`) : end;
  return { kind: 'timed', start: Date.parse(start), end: Date.parse(whole) };
}

const show = (span: Span): string =>
  span.kind === 'days'
    ? `${span.start}..${span.end}`
    : `${new Date(span.start).toISOString()}+${(span.end - span.start) / 60_000}m`;

const clientOf = ({ id, client }: SoakAccount): string => client ?? id;

/** Whom the audience may know by name. */
export const isOwn = (account: SoakAccount, audience: string | undefined): boolean =>
  audience === undefined || clientOf(account) === audience;

/** Words that may be in no answer for an audience. */
export function forbiddenWords(audience: string): string[] {
  return [...ACCOUNTS, SPARE]
    .filter((account) => !isOwn(account, audience))
    .flatMap(({ id, bird, share }) => (share === 'title' ? [id] : [id, bird]))
    .concat(PRIVATE_BIRD);
}

/** What is asked of an account whose status is told, by the account. */
function askedOf(answer: Answer, { account, asOf }: Coverage): Asked {
  const { asked, answered } = answer;
  // Unknown in a compact answer: what others did may be seen or not.
  return { asked, answered, asOf: asOf === undefined ? Number.NEGATIVE_INFINITY : Date.parse(asOf), ...{ account } };
}

/** Every account that was asked is there once, with a status that can be, and is as young as was asked for. */
export function checkCoverage(question: Question, answer: Answer, incidents: readonly Incident[]): string[] {
  const wrong: string[] = [];
  const told = coverageOf(answer);
  const { audience, maxAge, tool } = question;
  const wanted = ACCOUNTS.filter(({ id }) => question.accounts === undefined || question.accounts.includes(id));
  const named = wanted.filter((account) => isOwn(account, audience)).map(({ id }) => id);
  const hasOthers = wanted.some((account) => !isOwn(account, audience) && account.share !== 'none');
  const expected = [...named, ...(hasOthers ? [OTHERS] : [])];
  const seen = told.map(({ account }) => account).filter((id) => id !== SPARE.id);
  if (seen.join() !== expected.join()) wrong.push(`accounts ${seen.join()} instead of ${expected.join()}`);
  if (told.filter(({ account }) => account === SPARE.id).length > 1) wrong.push('the spare account is there twice');
  const isComplete = told.every(({ status }) => isTold(status));
  if (answer.structured.complete !== isComplete)
    wrong.push(`complete: ${String(answer.structured.complete)}, and ${isComplete}`);
  if (answer.text !== undefined && !isComplete && !/INCOMPLETE/.test(answer.text))
    wrong.push('the text does not say INCOMPLETE');
  for (const { account, status, asOf, message } of told) {
    if (!KNOWN.includes(status)) wrong.push(`${account} is ${status}: ${message}`);
    // A memory account is asked of nobody.
    if (account === 'rowan' && status !== 'ok') wrong.push(`${account} is ${status}: ${message}`);
    if (/something in calmcp went wrong/.test(message ?? '')) wrong.push(`${account}: ${message}`);
    const wasRevoked = incidents.some(
      (one) =>
        one.kind === 'revoked' &&
        (one.account === account || account === OTHERS) &&
        one.from <= answer.answered &&
        // Somebody who asked before may be told so a moment later.
        one.until + 5_000 >= answer.asked,
    );
    if (status === 'needs-login' && !wasRevoked) wrong.push(`${account} needs a sign-in that it has: ${message}`);
    if (!isTold(status) || asOf === undefined) continue;
    const age = answer.asked - Date.parse(asOf) - SECOND;
    const isStaleAllowed = tool === 'list_events' && maxAge === undefined;
    if (status === 'stale' && !isStaleAllowed) wrong.push(`${account} is stale where that was not asked for`);
    const most = status === 'stale' ? STALE_AGE : tool === 'find_free_time' ? 0 : (maxAge ?? USUAL_AGE);
    if (age > most * SECOND)
      wrong.push(`${account} is ${status} and ${(age / SECOND).toFixed(1)} s old, of ${most} at most`);
    if (Date.parse(asOf) > answer.answered) wrong.push(`${account} is of the time to come`);
  }
  return wrong;
}

/** What an audience may not be told, in whatever part of an answer. */
export function checkDisclosure(audience: string | undefined, said: string): string[] {
  if (audience === undefined) return [];
  return forbiddenWords(audience)
    .filter((word) => said.includes(word))
    .map((word) => `an answer for ${audience} holds ${word}`);
}

const itemsOf = (answers: readonly Answer[]): Item[] =>
  answers.flatMap(({ structured }) => (structured.events ?? []) as readonly Item[]);

const ofAccount = (items: readonly Item[], account: string): Item[] =>
  items.filter(({ id }) => id?.startsWith(`${account}.`) === true);

/** All parts together: the oldest of what was told, from the first question to the last answer. */
function overall(
  answers: readonly Answer[],
  account: string,
): { readonly status: string; readonly when: Asked } | undefined {
  const told = answers.flatMap((answer) =>
    coverageOf(answer)
      .filter((each) => each.account === account)
      .map((each) => ({ ...each, ...askedOf(answer, each) })),
  );
  const [first] = told;
  if (first === undefined || told.length < answers.length) return undefined;
  const worst = told.find(({ status }) => !isTold(status)) ?? first;
  return {
    status: worst.status,
    when: {
      asked: Math.min(...told.map(({ asked }) => asked)),
      answered: Math.max(...told.map(({ answered }) => answered)),
      asOf: Math.min(...told.map(({ asOf }) => asOf)),
    },
  };
}

const fits = ({ query }: Question, { title }: Version): boolean =>
  query === undefined || title.toLowerCase().includes(query.toLowerCase());

/** Lists of events: exactly what is true, of every account that is told to have been read. */
export function checkEvents(question: Question, answers: readonly Answer[], ledger: Ledger): string[] {
  const wrong: string[] = [];
  const { range, audience } = question;
  const items = itemsOf(answers);
  for (const account of [...ACCOUNTS, SPARE].filter((each) => isOwn(each, audience))) {
    // What is private has no reference for an audience, and only its own account is known to have one.
    const hasPrivate = ledger.of(account.id).some(({ versions }) => versions.some(({ isPrivate }) => isPrivate));
    const masked = items.filter(({ id, title }) => hasPrivate && id === undefined && title === 'Private');
    const told = [...ofAccount(items, account.id), ...masked].map((item) => ({
      title: item.title,
      span: spanOfItem(item),
    }));
    const whole = overall(answers, account.id);
    if (whole === undefined) {
      const isCovered = answers.some((answer) => coverageOf(answer).some((each) => each.account === account.id));
      if (told.length > 0 && !isCovered) wrong.push(`${account.id} was not asked, and told`);
      continue;
    }
    const { status, when } = whole;
    if (!isTold(status) && status !== 'partial' && told.length > 0 && answers.length === 1)
      wrong.push(`${account.id} is ${status}, and ${told.length} of its events are told`);
    const matched = new Set<number>();
    for (const entry of ledger.of(account.id)) {
      let seen = 0;
      for (const versions of alike(entry)) {
        const [version] = versions;
        if (version === undefined || !fits(question, version) || !isWithin(version.span, range)) continue;
        const expectedTitle = version.isPrivate && audience !== undefined ? 'Private' : version.title;
        const found = told.flatMap((one, index) =>
          one.title === expectedTitle && sameSpan(one.span, version.span) ? [index] : [],
        );
        for (const index of found) matched.add(index);
        seen += found.length;
        const is = versions.map((each) => standing(each, when)).reduce(firmest);
        const name = `${version.title} at ${show(version.span)}`;
        if (is === 'gone' && found.length > 0) wrong.push(`${account.id} (${status}): ${name} is told, and is not so`);
        if (is === 'there' && found.length === 0 && isTold(status))
          wrong.push(`${account.id} (${status}): ${name} is missing`);
        if (found.length > 1) wrong.push(`${account.id} (${status}): ${name} is told ${found.length} times`);
      }
      wrong.push(...checkMoved(entry, { question, answers, seen, status, when }));
    }
    for (const [index, { title, span }] of told.entries())
      if (!matched.has(index))
        wrong.push(`${account.id} (${status}): ${title} at ${show(span)} is told, and never was`);
  }
  return wrong;
}

/** Its versions; those that look the same are one: it may have been moved there and back. */
function alike({ versions }: Entry): Version[][] {
  const groups = new Map<string, Version[]>();
  for (const version of versions) {
    const { title, span, isPrivate } = version;
    const look = JSON.stringify([title, span.kind, span.start, span.end, isPrivate]);
    groups.set(look, [...(groups.get(look) ?? []), version]);
  }
  return [...groups.values()];
}

type Standing = ReturnType<typeof standing>;

const firmest = (one: Standing, other: Standing): Standing =>
  one === 'there' || other === 'there' ? 'there' : one === 'gone' ? other : one;

/** An event that is moved meanwhile is at the one place or at the other: a reading is of one moment. */
function checkMoved(
  entry: Entry,
  {
    question,
    answers,
    seen,
    status,
    when,
  }: { question: Question; answers: readonly Answer[]; seen: number; status: string; when: Asked },
): string[] {
  if (!isTold(status) || answers.length > 1 || !isThroughout(entry, when)) return [];
  const possible = entry.versions.filter((version) => standing(version, when) !== 'gone');
  if (!possible.every((version) => fits(question, version) && isWithin(version.span, question.range))) return [];
  const name = possible[0]?.title;
  return seen === 1 ? [] : [`${entry.account} (${status}): ${name} is moved meanwhile, and told ${seen} times`];
}

/** The times of those that an audience may not know are told all the same. */
export function checkOthersTimes(question: Question, answers: readonly Answer[], ledger: Ledger): string[] {
  const { audience, range } = question;
  const whole = overall(answers, OTHERS);
  if (audience === undefined || question.query !== undefined || whole === undefined || !isTold(whole.status)) return [];
  const spans = itemsOf(answers)
    .filter(({ id }) => id === undefined)
    .map(spanOfItem);
  return ACCOUNTS.filter((account) => !isOwn(account, audience) && account.share !== 'none').flatMap(({ id }) =>
    ledger
      .of(id)
      .flatMap(({ versions }) => versions)
      .filter((one) => one.isBusy && isWithin(one.span, range) && standing(one, whole.when) === 'there')
      .filter(({ span }) => !spans.some((told) => sameSpan(told, span)))
      .map(({ title, span }) => `for ${audience}: the time of ${title} (${show(span)}) is missing`),
  );
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

const stretchOf = (text: { readonly start: string; readonly end: string }): Stretch => {
  const span = spanOfItem(text);
  return span.kind === 'timed' ? span : { start: Date.parse(span.start), end: Date.parse(span.end) };
};

/** Whether the stretches cover it without a hole. */
function covers(stretches: readonly Stretch[], { start, end }: Stretch): boolean {
  let to = start;
  for (const one of [...stretches].sort((a, b) => a.start - b.start)) if (one.start <= to && one.end > to) to = one.end;
  return to >= end;
}

const meet = (one: Stretch, other: Stretch): boolean => one.start < other.end && other.start < one.end;

const edgesOf = ({ first, last, zone }: Range): Stretch => ({
  start: midnight(first, zone),
  end: midnight(datesAfter(last, 1), zone),
});

const cut = (one: Stretch, edges: Stretch): Stretch => ({
  start: Math.max(one.start, edges.start),
  end: Math.min(one.end, edges.end),
});

function timesOf(
  ledger: Ledger,
  account: string,
  range: Range,
  when: Asked,
): { readonly sure: Stretch[]; readonly possible: Stretch[] } {
  const edges = edgesOf(range);
  const found = ledger
    .of(account)
    .flatMap(({ versions }) => versions)
    .flatMap((version) => {
      const { span, isBusy } = version;
      if (span.kind !== 'timed' || !isBusy || !isWithin(span, range)) return [];
      return [{ stretch: cut(span, edges), is: standing(version, when) }];
    });
  return {
    sure: found.filter(({ is }) => is === 'there').map(({ stretch }) => stretch),
    possible: found.filter(({ is }) => is !== 'gone').map(({ stretch }) => stretch),
  };
}

type Block = { readonly start: string; readonly end: string; readonly busy: string };

/** Busy where something is, free nowhere that is taken or not known. */
export function checkFreeBusy(question: Question, answer: Answer, ledger: Ledger): string[] {
  const wrong: string[] = [];
  const { range, audience } = question;
  const { free, perAccount, blocks } = answer.structured as {
    free: readonly Block[];
    blocks: readonly Block[];
    perAccount?: readonly { readonly account: string; readonly blocks: readonly Block[] }[];
  };
  const freeTimes = free.map(stretchOf);
  const taken = blocks.map(stretchOf);
  if (answer.structured.complete !== true && free.length > 0) wrong.push('it is not complete, and time is called free');
  for (const coverage of coverageOf(answer)) {
    const { account, status } = coverage;
    const own = perAccount?.find((each) => each.account === account)?.blocks;
    if (account === OTHERS) continue;
    if (question.isFull && own === undefined) wrong.push(`perAccount lacks ${account}`);
    if (!isTold(status)) {
      if (own !== undefined && !covers(own.map(stretchOf), edgesOf(range)))
        wrong.push(`${account} is ${status}, and a part of its time is not unknown`);
      if (!covers(taken, edgesOf(range)))
        wrong.push(`${account} is ${status}, and not all of the time is taken or unknown`);
      continue;
    }
    const { sure, possible } = timesOf(ledger, account, range, askedOf(answer, coverage));
    for (const one of sure) {
      if (freeTimes.some((each) => meet(each, one)))
        wrong.push(`${account} (${status}): free at ${new Date(one.start).toISOString()}, which is taken`);
      if (!covers(taken, one))
        wrong.push(`${account} (${status}): ${new Date(one.start).toISOString()} is not told as taken`);
      if (own !== undefined && !covers(own.map(stretchOf), one))
        wrong.push(`${account} (${status}): ${new Date(one.start).toISOString()} is not told as its own`);
    }
    for (const one of own ?? [])
      if (!covers(possible, stretchOf(one)))
        wrong.push(`${account} (${status}): ${one.busy} at ${one.start}..${one.end}, where nothing is`);
  }
  // Those that may not be named take their time as well.
  const others = coverageOf(answer).find(({ account }) => account === OTHERS);
  if (audience !== undefined && others !== undefined && isTold(others.status))
    for (const { id } of ACCOUNTS.filter((each) => !isOwn(each, audience) && each.share !== 'none'))
      for (const one of timesOf(ledger, id, range, askedOf(answer, others)).sure)
        if (!covers(taken, one))
          wrong.push(`for ${audience}: the time of ${id} at ${new Date(one.start).toISOString()} is not told as taken`);
  return wrong;
}

/** No slot over what is taken; none that is called free where an account is not known. */
export function checkSlots(question: Question, answer: Answer, ledger: Ledger): string[] {
  const wrong: string[] = [];
  const slots = answer.structured.slots as readonly { start: string; end: string; unverified?: readonly string[] }[];
  for (const coverage of coverageOf(answer)) {
    const { account, status } = coverage;
    if (!isTold(status)) {
      if (slots.some(({ unverified = [] }) => !unverified.includes(account)))
        wrong.push(`${account} is ${status}, and a slot is not called unverified for it`);
      continue;
    }
    if (account === OTHERS) continue;
    const { sure } = timesOf(ledger, account, question.range, askedOf(answer, coverage));
    for (const slot of slots)
      if (sure.some((one) => meet(one, stretchOf(slot))))
        wrong.push(`${account} (${status}): the slot at ${slot.start} is taken`);
  }
  return wrong;
}

/** Every pair of meetings of two accounts that are there at one time is told. */
export function checkConflicts(question: Question, answer: Answer, ledger: Ledger): string[] {
  const wrong: string[] = [];
  const { conflicts, count, nextCursor } = answer.structured as {
    conflicts: readonly { readonly events: readonly (string | null)[] }[];
    count?: number;
    nextCursor?: string;
  };
  const items = itemsOf([answer]);
  const titles = new Map(items.map(({ id, title }) => [id, title]));
  const pairs = new Set(
    conflicts.map(({ events }) =>
      events
        .map((id) => titles.get(id ?? ''))
        .sort()
        .join('|'),
    ),
  );
  const sure = coverageOf(answer).flatMap((coverage) => {
    if (!isTold(coverage.status)) return [];
    return ledger
      .of(coverage.account)
      .flatMap(({ versions }) => versions)
      .filter(
        (one) =>
          one.isBusy && isWithin(one.span, question.range) && standing(one, askedOf(answer, coverage)) === 'there',
      );
  });
  if (count === undefined && nextCursor === undefined)
    for (const [index, one] of sure.entries())
      for (const other of sure.slice(index + 1)) {
        if (one.account === other.account || one.span.kind !== 'timed' || other.span.kind !== 'timed') continue;
        const both = { start: Math.max(one.span.start, other.span.start), end: Math.min(one.span.end, other.span.end) };
        if (both.start >= both.end || !meet(both, edgesOf(question.range))) continue;
        if (!pairs.has([one.title, other.title].sort().join('|')))
          wrong.push(`${one.title} and ${other.title} are no conflict`);
      }
  // What is shown of them is true, or was a moment ago.
  for (const coverage of coverageOf(answer)) {
    const when = askedOf(answer, coverage);
    for (const item of ofAccount(items, coverage.account)) {
      const is = ledger
        .of(coverage.account)
        .flatMap(({ versions }) => versions)
        .filter(({ title, span }) => title === item.title && sameSpan(span, spanOfItem(item)))
        .map((version) => standing(version, when));
      if (!is.some((each) => each !== 'gone'))
        wrong.push(`${coverage.account}: ${item.title} at ${item.start} is told as a conflict, and is not so`);
    }
  }
  return wrong;
}
