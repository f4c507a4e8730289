/** What every gateway ledger keeps to, real or simulated. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isFault } from '../../runtime/core/faults.ts';
import type {
  CertificateRow,
  ConclusionRow,
  DialogueRow,
  GatewayLedger,
} from '../../runtime/core/store/ledger.ts';
import { unique } from '../store/fleet-rows.ts';
import { countsItsMark, keepsStationLists } from '../store/gateway-list-claims.ts';
import { keepsOrders } from '../store/ledger-order-claims.ts';
import { keepsForIssuers } from '../store/revocation-claims.ts';

export interface LedgerSubject extends AsyncDisposable {
  /** Two gateways on one database. */
  readonly ledger: GatewayLedger;
  readonly other: GatewayLedger;
}

const PLENTY = { quota: 1000, attemptsMax: 1000 };

export function ledgerContract(name: string, open: () => Promise<LedgerSubject>): void {
  describe(`gateway ledger, ${name}`, () => {
    let subject: LedgerSubject;
    const ledger = (): GatewayLedger => subject.ledger;
    const any = (i: number): GatewayLedger => (i % 2 === 0 ? subject.ledger : subject.other);
    before(async () => {
      subject = await open();
    });
    after(() => subject[Symbol.asyncDispose]());
    admits(ledger, any);
    keepsIntentsAndConclusions(ledger, any);
    keepsCertificates(ledger, any);
    keepsForIssuers(ledger, certificate);
    keepsStationLists(any);
    countsItsMark(any);
    keepsOrders(ledger, any, dialogue);
  });
}

function admits(ledger: () => GatewayLedger, any: (i: number) => GatewayLedger): void {
  it('counts the dialogues of an EID since its last confirmation', async () => {
    const row = dialogue();
    const again = (epoch: number): DialogueRow => ({ ...row, dialogue: unique('d'), epoch });
    assert.deepEqual(await ledger().admit(row, PLENTY), { admitted: true, attempts: 1 });
    assert.deepEqual(await ledger().admit(again(1), PLENTY), { admitted: true, attempts: 2 });
    await ledger().conclude(conclusion({ ...row, kind: 'verdict' }));
    assert.deepEqual(await ledger().admit(again(2), PLENTY), { admitted: true, attempts: 3 });
    await ledger().conclude(conclusion({ ...row, epoch: 2 }));
    assert.deepEqual(await ledger().admit(again(3), PLENTY), { admitted: true, attempts: 1 });
    await ledger().conclude(conclusion({ ...row, epoch: 2 }));
    assert.deepEqual(await ledger().admit(again(3), PLENTY), { admitted: true, attempts: 2 });
  });

  it('gives the same dialogue the same answer, and counts it once', async () => {
    const row = dialogue();
    const limits = { quota: 1, attemptsMax: 1 };
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await ledger().admit(row, limits), { admitted: true, attempts: 1 });
    await assert.rejects(ledger().admit({ ...row, instance: 'another' }, limits));
  });

  it('refuses an epoch older than any admitted, also in a dialogue it knows', async () => {
    const row = dialogue();
    const stale = { admitted: false, why: 'stale' };
    await ledger().admit(row, PLENTY);
    await ledger().admit({ ...row, dialogue: unique('d'), epoch: 3 }, PLENTY);
    assert.deepEqual(await ledger().admit({ ...row, dialogue: unique('d'), epoch: 2 }, PLENTY), stale);
    assert.deepEqual(await ledger().admit(row, PLENTY), stale);
  });

  it('lets an older epoch neither intend nor conclude, and gives again what it concluded in time', async () => {
    const row = dialogue();
    const of = (epoch: number) => ({ operation: row.operation, epoch });
    const intent = {
      ...of(row.epoch),
      dialogue: row.dialogue,
      step: 'put-key',
      detail: 'x',
      at: row.openedAt,
    };
    const outcome = {
      kind: 'verdict',
      jws: 'a.b.c',
      eid: row.eid,
      at: row.openedAt,
      transcript: '{}',
    } as const;
    await ledger().admit(row, PLENTY);
    await ledger().intend(intent);
    assert.equal(await ledger().conclude({ ...of(row.epoch), ...outcome }), 'a.b.c');
    await ledger().admit({ ...row, dialogue: unique('d'), epoch: 8 }, PLENTY);
    await ledger().admit({ ...row, dialogue: unique('d'), epoch: 9 }, PLENTY);
    for (const late of [
      () => ledger().intend({ ...intent, step: 'confirm' }),
      () => ledger().conclude({ ...of(8), ...outcome }),
    ])
      await assert.rejects(late, (error) => isFault(error) && error.code === 'RESERVATION_STALE');
    assert.equal(await ledger().conclude({ ...of(row.epoch), ...outcome, jws: 'd.e.f' }), 'a.b.c');
    assert.equal((await ledger().intentsOf(row.operation)).length, 1);
    assert.equal(await ledger().conclude({ ...of(9), ...outcome }), 'a.b.c');
  });

  it('refuses too many attempts, and a refusal counts nothing', async () => {
    const row = dialogue();
    const again = (): DialogueRow => ({ ...row, dialogue: unique('d'), epoch: 9 });
    const limits = { quota: 9, attemptsMax: 1 };
    await ledger().admit(row, limits);
    assert.deepEqual(await ledger().admit(again(), limits), { admitted: false, why: 'attempts' });
    assert.deepEqual(await ledger().admit(again(), limits), { admitted: false, why: 'attempts' });
    const old = { ...row, dialogue: unique('d'), epoch: 1 };
    assert.deepEqual(await ledger().admit(old, PLENTY), { admitted: true, attempts: 2 });
  });

  it('counts distinct EIDs against the quota of a ticket, whoever asks at the same time', async () => {
    const ticket = unique('ticket');
    const limits = { quota: 3, attemptsMax: 9 };
    const rows = Array.from({ length: 8 }, () => ({ ...dialogue(), ticket }));
    const answers = await Promise.all(rows.map((row, i) => any(i).admit(row, limits)));
    assert.equal(answers.filter((answer) => answer.admitted).length, 3);
    for (const [i, answer] of answers.entries()) {
      const row = rows[i];
      assert.ok(row !== undefined);
      const next = await any(i + 1).admit({ ...row, dialogue: unique('d') }, limits);
      const refused = { admitted: false, why: 'quota' };
      assert.deepEqual(next, answer.admitted ? { admitted: true, attempts: 2 } : refused);
    }
  });

  it('counts every one of the dialogues that are opened at the same time for an EID', async () => {
    const row = dialogue();
    const limits = { quota: 1, attemptsMax: 5 };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => any(i).admit({ ...row, dialogue: unique('d') }, limits)),
    );
    const attempts = answers.map((answer) => (answer.admitted ? answer.attempts : 0)).sort();
    assert.deepEqual(attempts, [0, 0, 0, 1, 2, 3, 4, 5]);
  });
}

function keepsIntentsAndConclusions(ledger: () => GatewayLedger, any: (i: number) => GatewayLedger): void {
  it('keeps intents in their order, and the same intent once', async () => {
    const operation = unique('op');
    const intents = ['put-key', 'lock', 'put-key'].map((step, i) => ({
      dialogue: 'd',
      operation,
      epoch: 1,
      step,
      detail: '{"kvn":48}',
      at: `2026-11-22T10:00:0${i}.000Z`,
    }));
    for (const intent of intents) await ledger().intend(intent);
    for (const intent of intents) await any(1).intend(intent);
    assert.deepEqual(await ledger().intentsOf(operation), intents);
    assert.deepEqual(await ledger().intentsOf(unique('op')), []);
  });

  it('keeps every intent of those written at the same time', async () => {
    const operation = unique('op');
    const intent = (i: number) => ({ dialogue: 'd', operation, epoch: 1, step: `${i}`, detail: '', at: 't' });
    await Promise.all(Array.from({ length: 6 }, (_, i) => any(i).intend(intent(i))));
    const steps = (await ledger().intentsOf(operation)).map((row) => row.step).sort();
    assert.deepEqual(steps, ['0', '1', '2', '3', '4', '5']);
  });

  it('keeps the first outcome of an epoch and gives it to everybody', async () => {
    const operation = unique('op');
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, i) => any(i).conclude(conclusion({ operation, jws: `jws ${i}` }))),
    );
    assert.equal(new Set(outcomes).size, 1);
    assert.equal(
      await ledger().conclude(conclusion({ operation, kind: 'verdict', jws: 'late' })),
      outcomes[0],
    );
    const stored = await any(1).conclusionOf(operation, 1);
    assert.deepEqual(stored, { kind: 'confirmation', jws: outcomes[0] });
    assert.equal(await ledger().conclusionOf(operation, 2), null);
  });

  it('keeps with each conclusion its own transcript, and no other', async () => {
    const [operation, eid] = [unique('op'), unique('eid')];
    const rows = Array.from({ length: 6 }, (_, i) =>
      conclusion({ operation, eid, jws: `jws ${i}`, transcript: `transcript ${i}` }),
    );
    const [stored] = await Promise.all(rows.map((row, i) => any(i).conclude(row)));
    const own = rows.find(({ jws }) => jws === stored);
    assert.deepEqual(await any(1).transcriptsOf(eid), [own]);
    await ledger().conclude(conclusion({ operation, eid, kind: 'verdict', transcript: 'late' }));
    assert.deepEqual(await ledger().transcriptsOf(eid), [own]);
    assert.deepEqual(await ledger().transcriptsOf(unique('eid')), []);
  });

  it('lists the transcripts of an EID newest first, verdicts among them, whatever their length', async () => {
    const [operation, eid] = [unique('op'), unique('eid')];
    const long = 'x'.repeat(1_000_000);
    const rows = [1, 2, 3].map((epoch) =>
      conclusion({ operation, eid, epoch, kind: epoch === 2 ? 'verdict' : 'confirmation', transcript: long }),
    );
    for (const row of rows) await ledger().conclude(row);
    assert.deepEqual(await any(1).transcriptsOf(eid), rows.toReversed());
  });
}

function keepsCertificates(ledger: () => GatewayLedger, any: (i: number) => GatewayLedger): void {
  it('keeps one certificate for each public key: the intent, then the first signed one', async () => {
    const row = certificate(unique('eid'));
    const again = { ...row, serial: unique('ff'), notBefore: 'later' };
    assert.deepEqual(await ledger().intendCertificate(row), row);
    assert.deepEqual(await ledger().intendCertificate(again), row);
    assert.deepEqual(await ledger().certificateOf(row.eid), row);
    const der = Uint8Array.of(0x30, 0);
    assert.deepEqual(await ledger().storeCertificate(row.serial, der), der);
    assert.deepEqual(await any(1).storeCertificate(row.serial, Uint8Array.of(0x30, 1)), der);
    assert.deepEqual(await ledger().intendCertificate(again), { ...row, certificate: der });
    assert.equal(await ledger().certificateOf(unique('eid')), null);
  });

  it('lists the certificates of an EID newest first', async () => {
    const eid = unique('eid');
    const rows = [certificate(eid), certificate(eid), certificate(eid)];
    for (const row of rows) await ledger().intendCertificate(row);
    assert.deepEqual(await ledger().certificatesOf(eid), rows.toReversed());
    assert.deepEqual(await ledger().certificateOf(eid), rows[2]);
  });

  it('refuses the public key of another EID, and a serial number in use', async () => {
    const row = certificate(unique('eid'));
    await ledger().intendCertificate(row);
    const refused = (error: unknown): boolean => isFault(error) && error.code === 'CERTIFICATE_REFUSED';
    await assert.rejects(ledger().intendCertificate({ ...row, eid: unique('eid') }), refused);
    const { serial } = row;
    await assert.rejects(ledger().intendCertificate({ ...certificate(unique('eid')), serial }), refused);
    await assert.rejects(ledger().storeCertificate(unique('none'), Uint8Array.of(1)));
  });

  it('stores one intent when the same key is asked for at the same time', async () => {
    const row = certificate(unique('eid'));
    const stored = await Promise.all(
      Array.from({ length: 6 }, (_, i) => any(i).intendCertificate({ ...row, serial: unique('ff') })),
    );
    assert.equal(new Set(stored.map((one) => one.serial)).size, 1);
    assert.equal((await ledger().certificatesOf(row.eid)).length, 1);
  });
}

function dialogue(): DialogueRow {
  return {
    dialogue: unique('d'),
    operation: unique('op'),
    epoch: 1,
    eid: unique('eid'),
    seFingerprint: 'fp',
    ticket: unique('ticket'),
    station: 's1',
    instance: 'g1',
    openedAt: '2026-11-22T10:00:00.000Z',
  };
}

function conclusion(of: Partial<ConclusionRow>): ConclusionRow {
  const { operation = unique('op'), epoch = 1, eid = unique('eid') } = of;
  const { kind = 'confirmation', jws = 'jws', transcript = '{}' } = of;
  return { operation, epoch, eid, kind, jws, at: '2026-11-22T10:00:00.000Z', transcript };
}

let keys = 0;

function certificate(eid: string): CertificateRow {
  const publicKey = new Uint8Array(65).fill(4);
  new DataView(publicKey.buffer).setUint32(1, ++keys);
  return {
    serial: unique('ff'),
    eid,
    publicKey,
    issuer: 'line 1',
    ...{ operation: unique('op'), batch: 'B-1', station: 'station-1' },
    profile: 'idevid',
    notBefore: '2026-11-22T10:00:00.000Z',
    toBeSigned: Uint8Array.of(0x30, 0x82, 0, 0xff),
    certificate: null,
  };
}
