/** The chips that are not honest or not usual, with what becomes of their units, from the table of mutants. */
import type { MannerDefinition, Outcome } from '../../drivers/card-reader/virtual-se/mutants/definition.ts';
import { code, table } from './parts.ts';

const outcomes = {
  released: 'released',
  held: 'held',
  rejected: 'rejected',
  resumed: 'held, then released',
} as const satisfies Record<Outcome, string>;

export function mutantTable(
  manners: Readonly<Record<string, MannerDefinition>>,
  how: 'caught' | 'harmless',
): string {
  return table(
    ['Manner', 'It …', 'Its unit is', how === 'caught' ? 'What catches it' : 'Why it does no harm'],
    Object.entries(manners).map(([name, { does, outcome, fault, caughtBy }]) => [
      code(name),
      does,
      fault === null ? outcomes[outcome] : `${outcomes[outcome]}: ${code(fault)}`,
      caughtBy,
    ]),
  );
}
