// Preload for child servers that have no setting for their endpoints (node --import redirect.mjs?origin=http://127.0.0.1:… …):
// sends what they ask of Microsoft and Google to the sandbox, and refuses any other host, so that a test can never reach the
// network. The origin comes with the address, as calmcp makes the environment of a child from scratch.
import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

const { searchParams } = new URL(import.meta.url);
const origin = searchParams.get('origin');
if (!origin) throw new Error('redirect.mjs needs ?origin=');
/** Google may always give fewer events on a page than it could (pageSize=…). */
const pageSize = searchParams.get('pageSize');
/** Host to where its paths begin on the sandbox. */
const HOSTS = new Map([
  ['graph.microsoft.com', ''],
  ['login.microsoftonline.com', ''],
  ['www.googleapis.com', '/google'],
  ['oauth2.googleapis.com', '/google'],
]);

function target(url) {
  const base = HOSTS.get(url.hostname);
  if (base === undefined) throw new TypeError(`redirect.mjs: no way to ${url.host}`);
  const to = new URL(base + url.pathname + url.search, origin);
  if (pageSize && url.pathname.endsWith('/events')) to.searchParams.set('maxResults', pageSize);
  return to;
}

const realFetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : undefined;
  const url = new URL(request?.url ?? String(input));
  const to = target(url);
  const headers = new Headers(init?.headers ?? request?.headers);
  headers.set('x-original-host', url.hostname);
  return realFetch(request ? new Request(to, request) : to, { ...init, headers });
};

// Google's client: gaxios, node-fetch, https.request.
https.request = (input, options, callback) => {
  const given = typeof options === 'function' ? {} : (options ?? {});
  const done = typeof options === 'function' ? options : callback;
  const to = target(
    new URL(
      input instanceof URL || typeof input === 'string'
        ? String(input)
        : `https://${input.hostname ?? input.host}${input.path ?? '/'}`,
    ),
  );
  const { agent, protocol, host, hostname, port, path, ...rest } = {
    ...(typeof input === 'object' && !(input instanceof URL) ? input : {}),
    ...given,
  };
  return http.request(to, { ...rest, path: to.pathname + to.search }, done);
};
syncBuiltinESMExports();
