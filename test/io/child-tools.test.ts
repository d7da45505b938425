import { expect, test } from 'vitest';
import { checkTools, fingerprintOf } from '../../src/io/child-tools.ts';
import { MS_365 } from '../../src/providers/microsoft/child.ts';
import { listedBy } from './child-harness.ts';

const schema = {
  type: 'object',
  properties: {
    top: { type: 'integer', minimum: 0, description: 'Page size' },
    select: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    filter: { type: 'string' },
  },
  required: ['top'],
};
const inputs = ['top', 'select'];
const own = fingerprintOf(schema, inputs);
const known = { name: 'list', inputs, fingerprints: [own], needed: true };

test('a tool is the same in whatever order and words it is described, and with more inputs than are used', () => {
  const { top, select } = schema.properties;
  const same = {
    required: ['top'],
    properties: {
      more: { type: 'string' },
      select,
      top: { title: 'Top', description: 'Other words', default: 5, minimum: top.minimum, type: top.type },
    },
  };
  expect(fingerprintOf(same, ['select', 'top'])).toBe(own);
});

test.each([
  ['an input has another type', { ...schema, properties: { ...schema.properties, top: { type: 'string' } } }],
  [
    'an input has another limit',
    { ...schema, properties: { ...schema.properties, top: { type: 'integer', maximum: 5 } } },
  ],
  ['an input is gone', { ...schema, properties: { top: schema.properties.top } }],
  ['it asks for more', { ...schema, required: ['top', 'consent'] }],
  ['it asks for less', { ...schema, required: [] }],
  ['it has no schema', undefined],
])('a tool is another one when %s', (_name, changed) => {
  expect(fingerprintOf(changed, inputs)).not.toBe(own);
});

test('an input that is called like a word for people counts all the same', () => {
  const named = (type: string) => ({ properties: { body: { type: 'object', properties: { title: { type } } } } });
  expect(fingerprintOf(named('string'), ['body'])).not.toBe(fingerprintOf(named('number'), ['body']));
});

test('of all tools those are used that calmcp knows as they are', () => {
  const listed = { name: 'list', inputSchema: schema };
  expect(checkTools([listed, { name: 'download-bytes', inputSchema: {} }], [known])).toEqual({
    usable: new Set(['list']),
    withheld: new Map(),
  });
  expect(checkTools([], [known]).withheld.get('list')).toMatch(/does not have it/);
  expect(checkTools([listed, listed], [known]).withheld.get('list')).toMatch(/more than once/);
  const changed = { name: 'list', inputSchema: { ...schema, required: [] } };
  expect(checkTools([changed], [known])).toEqual({
    usable: new Set(),
    withheld: new Map([['list', expect.any(String)]]),
  });
});

test('the server that plays the package in tests describes its tools as the package does', async () => {
  const listed = await listedBy('none');
  expect(checkTools(listed, MS_365.tools)).toEqual({
    usable: new Set(MS_365.tools.map(({ name }) => name)),
    withheld: new Map(),
  });
});
