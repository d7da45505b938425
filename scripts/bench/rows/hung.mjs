// One account of eight hangs: what that costs the question, and what it costs everybody else.
import { ask, LIVE } from '../ask.mjs';
import { median } from '../figures.mjs';

const DEADLINE_MS = 1_000;
const WEEK = { range: 'this week', ...LIVE };

export async function measureHung(laboratory, { quick }) {
  const { listEvents } = laboratory.calmcp;
  const world = await laboratory.world({ accounts: 16, delayMs: 50, remembers: false });
  const accounts = world.accounts.slice(0, 8);
  const ids = accounts.map(({ id }) => id);
  const [ill] = accounts;
  const others = ids.slice(1);
  const rounds = quick ? 3 : 7;
  const times = { well: [], othersWell: [], whole: [], othersTold: [], second: [] };

  for (let round = 0; round < rounds; round++) {
    // A new one each time: an account that was ill is left alone for a while.
    const app = world.openApp({ deadlineMs: DEADLINE_MS });
    for (let warm = 0; warm < 3; warm++) await ask(listEvents, app, { ...WEEK, accounts: ids });
    const since = async (into, work) => {
      const started = performance.now();
      await work();
      into.push(performance.now() - started);
    };
    await since(times.well, () => ask(listEvents, app, { ...WEEK, accounts: ids }));
    await since(times.othersWell, () => ask(listEvents, app, { ...WEEK, accounts: others }));
    await world.sandbox.tell('hang', { username: ill.username });
    const started = performance.now();
    const input = listEvents.input.parse({ ...WEEK, accounts: ids });
    const first = listEvents.run(app, input, {
      signal: new AbortController().signal,
      progress(answered) {
        if (answered === others.length) times.othersTold.push(performance.now() - started);
      },
    });
    // While the first one still waits for the account that hangs.
    await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS / 2));
    await since(times.second, () => ask(listEvents, app, { ...WEEK, accounts: others }));
    const answer = await first;
    times.whole.push(performance.now() - started);
    const missing = answer.accounts.filter(({ status }) => status !== 'ok').map(({ account }) => account);
    if (answer.complete || missing.join() !== ill.id) throw new Error(`unexpected coverage: ${missing.join()}`);
    await world.sandbox.tell('mend');
    await app.close();
  }

  const [whole, well, othersWell, told, second] = [
    times.whole,
    times.well,
    times.othersWell,
    times.othersTold,
    times.second,
  ].map(median);
  return [
    {
      what: 'one of 8 hangs: the whole answer',
      figure: whole,
      unit: 'ms',
      ratio: whole / DEADLINE_MS,
      of: 'deadline',
      aim: 1.05,
    },
    {
      what: 'one of 8 hangs: the other 7 are in',
      figure: told,
      unit: 'ms',
      ratio: told / well,
      of: 'all 8 well',
      aim: 1.25,
    },
    {
      what: 'one of 8 hangs: a second question to the other 7',
      figure: second,
      unit: 'ms',
      ratio: second / othersWell,
      of: 'all 8 well',
      aim: 1.25,
    },
  ];
}
