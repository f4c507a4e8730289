/** Mutants that keep, delete or name their key sets otherwise than they were told to. */
import type { ChipState, KeySet } from '../chip.ts';
import { dataObject } from '../data-objects.ts';
import {
  asks,
  type Hooks,
  Instruction,
  type MannerDefinition,
  otherThan,
  saidOtherwise,
  shown,
} from './definition.ts';

const KEY_TEMPLATE = 0xe0;
const EMPTY = new Uint8Array(0);

/** Stores what `change` makes of each set. */
function storing(change: (set: KeySet) => KeySet | null): Hooks {
  return () => ({ stores: change });
}

/** Shows the key template of a chip with other sets. */
function listing(
  sets: (state: ChipState) => readonly KeySet[],
  when: (inSession: boolean) => boolean = () => true,
): Hooks {
  return (state) => ({
    says: (answer, command, session) =>
      asks(command, Instruction.getData, KEY_TEMPLATE) && when(session !== null)
        ? shown(
            KEY_TEMPLATE,
            dataObject({ ...state, keySets: [...sets(state)] }, KEY_TEMPLATE) ?? EMPTY,
            command,
          )
        : answer,
  });
}

/** A set under the version that follows the one of the maker: what the fleet's will most likely be. */
function guessed(state: ChipState): readonly KeySet[] {
  return state.keySets.slice(0, 1).map((set) => ({ ...set, keyVersion: set.keyVersion + 1 }));
}

export const keySetMutants = {
  'echoes-check-values': {
    does: 'takes PUT KEY whatever its check values say.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'The negative control: a set with a wrong check value must not be in the template.',
    hooks: () => ({ overlooks: (flaw) => flaw === 'check-value' }),
  },
  'accepts-anything': {
    does: 'takes commands whatever their MAC, cryptogram or check values say.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'The negative control.',
    hooks: () => ({ overlooks: () => true }),
  },
  'does-nothing': {
    does: 'acknowledges PUT KEY and stores nothing.',
    outcome: 'held',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'INITIALIZE UPDATE under the new version has no cryptogram to show.',
    hooks: storing(() => null),
  },
  'wrong-enc': {
    does: 'stores another Key-ENC than it was sent.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'Its encrypted answers do not decrypt, although their R-MAC is right.',
    hooks: storing((set) => ({ ...set, enc: otherThan(set.enc) })),
  },
  'wrong-mac': {
    does: 'stores another Key-MAC than it was sent.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'Its cryptogram under the new version is wrong.',
    hooks: storing((set) => ({ ...set, mac: otherThan(set.mac) })),
  },
  'wrong-dek': {
    does: 'stores another Key-DEK than it was sent.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'It cannot unwrap the scratch set.',
    hooks: storing((set) => ({ ...set, dek: otherThan(set.dek) })),
  },
  'wrong-dek-and-echoes': {
    does: 'stores another Key-DEK, and takes PUT KEY whatever its check values say.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'Its cryptogram under the scratch set is wrong.',
    hooks: () => ({
      overlooks: (flaw) => flaw === 'check-value',
      stores: (set) => ({ ...set, dek: otherThan(set.dek) }),
    }),
  },
  'swaps-enc-and-mac': {
    does: 'stores Key-ENC as Key-MAC and the reverse.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'Its cryptogram under the new version is wrong.',
    hooks: storing((set) => ({ ...set, enc: set.mac, mac: set.enc })),
  },
  'stores-another-version': {
    does: 'stores the new set under another version than it acknowledges.',
    outcome: 'held',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'INITIALIZE UPDATE under the new version has no cryptogram to show.',
    hooks: storing((set) => ({ ...set, keyVersion: set.keyVersion + 1 })),
  },
  'acknowledges-another-version': {
    does: 'names another version than it was sent in its answer to PUT KEY.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'The answer to PUT KEY is compared with what was sent.',
    hooks: () => ({
      says: (answer, command) =>
        command.ins === Instruction.putKey
          ? saidOtherwise(answer, (data) => Buffer.concat([Buffer.of((data[0] ?? 0) + 1), data.subarray(1)]))
          : answer,
    }),
  },
  'keeps-old-keys': {
    does: 'acknowledges DELETE of its transport set and keeps it.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_LEFT_BEHIND',
    caughtBy: 'The template, read under R-MAC, still lists it.',
    hooks: (state) => ({ deletes: (keyVersion) => keyVersion !== state.keySets[0]?.keyVersion }),
  },
  'hides-old-keys': {
    does: 'keeps its transport set after DELETE, and lists it no longer.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_LEFT_BEHIND',
    caughtBy: 'INITIALIZE UPDATE under the old version is asked for, and answered.',
    hooks: (state) => {
      const kept = state.keySets[0]?.keyVersion;
      let asked = false;
      return {
        deletes: (keyVersion) => {
          asked ||= keyVersion === kept;
          return keyVersion !== kept;
        },
        ...listing(({ keySets }) => keySets.filter((set) => !asked || set.keyVersion !== kept))(state),
      };
    },
  },
  'forgets-keys-at-reset': {
    does: 'loses what PUT KEY brought as soon as power goes.',
    outcome: 'held',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'The new set is proved after a cold reset: there is no cryptogram under it.',
    hooks: (state) => ({ wakes: () => void state.keySets.splice(1) }),
  },
  'hides-new-keys': {
    does: 'lists no set but its first.',
    outcome: 'rejected',
    fault: 'CARD_KEYS_NOT_PROVED',
    caughtBy: 'The template, read under R-MAC of the new set, lacks that set.',
    hooks: listing(({ keySets }) => keySets.slice(0, 1)),
  },
  'claims-new-keys': {
    does: 'lists a set that it was never given.',
    outcome: 'held',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'INITIALIZE UPDATE under that version has no cryptogram to show.',
    hooks: listing((state) => [...state.keySets, ...guessed(state)]),
  },
  'hides-transport-keys': {
    does: 'claims in clear that its transport set is replaced already.',
    outcome: 'held',
    fault: 'CARD_COMMAND_REFUSED',
    caughtBy: 'What is said in clear is a hint only; there is no cryptogram under the new version.',
    hooks: listing(guessed, (inSession) => !inSession),
  },
} as const satisfies Record<string, MannerDefinition>;
