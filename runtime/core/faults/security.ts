import type { FaultDefinition } from '../faults.ts';

/** Faults of what needs more than one person: ceremonies, orders, revocation. */
export const faultsOfSecurity = {
  APPROVALS_MISSING: {
    title: 'Not enough officers have approved this',
    cause: 'It needs the signatures of more officers than were given.',
    remedy: 'Bring the signatures of the officers that are missing; then try again.',
    disposition: 'hold',
    blame: 'outside',
  },
  APPROVAL_REFUSED: {
    title: 'An approval does not count',
    cause:
      'It is for something else, is not or no longer valid, is from nobody who may approve this, or one officer signed twice.',
    remedy: 'Bring a new approval of exactly this from the officer named here.',
    disposition: 'hold',
    blame: 'outside',
  },
  INSTRUCTION_UNREACHABLE: {
    title: 'The program that should do this does not answer',
    cause:
      'It does not run on this machine, its configuration names another place for instructions, or you may not use that place.',
    remedy: 'Run the command on the machine and as the user of that program, and see that it runs.',
    disposition: 'hold',
    blame: 'own',
  },
  INSTRUCTION_REFUSED: {
    title: 'The program does not understand this instruction',
    cause: 'The command and the program are of different versions, or the instruction was altered.',
    remedy: 'Use the command of the same version as the program.',
    disposition: 'hold',
    blame: 'own',
  },
} as const satisfies Record<string, FaultDefinition>;
