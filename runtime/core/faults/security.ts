import type { FaultDefinition } from '../faults.ts';

/** Faults of what needs more than one person: ceremonies, orders, revocation. */
export const faultsOfSecurity = {
  APPROVALS_MISSING: {
    title: 'Not enough officers have approved this',
    cause: 'It needs the signatures of more officers than were given.',
    remedy: 'Let the officers that are missing review it and sign; then try again.',
    disposition: 'hold',
    blame: 'outside',
  },
  APPROVAL_REFUSED: {
    title: 'An approval does not count',
    cause:
      'It is for something else, is not or no longer valid, is from nobody who may approve this, or one officer signed twice.',
    remedy: 'Ask the officer named here for a new approval of exactly this.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
