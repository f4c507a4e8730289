/** Mutants that take the part of another unit, or of another session, and those that state what is not so. */
import type { VirtualSe } from '../card.ts';
import type { ChipState } from '../chip.ts';
import { eidOfIndex } from '../eid.ts';
import {
  asks,
  type Hooks,
  Instruction,
  type MannerDefinition,
  otherThan,
  PROTECTED,
  saidOtherwise,
  shown,
} from './definition.ts';

const EID = 0x5a;
/** Digits of an EID that stay with its maker; those between them and the check digits count units. */
const MAKER_DIGITS = 20;
const EID_BODY_DIGITS = 30;
/** Bytes of KDD before the key version in the answer to INITIALIZE UPDATE. Amendment D section 7.1.1. */
const KEY_VERSION_AT = 10;
const COUNTER_BYTES = 3;
/** How far a false counter is ahead of the true one. */
const COUNTER_LEAD = 0x100;

/** The next unit of the same maker. */
function nextEid(eid: string): string {
  const serial = (Number(eid.slice(MAKER_DIGITS, EID_BODY_DIGITS)) + 1) % 1e10;
  return eidOfIndex(serial, eid.slice(0, MAKER_DIGITS));
}

/** Another unit: its own number and serial, its own keys. */
function neighbourOf({ manner: _, ...state }: ChipState): ChipState {
  return {
    ...structuredClone(state),
    eid: nextEid(state.eid),
    cin: otherThan(state.cin),
    keySets: state.keySets.map((set) => ({
      ...set,
      enc: otherThan(set.enc),
      mac: otherThan(set.mac),
      dek: otherThan(set.dek),
    })),
  };
}

/** Gives the EID of another unit, in clear or in a session. */
function naming(when: (inSession: boolean) => boolean): Hooks {
  return (state) => ({
    says: (answer, command, session) =>
      asks(command, Instruction.getData, EID) && when(session !== null)
        ? shown(EID, Buffer.from(nextEid(state.eid), 'hex'), command)
        : answer,
  });
}

/** Changes the answer to INITIALIZE UPDATE. */
function introducing(change: (data: Buffer) => Buffer): Hooks {
  return () => ({
    says: (answer, command) =>
      command.ins === Instruction.initializeUpdate ? saidOtherwise(answer, change) : answer,
  });
}

export const identityMutants = {
  'claims-another-eid': {
    does: 'gives the EID of another unit in clear.',
    outcome: 'rejected',
    fault: 'CARD_NOT_OURS',
    caughtBy: 'It does not know the transport keys of the unit it claims to be.',
    hooks: naming((inSession) => !inSession),
  },
  'changes-eid': {
    does: 'gives the EID of another unit inside the session.',
    outcome: 'rejected',
    fault: 'CARD_IDENTITY_MISMATCH',
    caughtBy: 'The identity is read again under R-MAC.',
    hooks: naming((inSession) => inSession),
  },
  'answers-as-another': {
    does: 'answers INITIALIZE UPDATE with the response of another unit.',
    outcome: 'rejected',
    fault: 'CARD_NOT_OURS',
    caughtBy: 'The cryptogram is none of its keys.',
    hooks: (state) => ({
      contacts: (card, another): VirtualSe => {
        const neighbour = another(neighbourOf(state));
        neighbour.powerOn();
        return {
          ...card,
          transmit: (frame) =>
            frame[1] === Instruction.initializeUpdate ? neighbour.transmit(frame) : card.transmit(frame),
        };
      },
    }),
  },
  'answers-late': {
    does: 'answers each protected command with what belongs to the one before.',
    outcome: 'held',
    fault: 'CARD_CHANNEL_BROKEN',
    caughtBy: 'The R-MAC is bound to its command.',
    hooks: () => ({
      contacts: (card): VirtualSe => {
        let last: Uint8Array | null = null;
        return {
          ...card,
          transmit: (frame) => {
            const answer = card.transmit(frame);
            if (!((frame[0] ?? 0) & PROTECTED)) return answer;
            const given = last ?? answer;
            last = answer;
            return given;
          },
        };
      },
    }),
  },
  'answers-under-another-version': {
    does: 'names another key version in its answer to INITIALIZE UPDATE.',
    outcome: 'held',
    fault: 'CARD_ANSWER_MALFORMED',
    caughtBy: 'The version must be the one that was asked for.',
    hooks: introducing((data) => {
      data[KEY_VERSION_AT] = (data[KEY_VERSION_AT] ?? 0) + 1;
      return data;
    }),
  },
  'wrong-counter': {
    does: 'states another sequence counter than it calculated its challenge with.',
    outcome: 'rejected',
    fault: 'CARD_STATE_WRONG',
    caughtBy: 'The counter under R-MAC is not the one it stated in clear.',
    hooks: introducing((data) => {
      const at = data.length - COUNTER_BYTES;
      data.writeUIntBE(data.readUIntBE(at, COUNTER_BYTES) + COUNTER_LEAD, at, COUNTER_BYTES);
      return data;
    }),
  },
  'stays-open': {
    does: 'acknowledges SET STATUS and stays in its life cycle state.',
    outcome: 'rejected',
    fault: 'CARD_STATE_WRONG',
    caughtBy: 'GET STATUS under R-MAC.',
    hooks: (state) => ({ enters: () => state.lifeCycle }),
  },
} as const satisfies Record<string, MannerDefinition>;
