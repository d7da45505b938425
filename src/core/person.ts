import type { Person } from './event.ts';

/** `jane@example.org` or `Jane Doe <jane@example.org>`, as people write them into accounts.yaml; `null` for anything else. */
export function parsePerson(text: string): Person | null {
  const [, quoted, plain, bracketed, bare] =
    /^\s*(?:(?:"([^"]*)"\s*|([^"<>]*))<\s*([^\s<>@]+@[^\s<>@]+)\s*>|([^\s<>@]+@[^\s<>@]+))\s*$/.exec(text) ?? [];
  const email = bracketed ?? bare;
  if (email === undefined) return null;
  const name = (quoted ?? plain ?? '').trim();
  return { ...(name === '' ? {} : { name }), email };
}
