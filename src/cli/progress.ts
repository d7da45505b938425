import type { Output } from './shell.ts';

const SILENT_MS = 1_000;
const TICK_MS = 200;
const FRAMES = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];

/** Shows on a terminal that work goes on, from its second second. */
export async function withProgress<T>(output: Output, label: string, work: () => Promise<T>): Promise<T> {
  if (!output.isTerminal) return work();
  const started = performance.now();
  let frame = 0;
  const timer = setInterval(() => {
    const elapsed = performance.now() - started;
    if (elapsed < SILENT_MS) return;
    output.write(`\r\u001b[K${FRAMES[frame++ % FRAMES.length]} ${label} … ${Math.round(elapsed / 1_000)} s`);
  }, TICK_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (frame > 0) output.write('\r\u001b[K');
  }
}
