import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ClientIdentity, clientSecureContext } from '../../drivers/bus/secure-context.ts';
import { startMosquitto } from '../../scripts/stand/mosquitto.ts';
import { fault } from '../contracts/bus.contract.ts';
import { createAuthority } from './certificates.ts';
import { openWire } from './wire.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const CHILD = fileURLToPath(new URL('./token-child.js', import.meta.url));
const URI = 'pkcs11:token=station;object=station;type=private';

/** Where Debian puts OpenSSL's engine for tokens; null when it is not installed. */
function engineDirectory(): string | null {
  const places = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'engines-3'));
  return places.find((place) => existsSync(join(place, 'pkcs11.so'))) ?? null;
}

describe('the client’s secure context', () => {
  it('names what the environment of a key in a token lacks', () => {
    const directory = mkdtempSync(join(tmpdir(), 'context-'));
    const authority = createAuthority(directory);
    const { certificate, key } = authority.issue('station');
    const identity = { authorityFile: authority.authority, certificateFile: certificate };
    const before = process.env.OPENSSL_ENGINES;
    delete process.env.OPENSSL_ENGINES;
    assert.throws(
      () => clientSecureContext({ ...identity, key: { kind: 'pkcs11', uri: URI } }),
      (error) =>
        fault('TOKEN_UNAVAILABLE')(error) &&
        (error as { context?: { missing?: string } }).context?.missing === 'OPENSSL_ENGINES',
    );
    if (before !== undefined) process.env.OPENSSL_ENGINES = before;
    const inFile = { kind: 'file', path: key } as const;
    assert.ok(clientSecureContext({ ...identity, key: inFile }).current().notAfterMs > Date.now());
    assert.throws(
      () => clientSecureContext({ ...identity, certificateFile: 'nowhere.pem', key: inFile }),
      fault('FILE_UNREADABLE'),
    );
    assert.throws(
      () => clientSecureContext({ ...identity, key: { kind: 'file', path: authority.issue('other').key } }),
      fault('CONFIG_INVALID'),
    );
    rmSync(directory, { recursive: true });
  });

  it('goes on with the present certificate while the new one does not fit, and takes one that does', () => {
    const directory = mkdtempSync(join(tmpdir(), 'context-'));
    const authority = createAuthority(directory);
    const { certificate, key } = authority.issue('station');
    const identity = { authorityFile: authority.authority, certificateFile: certificate };
    const context = clientSecureContext({ ...identity, key: { kind: 'file', path: key } });
    const first = context.current();
    assert.equal(context.current().context, first.context);
    copyFileSync(authority.issue('other').certificate, certificate);
    assert.equal(context.current().context, first.context);
    assert.equal(context.current().unfit?.code, 'CONFIG_INVALID');
    writeFileSync(certificate, 'half a certificate');
    assert.equal(context.current().unfit?.code, 'CONFIG_INVALID');
    authority.renew('station');
    const renewed = context.current();
    assert.notEqual(renewed.context, first.context);
    assert.equal(renewed.unfit, null);
    assert.equal(context.current().context, renewed.context);
    rmSync(directory, { recursive: true });
  });

  it('connects and reconnects with a key that never leaves its token, from then on with a renewed certificate', async (t) => {
    const engines = engineDirectory();
    if (engines === null || !existsSync(MODULE)) return t.skip('needs softhsm2 and libengine-pkcs11-openssl');
    const directory = mkdtempSync(join(tmpdir(), 'token-key-'));
    const authority = createAuthority(join(directory, 'pki'));
    const { certificate, key } = authority.issue('token-station');
    const environment = {
      ...process.env,
      ...makeToken(directory, key),
      OPENSSL_ENGINES: engines,
      PKCS11_MODULE_PATH: MODULE,
    };
    rmSync(key);
    const { revoked } = authority;
    const certificates = { authority: authority.authority, revoked, ...authority.issue('broker') };
    const acl = 'pattern readwrite open/#\n';
    await using broker = await startMosquitto({ directory: join(directory, 'broker'), certificates, acl });
    await using wire = await openWire(broker);
    const identity: ClientIdentity = {
      authorityFile: authority.authority,
      certificateFile: certificate,
      key: { kind: 'pkcs11', uri: `${URI};pin-source=${join(directory, 'pin')}` },
    };
    const argv = [CHILD, JSON.stringify(identity), String(wire.port)];
    const child = spawn(process.execPath, argv, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    let ups = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== 'up') continue;
      if (++ups === 4) child.kill('SIGKILL');
      if (ups === 2) {
        // From here on the first certificate opens nothing: whoever comes back has the second.
        authority.revoke('token-station');
        authority.renew('token-station');
        broker.reload();
        await until(() =>
          readFileSync(join(directory, 'broker', 'mosquitto.log'), 'utf8').includes('Reloading'),
        );
      }
      wire.cut();
      wire.mend();
    }
    await exited;
    assert.equal(ups, 4);
    await broker.stop();
    rmSync(directory, { recursive: true });
  });
});

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    assert.ok(i < 250, 'not in time');
    await sleep(20);
  }
}

/** A SoftHSM token that holds the key; returns the environment it is found by. */
function makeToken(directory: string, key: string): Readonly<Record<string, string>> {
  const configuration = join(directory, 'softhsm2.conf');
  mkdirSync(join(directory, 'tokens'));
  writeFileSync(configuration, `directories.tokendir = ${join(directory, 'tokens')}\n`);
  writeFileSync(join(directory, 'pin'), '1234');
  const env = { ...process.env, SOFTHSM2_CONF: configuration };
  const softhsm = (...argv: readonly string[]): void => {
    execFileSync('softhsm2-util', [...argv, '--pin', '1234'], { env, stdio: 'pipe' });
  };
  softhsm('--init-token', '--free', '--label', 'station', '--so-pin', '5678');
  softhsm('--import', key, '--token', 'station', '--label', 'station', '--id', 'A1');
  return { SOFTHSM2_CONF: configuration };
}
