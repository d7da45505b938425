// Questions on the daemon's socket: told from memory, and live.
import { inTurn, median, quantile } from '../figures.mjs';
import { connectSession } from '../line-session.mjs';

const WEEK = { range: 'this week' };

export async function measureSocket(laboratory, { program, quick }) {
  const world = await laboratory.world({ accounts: 16 });
  const accounts = world.accounts.slice(0, 8).map(({ id }) => id);
  const { socket: path } = await world.startDaemon(program);
  const rows = [];
  for (const [who, options] of [
    ['a model', {}],
    ['a script', { answers: 'script' }],
  ]) {
    const session = await connectSession(path, options);
    const cached = () => session.ask('list_events', { ...WEEK, accounts });
    const live = () => session.ask('list_events', { ...WEEK, accounts, maxAgeSeconds: 0 });
    const ping = () => session.request('ping');
    for (let round = 0; round < 30; round++) await live();
    const told = await inTurn(quick ? 100 : 500, { ping, cached });
    const asked = await inTurn(quick ? 15 : 41, { live });
    session.close();
    const row = (what, figure, more) => ({ what: `${what}, 8 x 3, ${who}`, figure, unit: 'ms', ...more });
    const beside = (figure) => ({ ratio: figure / median(told.ping), of: 'ping', aimOf: 'figure' });
    const [p50, p95] = [median(told.cached), quantile(told.cached, 0.95)];
    rows.push(
      row('cached agenda on the socket, p50', p50, beside(p50)),
      row('cached agenda on the socket, p95', p95, { ...beside(p95), aim: 10 }),
      row('live agenda on the socket, 0 ms', median(asked.live), { aim: 15, rival: 35 }),
    );
  }
  await world.stopDaemon();
  return rows;
}
