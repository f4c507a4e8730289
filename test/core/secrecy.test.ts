import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createSimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import { fromBase64, fromText } from '../../runtime/core/bytes.ts';
import { type FaultCode, isFault } from '../../runtime/core/faults.ts';
import type { ApduList } from '../../runtime/core/messages/exchanges.ts';
import { agreementKey, jwe as jweForm } from '../../runtime/core/messages/fields.ts';
import { agreeWith, encrypt } from '../../runtime/core/messages/jwe.ts';
import { createSecrecy } from '../../runtime/core/messages/secrecy.ts';

const means = { crypto: nodeCrypto, entropy: createSimulatedEntropy('secrecy') };
const [station, gateway] = [createSecrecy(means), createSecrecy(means)];
const at = { dialogue: '01234567-89ab-4cde-8f01-23456789abcd', step: 3 };
const list: ApduList = {
  name: 'put-key',
  changes: true,
  actions: [{ kind: 'command', command: 'hNgBgQA=', deadlineMs: 2_000 }, { kind: 'cold-reset' }],
};
const exchanges = [{ kind: 'command' as const, wire: [{ command: 'hNgBgQA=', answer: 'kAA=' }] }];
const withCode =
  (code: FaultCode) =>
  (error: unknown): boolean =>
    isFault(error) && error.code === code;

describe('the secrecy of a dialogue', () => {
  it('gives each side what the other said', () => {
    assert.deepEqual(station.decryptList(at, gateway.encryptList(at, station.key, list)), list);
    const answers = station.encryptAnswers(at, gateway.key, exchanges);
    assert.deepEqual(gateway.decryptAnswers(at, answers), exchanges);
  });

  it('writes keys and messages in the form that the channels declare', () => {
    for (const { key } of [station, gateway]) assert.equal(agreementKey.parse(key), key);
    assert.ok(jweForm.safeParse(gateway.encryptList(at, station.key, list)).success);
    for (const text of ['', `C${station.key.slice(1)}`, `${station.key.slice(0, -2)}B=`, ` ${station.key}`])
      assert.equal(agreementKey.safeParse(text).success, false, text);
  });

  it('lets no list pass for another, for one of another dialogue, or for answers', () => {
    const jwe = gateway.encryptList(at, station.key, list);
    const elsewhere = { ...at, dialogue: '01234567-89ab-4cde-8f01-23456789abce' };
    for (const place of [{ ...at, step: 4 }, elsewhere])
      assert.throws(() => station.decryptList(place, jwe), withCode('ENVELOPE_INVALID'));
    assert.throws(() => station.decryptAnswers(at, jwe), withCode('ENVELOPE_INVALID'));
  });

  it('opens for its reader alone: not for the writer, nor for a key drawn later', () => {
    const jwe = gateway.encryptList(at, station.key, list);
    for (const other of [gateway, createSecrecy(means)])
      assert.throws(() => other.decryptList(at, jwe), withCode('ENVELOPE_INVALID'));
  });

  it('uses a key that was agreed ahead once, and only for the reader it was agreed with', () => {
    const other = createSecrecy(means);
    gateway.prepare(other.key);
    gateway.prepare(station.key);
    gateway.prepare(station.key);
    const said = [station, other, station].map((to) => [to, gateway.encryptList(at, to.key, list)] as const);
    for (const [to, jwe] of said) assert.deepEqual(to.decryptList(at, jwe), list);
    assert.equal(new Set(said.map(([, jwe]) => jwe.split('.')[0])).size, said.length);
  });

  it('refuses a reader whose key is on no curve before anything is said to it', () => {
    const off = `${station.key.slice(0, 20)}AAAA${station.key.slice(24)}`;
    assert.ok(agreementKey.safeParse(off).success);
    assert.throws(() => gateway.prepare(off), withCode('ENVELOPE_INVALID'));
  });

  it('refuses what is well encrypted and is no list', () => {
    const context = { apu: fromText('list 3'), apv: fromText(at.dialogue) };
    const recipient = fromBase64(station.key);
    for (const text of ['', '[]', 'null', JSON.stringify({ ...list, more: 1 }), '{"name":"\u0000"']) {
      const jwe = encrypt(fromText(text), agreeWith(recipient, means), context, means);
      assert.throws(() => station.decryptList(at, jwe), withCode('MESSAGE_MALFORMED'), text);
    }
  });
});
