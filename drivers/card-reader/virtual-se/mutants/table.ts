/** Every manner a chip can have but honesty: cards that lie, cards that lose contact, and good ones that differ. */
import type { ChipProfile, ChipState } from '../chip.ts';
import { honest, type Manner } from '../manner.ts';
import { appletMutants } from './applet.ts';
import { contactFaults } from './contact.ts';
import type { MannerDefinition } from './definition.ts';
import { goodCards } from './good-cards.ts';
import { identityMutants } from './identity.ts';
import { keySetMutants } from './key-sets.ts';
import { statusWordMutants } from './status-words.ts';

export const liars = {
  ...keySetMutants,
  ...identityMutants,
  ...appletMutants,
  ...statusWordMutants,
} as const;

export const manners = { ...liars, ...contactFaults, ...goodCards } as const;

export type MannerName = keyof typeof manners;

export function isMannerName(name: string): name is MannerName {
  return Object.hasOwn(manners, name);
}

/** In what the profile of a chip of this manner differs from the usual one. */
export function profileOf(name: MannerName | undefined): Partial<ChipProfile> {
  return name === undefined ? {} : (definitionOf(name).profile ?? {});
}

/** The seams of one card with this memory. @throws RangeError when there is no such manner */
export function mannerOf(state: ChipState): Manner {
  return state.manner === undefined
    ? honest
    : { ...honest, ...definitionOf(state.manner.name).hooks?.(state) };
}

function definitionOf(name: string): MannerDefinition {
  if (!isMannerName(name)) throw new RangeError(`no chip has the manner ${name}`);
  return manners[name];
}
