/** What a gateway does with its intermediates: issue once, revoke on order, and never below what was published. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { signCrlInstruction } from '../../runtime/core/messages/revocation.ts';
import { judgeChain } from '../../runtime/core/pki/chain.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import type { CertificateRow } from '../../runtime/core/store/ledger.ts';
import { createOffice, intentOf, root, stranger, trustListOf, type World } from './gateway-office.ts';
import { NOW_MS } from './hierarchy.ts';

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
