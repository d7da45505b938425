import { describe, expect, test } from 'vitest';
import { joinAddressIn, plainText } from '../../src/core/plain-text.ts';

describe('C04: a text that does not say whether it is plain or HTML', () => {
  test.each([
    ['a < b and b > c', 'a < b and b > c'],
    ['if (a<b) return', 'if (a<b) return'],
    ['Ask Jane <jane@example.org> or <your manager>', 'Ask Jane <jane@example.org> or <your manager>'],
    ['see <https://example.org/a?b=1&c=2>', 'see <https://example.org/a?b=1&c=2>'],
    ['put a <script> into <head>', 'put a <script> into <head>'],
    ['first line\r\nsecond line\n\n\n\n  indented', 'first line\nsecond line\n\n\n\n  indented'],
    ['R&D at AT&T; ?a=1&copy=2', 'R&D at AT&T; ?a=1&copy=2'],
    ['', ''],
  ])('%j stays plain', (foreign, plain) => {
    expect(plainText(foreign)).toBe(plain);
  });

  test.each([
    ['Research &amp; development', 'Research & development'],
    ['&amp;lt;b&amp;gt;', '&lt;b&gt;'],
    ['<b>x</b> &amp;amp; y', 'x &amp; y'],
    ['&lt;script&gt;alert(1)&lt;/script&gt;', '<script>alert(1)</script>'],
    ['caf&eacute; &#8364;5 &#x1F389;&nbsp;now', 'café €5 🎉 now'],
    ['&unknown; &#0; &#xD800; &#9999999;', '&unknown; &#0; &#xD800; &#9999999;'],
  ])('%j is decoded, and once only', (foreign, plain) => {
    expect(plainText(foreign)).toBe(plain);
  });

  test.each([
    ['one<br>two<br/>three<BR />four', 'one\ntwo\nthree\nfour'],
    ['one<br>\ntwo', 'one\ntwo'],
    ['<p>one</p><p>two</p>', 'one\ntwo'],
    ['<p>one</p>\n<p>two</p>\n', 'one\ntwo'],
    ['Agenda:<ul><li>first</li><li>second</li></ul>end', 'Agenda:\nfirst\nsecond\nend'],
    ['<div>one<div>two</div></div><br><br><br><br>three', 'one\ntwo\n\nthree'],
    ['<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a b\nc'],
    ['<b>a < b</b> and <i>c</i>', 'a < b and c'],
    ['<b>typed\nby hand</b>', 'typed\nby hand'],
    ['<p>by Jane <jane@example.org></p>', 'by Jane <jane@example.org>'],
    ['<html-blob><u></u>pasted<br>text</html-blob>', 'pasted\ntext'],
    ['<p title="a > b">one</p><p title=it\'s>two</p>', 'one\ntwo'],
  ])('the markup of %j goes, its lines stay', (foreign, plain) => {
    expect(plainText(foreign)).toBe(plain);
  });

  test('scripts, styles, titles and comments go with their content', () => {
    const html =
      '<!DOCTYPE html>\r\n<html><head><title>x</title><style>p { color: red }</style></head><body>\r\n' +
      '<!-- if (a > b) --><script>alert("</p>")</script><p>What\r\nis seen<o:p></o:p></p></body></html>';
    expect(plainText(html)).toBe('What is seen');
    expect(plainText('<p>seen</p><!-- never closed <p>hidden</p>')).toBe('seen');
    expect(plainText('<p>seen</p><script>never closed <p>hidden</p>')).toBe('seen');
  });

  test('a link keeps where it leads, once', () => {
    expect(plainText('<a href="https://example.org/?a=1&amp;b=2">here</a>.')).toBe(
      'here <https://example.org/?a=1&b=2>.',
    );
    expect(plainText("<a href='https://example.org/'>https://example.org/</a>")).toBe('https://example.org/');
    expect(plainText('<a href="javascript:alert(1)">click</a> <a href="mailto:a@b.c">mail</a>')).toBe('click mail');
  });

  // Quadratic ones of them took minutes.
  test.each([
    ['<'],
    ['<p'],
    ['<p>'],
    ['<p '],
    ['<br><'],
    ['<a href="'],
    ['<a b=\'<a b="'],
    ['<a href="https://x.example/">'],
    ['<p>x'],
    ['<!--'],
    ['<!-- --> <'],
    ['<script>'],
    ['</p><script></script>'],
    ['&'],
    ['&amp'],
    [' '],
    ['\n'],
    ['https://'],
    ['https://a.'],
    ['https%3A%2F%2F'],
    ['https://a)))))'],
  ])('100 kB of %j take no time', (piece) => {
    const started = performance.now();
    for (const frame of [
      (text: string) => text,
      (text: string) => `<p>${text}`,
      (text: string) => `<br><p ${text}`,
      (text: string) => `<br><a href="${text}`,
    ]) {
      const text = frame(piece.repeat(100_000 / piece.length));
      plainText(text);
      joinAddressIn(text);
    }
    // It takes some milliseconds; what looks at each character again for every other one takes minutes.
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('C07: the address of a meeting in a text', () => {
  const teams = 'https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0?context=%7b%22Tid%22%7d';
  const safe = `https://eur01.safelinks.protection.outlook.com/?url=${encodeURIComponent(teams)}&data=05%7C01&reserved=0`;
  const google = 'https://www.google.com/url?q=https://zoom.us/j/123%3Fpwd%3Dx&sa=D&usg=y';
  test.each([
    [`Agenda: https://example.org/a\nJoin: ${teams}\nhttps://aka.ms/x`, teams],
    [`Join here <${teams}>`, teams],
    ['(at https://us02web.zoom.us/j/1?pwd=a.b).', 'https://us02web.zoom.us/j/1?pwd=a.b'],
    ['https://meet.google.com/abc-defg-hij, or by phone', 'https://meet.google.com/abc-defg-hij'],
    [`Join: ${safe}`, safe],
    [`Join: ${google}`, google],
    ['https://example.org/teams.microsoft.com/l/meetup-join/1', undefined],
    ['http://zoom.us/j/1', undefined],
    ['', undefined],
  ])('%s leads to %s', (text, address) => {
    expect(joinAddressIn(text)).toBe(address);
  });
});
