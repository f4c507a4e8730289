/** The fault codes by what follows from them; `holdfast explain CODE` prints title, cause and remedy. */
import { type FaultDefinition, faults } from '../../runtime/core/faults.ts';
import { code, table } from './parts.ts';

const consequences = [
  ['retry', 'The unit is held and tried again by itself.'],
  ['hold', 'The unit is held until a person has acted.'],
  ['reject', 'A verdict on the card: the unit leaves by the reject lane, recorded.'],
] as const satisfies readonly (readonly [FaultDefinition['disposition'], string])[];

export function faultList(): string {
  const all: readonly (readonly [string, FaultDefinition])[] = Object.entries(faults);
  return table(
    ['Disposition', 'What follows', 'Codes'],
    consequences.map(([disposition, meaning]) => {
      const codes = all.filter(([, fault]) => fault.disposition === disposition).map(([name]) => name);
      return [code(disposition), meaning, codes.sort().map(code).join(' ')];
    }),
  );
}
