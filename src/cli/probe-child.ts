/** What `calmcp doctor` looks at in the child server of an account. */
import { basename } from 'node:path';
import type { ChildProbe, ChildServers, ChildSpec } from '../core/child.ts';
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import { type ChildProgramFound, findProgram } from '../io/child-connection.ts';
import { machineOf } from './open-app.ts';
import { failedProbe, type Probe } from './probe.ts';
import type { Shell } from './shell.ts';

export const CHILD_PROBE = 'child server';

/** By account, how its child server started: with the token that its provider lends it, which nobody else has. */
export type SeenChildren = ReadonlyMap<string, ChildProbe | CalmcpError>;

/** The same child servers; how each of them starts is noted when it is first read from. */
export function watchChildren(children: ChildServers): {
  readonly children: ChildServers;
  readonly seen: SeenChildren;
} {
  const seen = new Map<string, ChildProbe | CalmcpError>();
  return {
    seen,
    children: {
      open(spec) {
        const server = children.open(spec);
        return {
          ...server,
          async read(tool, input, call, token) {
            try {
              const probe = await server.probe(call, token);
              if (!isProbe(seen.get(spec.account))) seen.set(spec.account, probe);
            } catch (thrown) {
              const isLate = call.deadline - performance.now() < LATE_MS;
              const error = toCalmcpError(thrown).of(spec.account);
              seen.set(spec.account, isLate ? withMoreTime(error, spec) : error);
              throw thrown;
            }
            return server.read(tool, input, call, token);
          },
        };
      },
      close: () => children.close(),
    },
  };
}

/** What fails with so little time left fails for want of it. */
const LATE_MS = 300;

const withMoreTime = ({ code, message }: CalmcpError, { account }: ChildSpec): CalmcpError =>
  new CalmcpError(code, message, {
    account,
    hint: `give it longer: calmcp doctor --account ${account} --timeout 30; or see what it said: calmcp children logs ${account}`,
  });

const isProbe = (seen: ChildProbe | CalmcpError | undefined): seen is ChildProbe =>
  seen !== undefined && 'withheld' in seen;

const nameOf = ({ command }: ChildSpec, { name, version }: Pick<ChildProgramFound, 'name' | 'version'>): string =>
  command === undefined ? `${name} ${version ?? ''}`.trim() : `a program of your own (${basename(name)})`;

const toolOf = (withheld: string): string => withheld.split(':')[0] ?? '';

/** Without starting it: whether it is there. */
export async function findChild(shell: Shell, spec: ChildSpec): Promise<Probe | { readonly found: string }> {
  try {
    return { found: nameOf(spec, await findProgram(spec, machineOf(shell))) };
  } catch (thrown) {
    return failedProbe(CHILD_PROBE, thrown, spec.account);
  }
}

/** How it started. @param seen nothing where it did not come to that */
export function judgeChild(spec: ChildSpec, found: string, seen: ChildProbe | CalmcpError | undefined): Probe {
  const { account, kind } = spec;
  if (seen === undefined)
    return { name: CHILD_PROBE, account, state: 'skipped', message: `${found}; not started: there is no token for it` };
  if (!isProbe(seen)) return failedProbe(CHILD_PROBE, seen, account);
  const started = `${nameOf(spec, { ...seen, name: seen.program })}, started in ${seen.milliseconds} ms`;
  const hint = `install the version that calmcp was tried with: npm i -g ${kind.package}@${kind.version}`;
  if (seen.withheld.length > 0) {
    const needed = kind.tools.filter((tool) => tool.needed && seen.withheld.map(toolOf).includes(tool.name));
    const which = needed.length === 0 ? 'some of its tools are not used' : 'tools that calmcp needs are not used';
    return {
      name: CHILD_PROBE,
      account,
      ...(needed.length === 0 ? { state: 'warn' } : { state: 'fail', code: 'BAD_RESPONSE' }),
      message: `${started}; ${which}`,
      problems: seen.withheld,
      hint,
    };
  }
  const isOther = seen.version !== undefined && seen.version !== kind.version;
  if (isOther)
    return {
      name: CHILD_PROBE,
      account,
      state: 'warn',
      message: `${started}; calmcp was tried with ${kind.version}`,
      hint,
    };
  return { name: CHILD_PROBE, account, state: 'ok', message: started };
}
