/** What is asked in the soak, over and over, and who writes: each answer is held against what is true at once. */
import type { Chance } from './soak-chance.ts';
import type { Chaos, Incident } from './soak-chaos.ts';
import { type Asker, type Outcome, sleep } from './soak-clients.ts';
import { type Change, datesAfter, type Entry, type Range, type Span, sameSpan } from './soak-ledger.ts';
import {
  type Answer,
  checkConflicts,
  checkCoverage,
  checkDisclosure,
  checkEvents,
  checkFreeBusy,
  checkOthersTimes,
  checkSlots,
  type Item,
  type Question,
  spanOfItem,
} from './soak-oracles.ts';
import { ACCOUNTS, accountOf, DAYS, type SoakWorld, SPARE } from './soak-world.ts';

/** Answers come within 25 s; the rest is for a machine that has more to do. */
const MOST_MS = 30_000;
/** For the start of a process, on top. */
const COMMAND_MS = 10_000;
const FINISHING_MS = 27_000;
const ZONES = ['Europe/Amsterdam', 'America/New_York', 'Asia/Tokyo', 'Asia/Kolkata', 'UTC'];
const AUDIENCES = ['acme', 'willow'];
const FAILURES = ['UNAVAILABLE', 'RATE_LIMITED', 'AUTH_REQUIRED', 'BAD_RESPONSE'];
/** Events of which references are kept, to be asked for again. */
const MOST_KNOWN = 200;
const MOST_PARTS = 8;

export interface Soak {
  readonly world: SoakWorld;
  readonly chaos: Chaos;
  readonly until: number;
  readonly violation: (what: string) => void;
  readonly count: (what: string) => void;
  /** Everybody who asks, for whoever wants to look in another window. */
  readonly askers: readonly Asker[];
  readonly known: { id: string; title: string; account: string }[];
}

const overlapping = (
  incidents: readonly Incident[],
  kinds: readonly Incident['kind'][],
  from: number,
  until: number,
): boolean => incidents.some((one) => kinds.includes(one.kind) && one.from <= until && one.until >= from);

/** Whoever stands still, or is dead, answers nobody: the time counts from the moment that it does so again. */
function isInTime({ chaos }: Soak, way: Asker['way'], asked: number, answered: number): boolean {
  const since = Math.max(
    asked,
    ...chaos.incidents
      .filter(({ kind, from }) => ['killed', 'stopped', 'finished'].includes(kind) && from <= answered)
      .map(({ until }) => Math.min(until, answered)),
  );
  return answered - since <= MOST_MS + (way === 'command' ? COMMAND_MS : 0);
}

function rangeOf(chance: Chance, { monday }: SoakWorld): Range {
  const first = chance.whole(0, DAYS - 1);
  const last = Math.min(DAYS - 1, first + chance.pick([0, 0, 1, 2, 6, 13]));
  return { first: datesAfter(monday, first), last: datesAfter(monday, last), zone: chance.pick(ZONES) };
}

function questionOf(chance: Chance, { world }: Soak, way: Asker['way']): Question {
  const tool = chance.pick([
    ...Array<string>(6).fill('list_events'),
    ...Array<string>(2).fill('search_events'),
    ...Array<string>(3).fill('get_free_busy'),
    'find_free_time',
    'find_conflicts',
  ]);
  const audience = chance.happens(0.25) ? chance.pick(AUDIENCES) : undefined;
  const some = ACCOUNTS.map(({ id }) => id).filter(() => chance.happens(0.4));
  const range = rangeOf(chance, world);
  const accounts = audience === undefined && some.length > 0 && chance.happens(0.25) ? some : undefined;
  return {
    tool,
    range:
      tool === 'find_free_time'
        ? { ...range, first: datesAfter(world.monday, 7), last: datesAfter(world.monday, 11) }
        : range,
    accounts,
    audience,
    query:
      tool === 'search_events'
        ? chance.pick(['fixed', 'made', 'else', ...ACCOUNTS.map(({ bird }) => bird)])
        : undefined,
    maxAge:
      tool === 'find_free_time' ? undefined : chance.pick([undefined, undefined, undefined, undefined, 0, 10, 60]),
    // Commands always give all.
    isFull: way === 'command' || chance.happens(0.8),
  };
}

function inputOf(
  { tool, range, accounts, audience, query, maxAge, isFull }: Question,
  way: Asker['way'],
): Record<string, unknown> {
  return {
    from: range.first,
    to: range.last,
    timeZone: range.zone,
    ...(accounts === undefined ? {} : { accounts }),
    ...(audience === undefined ? {} : { audience }),
    ...(query === undefined ? {} : { query }),
    ...(maxAge === undefined ? {} : { maxAgeSeconds: maxAge }),
    ...(tool === 'find_free_time' ? { durationMinutes: 30, hours: 'any' } : {}),
    ...(tool === 'find_free_time' ? { limit: 20 } : { limit: 1_000 }),
    ...(way === 'command' ? {} : { detail: isFull ? 'full' : 'compact' }),
  };
}

function describe(asker: Asker, { tool, range, accounts, audience, maxAge, query }: Question): string {
  return `${asker.name} ${tool} ${range.first}..${range.last} ${range.zone}${accounts === undefined ? '' : ` of ${accounts.join()}`}${audience === undefined ? '' : ` for ${audience}`}${query === undefined ? '' : ` "${query}"`}${maxAge === undefined ? '' : ` maxAge ${maxAge}`}`;
}

/** Why there is no answer, where that may not be. */
function checkFailure(
  soak: Soak,
  asker: Asker,
  outcome: Exclude<Outcome, { kind: 'answer' }>,
  asked: number,
  canFail: boolean,
): string[] {
  const { incidents } = soak.chaos;
  const answered = Date.now();
  const during = (...kinds: Incident['kind'][]): boolean => overlapping(incidents, kinds, asked - 1_000, answered);
  if (outcome.kind === 'cancelled') return [];
  if (outcome.kind === 'lost' || outcome.kind === 'refused') {
    // One that finishes answers what is under way, and refuses the rest, for up to 25 s.
    const isFinishing = overlapping(incidents, ['finished'], asked - FINISHING_MS, answered);
    const isExpected = asker.way === 'socket' && (during('killed') || isFinishing);
    return isExpected ? [] : [`${outcome.kind}, though the daemon was there`];
  }
  const { code, text } = outcome;
  if (code === 'CONFIG_INVALID' && during('broken')) return [];
  if (code === 'ACCOUNT_UNKNOWN' && during('broken')) return [];
  if (canFail && FAILURES.includes(code)) return [];
  return [`failed with ${code}: ${text.slice(0, 300)}`];
}

function check(soak: Soak, asker: Asker, question: Question, answers: readonly Answer[]): void {
  const { world, chaos } = soak;
  const wrong: string[] = [];
  for (const answer of answers) {
    wrong.push(...checkCoverage(question, answer, chaos.incidents));
    wrong.push(...checkDisclosure(question.audience, `${JSON.stringify(answer.structured)}${answer.text ?? ''}`));
  }
  const [first] = answers;
  if (first === undefined) return;
  const { tool } = question;
  if (tool === 'list_events' || tool === 'search_events') {
    wrong.push(...checkEvents(question, answers, world.ledger));
    if (tool === 'list_events') wrong.push(...checkOthersTimes(question, answers, world.ledger));
  } else if (tool === 'get_free_busy') wrong.push(...checkFreeBusy(question, first, world.ledger));
  else if (tool === 'find_free_time') wrong.push(...checkSlots(question, first, world.ledger));
  else if (tool === 'find_conflicts') wrong.push(...checkConflicts(question, first, world.ledger));
  for (const each of answers)
    for (const { account, status } of each.structured.accounts as { account: string; status: string }[])
      soak.count(`account ${account === 'other accounts' ? 'others' : 'own'} ${status}`);
  if (wrong.length === 0) return;
  const at = (time: number): string => new Date(time).toISOString().slice(11, 23);
  const when = `${at(first.asked)}..${at(answers.at(-1)?.answered ?? 0)}`;
  const told = JSON.stringify(first.structured.accounts).slice(0, 1_500);
  soak.violation(`${describe(asker, question)} (${when}): ${wrong.slice(0, 4).join('; ')} -- ${told}`);
}

async function askOne(soak: Soak, asker: Asker, chance: Chance): Promise<void> {
  const question = questionOf(chance, soak, asker.way);
  const { tool } = question;
  const input = inputOf(question, asker.way);
  const isInParts = tool === 'list_events' && chance.happens(0.15);
  if (isInParts) input.limit = chance.whole(5, 15);
  const cancelAfterMs = chance.happens(asker.way === 'command' ? 0.03 : 0.06)
    ? chance.between(1, asker.way === 'command' ? 1_500 : 300)
    : undefined;
  const answers: Answer[] = [];
  let next: Record<string, unknown> | undefined = input;
  while (next !== undefined && answers.length < MOST_PARTS) {
    const asked = Date.now();
    const outcome = await asker.ask(tool, next, cancelAfterMs);
    const answered = Date.now();
    soak.count(`${asker.way} ${tool} ${outcome.kind}`);
    if (!isInTime(soak, asker.way, asked, answered))
      soak.violation(`${describe(asker, question)}: took ${answered - asked} ms`);
    if (outcome.kind !== 'answer') {
      const canFail = question.accounts !== undefined && !question.accounts.includes('rowan');
      for (const what of checkFailure(soak, asker, outcome, asked, canFail))
        soak.violation(`${describe(asker, question)}: ${what}`);
      return;
    }
    const { structured, text } = outcome;
    answers.push({ asked, answered, structured, text });
    const { nextCursor } = structured as { nextCursor?: string };
    const detail = asker.way === 'command' ? {} : { detail: question.isFull ? 'full' : 'compact' };
    const maxAge = question.maxAge === undefined ? {} : { maxAgeSeconds: question.maxAge };
    next =
      nextCursor === undefined || tool !== 'list_events'
        ? undefined
        : { cursor: nextCursor, limit: input.limit, ...detail, ...maxAge };
  }
  // What was cut off is not known to be missing.
  if (next !== undefined) return;
  check(soak, asker, question, answers);
  if (question.audience !== undefined) return;
  for (const { id, title } of (answers[0]?.structured.events ?? []) as Item[])
    if (id !== undefined && title && soak.known.length < MOST_KNOWN)
      soak.known.push({ id, title, account: id.split('.')[0] ?? '' });
}

/** The day of an event, asked for as a person does who has just looked there, or written. */
async function lookAt(soak: Soak, asker: Asker, account: string, span: Span): Promise<void> {
  const day = span.kind === 'days' ? span.start : new Date(span.start).toISOString().slice(0, 10);
  const question: Question = {
    tool: 'list_events',
    range: { first: day, last: day, zone: 'UTC' },
    accounts: [account, 'rowan'],
    audience: undefined,
    query: undefined,
    maxAge: undefined,
    isFull: true,
  };
  const asked = Date.now();
  const outcome = await asker.ask('list_events', inputOf(question, asker.way));
  const answered = Date.now();
  soak.count(`${asker.way} look ${outcome.kind}`);
  if (outcome.kind === 'answer')
    check(soak, asker, question, [{ asked, answered, structured: outcome.structured, text: outcome.text }]);
  else
    for (const what of checkFailure(soak, asker, outcome, asked, false))
      soak.violation(`${describe(asker, question)}: ${what}`);
}

/** An event by its reference: it is that one, or an error that does not say that there is none. */
async function askForEvent(soak: Soak, asker: Asker, chance: Chance): Promise<void> {
  if (soak.known.length === 0) return;
  const { id, title, account } = chance.pick(soak.known);
  const asked = Date.now();
  const outcome = await asker.ask('get_event', {
    id,
    timeZone: 'UTC',
    ...(asker.way === 'command' ? {} : { detail: 'full' }),
  });
  const answered = Date.now();
  soak.count(`${asker.way} get_event ${outcome.kind}`);
  const say = (what: string): void => soak.violation(`${asker.name} get_event ${id} (${title}): ${what}`);
  if (!isInTime(soak, asker.way, asked, answered)) say(`took ${answered - asked} ms`);
  const entry = soak.world.ledger.of(account).find(({ versions }) => versions.some((one) => one.title === title));
  const isFixed = entry !== undefined && entry.versions.length === 1 && entry.versions[0]?.to === undefined;
  if (outcome.kind === 'answer') {
    const { event } = outcome.structured as { event: Item };
    const versions = entry?.versions ?? [];
    const isRight = versions.some((one) => one.title === event.title && sameSpan(one.span, spanOfItem(event)));
    if (!isRight && isFixed) say(`is told as ${event.title} at ${event.start}`);
    return;
  }
  // One that has been removed or moved far away since is not found, and its account may be gone.
  if (outcome.kind === 'error' && outcome.code === 'NOT_FOUND' && !isFixed) return;
  if (outcome.kind === 'error' && account === SPARE.id) return;
  for (const what of checkFailure(soak, asker, outcome, asked, account !== 'rowan')) say(what);
}

async function askForAccounts(soak: Soak, asker: Asker): Promise<void> {
  const asked = Date.now();
  const outcome = await asker.ask('list_accounts', {});
  soak.count(`${asker.way} list_accounts ${outcome.kind}`);
  if (outcome.kind !== 'answer') {
    for (const what of checkFailure(soak, asker, outcome, asked, false))
      soak.violation(`${asker.name} list_accounts: ${what}`);
    return;
  }
  const told = (outcome.structured.accounts as { account: string }[])
    .map(({ account }) => account)
    .filter((id) => id !== SPARE.id);
  const expected = ACCOUNTS.map(({ id }) => id);
  if (told.join() !== expected.join()) soak.violation(`${asker.name} list_accounts: ${told.join()}`);
}

/** Asks until the end, several questions at once, with a little rest in between. */
export async function keepAsking(
  soak: Soak,
  asker: Asker,
  chance: Chance,
  lanes: number,
  restMs: readonly [number, number],
): Promise<void> {
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      const own = chance.of(`${asker.name} ${lane}`);
      while (Date.now() < soak.until) {
        await sleep(own.between(...restMs));
        const what = own.between(0, 1);
        if (what < 0.08) await askForEvent(soak, asker, own);
        else if (what < 0.12 && asker.way !== 'command') await askForAccounts(soak, asker);
        else await askOne(soak, asker, own);
      }
    }),
  );
}

/** calmcp says itself that it cannot tell. */
const UNKNOWN = /nobody knows|not there so far|has changed since|gone by now/;

interface Own {
  readonly entry: Entry;
  id: string;
}

/** What came of a change, as calmcp says. */
type Verdict =
  | { readonly is: 'done'; readonly at: number; readonly structured: Readonly<Record<string, unknown>> }
  | { readonly is: 'unknown' | 'not begun' | 'conflict' }
  | { readonly is: 'not done'; readonly why: string };

function verdictOf(outcome: Outcome): Verdict {
  if (outcome.kind === 'refused') return { is: 'not begun' };
  if (outcome.kind === 'lost' || outcome.kind === 'cancelled') return { is: 'unknown' };
  if (outcome.kind === 'answer') {
    const { structured } = outcome;
    return structured.outcome === 'conflict' ? { is: 'conflict' } : { is: 'done', at: Date.now(), structured };
  }
  if (UNKNOWN.test(outcome.text)) return { is: 'unknown' };
  return { is: 'not done', why: `${outcome.code} ${outcome.text.slice(0, 200)}` };
}

/** How often changes were asked for, and were said to be done: what the vendors' log is held against. */
export interface Written {
  updates: number;
  updated: number;
  deletes: number;
  deleted: number;
}

const timeText = (time: number): string => new Date(time).toISOString().slice(0, 16);

/** Creates, moves, renames and deletes events of its own, until the end. */
export async function keepWriting(
  soak: Soak,
  asker: Asker,
  chance: Chance,
  accounts: readonly string[],
  restMs: readonly [number, number],
  written: Written,
): Promise<void> {
  const { world, violation } = soak;
  const { ledger } = world;
  const own: Own[] = [];
  const mark = asker.name.replaceAll(/\W+/g, '');
  let made = 0;

  async function attempt(tool: string, input: Record<string, unknown>): Promise<Verdict> {
    const asked = Date.now();
    const outcome = await asker.ask(tool, {
      ...input,
      timeZone: 'UTC',
      ...(asker.way === 'command' ? {} : { detail: 'full' }),
    });
    soak.count(`${asker.way} ${tool} ${outcome.kind === 'answer' ? outcome.structured.outcome : outcome.kind}`);
    if (!isInTime(soak, asker.way, asked, Date.now()))
      violation(`${asker.name} ${tool}: took ${Date.now() - asked} ms`);
    if (outcome.kind === 'error' || outcome.kind === 'lost' || outcome.kind === 'refused') {
      const isUnknown = outcome.kind === 'error' && UNKNOWN.test(outcome.text);
      for (const what of isUnknown ? [] : checkFailure(soak, asker, outcome, asked, true))
        violation(`${asker.name} ${tool} ${JSON.stringify(input)}: ${what}`);
    }
    return verdictOf(outcome);
  }
  /** In another window: what was seen there a moment ago is not told again once it was changed here. */
  const look = async (account: string, span: Span): Promise<void> => {
    if (chance.happens(0.8))
      await lookAt(soak, chance.pick(soak.askers.filter(({ way }) => way !== 'command')), account, span);
  };
  const forget = (entry: Entry): void =>
    void own.splice(
      own.findIndex((each) => each.entry === entry),
      1,
    );

  /** One that nobody knows of is looked up where it would be. */
  async function settle(
    entry: Entry,
    change: Change,
    isThere: (spans: readonly Span[], title: string) => boolean,
  ): Promise<void> {
    await sleep(2_500);
    const last = entry.versions.at(-1);
    const spans = last === undefined ? undefined : world.held(entry.account, last.title);
    soak.count(`write settled by looking ${spans === undefined ? 'not' : ''}`);
    if (last === undefined || spans === undefined) return forget(entry);
    if (!isThere(spans, last.title)) return ledger.undo(entry, change);
    // Whoever read before, and was not told, sees it when it looks again.
    change.by = 'others';
    change.done = Date.now();
  }

  async function create(): Promise<void> {
    const account = chance.pick(accounts);
    const title = `${accountOf(account).bird} made ${mark} ${++made}`;
    const span = world.spanOf(chance);
    const input = {
      account,
      title,
      start: timeText(span.start),
      end: timeText(span.end),
      ...(chance.happens(0.5) ? { key: `${mark}-${made}` } : {}),
    };
    await look(account, span);
    const change: Change = { begun: Date.now(), done: Number.POSITIVE_INFINITY, by: 'calmcp' };
    const entry = ledger.add({ account, title, span, isBusy: true, isPrivate: false, from: change });
    let wasUnknown = false;
    for (let attempts = 0; attempts < 6; attempts++) {
      const verdict = await attempt('create_event', input);
      if (verdict.is === 'done') {
        change.done = verdict.at;
        const { outcome, event } = verdict.structured as { outcome: string; event: Item };
        if (outcome !== 'created' && !wasUnknown) violation(`${asker.name} ${title}: ${outcome}, and it is new`);
        if (event.title !== title || !sameSpan(spanOfItem(event), span))
          violation(`${asker.name} ${title}: made as ${event.title} ${event.start}`);
        own.push({ entry, id: event.id ?? '' });
        await look(account, span);
        if (chance.happens(0.2)) {
          const again = await attempt('create_event', input);
          // Said to be created as well, where the answer of the first attempt at it was lost: it has to be the same one.
          const { event: same } = (again.is === 'done' ? again.structured : {}) as { event?: Item };
          if (same !== undefined && same.id !== event.id)
            violation(`${asker.name} ${title}: asked for twice, and made twice`);
        }
        return;
      }
      if (verdict.is === 'not done' && !wasUnknown) {
        await sleep(300);
        if ((world.held(account, title) ?? []).length > 0)
          violation(`${asker.name} ${title}: it is there, and was said not to be: ${verdict.why}`);
        return ledger.undo(entry, change);
      }
      wasUnknown ||= verdict.is === 'unknown';
      await sleep(chance.between(700, 1_800));
    }
    soak.count('create that nobody knows of');
  }

  async function update(): Promise<void> {
    const { entry, id } = chance.pick(own);
    const before = entry.versions.at(-1);
    if (before === undefined) return;
    const isMove = chance.happens(0.6);
    const span = isMove ? world.spanOf(chance) : before.span;
    const title = isMove ? before.title : `${before.title.replace(/ again.*/, '')} again ${++made}`;
    if (span.kind !== 'timed') return;
    if (isMove && sameSpan(span, before.span)) return;
    const change: Change = { begun: Date.now(), done: Number.POSITIVE_INFINITY, by: 'calmcp' };
    ledger.change(entry, { title, span }, change);
    written.updates++;
    const verdict = await attempt('update_event', {
      id,
      ...(isMove ? { start: timeText(span.start), end: timeText(span.end) } : { title }),
    });
    const isThere = (spans: readonly Span[]): boolean => spans.some((one) => sameSpan(one, span));
    if (verdict.is === 'done') {
      written.updated++;
      change.done = verdict.at;
      const kept = own.find((each) => each.entry === entry);
      const { event } = verdict.structured as { event: Item };
      if (kept !== undefined) kept.id = event.id ?? '';
      await look(entry.account, chance.pick([before.span, span]));
    } else if (verdict.is === 'unknown') await settle(entry, change, isThere);
    else {
      if (verdict.is === 'conflict') violation(`${asker.name} ${title}: another version, and nobody else changes it`);
      if (
        verdict.is === 'not done' &&
        isThere(world.held(entry.account, title) ?? []) &&
        (isMove || before.title !== title)
      )
        violation(`${asker.name} ${title}: it is changed, and was said not to be: ${verdict.why}`);
      ledger.undo(entry, change);
    }
  }

  async function remove(): Promise<void> {
    const { entry, id } = chance.pick(own);
    const last = entry.versions.at(-1);
    if (last === undefined) return;
    const { title } = last;
    const change: Change = { begun: Date.now(), done: Number.POSITIVE_INFINITY, by: 'calmcp' };
    ledger.remove(entry, change);
    written.deletes++;
    const verdict = await attempt('delete_event', { id });
    if (verdict.is === 'done') {
      written.deleted++;
      change.done = verdict.at;
      forget(entry);
      await look(entry.account, last.span);
    } else if (verdict.is === 'unknown') {
      await settle(entry, change, (spans) => spans.length === 0);
      if (change.done !== Number.POSITIVE_INFINITY) forget(entry);
    } else {
      if (verdict.is === 'conflict') violation(`${asker.name} ${title}: another version, and nobody else changes it`);
      if (verdict.is === 'not done' && world.held(entry.account, title)?.length === 0)
        violation(`${asker.name} ${title}: it is gone, and was said not to be: ${verdict.why}`);
      ledger.undo(entry, change);
    }
  }

  while (Date.now() < soak.until) {
    await sleep(chance.between(...restMs));
    if (own.length < 3 || chance.happens(0.4)) await create();
    else if (chance.happens(0.6)) await update();
    else await remove();
    while (own.length > 8) await remove();
  }
}
