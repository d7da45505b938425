/** What an account may say, field by field, as its schema tells: for flags, prompts and the search for secrets in clear. */
import { parse } from 'yaml';
import { z } from 'zod';
import { CalmcpError } from '../core/errors.ts';
import type { ProviderDefinition } from '../core/provider.ts';
import { accountSchema } from './schema.ts';

/** The part of JSON Schema that the schema of an account comes out as. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** Told, never shown: a secret. */
  readonly writeOnly?: boolean;
}

export interface Field {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Better kept outside of accounts.yaml. */
  readonly secret: boolean;
  /** Of the provider itself; the others are those of every account. */
  readonly own: boolean;
  /** Whether a line of text can say it. */
  readonly plain: boolean;
  /** Said in a word, `true`; all else that it may be is no line of text. */
  readonly isSwitch: boolean;
  /** A list and nothing else: for a flag or an editor, not for a question. */
  readonly list: boolean;
  /** What it may be, where that is a short list. */
  readonly choices: readonly string[];
}

const formsOf = (schema: JsonSchema): readonly JsonSchema[] => schema.anyOf ?? [schema];

function isPlain(schema: JsonSchema): boolean {
  return formsOf(schema).some(
    ({ type, items }: JsonSchema & { items?: JsonSchema }) =>
      ['string', 'number', 'integer', 'boolean'].includes(type ?? '') || (type === 'array' && items?.type === 'string'),
  );
}

function schemaOf(provider: ProviderDefinition): JsonSchema {
  return z.toJSONSchema(accountSchema(provider), { io: 'input' }) as JsonSchema;
}

/** Every field of an account of this provider but `provider` itself, its own ones first. */
export function fieldsOf(provider: ProviderDefinition): readonly Field[] {
  const { properties = {}, required = [] } = schemaOf(provider);
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    description: schema.description ?? '',
    required: required.includes(name),
    secret: schema.writeOnly ?? false,
    own: Object.hasOwn(provider.options.shape, name),
    plain: isPlain(schema),
    isSwitch: isPlain(schema) && formsOf(schema).every((form) => form.const === true || form.properties !== undefined),
    list: formsOf(schema).every(({ type }) => type === 'array'),
    choices: formsOf(schema).flatMap((form) => (form.enum ?? []).map(String)),
  }));
  return fields.filter(({ name }) => name !== 'provider').sort((a, b) => Number(b.own) - Number(a.own));
}

function parseValue(schema: JsonSchema, text: string, key: string): unknown {
  const types = formsOf(schema).map(({ type }) => type);
  if (/^\s*[[{]/.test(text) && (types.includes('array') || types.includes('object')))
    try {
      return JSON.parse(text);
    } catch {
      throw new CalmcpError('INPUT_INVALID', `${key} is no JSON`, {
        hint: `write it so: --set '${key}={"name": "value"}'`,
      });
    }
  if (types.includes('boolean') && /^(?:true|false)$/.test(text)) return text === 'true';
  if (
    types.some((type) => type === 'number' || type === 'integer') &&
    text.trim() !== '' &&
    !Number.isNaN(Number(text))
  )
    return Number(text);
  if (types.includes('array') && (text.includes(',') || !types.includes('string')))
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
  return text;
}

/**
 * An entry with one field more, from text: `calendars.exclude` and `Birthdays,Team`. Lists are separated by commas, maps
 * are JSON. Whether the value is a right one is for parseConfig to say.
 * @throws CalmcpError INPUT_INVALID for a field that there is not
 */
export function withField(
  entry: Readonly<Record<string, unknown>>,
  provider: ProviderDefinition,
  key: string,
  text: string,
): Record<string, unknown> {
  const set = (into: unknown, schema: JsonSchema, [step = '', ...rest]: readonly string[]): Record<string, unknown> => {
    const child = formsOf(schema)
      .map(({ properties = {} }) => (Object.hasOwn(properties, step) ? properties[step] : undefined))
      .find((found) => found !== undefined);
    if (child === undefined)
      throw new CalmcpError('INPUT_INVALID', `${provider.type} accounts have no ${key.slice(0, 80)}`, {
        hint: `they have ${fieldsOf(provider)
          .map(({ name }) => name)
          .join(', ')}`,
      });
    const before = typeof into === 'object' && into !== null && !Array.isArray(into) ? into : {};
    const value =
      rest.length === 0 ? parseValue(child, text, key) : set((before as Record<string, unknown>)[step], child, rest);
    return { ...before, [step]: value };
  };
  return set(entry, schemaOf(provider), key.split('.'));
}

/** Whether a value stands there itself, and is not fetched from the environment or a file. */
export function isInClear(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !value.includes('${');
}

/** The fields of an accounts.yaml that hold a secret in clear, as far as the file can be read. */
export function findClearSecrets(
  text: string,
  providers: readonly ProviderDefinition[],
): readonly { readonly account: string; readonly field: string }[] {
  let accounts: unknown;
  try {
    // Silent also of errors: what stands beside them counts too.
    accounts = (parse(text, { logLevel: 'silent' }) as { accounts?: unknown } | null)?.accounts;
  } catch {
    return [];
  }
  return Object.entries(accounts ?? {}).flatMap(([account, entry]: [string, Record<string, unknown> | null]) => {
    const provider = providers.find(({ type }) => type === entry?.provider);
    if (provider === undefined) return [];
    return fieldsOf(provider)
      .filter(({ name, secret }) => secret && isInClear(entry?.[name]))
      .map(({ name }) => ({ account, field: name }));
  });
}
