/** The unit that a command is about. */
import { isEid } from '../../core/eid.ts';
import { type Arguments, textOf, usage } from '../command.ts';

/** @throws Fault USAGE */
export function eidOf(given: Arguments): string {
  const eid = textOf(given, 'eid');
  if (eid === null) throw usage('--eid is missing; holdfast fleet list shows the units');
  if (!isEid(eid)) throw usage(`--eid takes an EID: 32 digits with right check digits, not ${eid}`);
  return eid;
}
