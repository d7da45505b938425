// Processor time of the daemon for a hundred live questions.

import { inTurn, median } from '../figures.mjs';
import { connectSession } from '../line-session.mjs';
import { bareNode, processorTimeOf } from '../processes.mjs';

/** As an agenda is asked for when nothing else is said, and the whole of what is read for it. */
const RANGES = ['today', 'this week'];

export async function measureProcessor(laboratory, { program, quick }) {
  const world = await laboratory.world({ accounts: 4 });
  const daemon = await world.startDaemon(program);
  const session = await connectSession(daemon.socket);
  const rows = [];
  for (const range of RANGES) {
    const hundred = async () => {
      const before = processorTimeOf(daemon.pid);
      for (let round = 0; round < 100; round++) await session.ask('list_events', { range, maxAgeSeconds: 0 });
      return processorTimeOf(daemon.pid) - before;
    };
    // For the compiler.
    for (let round = 0; round < 2; round++) await hundred();
    const { node, time } = await inTurn(quick ? 2 : 7, { node: bareNode, time: hundred });
    const figure = median(time);
    rows.push({
      what: `processor time, 100 live questions, 4 x 3, ${range}`,
      figure,
      unit: 'ms',
      ratio: figure / median(node),
      of: 'bare node',
      aimOf: 'figure',
      aim: 700,
      rival: 1620,
    });
  }
  session.close();
  await world.stopDaemon();
  return rows;
}
