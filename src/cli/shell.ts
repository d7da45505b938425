/** The process as the commands see it. `main.ts` makes the real one, tests make their own. */
import type { Readable, Writable } from 'node:stream';
import type { Fetch, ProviderDefinition } from '../core/provider.ts';

export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal in cells. */
  readonly columns?: number | undefined;
}

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly version: string;
  /** Where calmcp itself is installed: its documents are in `docs/` there. */
  readonly packageFolder: string;
  /** What runs now: Node.js, and the main script of calmcp. */
  readonly program: { readonly node: string; readonly script: string };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly systemTimeZone: string;
  /** What that most probably is, where it is known without loading Intl; good for comparing, and for nothing else. */
  readonly likelyTimeZone?: string | undefined;
  readonly fetch: Fetch;
  readonly providers: readonly ProviderDefinition[];
  /** Aborts at Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** The next line of stdin, without its end. */
  readLine(signal: AbortSignal): Promise<string>;
  /** Resolves when stdin has ended. Reads nothing until it is called. */
  stdinEnded(): Promise<void>;
  /** stdin and stdout themselves, for a protocol that is only passed on. Absent in a process that has none of its own. */
  readonly streams?: (() => Streams) | undefined;
}

export interface Streams {
  readonly input: Readable;
  readonly output: Writable;
}

/** What there is before anything heavy is loaded. */
export type LightShell = Omit<Shell, 'providers'>;

/**
 * Select Graphic Rendition, on and off. Those of 256 (`38;5;n`) tell accounts apart: each has a contrast of at least 3.5
 * to black and to white, and none looks like the red, green and yellow that say how something is.
 */
const CODES = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['33', '39'],
  cyan: ['36', '39'],
  blue: ['38;5;32', '39'],
  orange: ['38;5;166', '39'],
  violet: ['38;5;99', '39'],
  teal: ['38;5;30', '39'],
  pink: ['38;5;163', '39'],
  brown: ['38;5;94', '39'],
  steel: ['38;5;67', '39'],
  mauve: ['38;5;96', '39'],
} as const;

/** Bold, dim and colours, where a terminal shows them and nobody said no (https://no-color.org). */
export interface Style {
  (kind: keyof typeof CODES, text: string): string;
  /** Whether there are colours: marks that only their colour tells apart are noise elsewhere. */
  readonly isColoured?: boolean;
}

export function styleFor(output: Output, env: Shell['env']): Style {
  const wanted = env.FORCE_COLOR ? env.FORCE_COLOR !== '0' : output.isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  const style = (kind: keyof typeof CODES, text: string): string =>
    wanted && text !== '' ? `\u001b[${CODES[kind][0]}m${text}\u001b[${CODES[kind][1]}m` : text;
  return Object.assign(style, { isColoured: wanted });
}

/** A word that is clicked where a terminal shows links (OSC 8); elsewhere the word alone: `--json` has the address. */
export type Link = (label: string, url: string) => string;

export function linkFor(output: Output, env: Shell['env']): Link {
  const clickable = output.isTerminal && env.TERM !== 'dumb';
  return (label, url) => (clickable ? `\u001b]8;;${url}\u001b\\${label}\u001b]8;;\u001b\\` : label);
}

/** What a renderer needs to know of stdout. */
export interface Screen {
  readonly style: Style;
  readonly link: Link;
  /** Width of the terminal in cells; nothing is cut where there is none. */
  readonly columns: number | undefined;
}

export function screenOf({ stdout, env }: Pick<Shell, 'stdout' | 'env'>): Screen {
  return {
    style: styleFor(stdout, env),
    link: linkFor(stdout, env),
    columns: stdout.isTerminal ? stdout.columns : undefined,
  };
}
