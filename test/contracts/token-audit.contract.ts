/** What every Token says of a recorded session. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import type { RecordedPutKey, RecordedSession } from '../../runtime/core/card/scp03-audit.ts';
import type { KeySet, Token } from '../../runtime/core/token.ts';
import type { CardModel } from '../token/card-model.ts';

const AID = fromHex('a000000151000000');
const GET_DATA = { cla: 0x80, ins: 0xca, p1: 0x00, p2: 0x66, data: Uint8Array.of(1, 2, 3), expected: 0 };
/** A command, the PUT KEY, a command behind it, and one that the card refuses with a bare status word. */
const ALL_RIGHT = [
  { command: true, answer: true },
  { command: true, answer: true },
  { command: true, answer: true },
  { command: true, answer: null },
];
const UNJUDGED = { command: null, answer: null };

export interface AuditedParties {
  readonly token: Token;
  readonly card: CardModel;
  readonly keys: KeySet;
  /** What is put on the card in the session. */
  readonly put: KeySet;
}

/** @param parties with a card that has `keys` */
export function tokenAuditClaims(parties: () => Promise<AuditedParties>): void {
  it('makes every code of a recorded session again, also that of a PUT KEY of which only a hash is known', async () => {
    const { token, keys, ...rest } = await parties();
    const audit = await token.auditSession(keys, await record({ token, keys, ...rest }));
    assert.deepEqual(audit, {
      cardCryptogram: true,
      challengeRecomputed: true,
      externalAuthenticate: true,
      exchanges: ALL_RIGHT,
    });
  });

  it('says which code of a recorded session is wrong, and judges nothing behind it', async () => {
    const given = await parties();
    const recorded = await record(given);
    const audit = (changed: RecordedSession) => given.token.auditSession(given.keys, changed);
    for (const [i, part] of [
      [0, 'command'],
      [0, 'answer'],
      [1, 'mac'],
      [1, 'chain'],
      [1, 'answer'],
      [2, 'command'],
    ] as const) {
      const { exchanges } = await audit(changedAt(recorded, i, part));
      const wrong = part === 'answer' ? { ...ALL_RIGHT[i], answer: false } : { command: false, answer: null };
      // Half of the chaining value was never sent: a wrong one shows in the answer that it goes into.
      const late = part === 'chain' ? { command: null, answer: false } : wrong;
      const behind = ALL_RIGHT.slice(i + 1).map(() => UNJUDGED);
      assert.deepEqual(exchanges, [...ALL_RIGHT.slice(0, i), late, ...behind], `${part} ${i}`);
    }
    const unjudged = ALL_RIGHT.map(() => UNJUDGED);
    const host = await audit({ ...recorded, externalAuthenticate: flipped(recorded.externalAuthenticate) });
    assert.deepEqual([host.externalAuthenticate, host.exchanges], [false, unjudged]);
    const nonce = await audit({ ...recorded, hostChallenge: flipped(recorded.hostChallenge) });
    assert.deepEqual([nonce.cardCryptogram, nonce.exchanges], [false, unjudged]);
    const open = await audit({ ...recorded, externalAuthenticate: null });
    assert.deepEqual(
      [open.cardCryptogram, open.externalAuthenticate, open.exchanges],
      [true, null, unjudged],
    );
  });

  it('tells a PUT KEY with the set that is named from one that it cannot make again, and goes on behind it', async () => {
    const given = await parties();
    const recorded = await record(given);
    const behind = async (change: Partial<RecordedPutKey>) => {
      const exchanges = recorded.exchanges.map((one) =>
        one.kind === 'put-key' ? { ...one, ...change } : one,
      );
      return (await given.token.auditSession(given.keys, { ...recorded, exchanges })).exchanges;
    };
    const unknown = ALL_RIGHT.map((one, i) => (i === 1 ? { command: null, answer: true } : one));
    assert.deepEqual(await behind({ keys: null }), unknown);
    assert.deepEqual(await behind({ keys: given.keys }), unknown);
    assert.deepEqual(await behind({ replaces: true }), unknown);
    assert.deepEqual(await behind({ digest: new Uint8Array(32) }), unknown);
  });

  it('judges no session under the keys of another chip, and none without end', async () => {
    const given = await parties();
    const recorded = await record(given);
    const other = { ...given.keys, eid: '89049032000000000000000000009960' };
    assert.equal((await given.token.auditSession(other, recorded)).cardCryptogram, false);
    const endless = Array.from({ length: 513 }, () => recorded.exchanges[0] ?? assert.fail());
    await assert.rejects(given.token.auditSession(given.keys, { ...recorded, exchanges: endless }));
  });
}

async function record({ token, card, keys, put }: AuditedParties): Promise<RecordedSession> {
  const { channel, initializeUpdate } = await token.openChannel(keys);
  const initialized = card.transmit(initializeUpdate);
  const { externalAuthenticate } = await token.authenticate(channel, initialized, AID);
  card.transmit(externalAuthenticate);
  const plain = [GET_DATA, { keys: put, form: 'explicit-length' } as const, GET_DATA, GET_DATA];
  const wrapped = await token.wrap(channel, plain);
  const [chain = new Uint8Array(0), ...more] = await token.putKeyChains(channel);
  assert.deepEqual([chain.length, more.length], [16, 0]);
  const exchanges = wrapped.map((command, i) => {
    card.refuseWith = i === wrapped.length - 1 ? 0x6a88 : null;
    const answer = card.transmit(command);
    const end = 5 + (command[4] ?? 0);
    return i === 1
      ? ({
          kind: 'put-key',
          keys: put,
          replaces: false,
          digest: nodeCrypto.sha256(command.subarray(5, end - 8)),
          mac: command.slice(end - 8, end),
          chain,
          answer,
        } as const)
      : ({ kind: 'command', command, answer } as const);
  });
  await token.closeChannel(channel);
  const hostChallenge = initializeUpdate.slice(5, 13);
  return { aid: AID, hostChallenge, initialized, externalAuthenticate, exchanges };
}

function changedAt(recorded: RecordedSession, at: number, part: string): RecordedSession {
  const exchanges = recorded.exchanges.map((exchange, i) => {
    if (i !== at) return exchange;
    const bytes = (exchange as unknown as Readonly<Record<string, Uint8Array>>)[part];
    return { ...exchange, [part]: flipped(bytes ?? assert.fail()) } as typeof exchange;
  });
  return { ...recorded, exchanges };
}

/** One bit of the last byte but two, which is code and not status word or Le; of a chaining value the unsent half. */
function flipped(bytes: Uint8Array | null): Uint8Array {
  assert.ok(bytes !== null);
  return bytes.map((byte, i) => (i === bytes.length - 3 ? byte ^ 1 : byte));
}
