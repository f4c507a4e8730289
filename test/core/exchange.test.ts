import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { Fault, isFault, noteOf } from '../../runtime/core/faults.ts';
import { seal, type TrustedKey } from '../../runtime/core/messages/envelope.ts';
import {
  exchangeKind,
  openAnswer,
  openRequest,
  sealAnswer,
  unbound,
} from '../../runtime/core/messages/exchange.ts';
import type { Signer } from '../../runtime/core/ports.ts';
import { AT, OPERATION, STATION, signers, stranger, trusted } from './samples.ts';

const kind = exchangeKind({
  name: 'test',
  topic: 'backend/test',
  to: 'backend',
  summary: 'For this test only.',
  request: z.strictObject({ question: z.string() }),
  answer: z.strictObject({ reply: z.string() }),
});
const other = exchangeKind({
  name: 'other',
  topic: 'backend/other',
  to: 'backend',
  summary: 'Of the same form, another name.',
  request: z.strictObject({ question: z.string() }),
  answer: z.strictObject({ reply: z.string() }),
});

const ID = '3f1c9a52-0000-4000-8000-000000000001';
const OTHER_ID = '3f1c9a52-0000-4000-8000-000000000002';
const requestOf = (changes: object = {}, by: Signer = signers.station): Promise<string> =>
  seal(
    kind.request,
    {
      id: ID,
      station: STATION,
      nest: 'a',
      to: 'backend',
      step: 0,
      sentAt: AT,
      ...unbound,
      body: { question: 'one' },
      ...changes,
    } as never,
    by,
    nodeCrypto,
  );
const received = (jws: string, station = STATION, keys: readonly TrustedKey[] = trusted) =>
  openRequest(kind, jws, station, keys, nodeCrypto);
const answerTo = async (jws: string, by: Signer = signers.backend, answers = kind): Promise<string> =>
  sealAnswer(answers, received(jws), { ok: true, body: { reply: 'done' } }, AT, {
    signer: by,
    crypto: nodeCrypto,
  });
const refused = (error: unknown): boolean => isFault(error) && error.code === 'ENVELOPE_INVALID';

describe('a request and its answer', () => {
  it('arrive as they were sent, bound to each other', async () => {
    const jws = await requestOf({ operation: OPERATION, epoch: 3 });
    const answer = openAnswer(kind, await answerTo(jws), { jws, id: ID }, trusted, nodeCrypto);
    assert.deepEqual(answer.outcome, { ok: true, body: { reply: 'done' } });
    assert.deepEqual(answer.binding, { operation: OPERATION, epoch: 3 });
    assert.equal(answer.signer.name, 'backend-1');
  });

  it('carry a fault as a fault', async () => {
    const jws = await requestOf();
    const fault = noteOf(new Fault('QUOTA_EXHAUSTED', { quota: 20 }));
    const means = { signer: signers.backend, crypto: nodeCrypto };
    const answer = await sealAnswer(kind, received(jws), { ok: false, fault }, AT, means);
    const { outcome } = openAnswer(kind, answer, { jws, id: ID }, trusted, nodeCrypto);
    assert.deepEqual(outcome, { ok: false, fault });
  });

  it('settle operation and epoch where the answer is what settles them', async () => {
    const jws = await requestOf();
    const binding = { operation: OPERATION, epoch: 1 };
    const means = { signer: signers.backend, crypto: nodeCrypto, binding };
    const answer = await sealAnswer(kind, received(jws), { ok: true, body: { reply: '' } }, AT, means);
    assert.deepEqual(openAnswer(kind, answer, { jws, id: ID }, trusted, nodeCrypto).binding, binding);
  });

  it('do not pass for those of another request: other content, other nonce', async () => {
    const jws = await requestOf();
    const answer = await answerTo(jws);
    const sameNonce = await requestOf({ body: { question: 'two' } });
    const otherNonce = await requestOf({ id: OTHER_ID });
    for (const request of [
      { jws: sameNonce, id: ID },
      { jws: otherNonce, id: OTHER_ID },
      { jws, id: OTHER_ID },
    ])
      assert.throws(() => openAnswer(kind, answer, request, trusted, nodeCrypto), refused);
  });

  it('do not pass for those of another kind', async () => {
    const jws = await requestOf();
    const answer = await answerTo(jws, signers.backend, other);
    assert.throws(() => openAnswer(kind, answer, { jws, id: ID }, trusted, nodeCrypto), refused);
    assert.throws(() => openRequest(other, jws, STATION, trusted, nodeCrypto), refused);
  });

  it('do not pass for each other: a request is no answer', async () => {
    const jws = await requestOf();
    assert.throws(() => openAnswer(kind, jws, { jws, id: ID }, trusted, nodeCrypto), refused);
    const answer = await answerTo(jws);
    assert.throws(() => received(answer), refused);
  });

  it('are believed only from whom they should come', async () => {
    const jws = await requestOf();
    for (const by of [signers.station, signers.gateway, stranger]) {
      const answer = await answerTo(jws, by);
      assert.throws(() => openAnswer(kind, answer, { jws, id: ID }, trusted, nodeCrypto), refused);
    }
    for (const by of [signers.gateway, signers.backend, stranger]) {
      const forged = await requestOf({}, by);
      assert.throws(() => received(forged), refused);
    }
  });

  it('are refused when a station speaks in the name, or on the topic, of another', async () => {
    const keys: readonly TrustedKey[] = [
      ...trusted,
      { name: 'station-2', role: 'station', publicKey: stranger.publicKey },
    ];
    const inItsName = await requestOf({}, stranger);
    assert.throws(() => received(inItsName, STATION, keys), refused);
    assert.throws(() => received(inItsName, 'station-2', keys), refused);
    const onItsTopic = await requestOf();
    assert.throws(() => received(onItsTopic, 'station-2', keys), refused);
    const honest = await requestOf({ station: 'station-2' }, stranger);
    assert.equal(received(honest, 'station-2', keys).payload.station, 'station-2');
  });
});
