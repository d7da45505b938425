// npm run bench: from spawning the built program to its answer to the first tools/list, beside a bare Node of the same
// run. Machines are shared and noisy, so the ratio is the figure; the aim is 5.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildMissing, installMissing } from '../prepare.mjs';

const RUNS = 9;
installMissing();
buildMissing();
const bin = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'calmcp-bench-'));
writeFileSync(join(home, 'accounts.yaml'), 'version: 1\naccounts: { fixed: { provider: memory } }\n');

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function bareNode() {
  return new Promise((resolve) => {
    const started = performance.now();
    spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }).once('exit', () => resolve(performance.now() - started));
  });
}

function firstList() {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const server = spawn(process.execPath, [bin, 'mcp'], {
      env: { PATH: process.env.PATH, CALMCP_HOME: home },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const send = (message) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    createInterface(server.stdout).on('line', (line) => {
      const { id, result } = JSON.parse(line);
      if (id === 1) {
        send({ method: 'notifications/initialized' });
        send({ id: 2, method: 'tools/list' });
      }
      if (id !== 2) return;
      const took = performance.now() - started;
      server.once('exit', () => (result?.tools?.length > 0 ? resolve(took) : reject(new Error('no tools'))));
      server.stdin.end();
    });
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '0' } };
    send({ id: 1, method: 'initialize', params });
  });
}

const bare = [];
const cold = [];
// Taken in turn, so that both see the same noise.
for (let run = 0; run < RUNS; run++) {
  bare.push(await bareNode());
  cold.push(await firstList());
}
rmSync(home, { recursive: true });
const [node, list] = [median(bare), median(cold)];
console.log(`median of ${RUNS}                          ms   x bare node`);
console.log(`bare node -e 0                  ${node.toFixed(0).padStart(6)}           1.0`);
console.log(
  `calmcp mcp to first tools/list  ${list.toFixed(0).padStart(6)}   ${(list / node).toFixed(1).padStart(11)}`,
);
