/** Event text comes from anybody who can send an invitation: it is data, and never allowed to steer a terminal. */

/**
 * Control characters and all that Unicode calls ignorable: bidirectional controls, invisible operators, fillers, tag
 * characters. Three flags (England, Scotland, Wales) are written with tag characters and become a black flag: the same
 * characters spell sentences that a model reads and nobody sees. Joiners and variation selectors are looked at below.
 * @see https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
 */
const INVISIBLE =
  /(?![\u200C\u200D]|\p{Variation_Selector})[\p{Cc}\u2028\u2029\uFFF9-\uFFFB\p{Default_Ignorable_Code_Point}]/gu;
/**
 * A variation selector is kept where it chooses how a character looks. There are 260 of them: after any other letter each carries
 * a byte that a model reads and nobody sees.
 * @see https://www.unicode.org/Public/UCD/latest/ucd/StandardizedVariants.txt
 */
const STRAY_SELECTOR =
  /(?<!\p{Emoji})[\uFE0E\uFE0F]|(?<![\p{Script=Han}\p{Script=Myanmar}\p{Script=Phags_Pa}\p{Script=Manichaean}\p{Sm}])[\uFE00-\uFE0D]|(?<!\p{Script=Mongolian})[\u180B-\u180D\u180F]|(?<!\p{Script=Han})[\u{E0100}-\u{E01EF}]/gu;
/** A joiner is kept where it joins: inside an emoji, or between letters of a script that needs it. */
const STRAY_JOINER =
  /(?<!\p{L}|\p{M}|\p{Extended_Pictographic}|\p{Emoji_Modifier})[\u200C\u200D]|[\u200C\u200D](?!\p{L}|\p{M}|\p{Extended_Pictographic})/gu;
const NEEDLESS_JOINER =
  /[\u200C\u200D](?=\p{Script=Latin}|\p{Script=Greek}|\p{Script=Cyrillic})|(?<=\p{Script=Latin}|\p{Script=Greek}|\p{Script=Cyrillic})[\u200C\u200D]/gu;

/**
 * One line of foreign text without characters that reorder, hide or control what is around it (C02, T16). Letters,
 * emoji, and right-to-left scripts stay as they are.
 */
export function neutralize(foreign: string): string {
  return (
    foreign
      .replaceAll(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
      // Half of a character (a title cut to length) makes some JSON readers fail, and two halves could meet below.
      .replaceAll(/\p{Cs}/gu, '\uFFFD')
      .replaceAll(INVISIBLE, '')
      .replaceAll(STRAY_SELECTOR, '')
      .replaceAll(STRAY_JOINER, '')
      .replaceAll(NEEDLESS_JOINER, '')
      .trim()
  );
}

/** Characters of one line that are looked at: whoever sends more sends it to fill somebody's context. */
const MOST_READ = 20_000;

/** The same, cut to so many characters, with `…` where some are left out. */
export function neutralizeShort(foreign: string, most: number): string {
  const text = neutralize(foreign.slice(0, MOST_READ));
  return text.length <= most && foreign.length <= MOST_READ ? text : `${cutAt(text, most)}…`;
}

/** The first characters of what was made safe, whole ones. */
export function cutAt(text: string, most: number): string {
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  // What joined the next character joins nothing at the cut.
  return text.slice(0, end).replace(/[\u200C\u200D]+$/, '');
}

/** The same for a text of several lines: their breaks stay. */
export function neutralizeLines(foreign: string): string {
  return foreign
    .split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
    .map(neutralize)
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

/** More than browsers and mail filters make of an address. */
const LONGEST_ADDRESS = 4_000;

/** A foreign text as a web address that is safe to print and to follow; `undefined` for anything else. */
export function webAddress(foreign: string): string | undefined {
  const trimmed = foreign.trim();
  if (trimmed.length > LONGEST_ADDRESS || !/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) return undefined;
  // Control characters and spaces come back percent-encoded.
  return new URL(trimmed).href;
}

/** Addresses that open an online meeting. */
const MEETING =
  /https:\/\/(?:teams\.(?:microsoft|live)\.com\/(?:l\/meetup-join|meet)\/|(?:[\w-]+\.)*zoom(?:gov)?\.(?:us|com)\/(?:j|my|w|s)\/|meet\.google\.com\/|(?:[\w-]+\.)+webex\.com\/)[^\s<>"]*/i;

/** The first address of an online meeting that somebody wrote into a text (C07). */
export function meetingAddressIn(text: string): string | undefined {
  return MEETING.exec(text)?.[0];
}
