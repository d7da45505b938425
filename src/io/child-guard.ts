/**
 * What every child server that runs on Node.js loads first. Without it a server with a port of its own outlives calmcp for
 * ever, and one that reports its errors on a stderr that nobody reads any more spins in that.
 *
 * It comes with NODE_OPTIONS, so that it reaches a server behind a wrapper too, and as a `data:` address, as the bundle has
 * no file to name: https://nodejs.org/api/cli.html#--importmodule
 */

/** File descriptor of a pipe that we never write to: it ends when we do, however that happens. */
export const LIFELINE_FD = 3;
/** Tells the guard that descriptor 3 is that pipe, and not something that a wrapper opened. */
export const LIFELINE_VARIABLE = 'CALMCP_LIFELINE';

const GUARD = `
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
const gone = () => process.exit(0);
for (const stream of [process.stdout, process.stderr]) stream.on('error', gone);
if (process.env.${LIFELINE_VARIABLE} === '${LIFELINE_FD}') {
  delete process.env.${LIFELINE_VARIABLE};
  try {
    const kind = fstatSync(${LIFELINE_FD});
    if (kind.isSocket() || kind.isFIFO())
      new Socket({ fd: ${LIFELINE_FD}, readable: true, writable: false }).on('error', gone).on('close', gone).resume().unref();
  } catch {}
}
`;

/** What makes Node.js load the guard. */
export const GUARD_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(GUARD)}`;
