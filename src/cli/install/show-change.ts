/**
 * A change of one entry, line by line. Of the rest of the file nothing is shown: it may hold the secrets of other servers.
 */
import { neutralize } from '../../core/text.ts';
import type { Style } from '../shell.ts';
import type { EntryPath } from './json-edit.ts';

const KNOWN_VARIABLES = /^CALMCP_(?:HOME|CONFIG|KEYSTORE|LOG|NOW)$/;

const HIDDEN = '…';

/** Of variables that calmcp does not know, the names; of somebody else's entry, what it starts. */
export function shownOf(entry: unknown, isOwn: boolean): unknown {
  if (typeof entry !== 'object' || entry === null) return HIDDEN;
  const variables = (env: unknown): unknown =>
    typeof env === 'object' && env !== null
      ? Object.fromEntries(
          Object.entries(env).map(([name, value]) => [name, KNOWN_VARIABLES.test(name) ? value : HIDDEN]),
        )
      : HIDDEN;
  const shown = isOwn ? ['type', 'command', 'args'] : ['type', 'command'];
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => {
      if (isOwn && key === 'env') return [key, variables(value)];
      return [key, shown.includes(key) ? value : HIDDEN];
    }),
  );
}

function linesOf(name: string, entry: unknown, isOwn: boolean): readonly string[] {
  if (entry === undefined) return [];
  const text = `${JSON.stringify(name)}: ${JSON.stringify(shownOf(entry, isOwn), null, 2)}`;
  return text.split('\n').map((line) => /^ */.exec(line)?.[0] + neutralize(line));
}

export interface Change {
  readonly file: string;
  readonly path: EntryPath;
  readonly before: unknown;
  /** Whether the entry was calmcp's. */
  readonly wasOwn: boolean;
  readonly after: unknown;
}

/** What goes has `-` in front, what comes `+`, and what stays a space. */
export function changeLines({ file, path, before, wasOwn, after }: Change, style: Style): readonly string[] {
  const old = linesOf(path.name, before, wasOwn);
  const fresh = linesOf(path.name, after, true);
  const most = Math.min(old.length, fresh.length);
  let head = 0;
  while (head < most && old[head] === fresh[head]) head++;
  let tail = 0;
  while (tail < most - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  return [
    style('bold', `${neutralize(file)}, in ${JSON.stringify(path.container)}:`),
    ...fresh.slice(0, head).map((line) => `  ${line}`),
    ...old.slice(head, old.length - tail).map((line) => style('red', `- ${line}`)),
    ...fresh.slice(head, fresh.length - tail).map((line) => style('green', `+ ${line}`)),
    ...fresh.slice(fresh.length - tail).map((line) => `  ${line}`),
  ];
}
