// npm test: every check and test, from nothing. Arguments go to vitest: npm test -- test/core
import { installMissing, run } from './prepare.mjs';

installMissing();
const node = (script, ...args) => run(process.execPath, [script, ...args]);
node('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.');
node('node_modules/typescript/bin/tsc', '--noEmit');
node('scripts/build.mjs');
node('node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2));
