/** From a spec to a server that answers: found, started, its port proven, introduced, its tools looked at. */
import type { Client } from '@modelcontextprotocol/client';
import type { ChildSpec } from '../core/child.ts';
import { CalmcpError } from '../core/errors.ts';
import type { ChildLog } from './child-log.ts';
import { createChildFetch, createPipeTransport, LENT_HEADER, LIMITS } from './child-messages.ts';
import { type RunningProcess, startProcess } from './child-process.ts';
import { type CheckedTools, checkTools } from './child-tools.ts';
import { findPackage } from './installed-package.ts';
import { freePort, isPortFree, type PortOwner, watchPort } from './port-owner.ts';
import { pause } from './time-limit.ts';

/** What of the machine a child server is started with. */
export interface ChildMachine {
  /** Our own environment, of which very little is handed on. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file of calmcp's own: packages are looked for beside it. */
  readonly from: string;
  readonly version: string;
}

export interface ChildProgramFound {
  readonly command: string;
  readonly args: readonly string[];
  /** For people: the package and its version, or the person's own program. */
  readonly name: string;
  readonly version: string | undefined;
}

/** A server that answers. */
export interface ChildConnection {
  readonly program: ChildProgramFound;
  readonly process: RunningProcess;
  readonly client: Client;
  readonly port: number | undefined;
  readonly tools: CheckedTools;
  /** Looks at its tools again: it said that they have changed. */
  refresh(signal: AbortSignal, token: string | undefined): Promise<CheckedTools>;
  /** Headers of a request with this token. */
  headers(token: string | undefined): Record<string, string>;
  /** @param atOnce it is of no use any more, or has ended already: nobody waits for it to finish */
  stop(atOnce?: boolean): Promise<void>;
}

/** How long a server may take for the first question of the newer protocol. */
const PROBE_MS = 10_000;
/** How often it is looked whether a server listens on its port. */
const POLL_MS = 25;
/** How long a fixed port is waited for, in milliseconds. */
const PORT_MS = 1_000;
/** A free port may be taken by somebody else before the child has it. */
const PORT_TRIES = 3;

/** @throws CalmcpError CONFIG_INVALID when it is not installed */
export async function findProgram(
  { kind, command }: ChildSpec,
  { env, from }: ChildMachine,
): Promise<ChildProgramFound> {
  const [program, ...args] = command ?? [];
  if (program !== undefined) return { command: program, args, name: program, version: undefined };
  const found = await findPackage({ name: kind.package, bin: kind.bin }, { from, path: env.PATH });
  if (found === undefined)
    throw new CalmcpError('CONFIG_INVALID', `its child server ${kind.package} is not installed`, {
      hint: `run: npm i -g ${kind.package}@${kind.version}`,
    });
  return { command: process.execPath, args: [found.entry], name: kind.package, version: found.version };
}

/** Why a child that has just ended has done so, as far as that can be told without repeating its words. */
function endedEarly({ code, signal }: { readonly code: number | null; readonly signal: string | null }): CalmcpError {
  return new CalmcpError(
    'UNAVAILABLE',
    `its child server ended as it was started (${signal === null ? `exit ${code}` : signal})`,
    { hint: 'see what it said: calmcp children logs <account>' },
  );
}

/** Resolves when the child, and nobody else, listens on the port. @throws CalmcpError */
async function proveOwner(port: number, look: () => Promise<PortOwner>): Promise<'yes' | 'not yet'> {
  const owner = await look();
  if (owner === 'group') return 'yes';
  if (owner === 'nobody') return 'not yet';
  throw new CalmcpError(
    'UNAVAILABLE',
    owner === 'other'
      ? `port ${port} of its child server belongs to another program, which was told nothing`
      : `its child server listens for other machines too, on port ${port}; it was told nothing`,
    { hint: owner === 'other' ? 'set child.port to auto, or to one that is free' : 'let it listen on 127.0.0.1 alone' },
  );
}

export interface ConnectOptions {
  readonly token: string | undefined;
  /** Ends the attempt; the process with it. */
  readonly signal: AbortSignal;
  readonly log: ChildLog;
  readonly folder: string;
  readonly nonce: string;
  /** How long it may take to end, after the end of its stdin and again after SIGTERM. */
  readonly stopMs: number;
  /** Told as soon as there is a process. */
  readonly spawned: (process: RunningProcess, port: number | undefined) => void;
  /** It sent something that cannot be taken: it has to be ended. */
  readonly broken: (error: CalmcpError) => void;
  readonly toolsChanged: () => void;
}

async function choosePort(spec: ChildSpec, signal: AbortSignal): Promise<number | undefined> {
  if (spec.transport !== 'http') return undefined;
  if (spec.port === 0) return freePort();
  // Somebody's passing connection may have it for a moment, or a calmcp that is about to end.
  for (const until = performance.now() + PORT_MS; performance.now() < until; await pause(POLL_MS, signal))
    if (await isPortFree(spec.port)) return spec.port;
  throw new CalmcpError('CONFIG_INVALID', `port ${spec.port} of its child server is taken`, {
    hint: 'another calmcp may have it; set child.port to auto, or to one that is free',
  });
}

/** @throws CalmcpError; nothing runs then */
export async function connectChild(
  spec: ChildSpec,
  machine: ChildMachine,
  options: ConnectOptions,
): Promise<ChildConnection> {
  const program = await findProgram(spec, machine);
  for (let tries = 1; ; tries++) {
    const port = await choosePort(spec, options.signal);
    const started = await startProcess({
      command: program.command,
      args: [...program.args, ...spec.args(port ?? 0)],
      env: spec.environment(options.folder, options.token),
      nodeOptions: spec.nodeOptions,
      folder: options.folder,
      nonce: options.nonce,
      system: machine.env,
    });
    options.spawned(started, port);
    options.log.note(
      `started ${spec.kind.server} as process ${started.pid}${port === undefined ? '' : ` on port ${port}`}`,
    );
    for (const stream of [started.stderr, ...(spec.transport === 'http' ? [started.stdout] : [])])
      stream.setEncoding('utf8').on('data', (text: string) => options.log.write(text));
    const stop = (atOnce = false): Promise<void> =>
      started.stop({ ms: atOnce ? 0 : options.stopMs, ignoresStdin: atOnce || spec.transport === 'http' });
    try {
      return await introduce(spec, machine, options, program, started, port, stop);
    } catch (thrown) {
      const lostPort = spec.transport === 'http' && spec.port === 0 && started.hasEnded();
      await stop();
      options.signal.throwIfAborted();
      // Where the port was taken in between, another one is tried; a server that ends for another reason does so again.
      if (lostPort && tries < PORT_TRIES && port !== undefined && !(await isPortFree(port))) continue;
      throw thrown;
    }
  }
}

async function introduce(
  spec: ChildSpec,
  machine: ChildMachine,
  { signal, log, broken, toolsChanged, token }: ConnectOptions,
  program: ChildProgramFound,
  started: RunningProcess,
  port: number | undefined,
  stop: (atOnce?: boolean) => Promise<void>,
): Promise<ChildConnection> {
  // The library is large, and most accounts have no child server.
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const headers = (lent: string | undefined): Record<string, string> =>
    spec.lending === 'request' && lent !== undefined ? { [LENT_HEADER]: lent } : {};
  const early = started.ended.then((ending) => {
    throw endedEarly(ending);
  });
  early.catch(() => undefined);
  // Not all that the MCP library does while it connects looks at the signal.
  signal.throwIfAborted();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined);
  let isReady = false;
  let problem: CalmcpError | undefined;
  const fail = (error: CalmcpError): void => {
    problem ??= error;
    if (isReady) broken(error);
  };

  const client = new Client(
    { name: 'calmcp', version: machine.version },
    {
      // On pipes, one that says nothing for that long is asked as an old one; on a port it has shown already that it runs.
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_MS } },
      // At once: the next call is made with what is known by then.
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: toolsChanged } },
    },
  );
  // A stray message of the child is no reason to fail; what it does to calls shows in the calls.
  client.onerror = () => undefined;

  let closeWay = (): void => undefined;
  void started.ended.then(() => closeWay());

  const connect = async (): Promise<void> => {
    if (port === undefined) {
      const transport = createPipeTransport(started.stdin, started.stdout, fail, (length) =>
        log.note(`a line of ${length} characters on its stdout is no MCP message`),
      );
      return client.connect(transport, { signal });
    }
    const look = watchPort(port, started.group);
    while ((await proveOwner(port, look)) === 'not yet') await pause(POLL_MS, signal);
    const way = createChildFetch(port, async () => {
      try {
        if (started.hasEnded() || (await proveOwner(port, look)) !== 'yes')
          throw new CalmcpError('UNAVAILABLE', 'its child server does not listen on its port any more');
      } catch (thrown) {
        // Whoever has lost its port is of no use any more. One that has ended is noticed by itself.
        if (!started.hasEnded() && thrown instanceof CalmcpError) fail(thrown);
        throw thrown;
      }
    });
    closeWay = way.close;
    const url = new URL(`http://127.0.0.1:${port}/mcp`);
    const transport = new StreamableHTTPClientTransport(url, {
      fetch: way.fetch as typeof globalThis.fetch,
      requestInit: { headers: headers(token) },
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 1_000,
        maxReconnectionDelay: 1_000,
        reconnectionDelayGrowFactor: 1,
      },
    });
    return client.connect(transport, { signal });
  };

  const refresh = async (until: AbortSignal, lent: string | undefined): Promise<CheckedTools> => {
    const options = { signal: until, headers: headers(lent), cacheMode: 'bypass' } as const;
    const { tools } = await client.listTools(undefined, options);
    if (JSON.stringify(tools).length > LIMITS.tools)
      throw new CalmcpError('BAD_RESPONSE', 'its child server describes its tools at too great a length');
    return checkTools(tools, spec.kind.tools);
  };

  /** The child's own end explains more than the broken connection that comes of it. */
  const orEnded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([work, early, aborted]);
    } catch (thrown) {
      signal.throwIfAborted();
      // Both come at once: whichever was noticed first.
      await Promise.race([early.catch(() => undefined), pause(100, signal).catch(() => undefined)]);
      if (problem !== undefined) throw problem;
      if (started.hasEnded()) await early;
      throw describe(thrown);
    }
  };

  await orEnded(connect());
  const name = client.getServerVersion()?.name;
  if (name !== spec.kind.name)
    throw new CalmcpError(
      'BAD_RESPONSE',
      `its child server is not the ${spec.kind.server} server: it has another name`,
      {
        hint: 'check child.command and child.server in accounts.yaml',
      },
    );
  const tools = await orEnded(refresh(signal, token));
  if (tools.usable.size === 0)
    throw new CalmcpError('BAD_RESPONSE', `its child server has none of the tools that calmcp knows of it`, {
      hint: `install the version that calmcp knows: npm i -g ${spec.kind.package}@${spec.kind.version}`,
    });
  isReady = true;
  return {
    program,
    process: started,
    client,
    port,
    tools,
    refresh,
    headers,
    stop: async (atOnce) => {
      await client.close().catch(() => undefined);
      await stop(atOnce);
    },
  };
}

/** Our own error in what the MCP library made of it. */
export function calmcpErrorIn(thrown: unknown): CalmcpError | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++)
    if (error instanceof CalmcpError) return error;
  return undefined;
}

function describe(thrown: unknown): CalmcpError {
  const own = calmcpErrorIn(thrown);
  if (own !== undefined) return own;
  const { status } = thrown as { status?: unknown };
  if (status === 401)
    return new CalmcpError('AUTH_REQUIRED', 'its child server did not accept the sign-in', { cause: thrown });
  return new CalmcpError('UNAVAILABLE', 'its child server could not be introduced to', {
    hint: 'see what it said: calmcp children logs <account>',
    cause: thrown,
  });
}
