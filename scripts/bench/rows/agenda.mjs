// Warm and cold agenda, and free/busy, of more and more accounts: in round trips of a bare client where the services are far
// away, and in milliseconds where they are near.
import { ask, askBare, LIVE, noting } from '../ask.mjs';
import { inTurn, median } from '../figures.mjs';

const RANGE = { range: 'this week' };
const COUNTS = [1, 2, 4, 8, 16];
/** The size that the aims are about. */
const AIMED = 8;

/** One request of a warm question, alone: what a round trip is. */
const onlyFirst = (requests) => requests.slice(0, 1);

export async function measureAgenda(laboratory, { quick }) {
  const { listEvents, getFreeBusy } = laboratory.calmcp;
  const rows = [];
  for (const delayMs of [0, 200]) {
    const rounds = delayMs === 0 ? (quick ? 15 : 41) : quick ? 5 : 11;
    const coldRounds = quick ? 3 : 7;
    const world = await laboratory.world({ accounts: 16, delayMs });
    for (const count of COUNTS) {
      const accounts = world.accounts.slice(0, count).map(({ id }) => id);
      const question = { ...RANGE, accounts };
      const agenda = (app) => ask(listEvents, app, { ...question, ...LIVE });
      const isAimed = count === AIMED;

      const notes = noting();
      const noted = world.openApp({ fetch: notes.fetch });
      await agenda(noted);
      notes.noted.length = 0;
      await agenda(noted);
      await noted.close();
      const requests = [...notes.noted];

      const app = world.openApp();
      const warmUp = delayMs === 0 ? 20 : 2;
      for (let round = 0; round < warmUp; round++) {
        await agenda(app);
        await ask(getFreeBusy, app, { ...question, ...LIVE });
      }
      const warm = await inTurn(rounds, {
        trip: () => askBare(onlyFirst(requests)),
        bare: () => askBare(requests),
        agenda: () => agenda(app),
        ...(isAimed ? { freeBusy: () => ask(getFreeBusy, app, { ...question, ...LIVE }) } : {}),
      });
      await app.close();
      const cold = await inTurn(coldRounds, {
        trip: () => askBare(onlyFirst(requests)),
        async agenda() {
          const fresh = world.openApp();
          const started = performance.now();
          await agenda(fresh);
          const took = performance.now() - started;
          await fresh.close();
          return took;
        },
      });

      const name = `${count} x ${world.calendars}, ${delayMs} ms`;
      const [trip, bare] = [median(warm.trip), median(warm.bare)];
      const far = delayMs > 0;
      const beside = (milliseconds) =>
        far
          ? { ratio: milliseconds / trip, of: 'round trip' }
          : { ratio: milliseconds / bare, of: 'same requests, bare', aimOf: 'figure' };
      const row = (what, milliseconds, aims = {}) =>
        rows.push({ what: `${what}, ${name}`, figure: milliseconds, unit: 'ms', ...beside(milliseconds), ...aims });
      if (isAimed) {
        rows.push({ what: `one round trip, ${delayMs} ms`, figure: trip, unit: 'ms' });
        row('same requests with a bare client', bare);
      }
      const warmAims = far ? { aim: 1.1, rival: 1.26 } : { aim: 15, rival: 35 };
      row('agenda, warm', median(warm.agenda), isAimed ? warmAims : {});
      row('agenda, cold', median(cold.agenda), isAimed && far ? { aim: 2.2, rival: 2.7 } : {});
      if (isAimed) row('free/busy, warm', median(warm.freeBusy), far ? { aim: 1.05 } : {});
    }
  }
  return rows;
}
