/**
 * Cards that differ from the usual one and are right: they must be released.
 *
 * @see ISO/IEC 7816-3 section 12.2; GlobalPlatform Amendment D v1.1.1 sections 5.1 and 6.2.7
 */
import type { MannerDefinition } from './definition.ts';

const good = { outcome: 'released', fault: null } as const;

export const goodCards = {
  'announces-answers': {
    ...good,
    does: 'has its answers fetched with 61xx and corrects Le with 6Cxx, as T=0 cards do.',
    caughtBy: 'The driver follows both; MACs are over the joined data.',
    profile: { answers: 'get-response' },
  },
  'chains-answers': {
    ...good,
    does: 'gives its answers in parts of 32 bytes, each but the last with 61xx.',
    caughtBy: 'The parts are joined before they are judged.',
    profile: { answerPartBytes: 32 },
  },
  'over-pads': {
    ...good,
    does: 'puts another block of zeros behind the padding of its encrypted answers.',
    caughtBy: 'Padding ends at the last 80, however many zeros follow.',
    profile: { extraPaddingBlocks: 1 },
  },
  'draws-challenge': {
    ...good,
    does: 'draws the challenge that its i parameter promises to calculate, as emulations do.',
    caughtBy: 'The challenge is evidence where it can be recomputed, and no demand.',
    profile: { randomChallenge: true },
  },
  'keeps-no-counter': {
    ...good,
    does: 'has no sequence counter.',
    caughtBy: 'Every proof is against a nonce of ours.',
    profile: { iParameter: 0x60 },
  },
  'has-little-room': {
    ...good,
    does: 'has room for two key sets, so it refuses the scratch set with 6A84.',
    caughtBy: 'Its own set is put again, with right and wrong check values in random order.',
    profile: { keySetsMax: 2 },
  },
} as const satisfies Record<string, MannerDefinition>;
