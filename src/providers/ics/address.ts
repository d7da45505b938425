/** Which addresses a feed may be fetched from, and where it may send us. */
import { BlockList, isIP } from 'node:net';

/** Networks that are nobody's public server (RFC 6890). */
const PRIVATE: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['::1', 128, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

function privateNetworks(): BlockList {
  const list = new BlockList();
  for (const [network, prefix, family] of PRIVATE) list.addSubnet(network, prefix, family);
  return list;
}

/** The IPv4 address inside an IPv6 one: mapped (RFC 4291 2.5.5.2), translated (RFC 6052) or 6to4 (RFC 3056). */
function embeddedIpv4(address: string): string | null {
  const groups = expandIpv6(address);
  const [first = 0, second = 0, third = 0] = groups;
  const dotted = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const zeros = (from: number, to: number): boolean => groups.slice(from, to).every((group) => group === 0);
  if (zeros(0, 5) && (groups[5] === 0xffff || groups[5] === 0) && groups[6] !== 0) return dotted(groups[6], groups[7]);
  if (first === 0x64 && second === 0xff9b && zeros(2, 6)) return dotted(groups[6], groups[7]);
  return first === 0x2002 ? dotted(second, third) : null;
}

function expandIpv6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const parse = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  if (tail === undefined) return parse(head);
  const [front, back] = [parse(head), parse(tail)];
  return [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
}

/** The host without brackets and without the dot of the DNS root. The URL parser did away with `0x7f.1` already. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** Whether a host is this machine or its network, as far as its name tells: a public name may still resolve there. */
export function isPrivateHost(url: URL): boolean {
  const host = hostOf(url);
  if (/(?:^|\.)localhost$/.test(host)) return true;
  const version = isIP(host);
  if (version === 0) return false;
  if (version === 4) return privateNetworks().check(host, 'ipv4');
  const inner = embeddedIpv4(host);
  return inner === null ? privateNetworks().check(host, 'ipv6') : privateNetworks().check(inner, 'ipv4');
}

export function isLoopback(url: URL): boolean {
  return ['127.0.0.1', '::1', 'localhost'].includes(hostOf(url));
}

/** The address of a feed as it is fetched, or `null` for one that calmcp does not fetch. */
export function feedAddress(text: string): URL | null {
  const web = text.trim().replace(/^webcals?:\/\//i, 'https://');
  if (!URL.canParse(web)) return null;
  const url = new URL(web);
  const allowed = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
  return allowed ? url : null;
}

/**
 * Where a redirect leads, or `null` where it must not be followed: away from https, or from a public host into a
 * private network (T13).
 */
export function redirectTarget(location: string, from: URL, configured: URL): URL | null {
  if (!URL.canParse(location, from.href)) return null;
  const target = new URL(location, from);
  if (isPrivateHost(target) && !isPrivateHost(from)) return null;
  if (target.protocol === 'http:') return isLoopback(target) && isLoopback(configured) ? target : null;
  return target.protocol === 'https:' ? target : null;
}
