/** What goes over the wire as a batch, and what is made of what comes back. */
import { describe, expect, test } from 'vitest';
import { readBatch, writeBatch } from '../../../src/providers/google/batch.ts';

const type = 'multipart/mixed; boundary=batch_x';

const part = (place: number, body = `{"n":${place}}`, more: { id?: string; status?: string } = {}): string =>
  [
    '--batch_x',
    'Content-Type: application/http',
    `Content-ID: ${more.id ?? `<response-item-${place}>`}`,
    '',
    more.status ?? 'HTTP/1.1 200 OK',
    'Content-Type: application/json; charset=UTF-8',
    '',
    body,
    '',
  ].join('\r\n');

const end = '--batch_x--\r\n';
const bodies = (text: string, count = 2, contentType: string | null = type): (string | undefined)[] | undefined =>
  readBatch(contentType, text, count)?.map((answer) => answer?.body);

test('a batch is a part for each address, with an id of its own', () => {
  const { contentType, body } = writeBatch(['/calendar/v3/a?b=c', '/calendar/v3/d']);
  expect(contentType).toBe('multipart/mixed; boundary=calmcp-batch');
  expect(body.split('\r\n')).toEqual([
    '--calmcp-batch',
    'Content-Type: application/http',
    'Content-ID: <item-0>',
    '',
    'GET /calendar/v3/a?b=c HTTP/1.1',
    '',
    '',
    '--calmcp-batch',
    'Content-Type: application/http',
    'Content-ID: <item-1>',
    '',
    'GET /calendar/v3/d HTTP/1.1',
    '',
    '',
    '--calmcp-batch--',
    '',
  ]);
});

test.each(['https://evil.example/', 'calendar/v3', '/a b', '/a\r\nAuthorization: x', '/é'])(
  'an address like %j is not sent',
  (address) => {
    expect(() => writeBatch([address])).toThrow(TypeError);
  },
);

describe('an answer', () => {
  test('belongs to the call whose id it has, in whatever order', () => {
    expect(bodies(part(1) + part(0) + end)).toEqual(['{"n":0}', '{"n":1}']);
  });

  test('has its status, its headers and its body as they came', () => {
    const text = part(0, '{\r\n "error": {}\r\n}', { status: 'HTTP/1.1 429 Too Many\r\nRetry-After: 7' });
    const [answer] = readBatch(type, text + end, 1) ?? [];
    expect(answer).toMatchObject({ status: 429, body: '{\r\n "error": {}\r\n}' });
    expect(answer?.headers.get('retry-after')).toBe('7');
  });

  test.each([
    ['bare lines', (text: string) => text.replaceAll('\r\n', '\n')],
    ['text before and after', (text: string) => `preamble\r\n${text}epilogue\r\n--batch_x\r\n`],
    ['an id without brackets', (text: string) => text.replaceAll(/<(response-item-\d)>/g, '$1')],
    ['a space in the id', (text: string) => text.replaceAll(/<response-(item-\d)>/g, 'response- <$1>')],
    ['small letters', (text: string) => text.replaceAll('Content-ID', 'content-id')],
    ['spaces after the boundary', (text: string) => text.replaceAll(/(--batch_x(?:--)?)\r\n/g, '$1 \t\r\n')],
    [
      'more headers than are known',
      (text: string) => text.replaceAll('Content-ID', 'X-Odd: \u0001\u20ac\r\nContent-ID'),
    ],
    ['HTTP/2', (text: string) => text.replaceAll('HTTP/1.1', 'HTTP/2')],
  ])('with %s is read all the same', (_, change) => {
    expect(bodies(change(part(0) + part(1) + end))).toEqual(['{"n":0}', '{"n":1}']);
  });

  test.each([
    'Multipart/Mixed; Boundary="batch_x"',
    ' multipart/mixed;boundary=batch_x; charset=utf-8',
    'multipart/mixed; charset=utf-8; boundary=batch_x',
  ])('of type %j is one', (contentType) => {
    expect(bodies(part(0) + end, 1, contentType)).toEqual(['{"n":0}']);
  });

  test.each([
    null,
    '',
    'application/json',
    'text/html; boundary=batch_x',
    'multipart/mixed',
    'multipart/mixed; boundary=',
  ])('of type %j is none', (contentType) => {
    expect(bodies(part(0) + end, 1, contentType)).toBeUndefined();
  });

  test.each([
    ['left out', part(0) + end],
    ['cut off before its id', `${part(0)}--batch_x\r\nContent-Type: application/http\r\n`],
    ['without an id', part(0) + part(1, '{}', { id: '' }) + end],
    ['of another id', part(0) + part(1, '{}', { id: '<response-item-7>' }) + end],
    ['of an id that is not ours', part(0) + part(1, '{}', { id: '<item-1>' }) + end],
    ['there twice', part(0) + part(1) + part(1) + end],
    ['there three times', part(0) + part(1) + part(1) + part(1) + end],
    ['after the end', `${part(0)}${end}${part(1)}`],
    ['no HTTP', part(0) + part(1, '{}', { status: 'OK' }) + end],
  ])('that is %s is none, and the others are read', (_, text) => {
    expect(bodies(text)).toEqual(['{"n":0}', undefined]);
  });

  test('that is cut short ends where it ends', () => {
    expect(bodies((part(0) + part(1)).slice(0, -5))).toEqual(['{"n":0}', '{"n"']);
  });

  test('with nothing but a boundary in its text keeps that text', () => {
    const text = '{"a":"--batch_x","b":"\\r\\n--batch_x--"}';
    expect(bodies(part(0, text) + end, 1)).toEqual([text]);
  });
});
