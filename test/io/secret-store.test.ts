import { createHash, randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import type { Keystore } from '../../src/io/keystore.ts';
import { openSealedFiles, openSecretStores, type SecretStores } from '../../src/io/secret-store.ts';

const CACHE_KEY = 'client-1_tenant-1';
const VALUE = JSON.stringify({ refreshToken: 'very-secret-refresh-token', padding: 'x'.repeat(20_000) });
const LOG_IN_AGAIN = expect.stringContaining('calmcp logout --account');

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'calmcp-secrets-')), 'state');
});

afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

const sealedPath = (cacheKey: string) => join(folder, `${createHash('sha256').update(cacheKey).digest('hex')}.sealed`);
const withKeyfile = () => openSecretStores({ folder, keystore: 'keyfile' });
const withPassphrase = (text: string) =>
  openSecretStores({ folder, keystore: 'passphrase', passphrase: async () => text });

const drivers: readonly (readonly [string, () => SecretStores])[] = [
  ['keyfile', withKeyfile],
  ['passphrase', () => withPassphrase('correct horse')],
];

async function errorOf(promise: Promise<unknown>): Promise<CalmcpError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CalmcpError);
  return error as CalmcpError;
}

describe.each(drivers)('sealed files with a %s', (_name, open) => {
  it('are absent before the first save and after removal, and need no key for that', async () => {
    const store = open().scope(CACHE_KEY);
    expect(await store.load()).toBeUndefined();
    await store.remove();
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });

    await store.save(VALUE);
    await store.remove();
    expect(await store.load()).toBeUndefined();
    expect(await open().scope(CACHE_KEY).load()).toBeUndefined();
  });

  it('give another process what was saved last', async () => {
    const store = open().scope(CACHE_KEY);
    await store.save('old');
    await store.save(VALUE);

    expect(await store.load()).toBe(VALUE);
    expect(await open().scope(CACHE_KEY).load()).toBe(VALUE);
  });

  it('hold no plain text and are 0600 in a folder 0700', async () => {
    await open().scope(CACHE_KEY).save(VALUE);

    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      expect(bytes.includes('very-secret')).toBe(false);
      expect(bytes.includes('correct horse')).toBe(false);
      if (process.platform !== 'win32') expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    if (process.platform !== 'win32') expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('do not open in the place of another account', async () => {
    const stores = open();
    await stores.scope(CACHE_KEY).save('mine');
    await stores.scope('client-1_tenant-2').save('theirs');
    await copyFile(sealedPath('client-1_tenant-2'), sealedPath(CACHE_KEY));

    for (const reader of [stores, open()]) {
      const error = await errorOf(reader.scope(CACHE_KEY).load());
      expect(error).toMatchObject({ code: 'AUTH_REQUIRED', hint: LOG_IN_AGAIN });
      expect(error.message).toContain(sealedPath(CACHE_KEY));
      expect(await reader.scope('client-1_tenant-2').load()).toBe('theirs');
    }
  });

  it('keep cache keys apart that differ in odd characters only', async () => {
    const stores = open();
    const odd = ['a/b', '../b', 'a\0b', '\u00e9', 'e\u0301', ''];
    for (const cacheKey of odd) await stores.scope(cacheKey).save(`value of ${cacheKey}`);
    const reader = open();
    for (const cacheKey of odd) expect(await reader.scope(cacheKey).load()).toBe(`value of ${cacheKey}`);
  });

  it('end with one key when several processes save for the first time at once', async () => {
    const values = ['one', 'two', 'three', 'four'];
    await Promise.all(values.map((value) => open().scope(CACHE_KEY).save(value)));

    expect(values).toContain(await open().scope(CACHE_KEY).load());
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('never seal a new value under a new key while the old file has lost its key', async () => {
    await open().scope(CACHE_KEY).save(VALUE);
    const before = await readFile(sealedPath(CACHE_KEY));
    for (const name of await readdir(folder)) {
      if (!name.endsWith('.sealed')) await rm(join(folder, name));
    }

    for (const attempt of [() => open().scope(CACHE_KEY).load(), () => open().scope(CACHE_KEY).save('new')]) {
      const error = await errorOf(attempt());
      expect(error).toMatchObject({ code: 'AUTH_REQUIRED', hint: LOG_IN_AGAIN });
      expect(error.message).toMatch(/^key lost: /);
    }
    expect(await readFile(sealedPath(CACHE_KEY))).toEqual(before);
    expect((await readdir(folder)).length).toBe(1);

    const store = open().scope(CACHE_KEY);
    await store.remove();
    await store.save('signed in again');
    expect(await open().scope(CACHE_KEY).load()).toBe('signed in again');
  });

  it('can be probed without leaving a trace', async () => {
    await open().probe();
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    await open().scope(CACHE_KEY).save(VALUE);
    await open().probe();
  });
});

describe('a sealed file that cannot be opened', () => {
  const damages: readonly (readonly [string, (sealed: Buffer) => Buffer, RegExp])[] = [
    ['empty', () => Buffer.alloc(0), /it is empty/],
    ['cut inside its magic', (sealed) => sealed.subarray(0, 3), /cut short/],
    ['cut inside its header', (sealed) => sealed.subarray(0, 35), /cut short/],
    ['cut after its tag', (sealed) => sealed.subarray(0, 36), /damaged/],
    ['cut by one byte', (sealed) => sealed.subarray(0, -1), /damaged/],
    ['longer by one byte', (sealed) => Buffer.concat([sealed, Buffer.from([0])]), /damaged/],
    ['full of zeros', (sealed) => Buffer.alloc(sealed.length), /not a sealed file/],
    ['plain JSON', () => Buffer.from('{"refresh_token":"x"}'), /not a sealed file/],
    ['of another version', (sealed) => withByte(sealed, 6, 2), /another version/],
    ['of an unknown keystore', (sealed) => withByte(sealed, 7, 99), /damaged/],
    ['changed in its iv', (sealed) => flipped(sealed, 8), /damaged/],
    ['changed in its tag', (sealed) => flipped(sealed, 20), /damaged/],
    ['changed in its first byte', (sealed) => flipped(sealed, 36), /damaged/],
    ['changed in its last byte', (sealed) => flipped(sealed, sealed.length - 1), /damaged/],
  ];

  it.each(damages)(
    'because it is %s is an error to read and to save over, until removed',
    async (_, damage, reason) => {
      await withKeyfile().scope(CACHE_KEY).save(VALUE);
      const damaged = Buffer.from(damage(await readFile(sealedPath(CACHE_KEY))));
      await writeFile(sealedPath(CACHE_KEY), damaged);

      const store = withKeyfile().scope(CACHE_KEY);
      for (const attempt of [() => store.load(), () => store.save('new')]) {
        const error = await errorOf(attempt());
        expect(error).toMatchObject({ code: 'AUTH_REQUIRED', hint: LOG_IN_AGAIN });
        expect(error.message).toMatch(reason);
        expect(error.message).toContain(sealedPath(CACHE_KEY));
      }
      expect(await readFile(sealedPath(CACHE_KEY))).toEqual(damaged);

      await store.remove();
      await store.save('new');
      expect(await store.load()).toBe('new');
    },
  );

  it('because it was sealed with another keystore says which one', async () => {
    await withKeyfile().scope(CACHE_KEY).save(VALUE);
    expect(await errorOf(withPassphrase('x').scope(CACHE_KEY).load())).toMatchObject({
      code: 'AUTH_REQUIRED',
      message: `${sealedPath(CACHE_KEY)} was sealed with CALMCP_KEYSTORE=keyfile, not passphrase`,
      hint: expect.stringContaining('set CALMCP_KEYSTORE=keyfile'),
    });
  });

  it.skipIf(process.platform === 'win32')('because others can look into its folder names the chmod', async () => {
    await withKeyfile().scope(CACHE_KEY).save('value');
    await chmod(folder, 0o750);
    const refusal = { code: 'CONFIG_INVALID', hint: `run: chmod 700 ${folder}` };
    const store = withKeyfile();
    expect(await errorOf(store.scope(CACHE_KEY).load())).toMatchObject(refusal);
    expect(await errorOf(store.scope(CACHE_KEY).save('x'))).toMatchObject(refusal);
    expect(await errorOf(store.scope(CACHE_KEY).exclusively(async () => undefined))).toMatchObject(refusal);
    expect(await errorOf(store.probe())).toMatchObject(refusal);
    await chmod(folder, 0o700);
    expect(await store.scope(CACHE_KEY).load()).toBe('value');
  });

  it.skipIf(process.platform === 'win32')('because others can read it names the chmod', async () => {
    await withKeyfile().scope(CACHE_KEY).save(VALUE);
    await chmod(sealedPath(CACHE_KEY), 0o644);
    expect(await errorOf(withKeyfile().scope(CACHE_KEY).load())).toMatchObject({
      hint: `run: chmod 600 ${sealedPath(CACHE_KEY)}`,
    });
  });
});

describe('the passphrase keystore', () => {
  it('says "wrong passphrase", not "bad file", and without the passphrase', async () => {
    await withPassphrase('correct horse').scope(CACHE_KEY).save(VALUE);

    for (const attempt of [
      () => withPassphrase('battery staple').scope(CACHE_KEY).load(),
      () => withPassphrase('battery staple').scope('another_account').save('x'),
      () => withPassphrase('battery staple').probe(),
    ]) {
      const error = await errorOf(attempt());
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: 'wrong passphrase' });
      expect(JSON.stringify([error.message, error.hint])).not.toContain('staple');
    }
    expect(await withPassphrase('correct horse').scope(CACHE_KEY).load()).toBe(VALUE);
  });

  it('asks for the passphrase once, and not before a key is needed', async () => {
    let asked = 0;
    const passphrase = async () => {
      asked += 1;
      return 'correct horse';
    };
    const stores = openSecretStores({ folder, keystore: 'passphrase', passphrase });
    expect(await stores.scope(CACHE_KEY).load()).toBeUndefined();
    expect(asked).toBe(0);

    await Promise.all([stores.scope(CACHE_KEY).save('a'), stores.scope('b').save('b'), stores.scope('c').load()]);
    await Promise.all([stores.scope(CACHE_KEY).load(), stores.scope('b').load()]);
    expect(asked).toBe(1);
  });

  it('says what to set when there is no passphrase, and writes nothing', async () => {
    for (const stores of [openSecretStores({ folder, keystore: 'passphrase' }), withPassphrase('')]) {
      for (const attempt of [() => stores.scope(CACHE_KEY).save('x'), () => stores.probe()]) {
        expect(await errorOf(attempt())).toMatchObject({
          code: 'CONFIG_INVALID',
          hint: expect.stringContaining('CALMCP_PASSPHRASE_FILE'),
        });
      }
    }
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes the same letters composed or decomposed', async () => {
    await withPassphrase('caf\u00e9').scope(CACHE_KEY).save('x');
    expect(await withPassphrase('cafe\u0301').scope(CACHE_KEY).load()).toBe('x');
  });

  it('refuses a damaged salt file instead of making a new one', async () => {
    await withPassphrase('correct horse').scope(CACHE_KEY).save(VALUE);
    const path = join(folder, 'passphrase.salt');
    const salt = await readFile(path);
    for (const damaged of [Buffer.alloc(0), salt.subarray(0, -1), flipped(salt, 0)]) {
      await writeFile(path, damaged);
      expect((await errorOf(withPassphrase('correct horse').scope(CACHE_KEY).load())).message).toContain(path);
      await errorOf(withPassphrase('correct horse').scope('other').save('x'));
      expect(await readFile(path)).toEqual(damaged);
    }
  });
});

describe('the key file keystore', () => {
  it.each([0, 31, 33])('refuses a key file of %i bytes and leaves it alone', async (size) => {
    await withKeyfile().scope(CACHE_KEY).save(VALUE);
    const path = join(folder, 'keyfile');
    await writeFile(path, Buffer.alloc(size));

    for (const attempt of [
      () => withKeyfile().scope(CACHE_KEY).load(),
      () => withKeyfile().scope('other').save('x'),
      () => withKeyfile().probe(),
    ]) {
      const error = await errorOf(attempt());
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).toContain(path);
    }
    expect((await stat(path)).size).toBe(size);
  });

  it.skipIf(process.platform === 'win32')('refuses a key file that others can read', async () => {
    await withKeyfile().scope(CACHE_KEY).save(VALUE);
    const path = join(folder, 'keyfile');
    await chmod(path, 0o640);
    expect(await errorOf(withKeyfile().scope(CACHE_KEY).load())).toMatchObject({ hint: `run: chmod 600 ${path}` });
  });
});

describe('sealed files with keys that a test can watch', () => {
  /** One keychain of the machine; every process opens its own {@link Keystore} on it. */
  function sharedKeys() {
    const keys = new Map<string, Buffer>();
    const calls: string[] = [];
    const open = (beforeKept = async () => {}, afterKept = async () => {}): Keystore => ({
      kind: 'keychain',
      whereIs: () => 'the test',
      async get(cacheKey) {
        calls.push('get');
        return keys.get(cacheKey);
      },
      async create(cacheKey) {
        calls.push('create');
        await beforeKept();
        const key = randomBytes(32);
        keys.set(cacheKey, key);
        await afterKept();
        return key;
      },
      async delete(cacheKey) {
        calls.push('delete');
        keys.delete(cacheKey);
      },
      async probe() {},
    });
    return {
      keys,
      calls,
      open: (...hooks: Parameters<typeof open>) => openSealedFiles(folder, open(...hooks)).scope(CACHE_KEY),
      openOther: (cacheKey: string) => openSealedFiles(folder, open()).scope(cacheKey),
    };
  }

  it('give the same object for the same cache key', () => {
    const stores = withKeyfile();
    expect(stores.scope('a')).toBe(stores.scope('a'));
    expect(stores.scope('a')).not.toBe(stores.scope('b'));
  });

  it('read the key once a process and make it once', async () => {
    const { calls, open } = sharedKeys();
    const first = open();
    await Promise.all([first.save('1'), first.save('2'), first.load(), first.save('3')]);
    expect(calls).toEqual(['get', 'create', 'get']);

    calls.length = 0;
    const second = open();
    for (let turn = 0; turn < 5; turn += 1) expect(await second.load()).toBe('3');
    await second.save('4');
    expect(calls).toEqual(['get']);
  });

  it('are read with the new key after another process signed out and in again', async () => {
    const { open } = sharedKeys();
    const daemon = open();
    await daemon.save('before');
    const terminal = open();
    await terminal.remove();
    expect(await daemon.load()).toBeUndefined();
    await terminal.save('after');

    expect(await daemon.load()).toBe('after');
    await daemon.save('refreshed');
    expect(await open().load()).toBe('refreshed');
  });

  it('are not sealed with a remembered key that another process has deleted', async () => {
    const { open } = sharedKeys();
    const daemon = open();
    await daemon.save('before');
    await open().remove();

    await daemon.save('again');
    expect(await open().load()).toBe('again');
  });

  it('open after two processes have each made a key', async () => {
    const { open, calls } = sharedKeys();
    // Both find no key. The first one keeps its key first and writes its file last, under a key that was replaced.
    const bothLooked = gate();
    const firstKept = gate();
    const secondSaved = gate();
    const first = open(
      () => bothLooked.promise,
      async () => {
        firstKept.resolve();
        await secondSaved.promise;
      },
    ).save('first');
    await open(async () => {
      bothLooked.resolve();
      await firstKept.promise;
    }).save('second');
    secondSaved.resolve();
    await first;

    expect(calls.filter((call) => call === 'create')).toHaveLength(2);
    expect(await open().load()).toBe('first');
  });

  it('are an error, not empty, when the key is lost or exchanged', async () => {
    const { keys, open } = sharedKeys();
    await open().save(VALUE);
    keys.set(CACHE_KEY, randomBytes(32));
    expect((await errorOf(open().load())).message).toContain('not sealed with this key');
    keys.clear();
    expect((await errorOf(open().load())).message).toContain('key lost');
  });

  it('are bound to their cache key even where two accounts have the same key', async () => {
    const { keys, open, openOther } = sharedKeys();
    for (const cacheKey of [CACHE_KEY, 'other']) keys.set(cacheKey, Buffer.alloc(32, 7));
    await open().save('mine');
    await openOther('other').save('theirs');
    await copyFile(sealedPath('other'), sealedPath(CACHE_KEY));

    expect((await errorOf(open().load())).message).toContain('not sealed with this key');
  });

  it('survive a failed call: the next one is served', async () => {
    const { keys, open } = sharedKeys();
    const store = open();
    await store.save(VALUE);
    const key = keys.get(CACHE_KEY);
    keys.clear();
    const other = open();
    await errorOf(other.load());
    if (key !== undefined) keys.set(CACHE_KEY, key);
    expect(await other.load()).toBe(VALUE);
  });

  it('show a reader the old value or a new one while several processes write', async () => {
    const { open } = sharedKeys();
    const values = Array.from({ length: 6 }, (_, index) => String(index).repeat(3_000));
    await open().save('start');
    let writing = true;
    const reader = (async () => {
      const own = open();
      while (writing) expect(['start', ...values]).toContain(await own.load());
    })();
    await Promise.all(
      values.map(async (value) => {
        const writer = open();
        for (let turn = 0; turn < 5; turn += 1) await writer.save(value);
      }),
    );
    writing = false;
    await reader;
    expect(values).toContain(await open().load());
  });
});

function gate(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return { promise, resolve };
}

function withByte(bytes: Buffer, index: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index] = value;
  return copy;
}

function flipped(bytes: Buffer, index: number): Buffer {
  return withByte(bytes, index, (bytes[index] ?? 0) ^ 1);
}
