/**
 * The seams at which a card may treat its host otherwise than the standards say. The honest card passes
 * everything on as it is; each mutant takes another manner at one or two of them.
 */
import type { VirtualSe } from './card.ts';
import type { ChipState, KeySet } from './chip.ts';
import type { SecureSession } from './secure-channel.ts';
import type { CardAnswer, CardCommand } from './wire.ts';

/** What a card finds wrong with a command and should refuse it for. */
export type Flaw = 'check-value' | 'command-mac' | 'host-cryptogram';

export interface Manner {
  /** Whether a flaw that was found is let pass. */
  overlooks(flaw: Flaw): boolean;
  /** What goes into memory for the set that PUT KEY brought; null for nothing. */
  stores(set: KeySet): KeySet | null;
  /** Whether DELETE takes this version out of memory. It is acknowledged either way. */
  deletes(keyVersion: number): boolean;
  /** The card's life cycle after SET STATUS asked for `lifeCycle`. */
  enters(lifeCycle: number): number;
  /** What goes into memory for an object that PUT DATA brought; hexadecimal. */
  writes(object: string): string;
  /** The private scalar that signs in place of a slot's own; hexadecimal. */
  signsWith(key: string): string;
  /** The answer to INITIALIZE UPDATE, and to every command that an application has carried out or refused,
   * before the session protects it. `session` is null in clear. */
  says(answer: CardAnswer, command: CardCommand, session: SecureSession | null): CardAnswer;
  /** Called when the card gets power. */
  wakes(): void;
  /** What stands between the contacts and the card. `another`: a second card in the same shell. */
  contacts(card: VirtualSe, another: (state: ChipState) => VirtualSe): VirtualSe;
}

export const honest: Manner = {
  overlooks: () => false,
  stores: (set) => set,
  deletes: () => true,
  enters: (lifeCycle) => lifeCycle,
  writes: (object) => object,
  signsWith: (key) => key,
  says: (answer) => answer,
  wakes: () => undefined,
  contacts: (card) => card,
};
