/** Where a browser comes back to after a sign-in: a listener on this machine, for one answer. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Largest answer that is read; real ones take a few thousand bytes. */
const MAX_BODY_BYTES = 65_536;
/** How long the listener stays for a browser that asks twice. */
const LINGER_MS = 500;

export interface Loopback {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /**
   * The parameters that came with the right `state`; what comes with another one, or without, is turned away and does not
   * end the wait. @throws the signal's reason
   */
  answer(state: string, signal: AbortSignal): Promise<URLSearchParams>;
  /** Shows the person what became of it, and stops listening. */
  finish(outcome: { readonly ok: boolean; readonly message: string }): Promise<void>;
}

const STYLE = `
:root{color-scheme:light dark;--back:#f4f5f7;--card:#fff;--text:#1c1e21;--soft:#565c66;--ok:#1a7f4b;--no:#b3261e}
@media(prefers-color-scheme:dark){:root{--back:#121417;--card:#1d2126;--text:#eceef1;--soft:#a9b0ba;--ok:#5cc98d;--no:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--back);color:var(--text);font:1.05rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:30rem;padding:2.25rem;border-radius:1rem;background:var(--card);box-shadow:0 1px 3px #0002,0 8px 30px #0001;overflow-wrap:anywhere}
svg{width:3rem;height:3rem;fill:none;stroke:currentColor;stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.ok svg{color:var(--ok)}
.no svg{color:var(--no)}
h1{margin:.75rem 0 .5rem;font-size:1.6rem;line-height:1.2}
p{margin:0}
p+p{margin-top:1rem;color:var(--soft);font-size:.95rem}`;

const SIGN = {
  ok: '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="m7.5 12.5 3 3 6-6.5"/></svg>',
  no: '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/><path d="M12 7v6m0 3.5v.01"/></svg>',
} as const;

/** Complete in itself: it is shown when nothing listens here any more. */
function page({ ok, message }: { readonly ok: boolean; readonly message: string }): string {
  const safe = message.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const kind = ok ? 'ok' : 'no';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${ok ? 'Signed in' : 'Not signed in'} · calmcp</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style></head>
<body><main class="${kind}">${SIGN[kind]}
<h1>${ok ? 'Signed in' : 'Not signed in'}</h1>
<p>${safe}</p>
<p>You can close this page and go back to your terminal.</p>
</main></body>
</html>
`;
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    connection: 'close',
  });
  response.end(body);
}

/** @returns undefined for a body that is too large */
async function paramsOf(request: IncomingMessage, url: URL): Promise<URLSearchParams | undefined> {
  if (request.method !== 'POST') return url.searchParams;
  let size = 0;
  const parts: Buffer[] = [];
  // Not destroyed half-way: then the answer would not get through either.
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}

/** Listens on 127.0.0.1 and a free port, for requests to `/` (GET, or POST of a form). */
export async function openLoopback(): Promise<Loopback> {
  let expected: { readonly state: string; readonly resolve: (params: URLSearchParams) => void } | undefined;
  /** Browsers that wait to hear what became of the sign-in. */
  const waiting: ServerResponse[] = [];
  let outcome: { readonly ok: boolean; readonly message: string } | undefined;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A target such as "//" is no address at all.
    const target = request.url ?? '';
    const url = target.startsWith('//') ? undefined : new URL(target, 'http://127.0.0.1');
    if (url?.pathname !== '/' || (request.method !== 'GET' && request.method !== 'POST'))
      return send(response, 404, 'Not found');
    const params = await paramsOf(request, url);
    if (params === undefined) return send(response, 413, 'Too large');
    if (expected === undefined || params.get('state') !== expected.state)
      return send(response, 400, page({ ok: false, message: 'This is not the sign-in that calmcp waits for.' }));
    if (outcome !== undefined) return send(response, outcome.ok ? 200 : 400, page(outcome));
    waiting.push(response);
    expected.resolve(params);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    answer: (state, signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => reject(signal.reason);
        if (signal.aborted) return abort();
        signal.addEventListener('abort', abort, { once: true });
        expected = {
          state,
          resolve(params) {
            signal.removeEventListener('abort', abort);
            resolve(params);
          },
        };
      }),
    async finish(result) {
      outcome = result;
      const browsers = waiting.splice(0);
      for (const response of browsers) send(response, result.ok ? 200 : 400, page(result));
      if (browsers.length > 0) await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
