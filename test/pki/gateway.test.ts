/** What a gateway does with its intermediates: issue once, revoke on order, and never below what was published. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toHex, toText } from '../../runtime/core/bytes.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { showCrlInstruction, signCrlInstruction } from '../../runtime/core/messages/revocation.ts';
import { judgeChain } from '../../runtime/core/pki/chain.ts';
import { parseCrl } from '../../runtime/core/pki/crl.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import type { CertificateRow } from '../../runtime/core/store/ledger.ts';
import {
  createOffice,
  intentOf,
  orderFor,
  root,
  stranger,
  trustListOf,
  type World,
} from './gateway-office.ts';
import { DAY_MS, makeCrl, NOW_MS } from './hierarchy.ts';

type Gateway = Awaited<ReturnType<World['start']>>;

const withCode = (code: FaultCode, why?: RegExp) => (error: unknown) =>
  isFault(error) && error.code === code && (why?.test(JSON.stringify(error.context)) ?? true);

/** Issues a certificate under the intermediate with this number. */
async function issue(gateway: Gateway, world: World, i: number, changes = {}): Promise<CertificateRow> {
  const issuer = gateway.issuers.get(`line-${i}`) ?? assert.fail();
  const { row, shape } = intentOf(issuer, world.authorities[i] ?? assert.fail(), changes);
  const stored = await gateway.issuance.intend(row, issuer);
  return { ...stored, certificate: await gateway.issuance.sign(stored, issuer, shape) };
}

const listOf = (world: World, i: number) => parseCrl(world.published.get(`line-${i}.crl`) ?? assert.fail());

describe('the intermediates of a gateway', () => {
  it('may be three hundred: each certificate asks the token for one signature of its own issuer, and nothing else', async () => {
    const asked: string[] = [];
    const world = createOffice({
      issuers: 300,
      crl: false,
      change: ({ token }) => ({
        token: {
          ...token,
          publicKey: (key) => token.publicKey(key),
          sign: (key, message) => {
            asked.push(key);
            return token.sign(key, message);
          },
        },
      }),
    });
    const gateway = await world.start();
    assert.equal(gateway.issuers.size, 300);
    for (const i of [0, 150, 299]) {
      const { certificate } = await issue(gateway, world, i);
      const question = {
        device: certificate ?? assert.fail(),
        intermediates: world.authorities.map((one) => one.certificate),
        roots: [root.certificate],
        crls: null,
        trustList: null,
        time: 'now',
        nowMs: NOW_MS,
        identifiers: documentationIdentifiers,
      } as const;
      assert.deepEqual(judgeChain(question, nodeCrypto), []);
    }
    assert.deepEqual(asked, ['issuer-line-0', 'issuer-line-150', 'issuer-line-299']);
  });

  it('is refused at the start when its certificate is for another key', async () => {
    const world = createOffice({
      change: ({ issuers }) => ({ issuers: issuers.map((one) => ({ ...one, key: 'issuer-line-0' })) }),
    });
    await assert.rejects(world.start(), withCode('ISSUER_UNFIT', /another key/));
  });

  it('is refused when it is out of its time, is no CA, or lacks what its profile wants', async () => {
    const late = createOffice({ change: () => ({ clock: { ...createOffice().clock, now: () => 1 } }) });
    await assert.rejects(late.start(), withCode('ISSUER_UNFIT', /out of its time/));
    const wanting = createOffice({ profile: 'idevid-crl' });
    await assert.rejects(wanting.start(), withCode('ISSUER_UNFIT', /distribution point/));
    const scoped = createOffice({
      profile: 'idevid',
      scope: { product: 'meter', batch: null, region: null },
    });
    await assert.rejects(scoped.start(), withCode('ISSUER_UNFIT', /scope cannot be kept/));
    const rootItself = createOffice({
      change: ({ issuers }) => ({
        issuers: issuers.map((one) => ({ ...one, certificate: root.certificate })),
      }),
    });
    await assert.rejects(rootItself.start(), withCode('ISSUER_UNFIT', /path length/));
  });
});

describe('the issuance of certificates', () => {
  it('gives one EID and public key one certificate, whoever asks and however often', async () => {
    const world = createOffice();
    const [one, two] = [await world.start(), await world.start()];
    const first = await issue(one, world, 0);
    const again = await issue(two, world, 0, { publicKey: first.publicKey });
    assert.deepEqual(
      [again.serial, toHex(again.certificate ?? assert.fail())],
      [first.serial, toHex(first.certificate ?? assert.fail())],
    );
    await assert.rejects(
      issue(one, world, 0, { publicKey: first.publicKey, eid: '89049032000000000000000000000123' }),
      withCode('CERTIFICATE_REFUSED', /another EID/),
    );
  });

  it('signs after a crash what was stored before it: the same bytes, the same serial number', async () => {
    const world = createOffice();
    const broken = await world.start();
    const issuer = broken.issuers.get('line-0') ?? assert.fail();
    const { row } = intentOf(issuer, world.authorities[0] ?? assert.fail());
    await broken.issuance.intend(row, issuer);
    const after = await world.start();
    const resumed = await issue(after, world, 0, { publicKey: row.publicKey });
    assert.equal(resumed.serial, row.serial);
    assert.ok(toHex(resumed.certificate ?? assert.fail()).includes(toHex(row.toBeSigned)));
    assert.equal(world.ledger.tables.certificates.all().length, 1);
  });

  it('stores nothing signed by another key than the intermediate’s', async () => {
    const world = createOffice({
      change: ({ token }) => ({
        token: {
          ...token,
          publicKey: (key) => token.publicKey(key),
          sign: (_, message) => stranger.sign(message),
        },
      }),
      crl: false,
    });
    await assert.rejects(issue(await world.start(), world, 0), withCode('HSM_FAILED', /signature-wrong/));
    assert.equal(world.ledger.tables.certificates.all()[0]?.certificate, null);
  });

  it('takes the intents of requests that come together in few transactions', async () => {
    let transactions = 0;
    const world = createOffice({
      change: ({ ledger }) => ({
        ledger: {
          ...ledger,
          intendCertificates: (rows) => {
            transactions++;
            return ledger.intendCertificates(rows);
          },
        },
      }),
    });
    const gateway = await world.start();
    const eids = Array.from({ length: 60 }, (_, i) => `8904903200000000000000000000${1000 + i}`);
    const rows = await Promise.all(eids.map((eid) => issue(gateway, world, 0, { eid })));
    assert.equal(new Set(rows.map(({ serial }) => serial)).size, 60);
    assert.ok(transactions <= 3, `${transactions}`);
  });

  it('ends for an intermediate on the trust list, at every gateway of the HSM at once', async () => {
    const world = createOffice();
    const [told, other] = [await world.start(), await world.start()];
    const trustList = await trustListOf(4, world.authorities.slice(0, 1));
    const answer = await told.instruct(signCrlInstruction, { orders: [], trustList });
    assert.deepEqual(answer, { crls: [], trustList: 4 });
    for (const gateway of [told, other]) {
      await assert.rejects(issue(gateway, world, 0), withCode('CERTIFICATE_REFUSED', /issuer-revoked/));
      await issue(gateway, world, 1);
    }
    const older = { orders: [], trustList: await trustListOf(3, []) };
    await assert.rejects(other.instruct(signCrlInstruction, older), withCode('TRUST_LIST_REFUSED', /older/));
    const forged = { orders: [], trustList: await trustListOf(9, [], stranger) };
    await assert.rejects(
      other.instruct(signCrlInstruction, forged),
      withCode('TRUST_LIST_REFUSED', /signed/),
    );
    await assert.rejects(issue(await world.start(), world, 0), withCode('CERTIFICATE_REFUSED'));
  });
});

describe('the revocation lists of a gateway', () => {
  it('are there from the first day, without entries, and under the label that OpenSSL knows', async () => {
    const world = createOffice();
    await world.start();
    assert.deepEqual([...world.published.keys()].sort(), [
      'line-0.crl',
      'line-0.crl.pem',
      'line-1.crl',
      'line-1.crl.pem',
    ]);
    assert.deepEqual([listOf(world, 0).number, listOf(world, 0).entries.size], [1, 0]);
    assert.match(
      toText(world.published.get('line-0.crl.pem') ?? assert.fail()),
      /^-----BEGIN X509 CRL-----\n/,
    );
  });

  it('name what the backend orders, and the order given again changes nothing', async () => {
    const world = createOffice();
    const gateway = await world.start();
    const [one, two] = [
      await issue(gateway, world, 0),
      await issue(gateway, world, 0, { eid: '89049032000000000000000000000123' }),
    ];
    const orders = [await orderFor('line-0', [one.serial])];
    const { crls } = await gateway.instruct(signCrlInstruction, { orders, trustList: null });
    assert.deepEqual(
      crls.map(({ issuer, number, entries }) => [issuer, number, entries]),
      [['line-0', 2, 1]],
    );
    const list = listOf(world, 0);
    assert.deepEqual([...list.entries.keys()], [one.serial]);
    assert.deepEqual((await gateway.instruct(signCrlInstruction, { orders, trustList: null })).crls, crls);
    const question = (device: CertificateRow) =>
      judgeChain(
        {
          device: device.certificate ?? assert.fail(),
          intermediates: [world.authorities[0]?.certificate ?? assert.fail()],
          roots: [root.certificate],
          crls: [world.published.get('line-0.crl') ?? assert.fail(), makeCrl(root, [])],
          trustList: null,
          time: 'now',
          nowMs: NOW_MS,
          identifiers: documentationIdentifiers,
        },
        nodeCrypto,
      );
    assert.deepEqual([question(one), question(two)], [['revoked'], []]);
    await assert.rejects(
      issue(gateway, world, 0, { publicKey: one.publicKey }),
      withCode('CERTIFICATE_REFUSED', /revoked/),
    );
    const shown = await gateway.instruct(showCrlInstruction, { issuer: 'line-0' });
    assert.deepEqual(
      shown.crls.map(({ number }) => number),
      [2],
    );
  });

  it('obey nobody but the backend, and no order about certificates of another intermediate', async () => {
    const world = createOffice();
    const gateway = await world.start();
    const { serial } = await issue(gateway, world, 0);
    const refused = async (order: string, why: RegExp) =>
      assert.rejects(
        gateway.instruct(signCrlInstruction, { orders: [order], trustList: null }),
        withCode('REVOCATION_ORDER_REFUSED', why),
      );
    await refused(await orderFor('line-0', [serial], { signer: stranger }), /signed/);
    await refused(await orderFor('line-1', [serial]), /did not issue/);
    await refused(await orderFor('line-0', [serial, 'ab'.repeat(16)]), /did not issue/);
    await refused(await orderFor('line-9', [serial]), /not an intermediate/);
    const good = await orderFor('line-0', [serial]);
    const [head, , tail] = good.split('.');
    const [, other] = (await orderFor('line-0', [serial, serial])).split('.');
    await refused([head, other, tail].join('.'), /signed/);
    assert.equal(listOf(world, 0).entries.size, 0);
  });

  it('never fall back to a number that was taken, whatever the token did with it', async () => {
    let failing = false;
    const world = createOffice({
      change: ({ token }) => ({
        token: {
          ...token,
          publicKey: (key) => token.publicKey(key),
          sign: (key, message) => (failing ? stranger.sign(message) : token.sign(key, message)),
        },
      }),
    });
    const gateway = await world.start();
    const { serial } = await issue(gateway, world, 0);
    const orders = [await orderFor('line-0', [serial])];
    failing = true;
    await assert.rejects(
      gateway.instruct(signCrlInstruction, { orders, trustList: null }),
      withCode('HSM_FAILED'),
    );
    assert.equal(listOf(world, 0).number, 1);
    failing = false;
    const { crls } = await gateway.instruct(signCrlInstruction, { orders, trustList: null });
    assert.deepEqual(
      crls.map(({ number, entries }) => [number, entries]),
      [[3, 1]],
    );
  });

  it('are made anew when half of their time is over, and only published again before that', async () => {
    const world = createOffice();
    await world.start();
    world.published.clear();
    await world.start();
    assert.equal(listOf(world, 0).number, 1);
    const end = world.clock.monotonicMs() + 16 * DAY_MS;
    while (await world.clock.runNext(end)) for (let i = 0; i < 40; i++) await Promise.resolve();
    assert.ok((listOf(world, 0).number ?? 0) > 1);
    assert.ok(listOf(world, 0).thisUpdateMs > NOW_MS + 14 * DAY_MS);
  });

  it('carry serial numbers as they are, whatever their first bit', async () => {
    const crl = parseCrl(makeCrl(root, [fromHex('80'.repeat(16)), fromHex('41'.repeat(16))]));
    assert.deepEqual([...crl.entries.keys()], ['80'.repeat(16), '41'.repeat(16)]);
  });
});
