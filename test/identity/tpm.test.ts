/** A station whose keys are in a TPM: enrolled, connected to a broker by TLS, and nothing without that very TPM. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openCertificateOffice, toPem } from '../../drivers/certificates/authority.ts';
import { openFileSigner } from '../../drivers/token/file-signer.ts';
import { serialFrom } from '../../runtime/core/pki/profile.ts';
import { p256KeyFile } from '../../scripts/laboratory/keys.ts';
import { startMosquitto } from '../../scripts/stand/mosquitto.ts';
import { type AuthorityRig, enrol, makeAuthority, type StationRig, settingsOf } from './enrolment-rig.ts';
import { makeTpmToken, startTpm, TPM_PACKAGES } from './tpm-rig.ts';

/** As the child of the token-key test calls itself. */
const NAME = 'token-station';
const PIN = '123456789012';
const CHILD = fileURLToPath(new URL('../bus/token-child.js', import.meta.url));

function libraryOf(file: string): string | null {
  const places = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, file));
  return places.find((place) => existsSync(place)) ?? null;
}

describe('a station with a TPM', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-tpm-'));
  const at = (name: string): string => join(directory, name);
  after(() => rmSync(directory, { recursive: true, force: true }));
  const module = libraryOf('libtpm2_pkcs11.so.1');
  const engine = libraryOf('engines-3/pkcs11.so');

  it('is enrolled with keys made in it, and connects with them; a copy of its disk beside another TPM is nothing', async (t) => {
    const ready = ['/usr/bin/swtpm', '/usr/sbin/tpm2-abrmd', '/usr/bin/tpm2_ptool'].every((path) =>
      existsSync(path),
    );
    if (module === null || engine === null || !ready) return t.skip(TPM_PACKAGES);
    const authority = await makeAuthority(at('authority'));
    const station = await settled(at('station'), authority, module);
    {
      await using tpm = await startTpm(at('run-1'), at('tpm'), at('store'));
      makeTpmToken(tpm, NAME, PIN);
      const own = { ...station, environment: tpm.environment };
      await enrolled(authority, own, at);
      await connects(authority, own, module, engine, at);
    }
    await using other = await startTpm(at('run-2'), at('another-tpm'), at('store'));
    const moved = { ...station, environment: other.environment };
    const renewal = await enrol(['renew', '--now', '--config', station.config], { station: moved });
    assert.notEqual(renewal.code, 0);
    assert.equal(renewal.out, '');
    assert.match(renewal.err, /\(TOKEN_UNAVAILABLE\)/);
  });
});

async function settled(directory: string, authority: AuthorityRig, module: string): Promise<StationRig> {
  return settingsOf({ directory, name: NAME, ca: authority.certificate, module, pin: PIN, environment: {} });
}

/** The request is itself a statement that the envelope key in the TPM signed; the authority verifies it. */
async function enrolled(
  authority: AuthorityRig,
  station: StationRig,
  at: (name: string) => string,
): Promise<void> {
  await enrol(['code', NAME, '--register', authority.register], { file: at('code') });
  const asked = await enrol(['request', '--config', station.config, '--code', at('code')], {
    file: at('request'),
    station,
  });
  assert.equal(asked.code, 0, asked.err);
  const signed = await enrol(['sign', at('request'), ...authority.options], { file: at('certificate') });
  assert.equal(signed.code, 0, signed.err);
  const installed = await enrol(['install', at('certificate'), '--config', station.config], { station });
  assert.equal(installed.code, 0, installed.err);
}

/** TLS 1.3 to the broker through OpenSSL's engine. */
async function connects(
  authority: AuthorityRig,
  station: StationRig,
  module: string,
  engine: string,
  at: (name: string) => string,
): Promise<void> {
  const certificates = await brokerCertificates(authority, at);
  await using broker = await startMosquitto({
    ...{ directory: at('broker'), certificates, acl: 'pattern readwrite open/#\n' },
  });
  const identity = {
    authorityFile: authority.certificate,
    certificateFile: station.certificate,
    key: { kind: 'pkcs11', uri: station.keyUri },
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(identity), String(broker.port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...station.environment,
      OPENSSL_ENGINES: join(engine, '..'),
      PKCS11_MODULE_PATH: module,
    },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const exited = once(child, 'exit');
  let up = false;
  for await (const line of createInterface({ input: child.stdout }))
    if (line === 'up') {
      up = true;
      child.kill('SIGKILL');
    }
  await exited;
  clearTimeout(timer);
  assert.ok(up, readFileSync(join(at('broker'), 'mosquitto.log'), 'utf8'));
}

async function brokerCertificates(authority: AuthorityRig, at: (name: string) => string) {
  const office = await openCertificateOffice();
  const key = p256KeyFile(at('broker.key'));
  const root = office.reopen(authority.der, await openFileSigner(authority.key));
  const certificate = at('broker.pem');
  const made = await office.certifyParty(root, {
    ...{ commonName: 'broker', role: 'server', dns: ['broker.test'], ip: ['127.0.0.1'] },
    publicKey: (await openFileSigner(key)).publicKey,
    serial: serialFrom(new Uint8Array(16).fill(9)),
    notBeforeMs: Math.floor(Date.now() / 1000) * 1000 - 60_000,
    notAfterMs: Math.floor(Date.now() / 1000) * 1000 + 3_600_000,
  });
  writeFileSync(certificate, toPem('CERTIFICATE', made));
  return { authority: authority.certificate, certificate, key };
}
