/** A station renews its certificate for the broker by itself, and says so in time when nothing comes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openBusOffice, readClientCertificate } from '../../drivers/certificates/bus-office.ts';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { privateKeyFrom } from '../../drivers/crypto/ecdsa.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { openCourier } from '../../drivers/renewal/courier.ts';
import { openStationIdentity } from '../../drivers/renewal/identity.ts';
import { createSoftwareSigner } from '../../drivers/token/file-signer.ts';
import { Fault } from '../../runtime/core/faults.ts';
import { readEnrolment } from '../../runtime/core/messages/enrolment.ts';
import type { PartyCertificate, StationIdentity } from '../../runtime/core/renewal.ts';
import { keepRenewed } from '../../runtime/station/renewal.ts';
import { enrol, makeAuthority } from './enrolment-rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = 1_767_225_600_000;
const entropy = createSimulatedEntropy('keys of renewal');
const tls = createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));
const envelope = createSoftwareSigner(privateKeyFrom(entropy.bytes(40)));
const keys: StationIdentity['keys'] = async () => ({ tls, envelope, close: async () => undefined });
const renewal = {
  ...{ renewAt: 2 / 3, warnAt: 0.9, courier: null },
  ...{ answerMs: 60_000, retryFirstMs: 60_000, retryMaxMs: 4 * HOUR_MS },
};
const settings = { station: 'station-1', renewal };

function certificate(fromDay: number, days: number, more: Partial<PartyCertificate> = {}): PartyCertificate {
  const notBeforeMs = START_MS + fromDay * DAY_MS;
  const notAfterMs = notBeforeMs + days * DAY_MS;
  const own = { der: new Uint8Array(8), name: 'station-1', publicKey: tls.publicKey };
  return { ...own, notBeforeMs, notAfterMs, ...more };
}

type Answer = PartyCertificate | 'nothing' | 'no way';

/** A station whose certificate is valid for 30 days from the start, and an office that answers as it is told. */
function station(answerAt: (day: number) => Answer, more: { busy?: () => boolean; office?: null } = {}) {
  const clock = createSimulatedClock(START_MS);
  const log = createMemoryLog();
  const day = (): number => (clock.now() - START_MS) / DAY_MS;
  const asked: number[] = [];
  const installed: number[] = [];
  let present = certificate(0, 30);
  const identity: StationIdentity = {
    present: () => present,
    read: (pem) => {
      const { publicKey, ...rest } = JSON.parse(pem) as PartyCertificate & { publicKey: number[] };
      return { ...rest, der: new Uint8Array(8), publicKey: Uint8Array.from(publicKey) };
    },
    install: (pem) => {
      present = identity.read(pem);
      installed.push(day());
    },
    keys,
    office: {
      ask: async (request) => {
        assert.deepEqual(readEnrolment(request, nodeCrypto).present, present.der);
        asked.push(day());
        if (answerAt(day()) === 'no way') throw new Fault('RENEWAL_UNANSWERED', { why: 'not writable' });
      },
      answer: async () => {
        const answer = answerAt(day());
        if (typeof answer === 'string') return null;
        return JSON.stringify({ ...answer, publicKey: [...answer.publicKey] });
      },
    },
  };
  const kept = { ...identity, ...(more.office === null ? { office: null } : {}) };
  const ports = { clock, crypto: nodeCrypto, log };
  const stop = keepRenewed(settings, kept, ports, more.busy ?? (() => false));
  const runTo = async (untilDay: number): Promise<void> => {
    while (await clock.runNext(untilDay * DAY_MS));
  };
  const told = (code: string) => log.lines.filter(({ fields }) => fields.code === code);
  return { clock, log, asked, installed, runTo, told, stop };
}

describe('a station', () => {
  it('asks for its next certificate when two thirds of the life are over, and takes it', async () => {
    const { runTo, asked, installed, told, stop } = station((day) => certificate(day, 30));
    await runTo(19.99);
    assert.deepEqual(asked, []);
    await runTo(21);
    assert.deepEqual([asked.length, installed.length], [1, 1]);
    assert.ok(Math.abs((asked[0] ?? 0) - 20) < 0.01);
    await runTo(65);
    assert.equal(installed.length, 3);
    assert.deepEqual(told('CERTIFICATE_ENDING'), []);
    stop();
  });

  it('asks again after each silence, later each time and never later than told, until an answer comes', async () => {
    const { runTo, asked, installed, told } = station((day) => (day < 26 ? 'nothing' : certificate(day, 30)));
    await runTo(30);
    assert.equal(installed.length, 1);
    const waits = asked.slice(1).map((at, i) => (at - (asked[i] ?? 0)) * 24);
    for (const [i, wait] of waits.entries()) assert.ok(wait >= (waits[i - 1] ?? 0) - 0.01, `wait ${i}`);
    assert.ok((waits[0] ?? 0) < 0.1 && Math.max(...waits) > 3.9 && Math.max(...waits) < 4.1, String(waits));
    assert.ok(told('RENEWAL_UNANSWERED').length >= 10);
  });

  it('says that the end is near while nothing comes, again and again, and goes on asking', async () => {
    const { runTo, asked, told } = station(() => 'no way');
    await runTo(26.9);
    assert.deepEqual(told('CERTIFICATE_ENDING'), []);
    await runTo(30);
    const warnings = told('CERTIFICATE_ENDING');
    assert.ok(warnings.length > 10 && warnings.every(({ level }) => level === 'error'));
    assert.equal(warnings[0]?.fields.endsAt, '2026-01-31T00:00:00.000Z');
    assert.ok(asked.some((day) => day > 29));
  });

  it('that nobody renews but people says that the end is near too', async () => {
    const { runTo, asked, told } = station(() => 'nothing', { office: null });
    await runTo(28);
    assert.ok(told('CERTIFICATE_ENDING').length > 0);
    assert.deepEqual(asked, []);
  });

  it('takes no certificate of another name or key, and none that ends no later', async () => {
    const foreign = station((day) => certificate(day, 30, { name: 'station-2' }));
    await foreign.runTo(22);
    const otherKey = station((day) => certificate(day, 30, { publicKey: envelope.publicKey }));
    await otherKey.runTo(22);
    for (const { installed, told } of [foreign, otherKey]) {
      assert.deepEqual(installed, []);
      assert.ok(told('ENROLMENT_FOREIGN').length > 0);
    }
    const former = station(() => certificate(0, 30));
    await former.runTo(22);
    assert.deepEqual(former.installed, []);
    assert.ok(former.told('RENEWAL_UNANSWERED').length > 0);
  });

  it('signs no request while it works on a unit, but waits no longer than ten minutes for a rest', async () => {
    let busyUntil = 20.004;
    const resting = station((day) => certificate(day, 30), {
      busy: () => resting.clock.now() < START_MS + busyUntil * DAY_MS,
    });
    await resting.runTo(21);
    assert.ok((resting.asked[0] ?? 0) >= busyUntil && (resting.asked[0] ?? 0) < busyUntil + 0.001);
    busyUntil = 40;
    const never = station((day) => certificate(day, 30), { busy: () => true });
    await never.runTo(21);
    const waited = ((never.asked[0] ?? 0) - 20) * DAY_MS;
    assert.ok(waited >= 599_999 && waited < 620_000, String(waited));
  });
});

describe('a renewal by courier', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-renewal-'));
  const at = (name: string): string => join(directory, name);
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('goes from the station to the bus authority and back in a directory, once, and installs itself', async () => {
    const authority = await makeAuthority(at('authority'));
    const office = openBusOffice();
    const nowMs = Date.now();
    const terms = { name: 'station-1', publicKey: tls.publicKey };
    const times = { notBeforeMs: nowMs - 3 * DAY_MS, notAfterMs: nowMs + DAY_MS };
    const first = await office.certify(authority, office.drawSerial(), { ...terms, ...times });
    writeFileSync(at('bus.pem'), first);
    mkdirSync(at('courier'));
    const courier = openCourier(at('courier'), 'station-1');
    const identity = openStationIdentity(
      { certificate: at('bus.pem'), ca: authority.certificate },
      keys,
      courier,
    );
    const clock = createSimulatedClock(nowMs);
    const log = createMemoryLog();
    const stop = keepRenewed(settings, identity, { clock, crypto: nodeCrypto, log }, () => false);
    await clock.runNext();
    assert.deepEqual(readdirSync(at('courier')), ['station-1.request']);
    writeFileSync(at('courier/station-2.request'), readFileSync(at('courier/station-1.request')));
    const signed = await enrol(['office', at('courier'), ...authority.options]);
    assert.match(signed.err, /station-1: until /);
    assert.match(signed.err, /station-2: refused, not a renewal of this station \(ENROLMENT_REFUSED\)/);
    await clock.runNext();
    stop();
    const taken = readClientCertificate(readFileSync(at('bus.pem'), 'utf8'), authority.certificate);
    assert.ok(taken.notAfterMs > nowMs + 6 * DAY_MS);
    assert.deepEqual(
      log.lines.map(({ event }) => event),
      ['certificate-renewed'],
    );
    const again = await enrol(['office', at('courier'), ...authority.options]);
    assert.match(again.err, /station-1: answered before/);
  });
});
