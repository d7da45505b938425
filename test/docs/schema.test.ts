/** Documents that are made from the code. `npm run docs` writes them anew. */
import { expect, test } from 'vitest';
import { accountsJsonSchema } from '../../src/accounts/schema.ts';
import { providers } from '../../src/providers/index.ts';

test('docs/accounts.schema.json is the schema that accounts.yaml is checked with', async () => {
  const schema = `${JSON.stringify(accountsJsonSchema(providers), null, 2)}\n`;
  await expect(schema).toMatchFileSnapshot('../../docs/accounts.schema.json');
});

test('every field of the schema says what it is', () => {
  const missing: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties } = node as { properties?: Record<string, { description?: string }> };
    for (const [key, property] of Object.entries(properties ?? {}))
      if (property.description === undefined) missing.push(`${path}.${key}`);
    for (const [key, child] of Object.entries(node)) walk(child, properties === child ? path : `${path}.${key}`);
  };
  walk(accountsJsonSchema(providers), '');
  expect(missing).toEqual([]);
});
