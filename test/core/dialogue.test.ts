import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { fromHex, toBase64 } from '../../runtime/core/bytes.ts';
import { type Exchange, exchangeOf } from '../../runtime/core/card/apdu.ts';
import { transcriptHashOf } from '../../runtime/core/card/transcript.ts';
import { TRANSCRIPT_CHARACTERS_MAX } from '../../runtime/core/card/transcript-form.ts';
import { isFault } from '../../runtime/core/faults.ts';
import type { ApduList } from '../../runtime/core/messages/exchanges.ts';
import { Dialogue, type Line, type Played } from '../../runtime/gateway/dialogue.ts';

const OPERATION = '01890000-0000-7000-8000-000000000001';
const COMMAND = fromHex('80ca00e000');
const list: ApduList = {
  name: 'identity',
  changes: false,
  actions: [{ kind: 'cold-reset' }, { kind: 'command', command: toBase64(COMMAND), deadlineMs: 5000 }],
};
const reset = exchangeOf('cold-reset', [{ command: new Uint8Array(0), answer: fromHex('3b00') }]);
const answered = (command = COMMAND, answer = fromHex('9000')): Exchange =>
  exchangeOf('command', [{ command, answer }]);

/** A dialogue of one list, and what becomes of it. */
async function playing(exchanges: readonly Exchange[], outcome: Played['outcome'] = 'played') {
  const kept: Line[] = [];
  const dialogue = new Dialogue({
    id: 'd',
    instance: 'gateway-1',
    operation: OPERATION,
    epoch: 1,
    crypto: nodeCrypto,
  });
  await dialogue.begin(async (line) => {
    kept.push(line);
    await line.play(list);
    return { kind: 'confirmation', confirmation: 'a.b.c' };
  });
  const answer = await dialogue.continue(1, { outcome, exchanges });
  return { answer, line: kept[0] ?? assert.fail() };
}

const refused = (code: string) => (error: unknown) => isFault(error) && error.code === code;

describe('a dialogue', () => {
  it('keeps every list as it was played, under the hash that the kept form makes again', async () => {
    const { answer, line } = await playing([reset, answered()]);
    assert.equal(answer.kind, 'confirmation');
    assert.equal(line.exchanges(), 2);
    const of = { operation: OPERATION, epoch: 1, lists: [...line.kept()] };
    assert.equal(line.transcriptHash(), transcriptHashOf(of, nodeCrypto));
    assert.deepEqual(
      line.kept().map(({ name }) => name),
      ['identity'],
    );
  });

  it('ends where the station brings answers to other commands, or not to all', async () => {
    for (const exchanges of [[reset, answered(fromHex('80ca00c100'))], [reset], [answered(), reset], []])
      await assert.rejects(playing(exchanges), refused('CARD_ANSWER_MALFORMED'));
  });

  it('ends where its transcript would have no end', async () => {
    const endless = answered(COMMAND, new Uint8Array(TRANSCRIPT_CHARACTERS_MAX / 2));
    await assert.rejects(playing([reset, endless]), refused('CARD_ANSWER_MALFORMED'));
  });

  it('calls a list unknown that was not played to its end, whatever was brought of it', async () => {
    for (const outcome of ['unsent', 'unknown'] as const)
      await assert.rejects(playing([], outcome), refused('CARD_OUTCOME_UNKNOWN'));
  });
});
