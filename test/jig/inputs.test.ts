import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FirmataIo, JohnnyBoard } from '../../drivers/jig/firmata/handshake.ts';
import { createInputs } from '../../drivers/jig/firmata/inputs.ts';
import { until } from './board-rig.ts';

const CONTACT = 16;
const DEBOUNCE_MS = 20;

/** One contact, and the means to say its level as a board does. */
function contact() {
  let say: (level: number) => void = () => undefined;
  const board = {
    pinMode: () => undefined,
    digitalRead: (_pin: number, handler: (level: number) => void) => {
      say = handler;
    },
  };
  const io = { MODES: { PULLUP: 0x0b, INPUT: 0 } };
  const inputs = createInputs(io as FirmataIo, board as unknown as JohnnyBoard, DEBOUNCE_MS);
  const changes: (boolean | null)[] = [];
  inputs.onChange((pin) => changes.push(inputs.active(pin)));
  inputs.add({ pin: CONTACT, activeLevel: 0 });
  inputs.report();
  return { inputs, changes, say: (level: number) => say(level) };
}

describe('a contact', () => {
  it('counts at once when it is known for the first time', () => {
    const { inputs, changes, say } = contact();
    assert.equal(inputs.active(CONTACT), null);
    say(1);
    assert.deepEqual(changes, [false]);
  });

  it('that goes back before it has rested never counts', async () => {
    const { inputs, changes, say } = contact();
    say(1);
    say(0);
    say(1);
    assert.equal(await inputs.until(() => changes.length > 1, 3 * DEBOUNCE_MS), false);
  });

  it('comes to rest in its own time, though a neighbour’s changes repeat it', async () => {
    const { changes, say } = contact();
    say(1);
    const chatter = setInterval(() => say(0), DEBOUNCE_MS / 4);
    try {
      await until(() => changes.length > 1, 1_000);
    } finally {
      clearInterval(chatter);
    }
    assert.deepEqual(changes, [false, true]);
  });
});
