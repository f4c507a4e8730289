/** Chips that are honest and lose contact once, at a command that is counted from the first of their life. */
import type { VirtualSe } from '../card.ts';
import type { Hooks, MannerDefinition } from './definition.ts';

/** What the reader gets of a card that has gone. */
const NOTHING = new Uint8Array(0);

/** Lets `happen` take the place of the one command. */
function once(happen: (card: VirtualSe, command: Uint8Array) => Uint8Array): Hooks {
  return ({ manner }) => ({
    contacts: (card) => ({
      ...card,
      transmit: (command) => {
        if (manner === undefined) return card.transmit(command);
        manner.commands++;
        return manner.commands === manner.at ? happen(card, command) : card.transmit(command);
      },
    }),
  });
}

export const contactFaults = {
  'torn-before': {
    does: 'loses power before it has command number `at`.',
    outcome: 'resumed',
    fault: 'CARD_OUTCOME_UNKNOWN',
    caughtBy: 'No answer is no evidence: the chip itself is asked how far it came.',
    hooks: once((card) => {
      card.powerOff();
      return NOTHING;
    }),
  },
  'torn-after': {
    does: 'loses power after it has carried out command number `at`, before it answers.',
    outcome: 'resumed',
    fault: 'CARD_OUTCOME_UNKNOWN',
    caughtBy: 'No answer is no evidence: the chip itself is asked how far it came.',
    hooks: once((card, command) => {
      card.transmit(command);
      card.powerOff();
      return NOTHING;
    }),
  },
  bounces: {
    does: 'loses power and gets it back, unseen, before command number `at`.',
    outcome: 'resumed',
    fault: null,
    caughtBy: 'The session is gone; a new one is opened, and the chip is asked how far it came.',
    hooks: once((card, command) => {
      card.powerOn();
      return card.transmit(command);
    }),
  },
} as const satisfies Record<string, MannerDefinition>;
