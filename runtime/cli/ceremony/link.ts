/** `holdfast ceremony link`: gives a record its place in the fleet log, and checks that it got it. */
import type { z } from 'zod';
import { fromBase64, fromHex } from '../../core/bytes.ts';
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { Fault } from '../../core/faults.ts';
import { openCheckpoint } from '../../core/log/checkpoint.ts';
import { readLeaf } from '../../core/log/leaf.ts';
import type { NoteKey } from '../../core/log/note.ts';
import { leafHash, verifyInclusion } from '../../core/log/tree.ts';
import { ceremonyRecordInstruction } from '../../core/messages/ceremony-record.ts';
import { hashOf } from '../../core/messages/envelope.ts';
import { ExitCode } from '../../program.ts';
import { logKeyOf } from '../audit/log-key.ts';
import { type Command, isSet, listOf } from '../command.ts';
import type { Means } from '../means.ts';
import { socketOf } from '../program-place.ts';
import { jwsIn, operandOf, trustedIn, trustedOption } from './given.ts';

type Answer = Awaited<ReturnType<typeof ask>>;
type Body = z.input<typeof ceremonyRecordInstruction.body>;

export const ceremonyLinkCommand: Command = {
  name: 'ceremony link',
  summary: 'links a ceremony record into the fleet log, on the machine of the backend',
  operands: 'RECORD',
  operandsMax: 1,
  options: {
    ...trustedOption,
    socket: {
      type: 'string',
      value: 'PATH',
      help: 'instructionSocket of the backend (default: as backend.json in LINE says)',
    },
    witness: { type: 'string', value: 'FILE', help: 'a countersignature; once for each', multiple: true },
    'log-key': {
      type: 'string',
      value: 'NAME:HEX',
      help: 'origin and Ed25519 key of the log (default: as station.json in LINE says)',
    },
    dir: {
      type: 'string',
      value: 'LINE',
      help: 'directory of a line, for its backend and the key of its log',
    },
  },
  notes: ['Linked again, a record keeps its first leaf. The log holds its hash: the record itself you keep.'],
  examples: [
    'holdfast ceremony link masters/record.jws --witness bob.witness.jws --trusted officers.json --socket backend.sock --log-key NAME:HEX',
  ],
  run: async (given, means) => {
    const jws = jwsIn(operandOf(given, 'a RECORD'), means);
    verifyRecord(jws, trustedIn(given, means), means.crypto);
    const logKey = logKeyOf(given, means);
    const witnesses = listOf(given, 'witness').map((path) => jwsIn(path, means));
    const answer = await ask(socketOf('backend', given, means), { record: jws, witnesses }, means);
    demandLinked(answer, jws, logKey, means);
    if (isSet(given, 'json')) means.print(JSON.stringify(answer));
    else means.print(`${answer.record} is leaf ${answer.leafIndex} of ${logKey.name}`);
    return ExitCode.done;
  },
};

function ask(socket: string, body: Body, { instruct }: Means) {
  return instruct(socket, ceremonyRecordInstruction, body);
}

/** The leaf is of this record, and in the log that the key signed.
 * @throws Fault LOG_FORKED */
function demandLinked(answer: Answer, jws: string, logKey: NoteKey, { crypto }: Means): void {
  const entry = fromBase64(answer.leaf);
  const leaf = readLeaf(entry);
  const checkpoint = openCheckpoint(answer.checkpoint, logKey, crypto);
  const why =
    leaf?.kind !== 'ceremony' || leaf.body.recordHash !== hashOf(jws, crypto)
      ? 'the leaf is of something else'
      : checkpoint === null
        ? 'the checkpoint is not signed by the key of the log'
        : verifyInclusion(
              {
                index: answer.leafIndex,
                size: checkpoint.size,
                leaf: leafHash(entry, crypto.sha256),
                proof: answer.inclusionProof.map(fromHex),
                root: checkpoint.root,
              },
              crypto.sha256,
            )
          ? null
          : 'the leaf is not in the log';
  if (why !== null) throw new Fault('LOG_FORKED', { leaf: answer.leafIndex, why });
}
