import type { FaultDefinition } from '../faults.ts';

/** Faults of ceremonies: what is planned, approved, done and recorded in the HSM room. */
export const faultsOfCeremony = {
  CEREMONY_PLAN_REFUSED: {
    title: 'This plan cannot be carried out',
    cause: 'It asks for something that the key policy does not allow, or that cannot be done in this order.',
    remedy: 'Correct the plan where the context says, and let the officers approve it anew.',
    disposition: 'hold',
    blame: 'outside',
  },
  CEREMONY_TOKEN_OTHER: {
    title: 'This is not the token of the plan',
    cause: 'Label, serial number or class of the token are others than the officers approved.',
    remedy: 'Plug in the token that the plan names, or plan and approve anew for this one.',
    disposition: 'hold',
    blame: 'outside',
  },
  CEREMONY_COMPONENT_WRONG: {
    title: 'A component of a key is not the one that was planned',
    cause: 'It has another length or check value than the plan says: mistyped, or of another key.',
    remedy: 'Tell the custodian named here to compare it with what is written down, and to enter it again.',
    disposition: 'hold',
    blame: 'outside',
  },
  CEREMONY_KEY_DIFFERS: {
    title: 'What a step of the ceremony finds or makes is not what it should be',
    cause: 'A key or file of this name comes from somewhere else, or what was delivered is another key.',
    remedy:
      'Stop here. Compare check values with whoever made the key; then end the ceremony, or plan it anew.',
    disposition: 'hold',
    blame: 'outside',
  },
  CEREMONY_RECORD_INVALID: {
    title: 'This ceremony record proves nothing',
    cause:
      'It was altered, is signed by nobody who conducts ceremonies, or tells of keys that break the policy.',
    remedy: 'Take the record from where it was first kept. If that fails too, treat its keys as never made.',
    disposition: 'hold',
    blame: 'outside',
  },
  CARRIED_KEY_REFUSED: {
    title: 'This is not the key that the ceremony sent here',
    cause: 'The file is of another ceremony, another recipient or another key, or it was altered on its way.',
    remedy:
      'Take file, record and key file from where they were first kept. If that fails too, make the key anew in a ceremony.',
    disposition: 'hold',
    blame: 'outside',
  },
} as const satisfies Record<string, FaultDefinition>;
