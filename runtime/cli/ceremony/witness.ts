/** `holdfast ceremony witness`: an officer who was in the room countersigns the record. */
import { fromText } from '../../core/bytes.ts';
import { officersOf } from '../../core/ceremony/plan.ts';
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { hashOf } from '../../core/messages/envelope.ts';
import { ExitCode } from '../../program.ts';
import { officerOptions, openOfficer } from '../approval.ts';
import { type Command, isSet, textOf, usage } from '../command.ts';
import { needed } from '../given.ts';
import { jwsIn, operandOf, trustedIn, trustedOption } from './given.ts';
import { recordLines } from './lines.ts';
import { signApproval } from './signing.ts';

/** Time to carry the record from the room to the backend. */
const DAYS = 7;

export const ceremonyWitnessCommand: Command = {
  name: 'ceremony witness',
  summary: 'an officer who was in the room reads the record and countersigns it',
  operands: 'RECORD',
  operandsMax: 1,
  options: {
    ...trustedOption,
    ...officerOptions,
    out: { type: 'string', value: 'FILE', help: 'where it is written (default: standard output)' },
  },
  notes: [
    'Compare the check values with what you wrote down. With the conductor, as many must sign as the plan asks for.',
  ],
  examples: [
    'holdfast ceremony witness masters/record.jws --trusted officers.json --officer bob --key bob.key --out bob.witness.jws',
  ],
  run: async (given, means) => {
    const jws = jwsIn(operandOf(given, 'a RECORD'), means);
    const verified = verifyRecord(jws, trustedIn(given, means), means.crypto);
    const officer = needed(given, 'officer', 'who was in the room');
    const { plan, conductor } = verified.record;
    if (officer === conductor) throw usage(`${officer} conducted it and has signed it already`);
    if (!officersOf(plan).includes(officer)) throw usage(`${officer} has no say in this ceremony`);
    await using signer = await openOfficer(given, means);
    const subject = hashOf(jws, means.crypto);
    const reason = `witnessed: ${plan.title}`;
    const signed = await signApproval({ officer, subject, reason, days: DAYS, signer }, means);
    const out = textOf(given, 'out');
    if (out !== null) await means.ceremony.shelf.write(out, fromText(`${signed}\n`));
    if (isSet(given, 'json')) means.print(JSON.stringify({ officer, record: subject, witness: signed }));
    else {
      for (const line of recordLines(verified, jws, means)) (out === null ? means.talk : means.print)(line);
      means.print(out === null ? signed : `${officer} witnessed the record ${subject}`);
    }
    return ExitCode.done;
  },
};
