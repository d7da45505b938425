/** server.json is what the MCP registry shows of calmcp, and what clients start it by. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LOG_LEVELS } from '../../src/io/log.ts';
import { cli, temporaryFolder } from '../harness.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'));

const packageJson = z
  .object({ name: z.string(), version: z.string(), mcpName: z.string() })
  .parse(read('package.json'));

/** A version is one version: the registry refuses ranges and `latest`. */
const version = z.string().regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/);

/**
 * What of https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json we use, and stricter: the schema lets
 * through every property that it does not know, and the wrong name of an optional one would do nothing.
 */
const Input = z.strictObject({
  description: z.string().min(1),
  format: z.enum(['string', 'number', 'boolean', 'filepath']).optional(),
  isRequired: z.boolean().optional(),
  isSecret: z.boolean().optional(),
  default: z.string().optional(),
  choices: z.array(z.string()).min(1).optional(),
});
const ServerJson = z.strictObject({
  $schema: z.literal('https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: version.max(255),
  packages: z.tuple([
    z.strictObject({
      registryType: z.literal('npm'),
      // The only one that the official registry takes for npm: https://modelcontextprotocol.io/registry/package-types
      registryBaseUrl: z.literal('https://registry.npmjs.org'),
      identifier: z.string(),
      version,
      runtimeHint: z.literal('npx'),
      transport: z.strictObject({ type: z.literal('stdio') }),
      packageArguments: z.array(z.strictObject({ type: z.literal('positional'), value: z.string() })),
      environmentVariables: z.array(Input.extend({ name: z.string().regex(/^[A-Z_]+$/) })),
    }),
  ]),
});

const server = ServerJson.parse(read('server.json'));
const [npmPackage] = server.packages;
const variable = (name: string) => npmPackage.environmentVariables.find((one) => one.name === name);

/** A word that stands for what the variable is to be, so that calmcp has to react to it. */
async function complaintAbout(name: string, value: string): Promise<string> {
  const folder = await temporaryFolder();
  const { stderr } = await cli(folder, ['agenda'], { env: { [name]: value } });
  return stderr;
}

describe('server.json', () => {
  test('has the name, the version and the package of package.json, as the registry compares them', () => {
    expect(server).toMatchObject({ name: packageJson.mcpName, version: packageJson.version });
    expect(npmPackage).toMatchObject({ identifier: packageJson.name, version: packageJson.version });
  });

  test('is refused by these checks when it is too long, of another version or has a property that is not there', () => {
    const long = { ...server, description: 'x'.repeat(101) };
    const ranged = { ...server, packages: [{ ...npmPackage, version: '^0.1.0' }] };
    const misspelt = { ...server, packages: [{ ...npmPackage, environmentVariable: [] }] };
    for (const wrong of [long, ranged, misspelt]) expect(ServerJson.safeParse(wrong).success).toBe(false);
  });

  test('starts a command that there is', async () => {
    const words = npmPackage.packageArguments.map(({ value }) => value);
    expect(words).toEqual(['mcp']);
    const { status, stdout } = await cli(await temporaryFolder(), [...words, '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain('MCP client');
  });

  test('names variables that calmcp reads and its documents explain', () => {
    const documented = readFileSync(join(root, 'docs/accounts.md'), 'utf8');
    const names = npmPackage.environmentVariables.map(({ name }) => name);
    expect(names).toEqual(['CALMCP_CONFIG', 'CALMCP_HOME', 'CALMCP_KEYSTORE', 'CALMCP_LOG']);
    expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
  });

  test('leads CALMCP_CONFIG and CALMCP_HOME to a file', async () => {
    const folder = await temporaryFolder();
    expect(await complaintAbout('CALMCP_CONFIG', join(folder, 'other.yaml'))).toContain('other.yaml');
    expect(await complaintAbout('CALMCP_HOME', join(folder, 'another-home'))).toContain('another-home');
  });

  test('offers just the choices that calmcp has', async () => {
    expect(await complaintAbout('CALMCP_KEYSTORE', 'drawer')).toContain(
      variable('CALMCP_KEYSTORE')?.choices?.join(', '),
    );
    expect(variable('CALMCP_LOG')?.choices).toEqual([...LOG_LEVELS]);
    expect(await complaintAbout('CALMCP_LOG', 'shout')).toContain(LOG_LEVELS.join(', '));
  });
});
