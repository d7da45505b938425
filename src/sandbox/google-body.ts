import { googleRefusal } from './google-refusal.ts';

export type JsonObject = { readonly [name: string]: unknown };

/** @throws the 400 for what is no JSON object */
export function parseBody(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Refused below, like JSON of another kind.
  }
  throw googleRefusal(400, 'Parse Error', { reason: 'parseError' });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Objects are merged at every depth, lists are replaced, null takes away: a `start` of `{date}` alone on an event that
 * has a `dateTime` leaves both. https://developers.google.com/workspace/calendar/api/guides/performance#patch
 */
export function patched(stored: JsonObject, change: JsonObject): JsonObject {
  const merged = new Map(Object.entries(stored));
  for (const [name, value] of Object.entries(change)) {
    const before = merged.get(name);
    if (value === null) merged.delete(name);
    else if (isObject(value)) merged.set(name, patched(isObject(before) ? before : {}, value));
    else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}

/** Reads a field of a body; what is not there, or is null, is undefined. */
export interface FieldReader {
  text(name: string): string | undefined;
  flag(name: string): boolean | undefined;
  integer(name: string): number | undefined;
  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined;
  object(name: string): JsonObject | undefined;
  list(name: string): readonly unknown[] | undefined;
}

/** @throws from each of its readers the 400 for a value of another kind */
export function fieldsOf(body: JsonObject, path = ''): FieldReader {
  const read =
    <Value>(isRight: (value: unknown) => value is Value) =>
    (name: string): Value | undefined => {
      const value = body[name] ?? undefined;
      if (value === undefined) return undefined;
      if (!isRight(value)) throw invalid(`Invalid value for ${path}${name}.`);
      return value;
    };
  const text = read((value) => typeof value === 'string');
  return {
    text,
    flag: read((value) => typeof value === 'boolean'),
    integer: read((value): value is number => Number.isInteger(value)),
    choice: (name, choices) => {
      const value = text(name);
      const found = choices.find((choice) => choice === value);
      if (value !== undefined && found === undefined) {
        throw invalid(`Invalid value for ${path}${name}: '${value}'. Allowed values: [${choices.join(', ')}]`);
      }
      return found;
    },
    object: read(isObject),
    list: read((value) => Array.isArray(value)),
  };
}

/** A value that will not do: Google's most common refusal of a resource. */
export function invalid(message: string) {
  return googleRefusal(400, message, { reason: 'invalid' });
}

/** Without the fields that are undefined. */
export function given<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]: Exclude<Fields[Name], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
