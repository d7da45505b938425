/** A child server as providers call it: what a failed call means, and whether it is made once more. */
import type { ChildAnswer, ChildServer, ChildSpec } from '../core/child.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Call } from '../core/provider.ts';
import { type ChildConnection, calmcpErrorIn } from './child-connection.ts';
import { runChildOnce } from './child-errand.ts';
import type { ChildHost } from './child-host.ts';
import { createChildLife, timeLeft } from './child-life.ts';
import { pause } from './time-limit.ts';

/** What the MCP library says of a connection that is no more. */
const CLOSED: ReadonlySet<string> = new Set(['CONNECTION_CLOSED', 'SEND_FAILED', 'NOT_CONNECTED']);
/** How long after a connection the end of its process may be noticed. */
const LOSS_MS = 500;

/** @param before resolves when the one that this takes the place of has gone */
export function createChildServer(spec: ChildSpec, host: ChildHost, before: Promise<unknown>): ChildServer {
  const { account, kind } = spec;
  const life = createChildLife(spec, host, before);
  const hint = `see what it said: calmcp children logs ${account}`;

  async function callOnce(
    opened: ChildConnection,
    tool: string,
    input: Readonly<Record<string, unknown>>,
    call: Call,
    token: string | undefined,
  ): Promise<ChildAnswer> {
    const tools = await life.tools(opened, call, token);
    const why = tools.withheld.get(tool);
    if (why !== undefined || !tools.usable.has(tool))
      throw new CalmcpError(
        'BAD_RESPONSE',
        `the tool ${tool} of its child server is not used: ${why ?? 'calmcp does not know it'}`,
        {
          account,
          hint: `install the version that calmcp knows: npm i -g ${kind.package}@${kind.version}`,
        },
      );
    if (token !== undefined) await life.putToken(token);
    call.countRequest();
    const left = timeLeft(call);
    const answer = await opened.client.callTool(
      { name: tool, arguments: { ...input } },
      { signal: call.signal, timeout: left, maxTotalTimeout: left, headers: opened.headers(token) },
    );
    const parts = Array.isArray(answer.content) ? answer.content : [];
    const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
    return { text, isError: answer.isError === true, meta: answer._meta ?? {} };
  }

  /** Whether asking again may help: it has ended, or the way to it has broken, as opposed to its saying no. */
  async function isLoss(opened: ChildConnection, thrown: unknown): Promise<boolean> {
    if (!life.isCurrent(opened)) return true;
    const isClosed = CLOSED.has(String((thrown as { code?: unknown }).code));
    // What fetch says of a connection that breaks.
    const isBroken = thrown instanceof TypeError;
    if (!isClosed && !isBroken && !opened.process.hasEnded()) return false;
    // That is noticed before the end that it comes of.
    await Promise.race([opened.process.ended, pause(LOSS_MS, life.closed).catch(() => undefined)]);
    if (isClosed)
      life.lose(opened, new CalmcpError('UNAVAILABLE', 'its child server closed the connection', { account, hint }));
    return true;
  }

  /** What the thrown value of a call means where the server still runs. */
  function failureOf(opened: ChildConnection, thrown: unknown): CalmcpError {
    const own = calmcpErrorIn(thrown);
    if (own !== undefined) return own.of(account);
    const { status, code } = thrown as { status?: unknown; code?: unknown };
    if (status === 401)
      return new CalmcpError('AUTH_REQUIRED', 'its child server did not accept the sign-in', {
        account,
        cause: { status: 401 },
      });
    if (code === 'REQUEST_TIMEOUT') {
      // It may hang: that is found out now, and not by the next question.
      life.doubt(opened);
      return new CalmcpError('UNAVAILABLE', 'its child server did not answer in time', { account, hint });
    }
    return new CalmcpError('BAD_RESPONSE', 'its child server could not answer', {
      account,
      hint,
      cause: thrown,
    });
  }

  /** @param most how often it may be called: what changes something is called once. */
  async function ask(
    tool: string,
    input: Readonly<Record<string, unknown>>,
    call: Call,
    token: string | undefined,
    most: 1 | 2,
  ): Promise<ChildAnswer> {
    for (let tries = 1; ; tries++) {
      const { opened, free } = await life.ready(call, token);
      try {
        return await callOnce(opened, tool, input, call, token);
      } catch (thrown) {
        if (call.signal.aborted) {
          life.doubt(opened);
          throw call.signal.reason;
        }
        const isLost = await isLoss(opened, thrown);
        const isGone = !life.isCurrent(opened);
        // Once more and no more, as a question may be what it crashes of.
        if (!isLost || (!isGone && tries >= most)) throw failureOf(opened, thrown);
        const why = life.whyLost(opened);
        if (why?.code === 'BAD_RESPONSE') throw why.of(account);
        if (tries >= most) throw most === 1 ? lostChange() : life.restarting();
      } finally {
        free();
      }
    }
  }

  const lostChange = (): CalmcpError =>
    new CalmcpError('UNAVAILABLE', 'its child server ended before it said whether the change was made', {
      account,
      hint,
    });

  return {
    folder: life.folder,
    read: (tool, input, call, token) => ask(tool, input, call, token, 2),
    write: (tool, input, call, token) => ask(tool, input, call, token, 1),
    needsLogin: life.needsLogin,
    runOnce: (args, options) => runChildOnce(spec, host.machine, host.folder, args, options),
    async probe(call, token) {
      const began = performance.now();
      const { opened, free } = await life.ready(call, token);
      try {
        const { withheld } = await life.tools(opened, call, token);
        return {
          program: opened.program.name,
          version: opened.program.version,
          withheld: [...withheld].map(([name, why]) => `${name}: ${why}`),
          milliseconds: Math.round(performance.now() - began),
        };
      } finally {
        free();
      }
    },
    stop: life.stop,
    close: life.close,
  };
}
