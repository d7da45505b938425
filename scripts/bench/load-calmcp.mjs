// Parts of calmcp for a bench: bundled as the program is, so that what is measured is what people run.
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * @param folder where the bundle goes
 * @param exported from modules of `src/`, without their ending, to the names that are wanted of them; `*`: all
 * @returns the address of the bundle, to import
 */
export async function bundle(folder, exported) {
  const { build } = await import('esbuild');
  const outfile = join(folder, 'calmcp.mjs');
  await build({
    stdin: {
      contents: Object.entries(exported)
        .map(([path, names]) => `export ${names === '*' ? '*' : `{ ${names} }`} from './src/${path}.ts';`)
        .concat("export { Temporal } from 'temporal-polyfill';")
        .join('\n'),
      resolveDir: root,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    loader: { '.yaml': 'text' },
    external: ['@napi-rs/keyring'],
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  });
  return pathToFileURL(outfile).href;
}
