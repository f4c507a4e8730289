/** A fault as people read it: what happened, why, what to do. Never a stack trace. */
import { type Fault, type FaultCode, faults } from './faults.ts';

/** Lines for a terminal or a log. */
export function faultText(fault: Fault): string {
  const { title, cause, remedy } = fault.definition;
  const details = Object.entries(fault.context).map(([name, value]) => `${name}: ${String(value)}`);
  return [
    `${title} (${fault.code})`,
    `  Cause:   ${cause}`,
    `  Remedy:  ${remedy}`,
    ...(details.length === 0 ? [] : [`  Details: ${details.join('; ')}`]),
  ].join('\n');
}

/** The catalogue's entry for a code. */
export function explanation(code: FaultCode): string {
  const { title, cause, remedy, disposition, blame } = faults[code];
  const what = {
    retry: 'the unit is held: leave it in the fixture; it is tried again by itself',
    hold: 'the unit is held: leave it in the fixture unless the remedy says otherwise; it is tried again every half minute, in vain until a person has acted',
    reject: 'the unit leaves by the reject lane, recorded: leave it alone',
  }[disposition];
  return [
    `${title} (${code})`,
    `  Cause:   ${cause}`,
    `  Remedy:  ${remedy}`,
    `  Then:    ${what}`,
    `  Blame:   ${blame === 'own' ? 'this fixture (PackML Held)' : 'outside this fixture (PackML Suspended)'}`,
  ].join('\n');
}
