/** The manners of a hostile broker, with what each costs a line and what stands against it. */
import type { Manner } from '../simulation/hostile/manner.ts';
import { code, table } from './parts.ts';

export function brokerMannerTable(manners: Readonly<Record<string, Manner>>): string {
  return table(
    ['Manner', 'The broker …', 'It costs', 'What stands against it'],
    Object.entries(manners).map(([name, { does, costs, withstood }]) => [code(name), does, costs, withstood]),
  );
}
