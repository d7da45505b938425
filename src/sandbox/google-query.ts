import { badParameter } from './google-refusal.ts';
import { isZone } from './google-time.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/query-parameters, as far as it means something here. */
const standard = ['alt', 'fields', 'key', 'prettyPrint', 'quotaUser', 'userIp'];

export interface Parameters {
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  integer(name: string, range: { readonly minimum: number; readonly maximum: number }): number | undefined;
  /** Epoch milliseconds. */
  time(name: string): number | undefined;
  zone(name: string): string | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  choices<Choice extends string>(name: string, choices: readonly Choice[]): readonly Choice[];
}

/** What it does not know it refuses: the real API lets a misspelled parameter pass, and then answers another question. */
export function readParameters(query: URLSearchParams, known: readonly string[], repeatable: readonly string[] = []) {
  for (const name of new Set(query.keys())) {
    if (![...standard, ...known, ...repeatable].includes(name)) {
      throw badParameter(name, `Unknown parameter "${name}" (to the sandbox).`);
    }
    if (query.getAll(name).length > 1 && !repeatable.includes(name)) {
      throw badParameter(name, `Parameter "${name}" was given more than once.`);
    }
  }
  if ((query.get('alt') ?? 'json') !== 'json') throw badParameter('alt', `Invalid value for: ${query.get('alt')}`);
  const text = (name: string) => query.get(name) ?? undefined;
  const oneOf = <Choice extends string>(name: string, value: string, choices: readonly Choice[]): Choice => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      throw badParameter(name, `Invalid string value: '${value}'. Allowed values: [${choices.join(', ')}]`);
    }
    return found;
  };
  const parameters: Parameters = {
    text,
    flag: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (value !== 'true' && value !== 'false') throw badParameter(name, `Invalid boolean value: '${value}'.`);
      return value === 'true';
    },
    integer: (name, { minimum, maximum }) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^-?\d+$/.test(value)) throw badParameter(name, `Invalid integer value: '${value}'.`);
      if (Number(value) < minimum) {
        throw badParameter(name, `Invalid value '${value}'. Values must be within the range: [${minimum}, ${maximum}]`);
      }
      return Math.min(Number(value), maximum);
    },
    time: (name) => {
      const value = text(name);
      return value === undefined ? undefined : parseTime(name, value);
    },
    zone: (name) => {
      const value = text(name);
      if (value !== undefined && !isZone(value)) throw badParameter(name, `Invalid time zone: '${value}'.`, 'invalid');
      return value;
    },
    choice: (name, choices) => {
      const value = text(name);
      return value === undefined ? undefined : oneOf(name, value, choices);
    },
    choices: (name, choices) => query.getAll(name).map((value) => oneOf(name, value, choices)),
  };
  return parameters;
}

/** RFC 3339 with an offset; a bare + in a query has become a space: refused. Fractions of a second are ignored. */
export function parseTime(name: string, text: string): number {
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  const value = match === null ? Number.NaN : Date.parse(`${match[1]}${match[2]}`);
  if (Number.isNaN(value)) throw badParameter(name, 'Bad Request', 'badRequest');
  return value;
}
