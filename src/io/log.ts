/** Logs go to stderr, one line each: stdout belongs to the protocol. */
import { CalmcpError } from '../core/errors.ts';
import type { Logger } from '../core/provider.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Anything shaped like a credential. The last line of defence: nothing that logs is meant to hand one over. */
const SECRETS: readonly RegExp[] = [
  /\beyJ[\w-]{8,}(?:\.[\w-]*){2,}/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]+/gi,
  /\b(?:ya29\.|1\/\/|GOCSPX-)[\w.-]+/g,
  // Entra ID's refresh tokens, and those of personal Microsoft accounts.
  /\b[01]\.A[\w.-]{20,}|\bM\.[A-Z]\d+_[A-Z0-9]+\.[\w.!*$-]+/g,
  /\b((?:access_?token|refresh_?token|id_?token|client_?secret|device_?code|code_?verifier|assertion|password|secret)[\\"']*\s*[=:]\s*[\\"']*)[^\s"'&,}]+/gi,
  // Not the code of an error: a word such as "ErrorAccessDenied", or an HTTP status.
  /\b([Cc]ode[\\"']*\s*[=:]\s*[\\"']*)(?!\d{3}\b|(?:[A-Z][a-z]+)+\\?["'])[^\s"'&,}]+/g,
];

export function redact(text: string): string {
  return SECRETS.reduce(
    (redacted, pattern) =>
      redacted.replace(pattern, (_match, label) => `${typeof label === 'string' ? label : ''}[redacted]`),
    text,
  );
}

function describe(value: unknown, depth = 0): string {
  if (value instanceof Error) {
    const code = value instanceof CalmcpError ? value.code : ((value as { code?: unknown }).code ?? value.name);
    const cause = value.cause === undefined || depth > 3 ? '' : ` <- ${describe(value.cause, depth + 1)}`;
    return `${String(code)}: ${value.message}${cause}`;
  }
  if (typeof value === 'object' && value !== null && 'status' in value && 'body' in value)
    return `HTTP ${String(value.status)} ${String(value.body).slice(0, 400)}`;
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // A circle or a bigint: what is logged must never be what fails.
    return String(value);
  }
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

/** `2026-11-20T09:00:01.000Z warn message account=xebia`; a line feed in a value cannot forge a second line. */
export function createLog({ level, write, now }: LogOptions): Logger {
  const enabled = LOG_LEVELS.indexOf(level);
  const at =
    (own: LogLevel) =>
    (message: string, details: Readonly<Record<string, unknown>> = {}): void => {
      if (LOG_LEVELS.indexOf(own) > enabled) return;
      const pairs = Object.entries(details).map(([key, value]) => `${key}=${describe(value)}`);
      const line = redact([now().toISOString(), own, message, ...pairs].join(' '));
      write(`${line.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')}\n`);
    };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
