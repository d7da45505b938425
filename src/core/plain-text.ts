/** Texts of events: markup made plain, and the way into the meeting that they name. */
import { meetingAddressIn } from './text.ts';

/** Elements whose tags are markup. Any other `<word>` is what somebody wrote: an address, a placeholder. */
const ELEMENTS = new Set(
  (
    'a abbr address article aside b base big blockquote body br button caption center cite code col colgroup dd del ' +
    'details dfn div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html ' +
    // Google Calendar wraps in it what was pasted from elsewhere.
    'html-blob i img input ins kbd label legend li link main map mark menu meta nav ol p pre q s samp script section ' +
    'small source span strike strong style sub summary sup table tbody td textarea tfoot th thead time title tr tt u ul ' +
    'var video wbr'
  ).split(' '),
);
/** A line of their own. */
const BLOCKS = new Set(
  (
    'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 ' +
    'h4 h5 h6 header hr li main menu nav ol p pre section summary table tr ul'
  ).split(' '),
);
/** What is between their tags is for a browser and not for a reader. */
const UNREAD = new Set(['script', 'style', 'title']);

/**
 * A tag. It ends before the next `<`, so that no character is looked at again for every `<` before it: the time stays
 * linear whatever is sent.
 */
const TAG = /<(\/?)([a-z][\w:-]*)((?:\s|\/)(?:[^<>"']|"[^"<]*"|'[^'<]*')*|(?:\s|\/)[^<>]*)?>/giy;
/** Tags that nobody writes by accident: what closes something, or breaks a line. */
const TELLING = /<\/([a-z][\w-]*)\s*>|<(?:br|hr|p|li)(?:[\s/][^<>]*)?>|^\s*<(?:!doctype|html|body)\b/gi;

const isMarkup = (name: string): boolean => ELEMENTS.has(name) || /^[movw]:/.test(name);

function isHtml(text: string): boolean {
  for (const [, closed] of text.matchAll(TELLING))
    if (closed === undefined || isMarkup(closed.toLowerCase())) return true;
  return false;
}

/**
 * A text that may be plain or HTML and does not say which, as plain text (C04). It is HTML when it closes an element or
 * breaks a line in HTML's way; a plain `a < b`, `<name@example.org>` or `<your name>` stays. Entities are decoded once
 * in either case: Google's own editor writes `&amp;` into texts without a single tag. Blocks and `<br>` become line
 * breaks; scripts, styles and comments go; a link keeps its address, `text <https://…>`.
 */
export function plainText(foreign: string): string {
  const text = foreign.replaceAll(/\r\n?/g, '\n');
  if (!isHtml(text)) return decodeEntities(text).trim();
  // In a whole document a line break of the source is a space, as in a browser. In a description it is what somebody
  // typed: Google's own page shows it as one.
  const isDocument = /^\s*<(?:!doctype|html|head|body)\b/i.test(text);
  return tidy(readMarkup(isDocument ? text.replaceAll('\n', ' ') : text));
}

function readMarkup(html: string): string {
  const lower = html.toLowerCase();
  const parts: string[] = [];
  let atLineStart = true;
  let link: { readonly address: string; readonly from: number } | undefined;
  const add = (part: string): void => {
    if (part === '') return;
    parts.push(part);
    atLineStart = part.endsWith('\n');
  };
  /** Says where a link leads, unless its text does. */
  const endLink = (): void => {
    if (link !== undefined && !parts.slice(link.from).join('').includes(link.address)) add(` <${link.address}>`);
    link = undefined;
  };
  let afterBreak = false;
  for (let at = 0; at < html.length; ) {
    const next = html.indexOf('<', at);
    if (next !== at) {
      const text = html.slice(at, next === -1 ? html.length : next);
      // The line break of the source after one of the markup is the same break.
      add(decodeEntities(afterBreak ? text.replace(/^[ \t]*\n/, '') : text));
      afterBreak = false;
      at += text.length;
      continue;
    }
    if (html.startsWith('<!', at)) {
      // What is never closed hides the rest, as in a browser: https://html.spec.whatwg.org/multipage/parsing.html#comment-state
      const close = html.startsWith('<!--', at) ? '-->' : '>';
      const end = html.indexOf(close, at);
      at = end === -1 ? html.length : end + close.length;
      continue;
    }
    TAG.lastIndex = at;
    const tag = TAG.exec(html);
    const name = tag?.[2]?.toLowerCase() ?? '';
    if (tag === null || !isMarkup(name)) {
      add('<');
      at += 1;
      continue;
    }
    at += tag[0].length;
    const closes = tag[1] === '/';
    if (UNREAD.has(name) && !closes) {
      const end = lower.indexOf(`</${name}`, at);
      at = end === -1 ? html.length : end;
    } else if (name === 'a') {
      endLink();
      const address = closes ? undefined : hrefIn(tag[3] ?? '');
      if (address !== undefined) link = { address, from: parts.length };
    } else if (name === 'br') add('\n');
    else if (BLOCKS.has(name) && !atLineStart) add('\n');
    else if (name === 'td' || name === 'th') add(' ');
    afterBreak = name === 'br' || BLOCKS.has(name);
  }
  endLink();
  return parts.join('');
}

function hrefIn(attributes: string): string | undefined {
  const match = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/i.exec(attributes);
  const address = decodeEntities(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim();
  return /^https?:\/\/[^\s<>"]+$/i.test(address) ? address : undefined;
}

function tidy(text: string): string {
  return text
    .replaceAll(/[ \t\u00a0]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

/** In order, from U+00A0 on: https://www.w3.org/TR/html4/sgml/entities.html#h-24.2.1 */
const LATIN_1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
  'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
  'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
  'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
  'thorn yuml';
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['ndash', '–'],
  ['mdash', '—'],
  ['lsquo', '‘'],
  ['rsquo', '’'],
  ['sbquo', '‚'],
  ['ldquo', '“'],
  ['rdquo', '”'],
  ['bdquo', '„'],
  ['bull', '•'],
  ['hellip', '…'],
  ['euro', '€'],
  ['trade', '™'],
  ['rarr', '→'],
  ['larr', '←'],
  ...LATIN_1.split(' ').map((name, index) => [name, String.fromCodePoint(0xa0 + index)] as const),
]);

/** Once: what `&amp;lt;` stands for is `&lt;`. One that is unknown stays as it is. */
function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z][a-z0-9]{1,15}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name)?.replace('\u00a0', ' ') ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}

/**
 * The first address in `text` that leads into an online meeting (C07). One that a mail filter or a calendar wrapped into
 * an address of its own (Safe Links, google.com/url) is given as it stands: what it leads to is its maker's to say.
 */
export function joinAddressIn(text: string): string | undefined {
  for (const [found] of text.matchAll(/https:\/\/[^\s<>"]+/gi))
    if (meetingAddressIn(found) !== undefined || meetingAddressIn(unwrapped(found)) !== undefined)
      return withoutPunctuation(found);
  return undefined;
}

/** `https%3A%2F%2F…` in a query as an address. */
function unwrapped(address: string): string {
  return address.replaceAll(/%(3a|2f)/gi, (_, code: string) => (code.toLowerCase() === '2f' ? '/' : ':'));
}

/** A sentence goes on, or ends, after the address in it. */
function withoutPunctuation(address: string): string {
  let end = address.length;
  while (end > 0 && ".,;:!?)]}'’".includes(address.charAt(end - 1))) end -= 1;
  return address.slice(0, end);
}
