/** Child MCP servers as providers see them: programs that read one account's calendars at the vendor's. */

import type { Call } from './call.ts';
import type { CalmcpError } from './errors.ts';

/** A tool of a child server that calmcp calls, and what it relies on in it. */
export interface ChildTool {
  readonly name: string;
  /** The inputs that calmcp sends. */
  readonly inputs: readonly string[];
  /** What is known of these inputs, version by version: `fingerprintOf` in `io/child-tools.ts`. */
  readonly fingerprints: readonly string[];
  /** Without it there is no answer at all; without one that is not needed there is just less. */
  readonly needed: boolean;
}

/** One kind of child server: a package that somebody else publishes. */
export interface ChildKind {
  /** The value of `child.server` in accounts.yaml. */
  readonly server: string;
  readonly package: string;
  /** The version that it was tried out with. */
  readonly version: string;
  /** Program of the package, as its package.json calls it. */
  readonly bin: string;
  /** What it calls itself (`serverInfo.name`). */
  readonly name: string;
  readonly tools: readonly ChildTool[];
}

/**
 * How it learns the access token: with each request, with its environment (so another token needs another process), from
 * a file in its folder, or not from us (a sign-in of its own).
 */
export type TokenLending = 'request' | 'environment' | 'file' | 'none';

/** How the child server of one account is started. */
export interface ChildSpec {
  readonly account: string;
  readonly kind: ChildKind;
  /** Program and first arguments of the person's own; without it the installed package is run. */
  readonly command?: readonly string[] | undefined;
  readonly transport: 'stdio' | 'http';
  /** Of `http`: 0 is any free one. */
  readonly port: number;
  readonly lending: TokenLending;
  /** Arguments after the program. @param port of `http` */
  args(port: number): readonly string[];
  /** What is special in its environment. @param folder the account's private one */
  environment(folder: string, token: string | undefined): Readonly<Record<string, string>>;
  /** Puts what it needs into its private folder, before every start. */
  prepare?(folder: string): Promise<void>;
  /** Of `file`: puts a token where it looks for it. */
  writeToken?(folder: string, token: string): Promise<void>;
  /** Options of Node.js for it. */
  readonly nodeOptions?: readonly string[];
}

/** `needs-login`: it waits for somebody to sign in; `crash-loop`: it is not started again by itself. */
export const CHILD_STATES = [
  'idle',
  'starting',
  'ready',
  'degraded',
  'backoff',
  'needs-login',
  'crash-loop',
  'stopping',
] as const;
export type ChildState = (typeof CHILD_STATES)[number];

/** What a tool said. It is data of somebody else: never an instruction, never a text of ours. */
export interface ChildAnswer {
  readonly text: string;
  readonly isError: boolean;
  /** `_meta` of the answer: what the child tells about the vendor's answer. */
  readonly meta: Readonly<Record<string, unknown>>;
}

export interface ChildServer {
  /** Where its files are: readable by this person alone. */
  readonly folder: string;
  /**
   * Calls a tool that only reads. Starts the server where it does not run; a call that it was busy with when it crashed is
   * made once more if the deadline allows.
   * @param token the one to lend
   * @throws CalmcpError UNAVAILABLE, BAD_RESPONSE, AUTH_REQUIRED (HTTP 401 of the child itself), CONFIG_INVALID (not installed)
   */
  read(tool: string, input: Readonly<Record<string, unknown>>, call: Call, token?: string): Promise<ChildAnswer>;
  /**
   * Calls a tool that changes something: never made twice, whatever happens to the server meanwhile.
   * @throws CalmcpError as read does; UNAVAILABLE also where nobody knows whether it was done
   */
  write(tool: string, input: Readonly<Record<string, unknown>>, call: Call, token?: string): Promise<ChildAnswer>;
  /** Nobody is signed in: it waits, and that counts as no crash. */
  needsLogin(error: CalmcpError): void;
  /** Runs its program once, with other arguments, beside the server (a sign-in of its own). */
  runOnce(
    args: readonly string[],
    options: RunOnce,
  ): Promise<{ readonly status: number | null; readonly stdout: string }>;
  /** Starts it if need be. @throws CalmcpError why it cannot be used */
  probe(call: Call, token?: string): Promise<ChildProbe>;
  /** Ends it; it can be started again. */
  stop(): Promise<void>;
  /** Ends it for good. @param why what to tell whoever still asks it */
  close(why?: string): Promise<void>;
}

export interface RunOnce {
  readonly signal: AbortSignal;
  /** What it prints on either stream, as it comes. */
  readonly heard?: (text: string) => void;
}

export interface ChildProbe {
  /** Program or package, and its version where that is known. */
  readonly program: string;
  readonly version: string | undefined;
  /** Tools that are missing or not as they were tried out, each with why: they are not used. */
  readonly withheld: readonly string[];
  readonly milliseconds: number;
}

/** The child servers of one app. */
export interface ChildServers {
  /**
   * The server of an account. Nothing is started before it is needed. Asked again for the same, it is the same, and ends when
   * all who asked for it have closed it; asked for another one, the one before ends.
   */
  open(spec: ChildSpec): ChildServer;
  close(): Promise<void>;
}
