// Bundles src/main.ts into dist/: one small entry, and chunks that are loaded when a command needs them.
import { chmod, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licencesOf } from './pack-licences.mjs';

const root = new URL('../', import.meta.url);
await rm(new URL('dist/', root), { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  loader: { '.yaml': 'text' },
  // A native module: found in node_modules at run time.
  external: ['@napi-rs/keyring'],
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: false,
  legalComments: 'linked',
  metafile: true,
  // A checkout whose node_modules is a link elsewhere tells no more of that place than any other.
  preserveSymlinks: true,
  // CommonJS packages inside the bundle call require.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
await writeFile(new URL('dist/THIRD-PARTY-LICENSES.txt', root), licencesOf(metafile, fileURLToPath(root)));
await chmod(new URL('dist/main.js', root), 0o755);
