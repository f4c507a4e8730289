/** `holdfast fleet proof`: the birth certificate of a unit, a file that verifies without our servers. */
import { fromText } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { type Policy, readPolicy } from '../../core/log/policy.ts';
import { ExitCode } from '../../program.ts';
import { type Arguments, type Command, isSet, type Option, textOf } from '../command.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import { counted } from '../screen.ts';
import { eidOf } from './eid.ts';
import { databaseOptions, openFleetOf } from './place.ts';
import { unitProof } from './unit-proof.ts';

export const policyOption = {
  policy: {
    type: 'string',
    value: 'FILE',
    help: 'whose signatures are enough: keys of log and witnesses, and the quorum (with --dir: policy in LINE)',
  },
} as const satisfies Readonly<Record<string, Option>>;

export const fleetProofCommand: Command = {
  name: 'fleet proof',
  summary: 'writes the birth certificate of a unit: a proof that its record was logged and witnessed',
  options: {
    eid: { type: 'string', value: 'EID', help: 'the unit, by its 32 digits' },
    to: { type: 'string', value: 'FILE', help: 'where the proof goes, by custom a .tlog-proof' },
    record: {
      type: 'string',
      value: 'FILE',
      help: 'writes the identity record there, which the proof is about',
    },
    ...policyOption,
    ...databaseOptions,
  },
  notes: ['Only a proof that the policy is content with is written; it is verified before.'],
  examples: [
    'holdfast fleet proof --eid 89049032000000000000000000000123 --to unit.tlog-proof --record unit.json --policy POLICY',
  ],
  run: async (given, means) => {
    const eid = eidOf(given);
    const to = needed(given, 'to', 'where the proof goes');
    const policy = policyOf(given, means);
    await using fleet = await openFleetOf(given, means);
    const made = await fleet.read(async (view) => {
      const record = await view.recordByEid(eid);
      return record === null ? null : { record, proof: await unitProof(record, view, policy, means) };
    });
    if (made === null) {
      means.talk(`There is no record of a unit with the EID ${eid}.`);
      return ExitCode.fault;
    }
    const { record, proof } = made;
    const recordFile = textOf(given, 'record');
    if (recordFile !== null) await means.ceremony.shelf.write(recordFile, record.record);
    await means.ceremony.shelf.write(to, fromText(proof.text));
    const { index, checkpoint, witnesses } = proof.proved;
    if (isSet(given, 'json'))
      means.print(JSON.stringify({ eid, file: to, leaf: index, size: checkpoint.size, witnesses }));
    else
      means.print(
        `${to}: leaf ${index} of ${checkpoint.size}, cosigned by ${counted(witnesses.length, 'witness', 'witnesses')}`,
      );
    return ExitCode.done;
  },
};

/** @throws Fault USAGE, FILE_UNREADABLE, POLICY_INVALID */
export function policyOf(given: Arguments, { files, crypto }: Means): Policy {
  const line = textOf(given, 'dir');
  const known = textOf(given, 'policy') === null && line !== null && files.exists(`${line}/policy`);
  const file = known ? `${line}/policy` : needed(given, 'policy', 'whose signatures are enough');
  try {
    return readPolicy(files.read(file), crypto);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'POLICY_INVALID') throw error;
    throw new Fault('POLICY_INVALID', { file, ...error.context }, { cause: error });
  }
}
