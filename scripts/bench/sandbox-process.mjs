// The sandbox of a bench, in a process of its own: what it does is no work of calmcp. Told by messages what to do; ends with
// whoever started it.
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const [address, settings] = process.argv.slice(2);
const { accounts, calendars, events, delayMs, weekOf, remembers } = JSON.parse(settings);
const sandboxed = await import(address);

const ZONE = 'Europe/Amsterdam';
const dayOf = (offset) => new Date(Date.parse(`${weekOf}T00:00:00Z`) + offset * 86_400_000).toISOString().slice(0, 10);
const twoDigits = (value) => String(value).padStart(2, '0');

/** `events` of a calendar, spread over the working days of a week; the first one of all calendars is the same meeting. */
function slots(account, calendar) {
  return Array.from({ length: events }, (_, index) => {
    const minutes = 8 * 60 + ((account * 7 + calendar * 53 + Math.floor(index / 5) * 75) % 36) * 15;
    const at = (more) => `${twoDigits(Math.floor((minutes + more) / 60))}:${twoDigits((minutes + more) % 60)}`;
    const date = dayOf(index % 5);
    return {
      title: `Meeting ${index + 1} of ${account + 1}.${calendar + 1}`,
      start: `${date}T${at(0)}`,
      end: `${date}T${at(30)}`,
    };
  });
}

/** As long as accounts of people are: a quarter comes with a place and people. */
const people = [1, 2, 3].map((number) => ({ name: `Person ${number}`, address: `person${number}@elsewhere.example` }));

const { event, mailbox, calendar, googleEvent, googleCalendar, googleUser, sharedGoogleClient, clientId } = sandboxed;

function microsoftEvents(account, number) {
  return slots(account, number).map(({ title, start, end }, index) =>
    event({
      subject: title,
      start,
      end,
      zone: ZONE,
      ...(index % 4 === 0 ? { organizedBy: people[0], invited: people.slice(1), place: 'Room 12', teams: title } : {}),
    }),
  );
}

function googleEvents(account, number) {
  return slots(account, number).map(({ title, start, end }, index) =>
    googleEvent({
      summary: title,
      start,
      end,
      zone: ZONE,
      ...(index % 4 === 0
        ? {
            organizedBy: { email: people[0].address, displayName: people[0].name },
            invited: people.slice(1).map(({ address: email, name }) => ({ email, displayName: name })),
            location: 'Room 12',
            meet: title,
          }
        : {}),
    }),
  );
}

const numbers = Array.from({ length: calendars }, (_, number) => number);
const of = (provider) =>
  accounts.map((account, place) => ({ ...account, place })).filter((one) => one.provider === provider);

const microsoft = of('microsoft');
const data = {
  tenants: microsoft.map(({ tenantId, username }) => ({
    id: tenantId,
    domain: username.split('@')[1],
    name: username.split('@')[1],
  })),
  applications: [{ clientId, name: 'calmcp', tenants: microsoft.map(({ tenantId }) => tenantId) }],
  users: microsoft.map(({ tenantId, username, place }) => ({
    oid: `aaaaaaaa-0000-0000-0000-${String(place).padStart(12, '0')}`,
    tenant: tenantId,
    username,
    displayName: 'You',
  })),
  mailboxes: microsoft.map(({ username, place }) =>
    mailbox(
      username,
      numbers.map((number) => calendar(`Calendar ${number + 1}`, microsoftEvents(place, number))),
    ),
  ),
};

const idOf = (username, number) =>
  number === 0 ? username : `c_${username.replace('@', '_')}_${number}@group.calendar.google.com`;
const googleData = {
  clients: [sharedGoogleClient],
  users: of('google').map(({ username, place }) =>
    googleUser(
      place,
      username,
      numbers.map((number) => ({ calendarId: idOf(username, number), selected: true })),
    ),
  ),
  calendars: of('google').flatMap(({ username, place }) =>
    numbers.map((number) =>
      googleCalendar(idOf(username, number), googleEvents(place, number), {
        summary: `Calendar ${number + 1}`,
        access: { [username]: 'owner' },
      }),
    ),
  ),
};

const sandbox = await sandboxed.startSandbox({
  data,
  googleData,
  delayMs: remembers ? 0 : delayMs,
  weekOf,
  deviceCodeIntervalSeconds: 0.02,
});

/**
 * Stands in front of the sandbox and gives the same answer to the same question, after the delay. The sandbox takes milliseconds for
 * each answer, one after the other, which no service does: with it alone the sandbox would be measured.
 */
async function startMemory() {
  const answers = new Map();
  async function ask(request, body) {
    const { host: _host, connection: _connection, ...headers } = request.headers;
    const response = await fetch(sandbox.origin + request.url, {
      method: request.method,
      headers,
      ...(body === '' ? {} : { body }),
    });
    const kept = Buffer.from(await response.arrayBuffer());
    const { 'transfer-encoding': _chunked, connection: _closed, ...told } = Object.fromEntries(response.headers);
    return { status: response.status, headers: { ...told, 'content-length': kept.length }, body: kept };
  }
  const server = createServer(async (request, response) => {
    const arrived = performance.now();
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString('utf8');
    const key = [request.method, request.url, request.headers.authorization, body].join('\n');
    let answer = answers.get(key);
    if (answer === undefined) {
      answer = await ask(request, body);
      if (answer.status === 200) answers.set(key, answer);
    }
    const left = delayMs - (performance.now() - arrived);
    if (left > 0) await wait(left);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}

/** Whose requests hang. */
const hung = new Set();
sandbox.fail({ match: ({ mailbox: username }) => hung.has(username), hang: true, inBatch: false });

const ORDERS = {
  approve: ({ code, username }) => sandbox.approve(code, username),
  consent: ({ url, username }) => sandbox.google.consent(url, username),
  hang: ({ username }) => void hung.add(username),
  mend: () => hung.clear(),
  /** How many requests for calendars there have been since the last time it was asked for. */
  requests: () =>
    sandbox.requests.splice(0).filter(({ path }) => /^\/(v1\.0|google\/(calendar|batch))\//.test(path)).length,
};

process.on('message', ({ id, order, ...about }) => {
  try {
    process.send({ id, value: ORDERS[order](about) });
  } catch (thrown) {
    process.send({ id, error: String(thrown) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ id: 0, value: { signIn: sandbox.origin, calendars: remembers ? await startMemory() : sandbox.origin } });
