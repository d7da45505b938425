/** Logs go to stderr, one line each: stdout belongs to the protocol. */
import { constants } from 'node:os';
import { CalmcpError } from '../core/errors.ts';
import type { Logger } from '../core/provider.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Codes of errors: those of the system by name, and words in capitals such as MODULE_NOT_FOUND. Never in an address, and never a
 * single word that is none of the system's: a code to sign in with may look like that.
 */
const ERROR_CODE = String.raw`(?<![?&][Cc]ode=)(?:ERR(?:_[A-Z0-9]+)+|[A-Z]+(?:_[A-Z]+)+|ENOTFOUND|${Object.keys(constants.errno).join('|')})(?=[\s"'\\,;:)}\]]|$)`;

/** Anything shaped like a credential. The last line of defence: nothing that logs is meant to hand one over. */
const SECRETS: readonly RegExp[] = [
  /\beyJ[\w-]{8,}(?:\.[\w-]*){2,}/g,
  /\b(?:Bearer|Basic)\s+[\w.~+/=-]+/gi,
  /\b(?:ya29\.|1\/\/|GOCSPX-)[\w.-]+/g,
  // Entra ID's refresh tokens, and those of personal Microsoft accounts.
  /\b[01]\.A[\w.-]{20,}|\bM\.[A-Z]\d+_[A-Z0-9]+\.[\w.!*$-]+/g,
  /\b((?:access_?token|refresh_?token|id_?token|client_?secret|device_?code|code_?verifier|assertion|password|secret)[\\"']*\s*[=:]\s*[\\"']*)[^\s"'&,}]+/gi,
  // Not the code of an error: a word such as "ErrorAccessDenied", or an HTTP status. No value begins with a backslash: that
  // of JSON in JSON belongs to the quote before it.
  new RegExp(
    String.raw`\b([Cc]ode[\\"']*\s*[=:]\s*[\\"']*)(?!\\|\d{3}\b|(?:[A-Z][a-z]+)+\\?["']|${ERROR_CODE})[^\s"'&,}]+`,
    'g',
  ),
];

export function redact(text: string): string {
  return SECRETS.reduce(
    (redacted, pattern) =>
      redacted.replace(pattern, (_match, label) => `${typeof label === 'string' ? label : ''}[redacted]`),
    text,
  );
}

/** Errors whose words are Node's or our own. Those of others may repeat anything that passed by. */
function ownWords(error: Error): string {
  if (error instanceof CalmcpError || 'syscall' in error) return error.message;
  const isProgrammers = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  if (isProgrammers || ['AbortError', 'TimeoutError'].includes(error.name)) return error.message;
  const { errorCode } = error as { errorCode?: unknown };
  return [errorCode, errorCodesIn(error.message)].filter((part) => typeof part === 'string' && part !== '').join(' ');
}

function describe(value: unknown, depth = 0): string {
  if (value instanceof Error) {
    const code = value instanceof CalmcpError ? value.code : ((value as { code?: unknown }).code ?? value.name);
    const cause = value.cause === undefined || depth > 3 ? '' : ` <- ${describe(value.cause, depth + 1)}`;
    return `${String(code)}: ${ownWords(value)}${cause}`;
  }
  if (typeof value === 'object' && value !== null && 'status' in value && 'body' in value)
    return `HTTP ${String(value.status)} ${errorCodesIn(String(value.body))}`.trim();
  try {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
    // A cause is what somebody else said.
    return depth === 0 ? text : errorCodesIn(text);
  } catch {
    // A circle or a bigint: what is logged must never be what fails.
    return String(value);
  }
}

/**
 * What a server's error body says that is safe to keep: its codes. The rest may repeat what was asked for (a feed's
 * secret address) or what is in the calendar.
 */
function errorCodesIn(body: string): string {
  const codes = [...body.matchAll(/"(?:code|error|reason|status)"\s*:\s*"([\w.]{1,60})"/g)].map((match) => match[1]);
  const numbers = [...body.matchAll(/AADSTS\d+/g)].map(([number]) => number);
  return [...new Set([...codes, ...numbers])].join(' ');
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
