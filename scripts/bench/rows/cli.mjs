// How long a person waits for a command: with the daemon, which has read it a moment ago, and without.
import { inTurn, median } from '../figures.mjs';
import { bareNode, lifeOf } from '../processes.mjs';

export async function measureCli(laboratory, { program, quick }) {
  const world = await laboratory.world({ accounts: 4 });
  const rounds = quick ? 5 : 11;
  const agenda = (...args) => lifeOf([program, ...args, 'agenda', 'today'], { env: world.environment });
  const alone = await inTurn(rounds, { node: bareNode, agenda: () => agenda('--no-daemon') });
  await world.startDaemon(program);
  await agenda();
  const attached = await inTurn(rounds, { node: bareNode, agenda: () => agenda() });
  await world.stopDaemon();
  const row = (what, { node, agenda: took }) => ({
    what,
    figure: median(took),
    unit: 'ms',
    ratio: median(took) / median(node),
    of: 'bare node',
  });
  return [row('calmcp agenda today, with the daemon', attached), row('calmcp agenda today, alone', alone)];
}
