/** What every fleet store keeps of certificates and revocations, and every ledger of its intermediates. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fromText } from '../../runtime/core/bytes.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { FleetStore } from '../../runtime/core/store/fleet.ts';
import type { RevokedRow } from '../../runtime/core/store/issuer-ledger.ts';
import type { CertificateRow, GatewayLedger } from '../../runtime/core/store/ledger.ts';
import type { RevocationRow } from '../../runtime/core/store/revocation.ts';
import { record, unique } from './fleet-rows.ts';

const AT = '2026-11-22T10:00:00.000Z';

export function revocationsAreKept(store: () => FleetStore): void {
  it('finds registered certificates by batch, station, intermediate and EID', async () => {
    const [batch, station, issuer] = [unique('batch'), unique('station'), unique('issuer')];
    const rows = [1, 2, 3].map((i) => {
      const said = {
        certificate: { issuer, issuerKeyId: 'aa' },
        batch,
        station: i === 3 ? unique('station') : station,
        time: { latest: AT },
      };
      return { ...record(i), record: fromText(JSON.stringify(said)) };
    });
    await store().transaction((tx) => tx.insertRecords(rows));
    const serials = rows.map(({ certificateSerial }) => certificateSerial);
    await store().transaction(async (tx) => {
      const by = async (...key: Parameters<typeof tx.certificatesBy>) =>
        (await tx.certificatesBy(...key)).map(({ serial }) => serial);
      assert.deepEqual(await by('batch', batch, 10), serials);
      assert.deepEqual(await by('batch', batch, 2), serials.slice(0, 2));
      assert.deepEqual(await by('station', station, 10), serials.slice(0, 2));
      assert.deepEqual(await by('issuer', issuer, 10), serials);
      assert.deepEqual(await by('eid', rows[1]?.eid ?? '', 10), [serials[1]]);
      assert.equal(await tx.countCertificatesOf(issuer), 3);
      assert.ok(
        (await tx.recordedIssuers()).some((one) => one.issuer === issuer && one.issuerKeyId === 'aa'),
      );
      const [found] = await tx.certificatesBy('eid', rows[0]?.eid ?? '', 1);
      assert.deepEqual([found?.recordedAt, found?.batch, found?.operation], [AT, batch, rows[0]?.operation]);
    });
  });

  it('finds a certificate that no record names, until one does; and batches by how they begin', async () => {
    const line = unique('line');
    const row = (i: number, batch: string) => ({
      ...{ serial: unique('told'), eid: `eid-${i}`, operation: `op-${i}`, issuer: line, issuerKeyId: 'aa' },
      ...{ batch, station: 's1', recordedAt: AT },
    });
    const told = [row(1, `${line}-a`), row(2, `${line}-b`), row(3, `other-${line}`)];
    const serials = told.map(({ serial }) => serial);
    assert.deepEqual(
      await store().transaction((tx) => tx.addUnitCertificates(told.slice(0, 2))),
      serials.slice(0, 2),
    );
    assert.deepEqual(await store().transaction((tx) => tx.addUnitCertificates(told)), serials.slice(2));
    const said = { certificate: { issuer: line, issuerKeyId: 'aa' }, batch: `${line}-a`, station: 's2' };
    const recorded = { ...record(9), certificateSerial: serials[0] ?? '' };
    await store().transaction((tx) =>
      tx.insertRecords([{ ...recorded, record: fromText(JSON.stringify(said)) }]),
    );
    await store().transaction(async (tx) => {
      const found = await tx.certificatesBy('batch', `${line}-*`, 10);
      assert.deepEqual(
        found.map(({ serial, station }) => [serial, station]),
        [
          [serials[0], 's2'],
          [serials[1], 's1'],
        ],
      );
      assert.deepEqual(await tx.certificatesBy('batch', line, 10), []);
    });
  });

  it('keeps what is revoked, once', async () => {
    const [issuer, plan] = [unique('issuer'), unique('plan')];
    const rows = [1, 2].map((leafIndex): RevocationRow => {
      const serial = unique('serial');
      return { serial, eid: 'eid', issuer, plan, reason: 'superseded', revokedAt: AT, leafIndex };
    });
    const whole = {
      issuer,
      issuerKeyId: unique('key-id'),
      plan,
      reason: 'cACompromise',
      revokedAt: AT,
      leafIndex: 4,
    } as const;
    const executed = { plan, executedAt: AT, leafIndex: 3 };
    await store().transaction(async (tx) => {
      await tx.insertRevocations(rows);
      await tx.insertRevokedIssuer(whole);
      await tx.insertExecutedPlan(executed);
      const number = ((await tx.newestTrustList())?.number ?? 0) + 1;
      await tx.insertTrustList({ number, jws: issuer, leafIndex: 5 });
    });
    await store().transaction(async (tx) => {
      assert.deepEqual(await tx.revocation(rows[0]?.serial ?? ''), rows[0]);
      assert.equal(await tx.revocation('none'), null);
      assert.equal(await tx.fallenOf(rows[0]?.serial ?? '', 'none'), 'certificate');
      assert.equal(await tx.fallenOf('none', whole.issuerKeyId), 'intermediate');
      assert.equal(await tx.fallenOf('none', 'none'), null);
      assert.deepEqual(await tx.revocationsOf(issuer), rows);
      assert.deepEqual(await tx.revocationsUnder(plan), rows);
      assert.deepEqual(
        (await tx.revokedIssuers()).filter((one) => one.issuer === issuer),
        [whole],
      );
      assert.deepEqual(await tx.executedPlan(plan), executed);
      assert.equal((await tx.newestTrustList())?.jws, issuer);
    });
    await assert.rejects(store().transaction((tx) => tx.insertRevocations(rows.slice(0, 1))));
    await assert.rejects(store().transaction((tx) => tx.insertExecutedPlan(executed)));
  });
}

export function keepsForIssuers(
  ledger: () => GatewayLedger,
  certificate: (eid: string) => CertificateRow,
): void {
  it('takes intents of many requests at once, and answers each as it would alone', async () => {
    const known = await ledger().intendCertificate(certificate(unique('eid')));
    const fresh = certificate(unique('eid'));
    const answers = await ledger().intendCertificates([
      fresh,
      { ...known, serial: unique('ff') },
      { ...certificate(unique('eid')), publicKey: known.publicKey },
      { ...certificate(unique('eid')), serial: known.serial },
    ]);
    assert.deepEqual(answers.slice(0, 2), [fresh, known]);
    for (const refusal of answers.slice(2))
      assert.ok(isFault(refusal) && refusal.code === 'CERTIFICATE_REFUSED', String(refusal));
    assert.deepEqual(await ledger().certificateOf(fresh.eid), fresh);
    const signed = [fresh, known].map(({ serial }, i) => ({ serial, certificate: Uint8Array.of(i) }));
    assert.deepEqual(
      (await ledger().storeCertificates(signed)).map((one) => [...one]),
      [[0], [1]],
    );
    const later = signed.map((one) => ({ ...one, certificate: Uint8Array.of(9) }));
    assert.deepEqual(
      (await ledger().storeCertificates(later)).map((one) => [...one]),
      [[0], [1]],
    );
    const issuers = await ledger().issuersOf([fresh.serial, 'none']);
    assert.deepEqual([...issuers], [[fresh.serial, fresh.issuer]]);
  });

  it('lists what was issued for a batch, an EID, a station and by an intermediate, in pages', async () => {
    const [batch, station, issuer] = [unique('B'), unique('s'), unique('issuer')];
    const rows = [1, 2, 3].map(() => ({ ...certificate(unique('eid')), batch, station, issuer }));
    await ledger().intendCertificates(rows);
    const serials = rows.map(({ serial }) => serial);
    const by = async (...key: Parameters<GatewayLedger['certificatesBy']>) =>
      (await ledger().certificatesBy(...key)).map(({ serial }) => serial);
    assert.deepEqual(await by('batch', batch, '', 2), serials.slice(0, 2));
    assert.deepEqual(await by('batch', batch, serials[1] ?? '', 2), serials.slice(2));
    assert.deepEqual(await by('batch', `${batch.slice(0, -1)}*`, '', 9), serials);
    assert.deepEqual(await by('station', station, '', 9), serials);
    assert.deepEqual(await by('issuer', issuer, '', 9), serials);
    const [first] = rows;
    assert.deepEqual(await ledger().certificatesBy('eid', first?.eid ?? '', '', 9), [first]);
  });

  it('gives each list of an intermediate its own number, higher than any before, and all that is revoked', async () => {
    const issuer = unique('issuer');
    const row = (): RevokedRow => ({
      serial: unique('aa'),
      issuer,
      reason: 'superseded',
      revokedAt: AT,
      order: 'o',
    });
    const [one, two] = [row(), row()];
    assert.deepEqual(await ledger().beginCrl(issuer, []), { number: 1, revoked: [] });
    assert.deepEqual(await ledger().beginCrl(issuer, [two]), { number: 2, revoked: [two] });
    const again = { ...two, revokedAt: '2027-01-01T00:00:00.000Z' };
    assert.deepEqual(await ledger().beginCrl(issuer, [again, one]), {
      number: 3,
      revoked: [one, two].sort(bySerial),
    });
    const parallel = await Promise.all(Array.from({ length: 8 }, () => ledger().beginCrl(issuer, [])));
    assert.deepEqual(
      parallel.map(({ number }) => number).sort((a, b) => a - b),
      [4, 5, 6, 7, 8, 9, 10, 11],
    );
    assert.deepEqual(await ledger().revoked(two.serial), two);
    assert.equal(await ledger().revoked('none'), null);
    const list = { issuer, thisUpdate: AT, nextUpdate: AT, crl: Uint8Array.of(1) };
    for (const number of [3, 2]) await ledger().storeCrl({ ...list, number });
    assert.deepEqual(await ledger().newestCrl(issuer), { ...list, number: 3 });
    assert.equal(await ledger().newestCrl(unique('issuer')), null);
  });

  it('keeps the newest trust list, and takes no older one', async () => {
    const number = ((await ledger().trustList())?.number ?? 0) + 10;
    assert.equal(await ledger().keepTrustList({ number, jws: 'new' }), true);
    assert.equal(await ledger().keepTrustList({ number, jws: 'new' }), true);
    assert.equal(await ledger().keepTrustList({ number: number - 1, jws: 'old' }), false);
    assert.deepEqual(await ledger().trustList(), { number, jws: 'new' });
  });
}

function bySerial(a: RevokedRow, b: RevokedRow): number {
  return a.serial < b.serial ? -1 : 1;
}
