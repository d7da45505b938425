/** What tools say of themselves, in few words: a model pays for each of them before it has asked anything. */
import type { StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createEvent } from '../operations/create-event.ts';
import { wholeNumber } from '../operations/envelope.ts';
import { detailInput } from '../operations/event-item.ts';
import { listEvents } from '../operations/list-events.ts';
import { MOST_ITEMS } from '../operations/most-items.ts';
import type { Effect, Operation } from '../operations/operation.ts';
import { updateEvent } from '../operations/update-event.ts';

/** Items of one part of an answer, unless asked otherwise. */
const USUAL_ITEMS = 100;

/** Only what differs from what the specification takes for granted; all of them reach what others write. */
export function annotationsOf(effect: Effect): ToolAnnotations {
  if (effect === 'read') return { readOnlyHint: true };
  return {
    readOnlyHint: false,
    ...(effect === 'create' || effect === 'sign-in' ? { destructiveHint: false } : {}),
    ...(effect === 'create' || effect === 'delete' ? { idempotentHint: true } : {}),
  };
}

/** Over MCP an answer is paid for by the byte: it is compact, and in parts, unless asked otherwise. */
export function toolInput({ input }: Operation): z.ZodObject {
  const { description = '' } = detailInput;
  return input.extend({
    ...('detail' in input.shape
      ? { detail: z.enum(['compact', 'full']).default('compact').describe(description) }
      : {}),
    ...('cursor' in input.shape ? { limit: wholeNumber(1, MOST_ITEMS).default(USUAL_ITEMS) } : {}),
  });
}

type JsonSchema = Readonly<Record<string, unknown>>;
type Published = StandardSchemaWithJSON<Record<string, unknown>>;

/** Worked out once for all servers of this process: a list of tools made anew takes as long as many answers. */
function once<Key extends WeakKey, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/** What a schema publishes of itself; what it checks stays the same. */
function published(schema: z.ZodObject, shorten: (schema: JsonSchema) => JsonSchema): Published {
  const { jsonSchema, ...standard } = schema['~standard'];
  const shown = new Map<string, JsonSchema>();
  const show = (side: 'input' | 'output', options: Parameters<typeof jsonSchema.input>[0]): Record<string, unknown> => {
    const key = JSON.stringify([side, options]);
    const known = shown.get(key) ?? shorten(jsonSchema[side](options));
    shown.set(key, known);
    return { ...known };
  };
  return {
    '~standard': {
      ...standard,
      jsonSchema: { input: (options) => show('input', options), output: (options) => show('output', options) },
    },
  };
}

/** What these explain is not explained again by the others: each property once, where it comes first. */
const EXPLAINING: readonly Operation[] = [listEvents, createEvent, updateEvent];

function explainedBefore(operation: Operation): ReadonlyMap<string, string | undefined> {
  const at = EXPLAINING.indexOf(operation);
  const before = at < 0 ? EXPLAINING : EXPLAINING.slice(0, at);
  return new Map(
    before.flatMap(({ input }) => Object.entries(input.shape).map(([name, { description }]) => [name, description])),
  );
}

/** Lengths and bounds are told where they are overstepped. */
const UNTOLD = new Set(['anyOf', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'default']);

function shortProperty(
  name: string,
  { items, description, ...property }: JsonSchema,
  explained: ReadonlyMap<string, string | undefined>,
): JsonSchema {
  const told = Object.entries(property).filter(([key]) => !UNTOLD.has(key));
  // One by itself is taken as well: a type that is a list of types is more than some clients' models can be given.
  const isOneOrMany = property.anyOf !== undefined;
  return {
    ...Object.fromEntries(told),
    ...(isOneOrMany ? { type: 'array', items: { type: 'string' } } : {}),
    ...(items === undefined ? {} : { items: shortProperty('', items as JsonSchema, new Map()) }),
    ...(description === undefined || explained.get(name) === description ? {} : { description }),
  };
}

/**
 * Without its `$schema` line: clients of 2025 take a schema for draft-07 and refuse one that names a dialect they do not know,
 * and what is said here means the same in both.
 */
export const publishedInput = once((operation: Operation): Published => {
  const explained = explainedBefore(operation);
  return published(toolInput(operation), ({ properties = {}, required, additionalProperties }) => ({
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties as Record<string, JsonSchema>).map(([name, property]) => [
        name,
        shortProperty(name, property, explained),
      ]),
    ),
    ...(required === undefined ? {} : { required }),
    additionalProperties,
  }));
});

/**
 * What an answer always has. All of its parts, event by event, would be most of the tool list, and no client shows them to its
 * model; what is sent is checked against the whole schema all the same.
 */
export const publishedOutput = once(
  ({ output }: Operation): Published => published(output, ({ required }) => ({ type: 'object', required })),
);
