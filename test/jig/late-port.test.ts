import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import type { Port } from '../../drivers/jig/firmata/link.ts';
import { defaultJigDeadlines } from '../../drivers/jig/firmata/options.ts';
import { startSession } from '../../drivers/jig/firmata/session.ts';
import { until } from './board-rig.ts';

/** Later than a session waits for its port. */
const TOO_LATE_MS = 3_300;

/** A serial port that only one may have open, as the lock of its driver wants it. */
function lockedPort(release: () => void): Port {
  return {
    isOpen: true,
    write: () => undefined,
    on: () => undefined,
    close: (done) => {
      release();
      done(null);
    },
  };
}

it('a port that opens after its deadline is closed, so that the next attempt finds it free', async () => {
  let locked = false;
  let attempts = 0;
  let opened = 0;
  const session = startSession({
    options: {
      serialPath: 'memory',
      controller: 'gate-1',
      nests: { n1: simulatedNestPins },
      plain: null,
      deadlines: { ...defaultJigDeadlines, reconnectMs: 50, handshakeMs: 100 },
    },
    openPort: async () => {
      if (locked) throw new Error('Cannot lock port');
      locked = true;
      attempts += 1;
      if (attempts === 1) await sleep(TOO_LATE_MS);
      opened += 1;
      return lockedPort(() => {
        locked = false;
      });
    },
    firstQuery: 0,
    onEvent: () => undefined,
  });
  await until(() => opened > 1, 2 * TOO_LATE_MS).finally(() => session.close());
  assert.equal(attempts, opened);
});
