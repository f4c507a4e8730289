/** Configuration files: what is wrong is named, nothing is guessed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { backendConfig } from '../../config/backend.ts';
import { gatewayConfig } from '../../config/gateway.ts';
import { busIdentity, gatewayToken, loadConfig, readText, trustedFrom } from '../../config/load.ts';
import { stationConfig } from '../../config/station.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { settingsOf } from '../../scripts/documents/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const bus = {
  host: '127.0.0.1',
  servername: 'broker',
  ca: 'ca.pem',
  certificate: 'own.pem',
  key: { file: 'own.key' },
};
const backend = {
  backend: 'backend-1',
  bus,
  instructionSocket: '/run/holdfast-backend/instructions.sock',
  databaseUrl: 'postgresql:///fleet',
  headFile: 'log-head',
  receiptKeyFile: 'receipts.key',
  log: { origin: 'example.test/log', keyFile: 'log.key' },
  controllers: [{ name: 'gate-1', station: 'station-1', keyFile: 'gate-1.key' }],
  authorities: { 'station-1': 'tests' },
  trusted: [{ name: 'station-1', role: 'station', publicKey: `04${'ab'.repeat(64)}` }],
  ticketQuorum: { required: 2, officers: ['officer-1', 'officer-2'] },
};

function load(value: unknown) {
  const path = join(folder, 'backend.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return loadConfig(path, backendConfig);
}

/** The failure names the file and everything in `parts`. */
const naming =
  (code: FaultCode, ...parts: readonly string[]) =>
  (error: unknown): boolean => {
    const said = isFault(error) ? JSON.stringify(error.context) : '';
    return isFault(error) && error.code === code && parts.every((part) => said.includes(part));
  };

describe('a configuration', () => {
  it('is complete with what must be given; the rest has defaults', () => {
    const { bus: read, queueMax, statementTimeoutMs } = load(backend);
    assert.deepEqual([read.port, queueMax, statementTimeoutMs], [8883, 4096, 5000]);
  });

  it('is refused for a key that does not exist, which is named', () => {
    assert.throws(() => load({ ...backend, typo: 1 }), naming('CONFIG_INVALID', 'backend.json', 'typo'));
    const nested = { ...backend, bus: { ...bus, prot: 8883 } };
    assert.throws(() => load(nested), naming('CONFIG_INVALID', 'prot', 'bus'));
  });

  it('is refused for a value of another type or range, which is named', () => {
    assert.throws(
      () => load({ ...backend, queueMax: '4096' }),
      naming('CONFIG_INVALID', 'queueMax', 'number'),
    );
    assert.throws(() => load({ ...backend, queueMax: 0 }), naming('CONFIG_INVALID', 'queueMax'));
    assert.throws(() => load({ ...backend, backend: 'Backend 1' }), naming('CONFIG_INVALID', 'a-z, 0-9'));
    assert.throws(
      () => load({ ...backend, trusted: [{ ...backend.trusted[0], publicKey: '04ab' }] }),
      naming('CONFIG_INVALID', 'trusted[0].publicKey'),
    );
  });

  it('is refused when something that must be given is missing, which is named', () => {
    for (const key of Object.keys(backend))
      assert.throws(() => load({ ...backend, [key]: undefined }), naming('CONFIG_INVALID', key), key);
  });

  it('is refused when it is no JSON, or not there, with the file named', () => {
    assert.throws(() => load('{ "backend": '), naming('CONFIG_INVALID', 'backend.json', 'not JSON'));
    const missing = join(folder, 'missing.json');
    assert.throws(
      () => loadConfig(missing, backendConfig),
      naming('FILE_UNREADABLE', 'missing.json', 'ENOENT'),
    );
    assert.throws(() => readText(folder), naming('FILE_UNREADABLE', 'EISDIR'));
  });

  it('never repeats a value in its complaint: it might be a secret', () => {
    const secret = 'c0ffee00c0ffee00';
    for (const changed of [
      { ...backend, receiptKeyFile: { [secret]: secret } },
      { ...backend, statementTimeoutMs: secret },
      { ...backend, databaseUrl: secret },
      { ...backend, trusted: [{ name: 'a', role: 'station', publicKey: secret }] },
    ])
      assert.throws(
        () => load(changed),
        (error) => isFault(error) && !JSON.stringify(error.context).includes(secret),
      );
  });

  it('takes the private key of the bus from a file or a token, never both', () => {
    assert.deepEqual(busIdentity(load(backend).bus).key, { kind: 'file', path: 'own.key' });
    const token = { ...backend, bus: { ...bus, key: { pkcs11: 'pkcs11:token=a;object=tls' } } };
    assert.deepEqual(busIdentity(load(token).bus).key, { kind: 'pkcs11', uri: 'pkcs11:token=a;object=tls' });
    const both = { ...backend, bus: { ...bus, key: { file: 'a', pkcs11: 'pkcs11:token=a' } } };
    assert.throws(() => load(both), naming('CONFIG_INVALID', 'key'));
  });

  it('opens the gateway’s token for every program with the derivation that its masters are made for', () => {
    const { token, profile } = gatewayConfig.pick({ token: true, profile: true }).parse({
      token: { module: 'm', label: 'l', pinFile: 'p', constantsFile: 'c', kdf: 'sp800-108' },
    });
    assert.deepEqual(gatewayToken({ token, profile }), {
      ...{ module: 'm', label: 'l', pinFile: 'p', constantsFile: 'c', kdf: 'sp800-108' },
      laboratory: false,
      deadlines: { callMs: 5_000 },
    });
  });

  it('gives trusted keys as bytes', () => {
    const [key] = trustedFrom(load(backend).trusted);
    assert.equal(key?.publicKey.length, 65);
  });

  it('describes every setting, by itself or by what it belongs to', () => {
    for (const schema of [stationConfig, gatewayConfig, backendConfig])
      for (const { key, meaning } of settingsOf(schema)) assert.match(meaning, /\w{3,}/, key);
  });

  it('has a unit wherever a number is a time', () => {
    for (const schema of [stationConfig, gatewayConfig, backendConfig])
      for (const { key, kind } of settingsOf(schema))
        if (/(?:Ms|Seconds)$/.test(key)) assert.match(kind, /, (?:ms|s)$/, key);
  });
});
