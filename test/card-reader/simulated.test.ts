import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { createSimulatedReader } from '../../drivers/card-reader/virtual-se/simulated-reader.ts';
import { openSystemClock } from '../../drivers/clock/system.ts';
import { cardReaderContract } from '../contracts/card-reader.contract.ts';
import { createTestCard } from './test-card.ts';

cardReaderContract('simulated', async () => {
  const card = createTestCard();
  let seated = false;
  const chip: VirtualSe = {
    state: {} as VirtualSe['state'],
    powerOn: () => card.powerOn(),
    powerOff: () => card.powerOff(),
    transmit: (command) => {
      const answer = card.transmit(command);
      if (answer === 'pull') seated = false;
      return typeof answer === 'string' ? new Uint8Array(0) : answer;
    },
  };
  return {
    reader: createSimulatedReader({
      clock: openSystemClock(),
      card: () => (seated ? chip : null),
      commandMs: 0,
      resetMs: 0,
      misbehave: (_nth, command) => (command[1] === 0x04 ? 'silence' : null),
    }),
    insert: async () => {
      seated = true;
    },
    pull: async () => {
      seated = false;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
});
