/** Where calendars come from: files beside accounts.yaml, or a feed. */
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Call, FileRead, HttpAnswer, ProviderContext } from '../../core/provider.ts';
import { feedAddress, redirectTarget } from './address.ts';
import type { IcsOptions } from './options.ts';

/** One calendar's text, or why it is not there. */
export interface Document {
  readonly id: string;
  /** What it is called where it does not say so itself. */
  readonly name: string;
  /** For messages: `team.ics`, `the feed at example.org`. */
  readonly where: string;
  readonly content: { readonly text: string; readonly asOf: number } | { readonly error: CalmcpError };
}

export interface Source {
  /** @throws CalmcpError when there is no telling which calendars there are */
  load(call: Call): Promise<readonly Document[]>;
}

/** Largest feed or file: years of a busy team take a tenth of it. */
const MAX_BYTES = 20 * 1_048_576;
const MAX_REDIRECTS = 5;

export function fileSource(path: string, context: ProviderContext): Source {
  return {
    async load() {
      let entries: readonly FileRead[];
      try {
        entries = await context.readFile(path, { extensions: ['.ics'], maxBytes: MAX_BYTES });
      } catch (thrown) {
        const error = toCalmcpError(thrown);
        if (error.code !== 'NOT_FOUND') throw error;
        throw new CalmcpError('NOT_FOUND', `there is no file or folder ${path}`, {
          hint: `correct path: of account ${context.account} in accounts.yaml; it is relative to that file`,
          cause: error,
        });
      }
      if (entries.length === 0)
        throw new CalmcpError('CONFIG_INVALID', `there is no .ics file in the folder ${path}`, {
          hint: `correct path: of account ${context.account} in accounts.yaml`,
        });
      const asOf = context.now().epochMilliseconds;
      return entries
        .map((entry): Document => {
          const name = entry.name.replace(/\.ics$/i, '');
          const content = 'error' in entry ? { error: entry.error } : { text: entry.text, asOf };
          return { id: entry.name, name, where: entry.name, content };
        })
        .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function feedSource(address: string, context: ProviderContext): Source {
  const parsed = feedAddress(address);
  if (parsed === null)
    throw new CalmcpError('CONFIG_INVALID', `account ${context.account}: url is no address of a feed`, {
      hint: 'give an https:// or webcal:// address',
    });
  const configured = new URL(parsed);
  const { host } = configured;
  // fetch refuses an address with a password in it, and would quote it while refusing.
  const [username, password] = [configured.username, configured.password].map(decoded);
  const basic =
    username === '' ? undefined : `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
  configured.username = '';
  configured.password = '';
  configured.hash = '';

  let last: { readonly text: string; readonly etag: string | null; readonly modified: string | null } | undefined;
  const bad = (message: string, hint?: string): CalmcpError =>
    new CalmcpError('BAD_RESPONSE', `the feed at ${host} ${message}`, { hint });

  /** @param known what it may say that it has not changed since */
  async function request(call: Call, known: typeof last): Promise<HttpAnswer> {
    const fetch = context.fetch(call, { maxBytes: MAX_BYTES });
    let url = configured;
    for (let redirects = 0; ; redirects++) {
      const headers = new Headers({ accept: 'text/calendar, */*;q=0.1' });
      if (basic !== undefined && url.origin === configured.origin) headers.set('authorization', basic);
      if (known?.etag) headers.set('if-none-match', known.etag);
      else if (known?.modified) headers.set('if-modified-since', known.modified);
      const response = await fetch(url, { headers, redirect: 'manual' });
      if (![301, 302, 303, 307, 308].includes(response.status)) return response;
      if (redirects >= MAX_REDIRECTS) throw bad('redirects in circles');
      const target = redirectTarget(response.headers.get('location') ?? '', url, configured);
      if (target === null)
        throw bad('redirects to where calmcp does not follow', 'only public https addresses are followed');
      target.username = '';
      target.password = '';
      url = target;
    }
  }

  function textOf({ headers, body }: HttpAnswer): string {
    const charset = /charset="?([\w-]+)/i.exec(headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
    try {
      return new TextDecoder(charset).decode(body);
    } catch {
      return new TextDecoder().decode(body);
    }
  }

  async function fetchText(call: Call): Promise<string> {
    // By the time of the answer another question may have brought another text, an older one too.
    const known = last;
    let response: HttpAnswer;
    try {
      response = await request(call, known);
    } catch (thrown) {
      call.signal.throwIfAborted();
      const error = toCalmcpError(thrown);
      if (error.hint !== undefined || !['AUTH_REQUIRED', 'FORBIDDEN', 'NOT_FOUND'].includes(error.code)) throw error;
      const hint = 'the address of the feed may have been withdrawn: copy it anew into accounts.yaml';
      throw new CalmcpError(error.code, error.message, { hint, cause: error.cause });
    }
    if (response.status === 304) {
      if (known === undefined) throw bad('says that it did not change, and was never read');
      return known.text;
    }
    if (response.status === 206) throw bad('sent only a part of itself');
    if (response.status !== 200) throw bad(`answered with something that is not a calendar (HTTP ${response.status})`);
    const text = textOf(response);
    if (!/^\uFEFF?\s*BEGIN:VCALENDAR\s/i.test(text))
      throw bad(
        'answered with something that is not a calendar',
        /^\s*</.test(text)
          ? 'it is a web page: the address may need a sign-in, or a network sign-in page stands in between'
          : undefined,
      );
    last = { text, etag: response.headers.get('etag'), modified: response.headers.get('last-modified') };
    return text;
  }

  return {
    async load(call) {
      const asOf = context.now().epochMilliseconds;
      const text = await fetchText(call);
      return [{ id: 'feed', name: host, where: `the feed at ${host}`, content: { text, asOf } }];
    },
  };
}

export function createSource({ url, path }: IcsOptions, context: ProviderContext): Source {
  return url === undefined ? fileSource(path ?? '', context) : feedSource(url, context);
}
