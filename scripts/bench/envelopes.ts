/** Envelopes signed and verified a second, against the bare signature and verification. */
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { open, seal } from '../../runtime/core/messages/envelope.ts';
import { openRequest } from '../../runtime/core/messages/exchange.ts';
import { eventsExchange } from '../../runtime/core/messages/exchanges.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import type { BenchRow } from '../bench.ts';

const ROUNDS = 2_000;

export async function benchEnvelopes(): Promise<readonly BenchRow[]> {
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

async function perSecond(work: (round: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < ROUNDS; i++) await work(i);
  return (ROUNDS * 1000) / (performance.now() - begun);
}
