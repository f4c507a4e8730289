/** What every card reader driver promises; run on pcscd with a virtual reader and on the simulated one. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { CardAction, CardReader, PlayOutcome } from '../../runtime/core/ports.ts';
import { ATR, TestCommand } from '../card-reader/test-card.ts';

/** One reader with the test card. */
export interface CardReaderRig extends AsyncDisposable {
  readonly reader: CardReader;
  /** A card is in the reader, whatever was before, and the reader has seen it. */
  insert(): Promise<void>;
  /** No card is in the reader, and the reader has seen that. */
  pull(): Promise<void>;
}

export const reset: CardAction = { kind: 'cold-reset' };
export const send = (command: string, deadlineMs = 5_000): CardAction => ({
  kind: 'command',
  command: Buffer.from(command, 'hex'),
  deadlineMs,
});
export const answers = (outcome: PlayOutcome): string[] =>
  outcome.exchanges.map(({ answer }) => Buffer.from(answer).toString('hex'));
const { echo } = TestCommand;

export function cardReaderContract(name: string, createRig: () => Promise<CardReaderRig>): void {
  describe(`the card reader port: ${name}`, () => {
    let rig: CardReaderRig;
    before(async () => {
      rig = await createRig();
    });
    after(() => rig[Symbol.asyncDispose]());
    // A handle is worth nothing once its card was away: every list on a new card begins with a cold reset.
    beforeEach(async () => {
      if ((await rig.reader.play([reset])).outcome === 'played') return;
      await rig.insert();
      assert.equal((await rig.reader.play([reset])).outcome, 'played');
    });

    it('plays a list in order, one exchange for each action', async () => {
      const outcome = await rig.reader.play([
        reset,
        send(TestCommand.select),
        send(echo('0102')),
        send(echo('03')),
      ]);
      assert.equal(outcome.outcome, 'played');
      assert.deepEqual(
        outcome.exchanges.map(({ kind }) => kind),
        ['cold-reset', 'command', 'command', 'command'],
      );
      assert.deepEqual(answers(outcome), [ATR.toString('hex'), '9000', '01029000', '039000']);
      const [first, , third] = outcome.exchanges;
      assert.deepEqual([first?.command.length, first?.wire], [0, []]);
      assert.deepEqual(hex(third?.command), echo('0102'));
      assert.deepEqual(
        third?.wire.map(({ command, answer }) => [hex(command), hex(answer)]),
        [[echo('0102'), '01029000']],
      );
    });

    it('plays an empty list', async () => {
      assert.deepEqual(await rig.reader.play([]), { outcome: 'played', exchanges: [] });
    });

    it('follows 61xx and shows every frame', async () => {
      const outcome = await rig.reader.play([send(TestCommand.inParts)]);
      const [exchange] = outcome.exchanges;
      assert.equal(exchange?.answer.length, 602);
      assert.deepEqual(
        exchange?.wire.map(({ command }) => hex(command)),
        [...[TestCommand.inParts, '00c0000000', '00c0000000', '00c0000058']],
      );
      assert.deepEqual(
        exchange?.wire.map(({ answer }) => hex(answer.subarray(-2))),
        ['6100', '6100', '6158', '9000'],
      );
    });

    it('follows 6Cxx with the right length', async () => {
      const [exchange] = (await rig.reader.play([send(TestCommand.wrongLength)])).exchanges;
      assert.equal(hex(exchange?.answer), `${'cc'.repeat(16)}9000`);
      assert.deepEqual(
        exchange?.wire.map(({ command }) => hex(command)),
        ['0003000000', '0003000010'],
      );
    });

    it('goes on after a status word that is not success: judging is not its work', async () => {
      assert.deepEqual(answers(await rig.reader.play([send(TestCommand.refuse), send(echo('aa'))])), [
        '6a82',
        'aa9000',
      ]);
    });

    it('takes the power away at a cold reset, and only there', async () => {
      const { countSincePower } = TestCommand;
      const list = [reset, send(countSincePower), send(countSincePower), reset, send(countSincePower)];
      const outcome = await rig.reader.play(list);
      assert.deepEqual(
        answers(outcome).filter((_, i) => list[i]?.kind === 'command'),
        ['019000', '029000', '019000'],
      );
      assert.deepEqual(answers(await rig.reader.play([send(countSincePower)])), ['029000']);
    });

    it('says that nothing was sent where no card is, and finds one that comes', async () => {
      await rig.pull();
      for (const action of [reset, send(TestCommand.select)]) {
        const outcome = await rig.reader.play([action]);
        assert.deepEqual(
          [outcome.outcome, faultOf(outcome), outcome.exchanges],
          ['unsent', 'CARD_ABSENT', []],
        );
      }
      await rig.insert();
      assert.equal((await rig.reader.play([reset, send(TestCommand.select)])).outcome, 'played');
    });

    it('says that the outcome is unknown when the card is pulled, keeps what came before, repeats nothing', async () => {
      const [before] = answers(await rig.reader.play([reset, send(TestCommand.count)])).slice(1);
      const outcome = await rig.reader.play([
        send(echo('11')),
        send(TestCommand.countAndPull),
        send(echo('22')),
      ]);
      assert.deepEqual([outcome.outcome, faultOf(outcome)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
      assert.deepEqual(answers(outcome), ['119000']);
      await rig.insert();
      const [after] = answers(await rig.reader.play([reset, send(TestCommand.count)])).slice(1);
      assert.equal(countIn(after), countIn(before) + 2, 'once by the lost command, once by this one');
    });

    it('says that the outcome is unknown when the card does not answer by the deadline', async () => {
      const outcome = await rig.reader.play([
        send(echo('33')),
        send(TestCommand.silence, 150),
        send(echo('44')),
      ]);
      assert.deepEqual([outcome.outcome, faultOf(outcome)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
      assert.deepEqual(answers(outcome), ['339000']);
      await rig.insert();
      assert.deepEqual(answers(await rig.reader.play([reset, send(echo('55'))])).slice(1), ['559000']);
    });

    it('plays one list at a time', async () => {
      const first = rig.reader.play([send(echo('66'))]);
      await assert.rejects(rig.reader.play([send(echo('77'))]), /under way/);
      assert.deepEqual(answers(await first), ['669000']);
    });
  });
}

export function faultOf(outcome: PlayOutcome): string | null {
  return outcome.outcome === 'played' ? null : outcome.fault.code;
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex');
}

/** The answer to `count` is serial, count, status word. */
function countIn(answer: string | undefined): number {
  return Number.parseInt(answer?.slice(2, 4) ?? '', 16);
}
