/** Two texts of a service beside each other, for a person. */
import { neutralize } from '../../core/text.ts';
import type { Style } from '../shell.ts';

const HIDDEN = '…';

/** Names whose values may be shown: those that install itself writes. */
const SHOWN =
  /^(?:CALMCP_(?:HOME|CONFIG|KEYSTORE|LOG|PASSPHRASE_FILE)|PATH|TZ|XDG_(?:CONFIG|STATE)_HOME|SSL_CERT_(?:FILE|DIR)|NODE_(?:EXTRA_CA_CERTS|USE_SYSTEM_CA|USE_ENV_PROXY))$/;

/** A line without what may be a secret in it: values of variables that somebody has added. */
function maskedOf(line: string, before: string): string {
  const systemd = /^(\s*Environment=["']?)([^=\s]*)=/.exec(line);
  if (systemd !== null) {
    // Several may stand in one line, and the first one's name says nothing of the others.
    const isOne = /^\s*Environment=(?:"(?:[^"\\]|\\.)*"|[^\s"']*)\s*$/.test(line);
    return isOne && SHOWN.test(systemd[2] ?? '') ? line : `${systemd[1]}${systemd[2]}=${HIDDEN}`;
  }
  const variable = /^\s*([A-Za-z_]\w*)=/.exec(line);
  // `Restart=on-failure` and the like have no underscore and are not in capitals.
  if (variable !== null && /^[A-Z\d_]+$/.test(variable[1] ?? '') && !SHOWN.test(variable[1] ?? ''))
    return `${variable[1]}=${HIDDEN}`;
  const key = /<key>([^<]*)<\/key>/.exec(line) ?? /<key>([^<]*)<\/key>\s*$/.exec(before);
  if (key !== null && /^[A-Z\d_]+$/.test(key[1] ?? '') && !SHOWN.test(key[1] ?? ''))
    return line.replaceAll(/<string>.*?(?:<\/string>|$)/g, `<string>${HIDDEN}</string>`);
  return line;
}

const linesOf = (text: string): readonly string[] => {
  const lines = text
    .replace(/^\ufeff/, '')
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
  return lines.map((line, index) => maskedOf(line, lines[index - 1] ?? ''));
};

/** More is nobody's unit file. */
const MOST_LINES = 400;

/** What goes has `-` in front, what comes `+`, and what stays a space: by the longest common subsequence of lines. */
export function differenceLines(before: string, after: string, style: Style): readonly string[] {
  const [old, fresh] = [linesOf(before).slice(0, MOST_LINES), linesOf(after).slice(0, MOST_LINES)];
  const common = Array.from({ length: old.length + 1 }, () => new Array<number>(fresh.length + 1).fill(0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--)
      (common[i] as number[])[j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const shown = (line: string): string => (/^\s*/.exec(line)?.[0] ?? '') + neutralize(line);
  const lines: string[] = [];
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push(`  ${shown(old[i++] ?? '')}`);
      j++;
    } else if (i < old.length && (j >= fresh.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push(style('red', `- ${shown(old[i++] ?? '')}`));
    else lines.push(style('green', `+ ${shown(fresh[j++] ?? '')}`));
  }
  return lines;
}
