/** `holdfast ceremony link`: gives a record its place in the fleet log, and checks that it got it. */
import { fromBase64, fromHex } from '../../core/bytes.ts';
import { verifyRecord } from '../../core/ceremony/verification.ts';
import { Fault } from '../../core/faults.ts';
import { type NoteKey, openCheckpoint } from '../../core/log/checkpoint.ts';
import { readLeaf } from '../../core/log/leaf.ts';
import { leafHash, verifyInclusion } from '../../core/log/tree.ts';
import { ceremonyRecordInstruction } from '../../core/messages/ceremony-record.ts';
import { hashOf } from '../../core/messages/envelope.ts';
import { ExitCode } from '../../program.ts';
import { logKeyOf } from '../audit/log-key.ts';
import { type Command, isSet } from '../command.ts';
import type { Means } from '../means.ts';
import { jwsIn, needed, operandOf, trustedIn, trustedOption } from './given.ts';

type Answer = Awaited<ReturnType<typeof ask>>;

export const ceremonyLinkCommand: Command = {
  name: 'ceremony link',
  summary: 'links a ceremony record into the fleet log, on the machine of the backend',
  operands: 'RECORD',
  operandsMax: 1,
  options: {
    ...trustedOption,
    socket: { type: 'string', value: 'PATH', help: 'instructionSocket of the backend' },
    'log-key': {
      type: 'string',
      value: 'NAME:HEX',
      help: 'origin and Ed25519 key of the log (default: as station.json in LINE says)',
    },
    dir: { type: 'string', value: 'LINE', help: 'directory of a line, for the key of its log' },
  },
  notes: ['Linked again, a record keeps its first leaf. The log holds its hash: the record itself you keep.'],
  examples: [
    'holdfast ceremony link masters/record.jws --trusted officers.json --socket backend.sock --log-key NAME:HEX',
  ],
  run: async (given, means) => {
    const jws = jwsIn(operandOf(given, 'a RECORD'), means);
    verifyRecord(jws, trustedIn(given, means), means.crypto);
    const logKey = logKeyOf(given, means);
    const answer = await ask(needed(given, 'socket', 'where the backend takes instructions'), jws, means);
    demandLinked(answer, jws, logKey, means);
    if (isSet(given, 'json')) means.print(JSON.stringify(answer));
    else means.print(`${answer.record} is leaf ${answer.leafIndex} of ${logKey.name}`);
    return ExitCode.done;
  },
};

function ask(socket: string, record: string, { instruct }: Means) {
  return instruct(socket, ceremonyRecordInstruction, { record });
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
