import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { concat, fromHex, toBase64, toHex } from '../../runtime/core/bytes.ts';
import { canonicalJson } from '../../runtime/core/canonical-json.ts';
import { type Exchange, exchangeOf } from '../../runtime/core/card/apdu.ts';
import {
  keepList,
  keptCommand,
  listHashOf,
  strayAction,
  transcriptHashOf,
  transcriptNext,
  transcriptStart,
} from '../../runtime/core/card/transcript.ts';
import { keptList } from '../../runtime/core/card/transcript-form.ts';
import { sessionsOf } from '../../runtime/core/card/transcript-sessions.ts';
import type { ApduList } from '../../runtime/core/messages/exchanges.ts';

const OPERATION = '01890000-0000-7000-8000-000000000001';
const CIPHERTEXT = new Uint8Array(0x50).map((_, i) => 7 * i);
const MAC = fromHex('0011223344556677');
const putKey = (cla: number, data = concat(CIPHERTEXT, MAC)) =>
  concat(Uint8Array.of(cla, 0xd8, 0x00, 0x81, data.length), data, Uint8Array.of(0));
const digestOf = (bytes: Uint8Array): string => toHex(nodeCrypto.sha256(bytes));
const kept = (command: Uint8Array): string => keptCommand(command, nodeCrypto);

const GET_DATA = fromHex('80ca00e000');
const list: ApduList = {
  name: 'put-key',
  changes: true,
  actions: [
    { kind: 'cold-reset' },
    { kind: 'command', command: toBase64(GET_DATA), deadlineMs: 5000 },
    { kind: 'command', command: toBase64(putKey(0x84)), deadlineMs: 15_000 },
  ],
};
const played: readonly Exchange[] = [
  { kind: 'cold-reset', command: new Uint8Array(0), answer: fromHex('3b00'), wire: [] },
  exchangeOf('command', [
    { command: GET_DATA, answer: fromHex('6102') },
    { command: fromHex('00c0000002'), answer: fromHex('e0009000') },
  ]),
  exchangeOf('command', [{ command: putKey(0x84), answer: fromHex('9000') }]),
];

describe('the kept form of a command', () => {
  it('is the command itself, but of PUT KEY header, hash of the data, C-MAC and Le', () => {
    assert.equal(kept(GET_DATA), '80ca00e000');
    assert.equal(kept(putKey(0x84)), `84d8008158{sha256:${digestOf(CIPHERTEXT)}}001122334455667700`);
  });

  it('hides all data of a PUT KEY without secure messaging, and of one that is cut or too short for a code', () => {
    const all = concat(CIPHERTEXT, MAC);
    assert.equal(kept(putKey(0x80)), `80d8008158{sha256:${digestOf(all)}}00`);
    const cut = putKey(0x84).subarray(0, 5 + 8);
    assert.equal(kept(cut), `84d8008158{sha256:${digestOf(CIPHERTEXT.subarray(0, 8))}}`);
    assert.equal(kept(fromHex('84d80081')), '84d80081');
  });
});

describe('the kept form of a list', () => {
  it('names the frames that differ from the list, and every answer', () => {
    const form = keptList.parse(keepList(list, played, nodeCrypto));
    assert.deepEqual(form.actions.slice(0, 2), [
      { kind: 'cold-reset', answer: '3b00' },
      {
        kind: 'command',
        command: '80ca00e000',
        deadlineMs: 5000,
        wire: [
          { command: null, answer: '6102' },
          { command: '00c0000002', answer: 'e0009000' },
        ],
      },
    ]);
    assert.equal(form.hash, listHashOf(list, nodeCrypto));
    assert.equal(strayAction(form), null);
  });

  it('says which action was not played, or not as it was listed', () => {
    const stray = (exchanges: readonly Exchange[]) => strayAction(keepList(list, exchanges, nodeCrypto));
    assert.equal(stray(played.slice(0, 2)), 3);
    assert.equal(stray([]), 1);
    const other = exchangeOf('command', [{ command: fromHex('80ca00c100'), answer: fromHex('9000') }]);
    assert.equal(stray([...played.slice(0, 1), other, ...played.slice(2)]), 2);
  });

  it('has a hash that changes with name, command, deadline and what is hidden of a PUT KEY', () => {
    const spoilt = putKey(0x84, concat(CIPHERTEXT.toReversed(), MAC));
    const [reset = { kind: 'cold-reset' as const }, ask, put] = list.actions;
    assert.ok(ask?.kind === 'command' && put?.kind === 'command');
    const others: readonly ApduList[] = [
      { ...list, name: 'prove' },
      { ...list, changes: false },
      { ...list, actions: [reset, ask] },
      { ...list, actions: [reset, { ...ask, deadlineMs: 1 }, put] },
      { ...list, actions: [reset, ask, { ...put, command: toBase64(spoilt) }] },
    ];
    const hashes = [list, ...others].map((one) => listHashOf(one, nodeCrypto));
    assert.equal(new Set(hashes).size, hashes.length);
  });
});

describe('the transcript hash', () => {
  it('is made again from the kept form, list after list, for one operation and epoch', () => {
    const lists = [list, { ...list, name: 'prove' }].map((one) => keepList(one, played, nodeCrypto));
    const running = lists.reduce(
      (hash, one) => transcriptNext(hash, canonicalJson(one), nodeCrypto),
      transcriptStart(OPERATION, 1, nodeCrypto),
    );
    const of = { operation: OPERATION, epoch: 1, lists };
    assert.equal(transcriptHashOf(of, nodeCrypto), running);
    assert.equal(transcriptHashOf(JSON.parse(canonicalJson(of)), nodeCrypto), running);
    assert.notEqual(transcriptHashOf({ ...of, epoch: 2 }, nodeCrypto), running);
    assert.notEqual(transcriptHashOf({ ...of, lists: lists.toReversed() }, nodeCrypto), running);
  });
});

describe('the sessions of a transcript', () => {
  const keys = {
    transport: { scheme: 'eid-kdf-1' as const, algorithm: 'aes-128' as const, keyVersion: 0x30 },
    fleet: { generation: 1, algorithm: 'aes-128' as const, keyVersion: 0x31 },
    scratch: { keyVersion: 0x3f },
  };
  const transcript = (putKeyChains: string[]) => ({
    schema: 'holdfast/transcript-1' as const,
    operation: OPERATION,
    epoch: 1,
    eid: '89049032123451234512345678901235',
    lists: [keepList(list, played, nodeCrypto)],
    judged: { keys, putKeyChains, steps: [], possession: null, certificate: null },
  });

  it('are refused where a protected command stands outside one', () => {
    assert.throws(() => sessionsOf(transcript(['00'.repeat(16)])), /outside a session/);
  });

  it('are refused where chaining values and PUT KEY commands do not match', () => {
    const plain = transcript(['00'.repeat(16)]);
    assert.throws(() => sessionsOf({ ...plain, lists: [] }), /more chaining values/);
  });
});
