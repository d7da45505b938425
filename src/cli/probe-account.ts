/** What `calmcp doctor` looks at in one account. */
import type { Account, App } from '../accounts/registry.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Call, SignInState } from '../core/provider.ts';
import { neutralize } from '../core/text.ts';
import type { HttpFailure } from '../io/http.ts';
import { limitedSignal } from '../io/time-limit.ts';
import { failedProbe, type Probe } from './probe.ts';
import { CHILD_PROBE, findChild, judgeChild, type SeenChildren } from './probe-child.ts';
import type { Shell } from './shell.ts';
import { tryAccount } from './try-account.ts';

const SKEW_MS = { warn: 2 * 60_000, fail: 5 * 60_000 };

const SET_CLOCK: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'run: sudo timedatectl set-ntp true',
  darwin: 'run: sudo sntp -sS time.apple.com',
  win32: 'run as administrator: w32tm /resync',
};

export interface AccountProbeOptions {
  /** Milliseconds that one probe may take. */
  readonly timeLimitMs: number;
  /** Accounts that turned out to be the same mailbox. */
  readonly sameAs: readonly string[];
  /** How child servers started; filled as accounts are read. */
  readonly children: SeenChildren;
}

interface Reached {
  readonly host: string;
  /** Milliseconds that this machine's clock is ahead. */
  readonly skewMs?: number;
  readonly error?: CalmcpError;
}

/** What the clock of a service shows now. An answer from a cache has the date of its making, and says how old it is. */
function serverTime(headers: Headers): number | undefined {
  const date = Date.parse(headers.get('date') ?? '');
  const age = Number(headers.get('age') ?? 0);
  return Number.isNaN(date) ? undefined : date + (Number.isFinite(age) ? age * 1_000 : 0);
}

async function reach(account: Account, origin: string, shell: Shell, timeLimitMs: number): Promise<Reached> {
  const { host } = new URL(origin);
  const late = (): CalmcpError =>
    new CalmcpError('UNAVAILABLE', `${host} did not answer within ${timeLimitMs / 1_000} s`);
  const call: Call = {
    signal: limitedSignal(timeLimitMs, late, shell.interrupted),
    deadline: performance.now() + timeLimitMs,
    countRequest: () => undefined,
  };
  const measure = (headers: Headers, askedAt: number): Reached => {
    const time = serverTime(headers);
    return time === undefined ? { host } : { host, skewMs: (askedAt + Date.now()) / 2 - time };
  };
  const askedAt = Date.now();
  try {
    return measure((await account.fetch(call)(origin, { method: 'HEAD' })).headers, askedAt);
  } catch (thrown) {
    shell.interrupted.throwIfAborted();
    const error = toCalmcpError(thrown);
    // Any answer will do: nobody has introduced himself.
    const { headers } = (error.cause ?? {}) as Partial<HttpFailure>;
    return headers instanceof Headers ? measure(headers, askedAt) : { host, error };
  }
}

function probeService(account: Account, reached: readonly Reached[], milliseconds: number): Probe {
  const known = { name: 'service', account: account.id };
  const failures = reached.flatMap(({ error }) => error ?? []);
  const [first] = failures;
  if (first === undefined)
    return {
      ...known,
      state: 'ok',
      message: `${reached.map(({ host }) => host).join(', ')} answered (${milliseconds} ms)`,
    };
  const unreached = account.endpoints.filter((origin) =>
    reached.some(({ host, error }) => error !== undefined && host === new URL(origin).host),
  );
  return {
    ...failedProbe('service', first, account.id),
    message: failures.map(({ message }) => message).join('; '),
    hint: `check the network, a VPN or a proxy; try: curl -sSI ${unreached[0]}`,
  };
}

function probeClock(account: Account, reached: readonly Reached[], platform: NodeJS.Platform): Probe {
  const known = { name: 'clock', account: account.id };
  const [worst] = reached
    .filter(({ skewMs }) => skewMs !== undefined)
    .sort((a, b) => Math.abs(b.skewMs ?? 0) - Math.abs(a.skewMs ?? 0));
  if (worst?.skewMs === undefined) return { ...known, state: 'skipped', message: 'no service told its time' };
  const size = Math.abs(worst.skewMs);
  if (size <= SKEW_MS.warn) return { ...known, state: 'ok', message: `as that of ${worst.host}` };
  const message = `the clock of this machine is ${Math.round(size / 60_000)} minutes ${worst.skewMs > 0 ? 'ahead of' : 'behind'} ${worst.host}`;
  const hint = SET_CLOCK[platform] ?? 'set the clock of this machine';
  return size <= SKEW_MS.fail
    ? { ...known, state: 'warn', message, hint }
    : { ...known, state: 'fail', message: `${message}: sign-ins will be refused`, hint, code: 'UNAVAILABLE' };
}

function probeSignIn({ id }: Account, { state, identity, reason = 'nobody is signed in' }: SignInState): Probe {
  const known = { name: 'sign-in', account: id };
  if (state === 'not-needed') return { ...known, state: 'skipped', message: 'none is needed' };
  if (state === 'needs-login')
    return {
      ...known,
      state: 'fail',
      message: neutralize(reason),
      hint: `run: calmcp login --account ${id}`,
      code: 'AUTH_REQUIRED',
    };
  const who = neutralize(identity?.username ?? '');
  return { ...known, state: 'ok', message: who === '' ? 'signed in' : `signed in as ${who}` };
}

async function probeCalendars(app: App, account: Account, signal: AbortSignal): Promise<Probe> {
  const known = { name: 'calendars', account: account.id };
  const { coverage, events = 0, milliseconds, error } = await tryAccount(app, account, signal);
  if (error !== undefined) return failedProbe('calendars', error, account.id);
  const { calendars = 0, problems = [] } = coverage;
  const read = `${calendars} calendar${calendars === 1 ? '' : 's'} read, ${events} event${events === 1 ? '' : 's'} today (${milliseconds} ms)`;
  if (coverage.status === 'ok') return { ...known, state: 'ok', message: read };
  return { ...known, state: 'fail', message: `incomplete: ${read}`, problems, code: 'BAD_RESPONSE' };
}

/** Its calendars, and the child server that they are read through, where they are. */
async function probeReading(
  shell: Shell,
  app: App,
  account: Account,
  obstacle: Probe | undefined,
  children: SeenChildren,
): Promise<readonly Probe[]> {
  const { id, childSpec } = account;
  const notRead = ({ name }: Probe): Probe => ({
    name: 'calendars',
    account: id,
    state: 'skipped',
    message: `not read, as the ${name} comes first`,
  });
  const found = childSpec && (await findChild(shell, childSpec));
  if (found !== undefined && 'state' in found) return [found, notRead(obstacle ?? found)];
  if (obstacle !== undefined) {
    const message = `${found?.found}; not started, as the ${obstacle.name} comes first`;
    const child: Probe = { name: CHILD_PROBE, account: id, state: 'skipped', message };
    return [...(found === undefined ? [] : [child]), notRead(obstacle)];
  }
  const calendars = await probeCalendars(app, account, shell.interrupted);
  if (childSpec === undefined || found === undefined) return [calendars];
  const child = judgeChild(childSpec, found.found, children.get(id));
  return [child, child.state === 'fail' ? notRead(child) : calendars];
}

/** All probes of one account, one after the other where one rests on another. */
export async function probeAccount(
  shell: Shell,
  app: App,
  account: Account,
  { timeLimitMs, sameAs, children }: AccountProbeOptions,
): Promise<readonly Probe[]> {
  const { id } = account;
  const probes: Probe[] = [];
  const signIn = account.signInState().then(
    (state) => probeSignIn(account, state),
    (thrown: unknown) => failedProbe('sign-in', thrown, id),
  );
  if (account.endpoints.length > 0) {
    const started = performance.now();
    const reached = await Promise.all(account.endpoints.map((origin) => reach(account, origin, shell, timeLimitMs)));
    probes.push(
      probeService(account, reached, Math.round(performance.now() - started)),
      probeClock(account, reached, shell.platform),
    );
  } else probes.push({ name: 'service', account: id, state: 'skipped', message: 'asks nobody over the network' });
  probes.push(await signIn);
  const [other] = sameAs;
  if (other !== undefined)
    probes.push({
      name: 'mailbox',
      account: id,
      state: 'warn',
      message: `${[id, ...sameAs].join(' and ')} are the same mailbox: it is read ${sameAs.length === 1 ? 'twice' : 'several times'}`,
      hint: `to keep one, run: calmcp accounts remove ${other}; or sign in to ${id} as somebody else: calmcp logout --account ${id}`,
    });
  const obstacle = probes.find(({ name, state }) => state === 'fail' && name !== 'clock');
  probes.push(...(await probeReading(shell, { ...app, deadlineMs: timeLimitMs }, account, obstacle, children)));
  return probes;
}
