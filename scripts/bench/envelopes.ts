/** Envelopes signed and verified and lists encrypted a second, against the bare signature, verification and agreement. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { openKernelEntropy } from '../../drivers/entropy/kernel.ts';
import { open, seal } from '../../runtime/core/messages/envelope.ts';
import { openRequest } from '../../runtime/core/messages/exchange.ts';
import { eventsExchange } from '../../runtime/core/messages/exchanges.ts';
import { createSecrecy } from '../../runtime/core/messages/secrecy.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import type { BenchRow } from '../bench.ts';

const ROUNDS = 2_000;

export async function benchEnvelopes(): Promise<readonly BenchRow[]> {
  return [...(await benchSignatures()), ...(await benchEncryption())];
}

async function benchSignatures(): Promise<readonly BenchRow[]> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  const signer: Signer = {
    publicKey: point,
    sign: async (message) => sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }),
  };
  const trusted = [{ name: 'bench', role: 'station' as const, publicKey: point }];
  const id = '01234567-89ab-4cde-8f01-23456789abcd';
  const body = {
    journal: id,
    genesis: { journal: id, station: 'bench', created: '2026-01-01T00:00:00Z' },
    previousHash: 'ab'.repeat(32),
    entries: [{ sequence: 1, text: 'x'.repeat(300), hash: 'cd'.repeat(32) }],
  };
  const payload = {
    id,
    station: 'bench',
    nest: 'a',
    to: 'backend',
    step: 0,
    sentAt: '2026-01-01T00:00:00Z',
    operation: null,
    epoch: null,
    body,
  };
  const bytes = Buffer.alloc(900, 1);
  const bareSign = await perSecond(() => signer.sign(bytes));
  const sealed = await perSecond(() => seal(eventsExchange.request, payload, signer, nodeCrypto));
  // Each one another: what was verified before is remembered.
  const fresh = async (): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: ROUNDS }, (_, step) =>
        seal(eventsExchange.request, { ...payload, step }, signer, nodeCrypto),
      ),
    );
  const [some, others] = [await fresh(), await fresh()];
  const signature = await signer.sign(bytes);
  const bareVerify = await perSecond(async () => nodeCrypto.verifyP256(point, bytes, signature));
  const opened = await perSecond(async (i) =>
    open(eventsExchange.request, some[i] ?? '', trusted, nodeCrypto),
  );
  const whole = await perSecond(async (i) =>
    openRequest(eventsExchange, others[i] ?? '', 'bench', trusted, nodeCrypto),
  );
  return [
    {
      what: 'envelopes sealed',
      value: sealed,
      unit: '/s',
      beside: { what: 'signatures', value: bareSign, ratio: sealed / bareSign },
    },
    {
      what: 'envelopes opened',
      value: opened,
      unit: '/s',
      beside: { what: 'verifications', value: bareVerify, ratio: opened / bareVerify },
    },
    {
      what: 'requests opened',
      value: whole,
      unit: '/s',
      beside: { what: 'verifications', value: bareVerify, ratio: whole / bareVerify },
    },
  ];
}

/** A list of usual size; encryption includes drawing its key, decryption checking its form. */
async function benchEncryption(): Promise<readonly BenchRow[]> {
  const means = { crypto: nodeCrypto, entropy: openKernelEntropy() };
  const [station, gateway] = [createSecrecy(means), createSecrecy(means)];
  const at = { dialogue: '01234567-89ab-4cde-8f01-23456789abcd', step: 1 };
  const action = { kind: 'command' as const, command: 'hNgB'.repeat(24), deadlineMs: 5_000 };
  const list = { name: 'bench', changes: false, actions: Array.from({ length: 6 }, () => action) };
  const jwe = gateway.encryptList(at, station.key, list);
  const own = nodeCrypto.drawAgreementKey(means.entropy);
  const point = nodeCrypto.drawAgreementKey(means.entropy).publicKey;
  const agreements = await perSecond(async () => own.agree(point));
  const encrypted = await perSecond(async () => gateway.encryptList(at, station.key, list));
  const decrypted = await perSecond(async () => station.decryptList(at, jwe));
  return [
    { what: 'lists encrypted', value: encrypted },
    { what: 'lists decrypted', value: decrypted },
  ].map(({ what, value }) => ({
    what,
    value,
    unit: '/s',
    beside: { what: 'key agreements', value: agreements, ratio: value / agreements },
  }));
}

async function perSecond(work: (round: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < ROUNDS; i++) await work(i);
  return (ROUNDS * 1000) / (performance.now() - begun);
}
