/** The revocation lists of a gateway: there from the first day, on order alone, and never below a number that was taken. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toText } from '../../runtime/core/bytes.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import { showCrlInstruction, signCrlInstruction } from '../../runtime/core/messages/revocation.ts';
import { judgeChain } from '../../runtime/core/pki/chain.ts';
import { parseCrl } from '../../runtime/core/pki/crl.ts';
import { documentationIdentifiers } from '../../runtime/core/pki/profile.ts';
import type { CertificateRow } from '../../runtime/core/store/ledger.ts';
import { createOffice, intentOf, orderFor, root, stranger, type World } from './gateway-office.ts';
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
