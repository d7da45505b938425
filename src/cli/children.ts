/** The child servers of the accounts of accounts.yaml, as leases tell of them: they belong to other processes than this one. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNT_ID } from '../accounts/schema.ts';
import type { ChildSpec, ChildState } from '../core/child.ts';
import { CalmcpError } from '../core/errors.ts';
import { neutralize } from '../core/text.ts';
import { listLeases, processesOf, type RunningLease } from '../io/child-lease.ts';
import { childrenFolder } from '../io/child-servers.ts';
import type { Paths } from '../io/paths.ts';
import { memoryOf } from '../io/process-table.ts';
import { type GlobalOptions, pathsOf, readConfig } from './open-app.ts';
import type { Shell } from './shell.ts';

/** One child server, or an account that could have one. */
export interface ChildRow {
  readonly account: string;
  readonly server: string;
  readonly state: ChildState;
  readonly transport: 'stdio' | 'http';
  readonly pid?: number;
  readonly port?: number;
  /** Resident, in bytes, of all its processes. */
  readonly memory?: number;
  readonly restarts: number;
  readonly uptimeSeconds?: number;
  readonly version?: string;
  readonly lastError?: string;
  /** Process of the calmcp that it belongs to. */
  readonly owner?: number;
  readonly hint?: string;
}

/** States in which somebody has to wait or to do something. */
export const isTroubled = ({ state }: Pick<ChildRow, 'state'>): boolean =>
  state === 'backoff' || state === 'crash-loop' || state === 'needs-login';

function hintFor(account: string, state: ChildState): string | undefined {
  if (state === 'needs-login') return `run: calmcp login --account ${account}`;
  if (state === 'backoff') return `see what it said: calmcp children logs ${account}`;
  return state === 'crash-loop'
    ? `see what it said: calmcp children logs ${account}, then: calmcp children restart ${account}`
    : undefined;
}

export async function describeLease({ lease }: RunningLease, now: number): Promise<ChildRow> {
  const { account, server, state, transport, port, restarts, since, version, lastError, owner } = lease;
  const memory = await memoryOf((await processesOf(lease)).map(({ pid }) => pid));
  const hint = hintFor(account, state);
  return {
    account,
    server,
    state,
    transport,
    ...(lease.process === undefined ? {} : { pid: lease.process.pid }),
    ...(port === undefined ? {} : { port }),
    ...(memory === undefined ? {} : { memory }),
    restarts,
    ...(since === undefined ? {} : { uptimeSeconds: Math.max(0, Math.round((now - since) / 1_000)) }),
    ...(version === undefined ? {} : { version: neutralize(version) }),
    ...(lastError === undefined ? {} : { lastError: neutralize(lastError) }),
    owner: owner.pid,
    ...(hint === undefined ? {} : { hint }),
  };
}

export interface Children {
  /** Folder of all of them. */
  readonly folder: string;
  /** By account, in the order of accounts.yaml; those without one are not among them. */
  readonly specs: ReadonlyMap<string, ChildSpec>;
  /** Ids of all accounts. */
  readonly accounts: readonly string[];
  readonly leases: readonly RunningLease[];
}

/** Starts nothing and ends nothing. @throws CalmcpError CONFIG_INVALID */
export async function readChildren(shell: Shell, options: GlobalOptions): Promise<Children> {
  const paths = pathsOf(shell, options);
  const { accounts } = await readConfig(shell, paths, options.config !== undefined);
  const folder = childrenFolder(paths.stateFolder);
  const specs = accounts.flatMap(({ id, provider, options: own }) => {
    const spec = provider.childSpec?.(own, id);
    return spec === undefined ? [] : [[id, spec] as const];
  });
  const leases = await listLeases(folder);
  return { folder, specs: new Map(specs), accounts: accounts.map(({ id }) => id), leases };
}

/** @throws CalmcpError ACCOUNT_UNKNOWN */
export function requireAccount({ accounts }: Children, id: string): void {
  if (accounts.includes(id)) return;
  throw new CalmcpError('ACCOUNT_UNKNOWN', `there is no account ${JSON.stringify(id.slice(0, 80))}`, {
    hint: accounts.length === 0 ? 'accounts.yaml names no accounts yet' : `known: ${accounts.join(', ')}`,
  });
}

/** Whether a server of it runs: also that of a calmcp which goes by another accounts.yaml. */
export const runsOf = ({ leases }: Children, id: string): boolean => leases.some(({ lease }) => lease.account === id);

/** @throws CalmcpError ACCOUNT_UNKNOWN, or INPUT_INVALID for an account that is read directly */
export function requireChild(children: Children, id: string): ChildSpec {
  requireAccount(children, id);
  const spec = children.specs.get(id);
  if (spec !== undefined) return spec;
  const known = [...children.specs.keys()];
  throw new CalmcpError('INPUT_INVALID', `account ${id} has no child server: it is read directly`, {
    account: id,
    hint:
      known.length === 0
        ? 'child: true in accounts.yaml gives a microsoft or google account one'
        : `those that have one: ${known.join(', ')}`,
  });
}

/** @param id as accounts.yaml has it */
export function logOfChild({ folder }: Children, id: string): string {
  if (!ACCOUNT_ID.test(id)) throw new TypeError('no account id');
  return join(folder, id, 'server.log');
}

/** Removes what child servers of an account have left behind; not while one runs. @param id as accounts.yaml has it */
export async function forgetChild({ stateFolder }: Paths, id: string): Promise<void> {
  if (!ACCOUNT_ID.test(id)) throw new TypeError('no account id');
  const folder = childrenFolder(stateFolder);
  if ((await listLeases(folder)).some(({ lease }) => lease.account === id)) return;
  await rm(join(folder, id), { recursive: true, force: true });
}
