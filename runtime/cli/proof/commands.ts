/** `holdfast proof verify`: judges the birth certificate of a unit with public keys and nothing else. */

import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { noteIn } from '../../core/log/note.ts';
import { judgeProof, type Proved } from '../../core/log/proof.ts';
import { ExitCode } from '../../program.ts';
import { type Command, isSet, usage } from '../command.ts';
import { policyOf, policyOption } from '../fleet/proof.ts';
import { needed } from '../given.ts';
import type { Means } from '../means.ts';
import { columns } from '../screen.ts';
import { showFault } from '../show-fault.ts';

const proofVerifyCommand: Command = {
  name: 'proof verify',
  summary: 'checks offline that a record was logged and witnessed, by its proof',
  operands: 'FILE',
  operandsMax: 1,
  options: {
    record: { type: 'string', value: 'FILE', help: 'the identity record that the proof is about' },
    ...policyOption,
  },
  notes: ['No server is asked. The policy comes from whoever verifies, never with the proof.'],
  examples: ['holdfast proof verify unit.tlog-proof --record unit.json --policy POLICY'],
  run: async (given, means) => {
    const [file] = given.operands;
    if (file === undefined) throw usage('say which proof: holdfast proof verify FILE');
    const recordFile = needed(given, 'record', 'the record that the proof is about');
    const policy = policyOf(given, means);
    const [proof, record] = [await bytesOf(file, means), await bytesOf(recordFile, means)];
    const judged = judgeProof(noteIn(proof), record, policy, means.crypto);
    const json = isSet(given, 'json');
    if (typeof judged === 'string') {
      if (json) means.print(JSON.stringify({ verified: false, why: judged }));
      else means.print(means.paint.alarm(`NOT VERIFIED: ${judged}`));
      return showFault(new Fault('PROOF_INVALID', { file, why: judged }), json, means);
    }
    if (json) means.print(JSON.stringify({ verified: true, ...jsonOf(judged) }));
    else for (const line of [...columns(rowsOf(judged)), means.paint.strong('VERIFIED')]) means.print(line);
    return ExitCode.done;
  },
};

export const proofCommands: readonly Command[] = [proofVerifyCommand];

async function bytesOf(path: string, { ceremony }: Means): Promise<Uint8Array> {
  const bytes = await ceremony.shelf.read(path);
  if (bytes === null) throw new Fault('FILE_UNREADABLE', { file: path });
  return bytes;
}

function jsonOf({ leaf, index, checkpoint, witnesses }: Proved): object {
  const { origin, size } = checkpoint;
  return { log: origin, leaf: index, size, loggedAt: leaf.at, witnesses, body: leaf.body };
}

function rowsOf({ leaf, index, checkpoint, witnesses }: Proved): readonly (readonly string[])[] {
  return [
    ['EID', String(leaf.body.eid)],
    ['record', String(leaf.body.recordHash)],
    ['confirmation', String(leaf.body.confirmationHash)],
    ['logged', `${leaf.at}, leaf ${index} of ${checkpoint.size}, in ${checkpoint.origin}`],
    ...witnesses.map(({ name, time }) => ['cosigned', `${instantOf(time * 1000)} by ${name}`]),
  ];
}
