// Processor time of the daemon for a hundred live questions.
import { connectSession } from '../line-session.mjs';
import { bareNode, processorTimeOf } from '../processes.mjs';
import { inTurn, median } from '../figures.mjs';

const QUESTION = { range: 'this week', maxAgeSeconds: 0 };

export async function measureProcessor(laboratory, { program, quick }) {
  const world = await laboratory.world({ accounts: 4 });
  const daemon = await world.startDaemon(program);
  const session = await connectSession(world.recordOf().socket);
  const hundred = async () => {
    const before = processorTimeOf(daemon.pid);
    for (let round = 0; round < 100; round++) await session.ask('list_events', QUESTION);
    return processorTimeOf(daemon.pid) - before;
  };
  const first = await hundred();
  const { node, time } = await inTurn(quick ? 2 : 5, { node: bareNode, time: hundred });
  session.close();
  await world.stopDaemon();
  const row = (what, figure) => ({
    what: `processor time, ${what}`,
    figure,
    unit: 'ms',
    ratio: figure / median(node),
    of: 'bare node',
    aimOf: 'figure',
    aim: 700,
    rival: 1620,
  });
  return [row('first 100 live questions, 4 x 3', first), row('100 live questions, 4 x 3', median(time))];
}
