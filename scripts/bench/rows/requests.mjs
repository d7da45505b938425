// Requests that reach the services, by the sandbox's log, beside the fewest that can do (free-busy-sync-throttling 4.4).
import { ask, LIVE } from '../ask.mjs';

const WEEK = { range: 'this week' };

export async function measureRequests(laboratory) {
  const { listEvents, getFreeBusy } = laboratory.calmcp;
  const world = await laboratory.world({ accounts: 16, delayMs: 50, remembers: false });
  const accounts = world.accounts.slice(0, 8).map(({ id }) => id);
  const question = { ...WEEK, accounts };
  const app = world.openApp();
  const count = async (work) => {
    await world.sandbox.tell('requests');
    await work();
    return world.sandbox.tell('requests');
  };
  const rows = [];
  for (const [what, floor, work] of [
    ['agenda, cold', 2, () => ask(listEvents, app, question)],
    ['agenda, from memory', 0, () => ask(listEvents, app, question)],
    ['agenda, live', 1, () => ask(listEvents, app, { ...question, ...LIVE })],
    ['free/busy, live', 1, () => ask(getFreeBusy, app, { ...question, ...LIVE })],
    [
      'agenda and free/busy at once, cold',
      2,
      () => Promise.all([ask(listEvents, app, question), ask(getFreeBusy, app, question)]),
    ],
  ]) {
    if (what.startsWith('agenda and')) for (const { id } of world.accounts) app.account(id).readings.forget();
    const figure = (await count(work)) / accounts.length;
    rows.push({ what: `requests per account: ${what}, 8 x 3`, figure, unit: 'requests', aim: floor });
  }
  await app.close();
  return rows;
}
