/**
 * What Microsoft writes below the text of an online meeting: a line, how to join, a line. An event that loses it is no longer
 * an online meeting: https://learn.microsoft.com/graph/api/event-update#notes-for-updating-specific-properties
 */
const LINE = /_{16,}|(?<=<div )class="me-email-text"/g;

/** Where the way to join begins, with the line above it; -1 where there is none. */
function lineAbove(content: string): number {
  for (const { index } of content.matchAll(LINE)) if (/https?:\/\//.test(content.slice(index))) return index;
  return -1;
}

/** A plain text without them. */
export function withoutJoinDetails(text: string): string {
  const line = lineAbove(text);
  return line < 0 ? text : text.slice(0, line).trim();
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\n': '<br>\n' };

/**
 * Markup with another text above its join details. None where they are in it, but not as Microsoft is known to write them.
 * @param joinUrl of the meeting
 */
export function withTextAbove(markup: string, text: string, joinUrl: string | undefined): string | undefined {
  const written = text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[&<>\n]/g, (character) => ESCAPES[character] ?? character);
  const line = lineAbove(markup);
  const block = line < 0 ? -1 : Math.max(markup.lastIndexOf('<div', line), markup.lastIndexOf('<p', line));
  const body = /<body[^>]*>/i.exec(markup);
  const from = body === null ? 0 : body.index + body[0].length;
  if (block >= from) return `${markup.slice(0, from)}\n<div>${written}</div>\n${markup.slice(block)}`;
  const isInIt = joinUrl !== undefined && markup.replaceAll('&amp;', '&').includes(joinUrl);
  return isInIt || line >= 0 ? undefined : `<html><body><div>${written}</div></body></html>`;
}
