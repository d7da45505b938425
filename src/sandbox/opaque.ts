import { createHash } from 'node:crypto';

/** Looks like an Exchange id: opaque, case-sensitive, of URL-safe base64; the same seed gives the same id. */
export function opaqueId(seed: string, prefix: 'AAMkAG' | 'AAkALg'): string {
  return `${prefix}${digest(`1${seed}`)}${digest(`2${seed}`)}AAA=`;
}

export function changeKey(seed: string): string {
  return digest(`changeKey${seed}`).slice(0, 22).concat('==');
}

/**
 * An encoded GlobalObjectId, the iCalUId of a meeting made in Outlook. `date` (YYYY-MM-DD) goes into hex characters
 * 32..39; without it they are zero. https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal/1d3aac05-a7b9-45cc-a213-47f0a0a2c5c1
 */
export function outlookUid(seed: string, date?: string): string {
  const instance = date === undefined ? '00000000' : instanceDate(date);
  const data = createHash('sha256').update(seed).digest('hex').slice(0, 48).toUpperCase();
  const created = data.slice(0, 16);
  return `040000008200E00074C5B7101A82E008${instance}${created}${'0'.repeat(16)}10000000${data.slice(16)}`;
}

function instanceDate(date: string): string {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return [
    [year, 4],
    [month, 2],
    [day, 2],
  ]
    .map(([value = 0, width = 2]) => value.toString(16).toUpperCase().padStart(width, '0'))
    .join('');
}

function digest(seed: string): string {
  return createHash('sha256').update(seed).digest('base64url');
}
