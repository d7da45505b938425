// node scripts/mcpb.mjs: builds dist-mcpb/calmcp-VERSION.mcpb, for one-click installation in Claude Desktop.
//   --package FOLDER  of an unpacked calmcp package instead of this checkout, which is built anew
//   --out FOLDER      instead of dist-mcpb
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installKeyring } from './mcpb-keyring.mjs';
import { manifestOf } from './mcpb-manifest.mjs';
import { installMissing, installTestPackages, run } from './prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({ options: { package: { type: 'string' }, out: { type: 'string' } } });

if (options.package === undefined) {
  installMissing();
  installTestPackages(['packaging']);
  run(process.execPath, [join(root, 'scripts/build.mjs')]);
}

const from = resolve(options.package ?? root);
const out = resolve(options.out ?? join(root, 'dist-mcpb'));
const packageJson = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
const bundle = join(out, `${packageJson.name}-${packageJson.version}.mcpb`);
const mcpb = (...args) =>
  run(process.execPath, [join(root, 'test/packaging/node_modules/@anthropic-ai/mcpb/dist/cli/cli.js'), ...args]);

/** What the server in `folder` offers to somebody who has no accounts yet. */
async function offeredBy(folder, home) {
  const { Client } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const client = new Client({ name: 'calmcp-bundler', version: packageJson.version });
  const env = { PATH: process.env.PATH ?? '', HOME: home, CALMCP_HOME: home, CALMCP_KEYSTORE: 'keyfile' };
  const args = [join(folder, 'start.mjs')];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  try {
    const { tools } = await client.listTools();
    const hasPrompts = client.getServerCapabilities()?.prompts !== undefined;
    const listed = hasPrompts ? (await client.listPrompts()).prompts : [];
    const prompts = [];
    for (const prompt of listed) {
      // One that looks at what was typed refuses placeholders: `prompts_generated` says that there are more.
      const declared = await promptOf(client, prompt).catch(() => undefined);
      if (declared !== undefined) prompts.push(declared);
    }
    return { tools, prompts, hasPrompts };
  } finally {
    await client.close();
  }
}

/** A manifest wants the words of a prompt, with `${arguments.NAME}` where a client puts what was typed. */
async function promptOf(client, { name, description, arguments: parameters = [] }) {
  const names = parameters.map((parameter) => parameter.name);
  const placeholders = Object.fromEntries(names.map((one) => [one, `\${arguments.${one}}`]));
  const { messages } = await client.getPrompt({ name, arguments: placeholders });
  const text = messages.flatMap(({ content }) => (content.type === 'text' ? content.text : [])).join('\n\n');
  return { name, description, ...(names.length > 0 ? { arguments: names } : {}), text };
}

const work = mkdtempSync(join(tmpdir(), 'calmcp-mcpb-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
const [folder, home] = ['bundle', 'home'].map((name) => join(work, name));
for (const one of [folder, home, out]) mkdirSync(one, { recursive: true });
cpSync(join(from, 'dist'), join(folder, 'dist'), { recursive: true });
copyFileSync(join(from, 'LICENSE'), join(folder, 'LICENSE'));
copyFileSync(join(root, 'scripts/mcpb-start.mjs'), join(folder, 'start.mjs'));
installKeyring(folder, root, packageJson);
const manifest = manifestOf(packageJson, await offeredBy(folder, home));
writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
mcpb('validate', join(folder, 'manifest.json'));
rmSync(bundle, { force: true });
mcpb('pack', folder, bundle);
