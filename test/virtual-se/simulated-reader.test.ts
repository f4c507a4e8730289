import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import {
  createSimulatedReader,
  type Misbehaviour,
  type SimulatedReaderOptions,
} from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { createSimulatedClock, type SimulatedClock } from '../../drivers/clock/simulated.ts';
import type { CardAction, CardReader, PlayOutcome } from '../../runtime/core/ports.ts';
import { bytes, cardOf, chip, EID, hex, openSession } from './support.ts';

const command = (text: string): CardAction => ({ kind: 'command', command: bytes(text), deadlineMs: 5_000 });
const GET_EID = command('80ca005a00');
const INITIALIZE = command('80500000081112131415161718');

describe('the simulated reader', () => {
  it('plays a list in order and takes simulated time for it', async () => {
    const { reader, clock, run } = bench(cardOf(chip()), { commandMs: 7 });
    const played = await run(reader, [{ kind: 'cold-reset' }, command('00a4040000'), GET_EID]);
    assert.equal(played.outcome, 'played');
    assert.deepEqual(
      played.exchanges.map(({ kind, answer }) => [kind, hex(answer)]),
      [
        ['cold-reset', chip().atr],
        ['command', '6f108408a000000151000000a5049f6501ff9000'],
        ['command', `5a10${EID}9000`],
      ],
    );
    assert.equal(clock.monotonicMs(), 20 + 7 + 7);
  });

  it('follows 61xx and 6Cxx and lists what crossed the wire', async () => {
    const { reader, run } = bench(cardOf(chip({}, { answers: 'get-response' })));
    const played = await run(reader, [GET_EID, command('00a40400')]);
    assert.deepEqual(
      played.exchanges.map(({ answer, wire }) => [hex(answer).slice(-4), wire.map((f) => hex(f.command))]),
      [
        ['9000', ['80ca005a00', '80ca005a12']],
        ['9000', ['00a40400', '00c0000012']],
      ],
    );
  });

  it('an empty reader: unsent before the first command, unknown after it', async () => {
    let card: VirtualSe | null = null;
    const { reader, run } = bench(() => card);
    const absent = await run(reader, [GET_EID]);
    assert.deepEqual([absent.outcome, codeOf(absent)], ['unsent', 'CARD_ABSENT']);
    card = cardOf(chip());
    assert.equal((await run(reader, [GET_EID])).outcome, 'played');
    const pulled = bench(() => card, {
      misbehave: (nth) => {
        if (nth === 2) card = null;
        return null;
      },
    });
    const half = await pulled.run(pulled.reader, [GET_EID, GET_EID]);
    assert.deepEqual(
      [half.outcome, codeOf(half), half.exchanges.length],
      ['unknown', 'CARD_OUTCOME_UNKNOWN', 1],
    );
  });

  const losses: readonly (readonly [Misbehaviour, number])[] = [
    ['lose-command', 1],
    ['lose-answer', 2],
    ['silence', 2],
  ];
  for (const [loss, counter] of losses)
    it(`${loss} at the nth command: outcome unknown, the card ${counter === 1 ? 'never saw it' : 'did it'}`, async () => {
      const card = cardOf(chip());
      const { reader, clock, run } = bench(card, { misbehave: (nth) => (nth === 3 ? loss : null) });
      const played = await run(reader, [GET_EID, INITIALIZE, INITIALIZE, GET_EID]);
      assert.deepEqual([played.outcome, codeOf(played)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
      assert.equal(played.exchanges.length, 2);
      assert.equal(card.state.keySets[0]?.sequenceCounter, counter);
      assert.ok(loss !== 'silence' || clock.monotonicMs() > 5_000, 'silence lasts until the deadline');
      assert.equal((await run(reader, [GET_EID])).outcome, 'played', 'and the reader goes on');
    });

  it('a card slower than the deadline: unknown at the deadline', async () => {
    const { reader, clock, run } = bench(cardOf(chip()), { commandMs: 100 });
    const late = await run(reader, [{ kind: 'command', command: bytes('80ca005a00'), deadlineMs: 30 }]);
    assert.deepEqual([late.outcome, codeOf(late)], ['unknown', 'CARD_OUTCOME_UNKNOWN']);
    assert.equal(clock.monotonicMs(), 30);
  });

  it('a cold reset ends the session of the card', async () => {
    const card = cardOf(chip());
    const session = openSession(card);
    const { reader, run } = bench(card);
    await run(reader, [{ kind: 'cold-reset' }]);
    const [after] = (await run(reader, [command(hex(session.wrap('80ca005a00')))])).exchanges;
    assert.equal(hex(after?.answer ?? bytes('')), '6982');
  });

  it('an exchanged card answers behind the old handle, without the session of the other', async () => {
    const cards = [cardOf(chip()), cardOf(chip({ eid: '89882119900000000000000000000005' }))];
    const { reader, run } = bench(() => cards[0] ?? null);
    await run(reader, [GET_EID]);
    cards.shift();
    const [answer] = (await run(reader, [GET_EID])).exchanges;
    assert.equal(hex(answer?.answer ?? bytes('')), '5a10898821199000000000000000000000059000');
  });

  it('plays one list at a time, and none after close', async () => {
    const { reader, clock, run } = bench(cardOf(chip()));
    const first = reader.play([GET_EID]);
    await assert.rejects(reader.play([GET_EID]), /under way/);
    await driven(clock, first);
    await reader.close();
    const closed = await run(reader, [GET_EID]);
    assert.deepEqual([closed.outcome, codeOf(closed)], ['unsent', 'READER_ABSENT']);
  });
});

function bench(
  card: VirtualSe | (() => VirtualSe | null),
  options: Partial<SimulatedReaderOptions> = {},
): {
  readonly reader: CardReader;
  readonly clock: SimulatedClock;
  readonly run: (reader: CardReader, actions: readonly CardAction[]) => Promise<PlayOutcome>;
} {
  const clock = createSimulatedClock(0);
  const reader = createSimulatedReader({
    clock,
    card: typeof card === 'function' ? card : () => card,
    ...options,
  });
  return { reader, clock, run: (which, actions) => driven(clock, which.play(actions)) };
}

/** Moves the clock until the promise has settled. */
async function driven<Result>(clock: SimulatedClock, promise: Promise<Result>): Promise<Result> {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  for (let i = 0; i < 1_000 && !settled; i++) await clock.runNext();
  return done;
}

function codeOf(played: PlayOutcome): string | null {
  return played.outcome === 'played' ? null : played.fault.code;
}
