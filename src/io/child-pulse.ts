/** Whether a child server still answers. */
import type { ChildConnection } from './child-connection.ts';

/** Pings missed one after the other before it counts as hung. */
const MISSED_PINGS = 3;

/** Whether somebody answered at all, with a refusal or with something that cannot be used. */
function isAnswer(thrown: unknown): boolean {
  const { code, status } = thrown as { code?: unknown; status?: unknown };
  return typeof code === 'number' || typeof status === 'number';
}

async function isAnswering({ client, headers }: ChildConnection, ms: number, token?: string): Promise<boolean> {
  const options = { timeout: ms, headers: headers(token) };
  try {
    // What takes the place of a ping in the protocol of 2026: there is none any more.
    if (client.getProtocolEra() === 'modern') await client.discover(options);
    else await client.ping(options);
    return true;
  } catch (thrown) {
    // A refusal is a sign of life.
    return isAnswer(thrown);
  }
}

export interface Pulse {
  /** How long it has for each answer, in milliseconds. */
  readonly ms: number;
  readonly token: string | undefined;
  /** Whether somebody still wants to know. */
  readonly isWanted: () => boolean;
  readonly missed: (count: number) => void;
}

/** @returns false when it has not answered several times over */
export async function feelPulse(opened: ChildConnection, { ms, token, isWanted, missed }: Pulse): Promise<boolean> {
  for (let count = 1; count <= MISSED_PINGS; count++) {
    if ((await isAnswering(opened, ms, token)) || !isWanted()) return true;
    missed(count);
  }
  return false;
}
