// npm run bench: all figures in one table. Machines are shared and noisy: read the ratios, each against something that was
// measured in the same run and in turn. Nothing here fails on a slow day.
//
//   npm run bench -- --only agenda,cpu    some rows
//   npm run bench -- --quick              fewer rounds
//   node scripts/bench/children.mjs       child servers, which takes more than a minute
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildMissing, installMissing } from '../prepare.mjs';
import { tableOf } from './figures.mjs';

/** Name to module and function; in the order of the table. */
const ROWS = {
  'cold-start': ['cold-start', 'measureColdStart'],
  agenda: ['agenda', 'measureAgenda'],
  socket: ['socket', 'measureSocket'],
  hung: ['hung', 'measureHung'],
  cli: ['cli', 'measureCli'],
  requests: ['requests', 'measureRequests'],
  memory: ['memory', 'measureMemory'],
  processor: ['processor', 'measureProcessor'],
  // The last one: it watches the functions of the whole process.
  core: ['core', 'measureCore'],
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    /** Another build than that of this checkout. */
    program: { type: 'string' },
  },
});
const names = values.only?.split(',') ?? Object.keys(ROWS);
const unknown = names.filter((name) => ROWS[name] === undefined);
if (unknown.length > 0) {
  console.error(`no rows are called ${unknown.join(', ')}; there are: ${Object.keys(ROWS).join(', ')}`);
  process.exit(64);
}

installMissing();
if (values.program === undefined) buildMissing();
const program = values.program ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url));
// After what they import has been installed.
const { openLaboratory } = await import('./world.mjs');
const laboratory = await openLaboratory();
// What was started for it must not stay.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => laboratory.close().finally(() => process.exit(1)));

const before = loadavg()[0];
const rows = [];
const failed = [];
try {
  for (const name of names) {
    console.error(`${name} …`);
    const [file, measure] = ROWS[name];
    const rowsOf = await import(`./rows/${file}.mjs`);
    try {
      rows.push(...(await rowsOf[measure](laboratory, { program, quick: values.quick })));
    } catch (thrown) {
      console.error(thrown);
      failed.push(name);
    }
  }
} finally {
  await laboratory.close();
}
console.log(tableOf(rows));
// More than a process or two at once, and the milliseconds are those of whoever else was at work.
console.log(
  `${cpus().length} processors; load ${before.toFixed(1)} at the beginning, ${loadavg()[0].toFixed(1)} at the end`,
);
if (failed.length > 0) {
  console.error(`not measured: ${failed.join(', ')}`);
  process.exitCode = 1;
}
