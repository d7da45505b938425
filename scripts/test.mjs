// npm test: every check and test, from nothing. Arguments go to vitest: npm test -- test/core
// More random cases than the usual 1,000 for each property: npm test -- --properties=20000 test/core/properties
import { installMissing, installTestPackages, run } from './prepare.mjs';

const PROPERTIES = /^--properties=(\d+)$/;
const args = process.argv.slice(2);
const runs = args.flatMap((argument) => PROPERTIES.exec(argument)?.[1] ?? [])[0];
if (runs !== undefined) process.env.CALMCP_PROPERTY_RUNS = runs;

installMissing();
installTestPackages();
const node = (script, ...rest) => run(process.execPath, [script, ...rest]);
node('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.');
node('node_modules/typescript/bin/tsc', '--noEmit');
node('scripts/build.mjs');
node('node_modules/vitest/vitest.mjs', 'run', ...args.filter((argument) => !PROPERTIES.test(argument)));
