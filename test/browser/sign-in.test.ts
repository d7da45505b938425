/** The sign-in as a person sees it: calmcp's real command line, and a real browser. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { person } from '../cli/person.ts';
import { GOOGLE, homeFor, MICROSOFT, type Vendor } from '../cli/sign-in-accounts.ts';
import { type CliResult, cli, openSandbox } from '../harness.ts';
import { knock } from '../io/connection.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// In CI a missing browser is a failure: there it would never be noticed otherwise.
const skipped = !existsSync(CHROMIUM) && !process.env.CI;

describe.skipIf(skipped)(`in Chromium${skipped ? ` (skipped: there is no ${CHROMIUM})` : ''}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
  });

  /** Runs `calmcp login`, and opens in the browser what it asks to be opened. */
  async function start(
    vendor: Vendor,
    username?: string,
  ): Promise<{ sandbox: Sandbox; page: Page; running: Promise<CliResult>; port: number; folder: string }> {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox, username);
    const { env, opened } = await person({ picks: 'nobody' });
    const running = cli(folder, ['login', '--account', vendor.account, '--browser'], { env });
    const url = await opened();
    const context = await browser.newContext({ viewport: { width: 400, height: 700 } });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(url);
    const port = Number(new URL(new URL(url).searchParams.get('redirect_uri') ?? '').port);
    return { sandbox, page, running, port, folder };
  }

  async function pick(page: Page, username: string, button: RegExp): Promise<void> {
    await page.getByRole('radio', { name: username }).check();
    await page.getByRole('button', { name: button }).click();
  }

  describe.each([MICROSOFT, GOOGLE])('with $name', (vendor) => {
    test('a person signs in and is told so', async () => {
      const { sandbox, page, running, port, folder } = await start(vendor);
      const problems: string[] = [];
      page.on('console', (message) => {
        // The sandbox has no icon; calmcp's own page asks for none.
        const { url } = message.location();
        if (url !== `${sandbox.origin}/favicon.ico`) problems.push(`${url} ${message.text()}`);
      });
      page.on('pageerror', (error) => problems.push(error.message));
      await pick(page, vendor.you, /Accept|Continue/);
      await page.getByRole('heading', { name: 'Signed in', exact: true }).waitFor();
      expect(await running).toMatchObject({ status: 0, stdout: `${vendor.account}: signed in as ${vendor.you}\n` });
      expect(await page.getByText(`${vendor.account} is ${vendor.you}.`).isVisible()).toBe(true);
      expect(page.url().startsWith(vendor.back)).toBe(true);
      expect(await knock(port, '127.0.0.1')).toBe('ECONNREFUSED');
      expect((await cli(folder, ['agenda', 'this', 'week'])).status).toBe(0);

      // Its own style came through its own policy, and it fits a phone.
      expect(await page.evaluate('getComputedStyle(document.querySelector("main")).borderRadius')).not.toBe('0px');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400);
      expect(problems).toEqual([]);
    });

    test('T10: a person who picks another account is told what was expected', async () => {
      const { page, running } = await start(vendor, vendor.you);
      expect(await page.getByRole('radio', { name: vendor.you }).isChecked()).toBe(true);
      await pick(page, vendor.other, /Accept|Continue/);
      await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
      expect(await page.getByText(`expected ${vendor.you} and ${vendor.other} signed in`).isVisible()).toBe(true);
      expect((await running).status).toBe(77);
    });

    test('a person who says no is told that nothing happened', async () => {
      const { page, running } = await start(vendor);
      await pick(page, vendor.you, /Cancel/);
      await page.getByText('the sign-in was declined').waitFor();
      expect((await running).status).toBe(77);
    });
  });
});
