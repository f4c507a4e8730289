/** A station gets its identity: keys made in its token, a certificate for a short time, and another before that ends. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { enrolmentSubject, readEnrolment } from '../../runtime/core/messages/enrolment.ts';
import { readRegister } from '../../runtime/core/messages/enrolment-register.ts';
import { assertRefused } from '../doors/refusal.ts';
import { runToEnd } from '../run-to-end.ts';
import { type AuthorityRig, enrol, makeAuthority, makeStation, type StationRig } from './enrolment-rig.ts';
import { approve, quorum, trustedOfficers } from './officers.ts';

const DAY_MS = 86_400_000;

describe('the enrolment of a station', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-enrol-'));
  const at = (name: string): string => join(directory, name);
  let authority: AuthorityRig;
  let station: StationRig;
  before(async () => {
    authority = await makeAuthority(at('authority'));
    station = await makeStation(at('station-1'), 'station-1', authority.certificate);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const sign = (request: string, certificate: string, more: readonly string[] = []) =>
    enrol(['sign', request, ...authority.options, ...more], { file: certificate });
  const register = () => readRegister(readFileSync(authority.register, 'utf8'), authority.register);
  const present = (): X509Certificate => new X509Certificate(readFileSync(station.certificate));

  it('makes the keys in the token, and a one-time code vouches for them', async () => {
    await enrol(['code', 'station-1', '--register', authority.register], { file: at('code') });
    const asked = await enrol(['request', '--config', station.config, '--code', at('code')], {
      file: at('request'),
      station,
    });
    assert.equal(asked.code, 0, asked.err);
    assert.match(asked.err, /made in the token: tls-station-1[\s\S]*made in the token: envelope/);
    assert.ok(!asked.out.includes(readFileSync(at('code'), 'utf8').trim()));
    const signed = await sign(at('request'), at('certificate'), ['--days', '2']);
    assert.equal(signed.code, 0, signed.err);
    const installed = await enrol(['install', at('certificate'), '--config', station.config], { station });
    assert.equal(installed.code, 0, installed.err);
    const { subject, ca } = present();
    assert.deepEqual([subject, ca], ['CN=station-1', false]);
    assert.ok(Date.parse(present().validTo) < Date.now() + 2 * DAY_MS + 1_000);
    const verify = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', authority.certificate];
    assert.match(execFileSync('openssl', [...verify, station.certificate], { encoding: 'utf8' }), /OK/);
  });

  it('refuses a code the second time', async () => {
    const again = await sign(at('request'), at('second'));
    assert.match(again.err, /ENROLMENT_REFUSED/);
    assert.ok(!existsSync(at('second')));
  });

  it('takes nothing of a request but name and keys', () => {
    const key = present().publicKey.export({ format: 'jwk' });
    const [entry] = register().filter(({ kind }) => kind === 'issued');
    assert.ok(entry?.kind === 'issued');
    const point = Buffer.concat([
      Buffer.of(4),
      Buffer.from(key.x ?? '', 'base64url'),
      Buffer.from(key.y ?? '', 'base64url'),
    ]);
    assert.equal(entry.tlsKey, toHex(point));
    const text = execFileSync(
      'openssl',
      ['x509', '-noout', '-ext', 'basicConstraints,keyUsage,extendedKeyUsage', '-in', station.certificate],
      { encoding: 'utf8' },
    );
    assert.match(text, /CA:FALSE[\s\S]*Digital Signature[\s\S]*TLS Web Client Authentication/);
  });

  it('renews by the present certificate, and not while there is time left', async () => {
    const early = await enrol(['renew', '--config', station.config], { station });
    assert.deepEqual([early.code, early.out], [0, '']);
    const asked = await enrol(['renew', '--now', '--config', station.config], {
      file: at('renewal'),
      station,
    });
    assert.equal(asked.code, 0, asked.err);
    const before = present().serialNumber;
    const signed = await sign(at('renewal'), at('renewed'));
    assert.match(signed.err, /vouched for by renewal/);
    await enrol(['install', at('renewed'), '--config', station.config], { station });
    assert.notEqual(present().serialNumber, before);
  });

  it('needs somebody who vouches: officers do, by their approvals of these very keys', async () => {
    const other = await makeStation(at('station-2'), 'station-2', authority.certificate);
    await enrol(['request', '--config', other.config], { file: at('other'), station: other });
    const nobody = await sign(at('other'), at('none'));
    assert.match(nobody.err, /ENROLMENT_REFUSED/);
    const judge = at('judge.json');
    const trusted = trustedOfficers.map((key) => ({ ...key, publicKey: toHex(key.publicKey) }));
    writeFileSync(judge, JSON.stringify({ stationQuorum: quorum, trusted }));
    const files = async (of: string): Promise<string[]> => {
      const subject = enrolmentSubject(
        readEnrolment(readFileSync(of, 'utf8').trim(), nodeCrypto),
        nodeCrypto,
      );
      for (const officer of ['ada', 'bob'] as const)
        writeFileSync(at(officer), await approve(officer, 'station-enrolment', subject, Date.now()));
      return [at('ada'), at('bob')];
    };
    const ofAnother = await sign(at('other'), at('none'), [
      '--judge',
      judge,
      ...(await files(at('request'))),
    ]);
    assert.match(ofAnother.err, /APPROVAL_REFUSED/);
    const both = await sign(at('other'), at('two'), ['--judge', judge, ...(await files(at('other')))]);
    assert.equal(both.code, 0, both.err);
    const foreign = await enrol(['install', at('two'), '--config', station.config], { station });
    assert.match(foreign.err, /ENROLMENT_FOREIGN/);
    assert.equal(present().subject, 'CN=station-1');
  });

  it('puts the certificates of a revoked station on the list that the broker reads, and certifies it no more', async () => {
    const list = at('crl.pem');
    const made = await enrol(['crl', ...authority.options, '--revoke', 'station-1', '--reason', 'stolen'], {
      file: list,
    });
    assert.equal(made.code, 0, made.err);
    const bundle = at('bundle.pem');
    writeFileSync(bundle, readFileSync(authority.certificate, 'utf8') + readFileSync(list, 'utf8'));
    const verify = (certificate: string) => () =>
      execFileSync('openssl', ['verify', '-crl_check', '-CAfile', bundle, certificate], { stdio: 'pipe' });
    assert.throws(verify(station.certificate), /revoked/);
    verify(at('two'))();
    assert.match((await sign(at('renewal'), at('none'))).err, /ENROLMENT_REFUSED/);
  });

  it('starts nothing from a copy of the disk without the token: no request, no certificate, no station', async () => {
    renameSync(join(station.directory, 'token'), join(directory, 'left-behind'));
    mkdirSync(join(station.directory, 'token'));
    const renewal = await enrol(['renew', '--now', '--config', station.config], { station });
    assert.match(renewal.err, /TOKEN_UNAVAILABLE/);
    assert.equal(renewal.out, '');
    const started = await runToEnd('runtime/station/main.js', [station.config], station.environment);
    assertRefused(started, 'TOKEN_UNAVAILABLE', ['no or several such tokens']);
  });
});
