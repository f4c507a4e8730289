/** Mutants that forge status words or what stands around them. A status word carries no MAC by itself. */
import type { VirtualSe } from '../card.ts';
import { encodeAnswer, StatusWord } from '../wire.ts';
import { type Hooks, Instruction, MAC_BYTES, type MannerDefinition, PROTECTED } from './definition.ts';

const STATUS_WORD_BYTES = 2;
const NOTHING = new Uint8Array(0);
/** Bytes in each part of an answer that never ends. */
const PART_BYTES = 0x10;
const MORE_DATA = 0x6100;
const GET_RESPONSE = 0xc0;

/** Changes what leaves the card on its way to the contacts. */
function sending(change: (answer: Uint8Array, command: Uint8Array) => Uint8Array): Hooks {
  return () => ({
    contacts: (card): VirtualSe => ({
      ...card,
      transmit: (command) => change(card.transmit(command), command),
    }),
  });
}

function isProtected(command: Uint8Array): boolean {
  return ((command[0] ?? 0) & PROTECTED) !== 0;
}

export const statusWordMutants = {
  'forges-success': {
    does: 'answers 9000 to whatever it has refused.',
    outcome: 'held',
    fault: 'CARD_CHANNEL_BROKEN',
    caughtBy:
      'A success carries an R-MAC, and this one does not: the wrong check value is refused without one.',
    hooks: sending((answer) =>
      answer.length === STATUS_WORD_BYTES ? encodeAnswer(NOTHING, StatusWord.success) : answer,
    ),
  },
  'forges-refusal': {
    does: 'refuses PUT KEY without looking at it.',
    outcome: 'held',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'A refusal judges nobody: the unit waits for a person.',
    hooks: () => ({
      contacts: (card): VirtualSe => ({
        ...card,
        transmit: (command) =>
          isProtected(command) && command[1] === Instruction.putKey
            ? encodeAnswer(NOTHING, StatusWord.conditionsNotSatisfied)
            : card.transmit(command),
      }),
    }),
  },
  'denies-keys': {
    does: 'carries PUT KEY out and says that it refused.',
    outcome: 'resumed',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'At the next try the template under R-MAC shows the set, and the set is proved.',
    hooks: () => ({
      says: (answer, command) =>
        command.ins === Instruction.putKey
          ? { data: NOTHING, statusWord: StatusWord.conditionsNotSatisfied }
          : answer,
    }),
  },
  'drops-response-mac': {
    does: 'sends its answers without R-MAC.',
    outcome: 'held',
    fault: 'CARD_CHANNEL_BROKEN',
    caughtBy: 'Success without R-MAC is no answer.',
    hooks: sending((answer, command) =>
      isProtected(command) && answer.length >= MAC_BYTES + STATUS_WORD_BYTES
        ? Buffer.concat([
            answer.subarray(0, -(MAC_BYTES + STATUS_WORD_BYTES)),
            answer.subarray(-STATUS_WORD_BYTES),
          ])
        : answer,
    ),
  },
  'never-ends': {
    does: 'announces more data for ever.',
    outcome: 'held',
    fault: 'CARD_ANSWER_MALFORMED',
    caughtBy: 'An answer has a largest number of parts.',
    hooks: sending((answer, command) =>
      isProtected(command) || command[1] === GET_RESPONSE
        ? encodeAnswer(Buffer.alloc(PART_BYTES), MORE_DATA | PART_BYTES)
        : answer,
    ),
  },
} as const satisfies Record<string, MannerDefinition>;
