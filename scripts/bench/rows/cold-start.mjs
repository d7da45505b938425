// From spawning the built program to its answer to the first tools/list, beside a bare Node.
import { spawn } from 'node:child_process';
import { inTurn, median } from '../figures.mjs';
import { openLineSession } from '../line-session.mjs';
import { bareNode } from '../processes.mjs';

async function firstList(program, args, env) {
  const started = performance.now();
  const server = spawn(process.execPath, [program, 'mcp', ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const session = await openLineSession(server.stdout, server.stdin);
  const { tools } = await session.request('tools/list');
  const took = performance.now() - started;
  server.stdin.end();
  await ended;
  if (!(tools.length > 0)) throw new Error('no tools');
  return took;
}

export async function measureColdStart(laboratory, { program, quick }) {
  const world = await laboratory.world({ accounts: 4 });
  const rounds = quick ? 5 : 11;
  const alone = await inTurn(rounds, {
    node: bareNode,
    list: () => firstList(program, ['--no-daemon'], world.environment),
  });
  await world.startDaemon(program);
  const attached = await inTurn(rounds, { node: bareNode, list: () => firstList(program, [], world.environment) });
  await world.stopDaemon();
  const row = (what, { node, list }) => ({
    what,
    figure: median(list),
    unit: 'ms',
    ratio: median(list) / median(node),
    of: 'bare node',
    aim: 5,
    rival: 10,
  });
  return [
    { what: 'bare node -e 0', figure: median([...alone.node, ...attached.node]), unit: 'ms' },
    row('spawn to first tools/list, alone', alone),
    row('spawn to first tools/list, with the daemon', attached),
  ];
}
