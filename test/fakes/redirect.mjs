// Preload for a child server that has no setting for its endpoints (node --import redirect.mjs …): sends what it asks of
// Microsoft to the sandbox, and refuses any other host, so that a test can never reach the network.
const origin = process.env.SANDBOX_ORIGIN;
if (!origin) throw new Error('redirect.mjs needs SANDBOX_ORIGIN');
const hosts = new Set(['graph.microsoft.com', 'login.microsoftonline.com']);
const real = globalThis.fetch;

globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : undefined;
  const url = new URL(request?.url ?? String(input));
  if (!hosts.has(url.hostname)) throw new TypeError(`redirect.mjs: no way to ${url.host}`);
  const headers = new Headers(init?.headers ?? request?.headers);
  headers.set('x-original-host', url.hostname);
  const target = new URL(url.pathname + url.search, origin);
  return real(request ? new Request(target, request) : target, { ...init, headers });
};
