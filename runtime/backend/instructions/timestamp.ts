/** Keeps a time-stamp of a checkpoint as a leaf: once, however often it is told. */
import { equal, fromBase64, fromText, toHex } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { openCheckpoint } from '../../core/log/checkpoint.ts';
import { leafOf } from '../../core/log/leaf.ts';
import { readTimestampAnswer } from '../../core/log/timestamp.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { keepTimestampInstruction } from '../../core/messages/timestamp.ts';
import type { BackendPorts } from '../ports.ts';
import type { Sequencer } from '../sequencer.ts';

export function timestampInstructions(
  { logSigner, crypto, clock }: BackendPorts,
  sequencer: Sequencer,
): readonly InstructionHandler[] {
  return [
    instructionHandler(keepTimestampInstruction, async ({ checkpoint: note, answer }) => {
      const checkpoint = openCheckpoint(note, logSigner.key, crypto);
      if (checkpoint === null) throw invalid('the checkpoint is not one that this log signed');
      const bytes = fromBase64(answer);
      const stamp = readTimestampAnswer(bytes);
      if (stamp === null) throw invalid('the answer is no granted time-stamp over SHA-256');
      if (!equal(stamp.imprint, crypto.sha256(fromText(note)))) throw invalid('it stamps something else');
      const imprint = toHex(stamp.imprint);
      const leaf = leafOf('timestamp', `timestamp/${toHex(crypto.sha256(bytes))}`, instantOf(clock.now()), {
        ...{ size: checkpoint.size, root: toHex(checkpoint.root) },
        ...{ imprint, stampedAt: stamp.at, answer },
      });
      const { value } = await sequencer.add(
        async (draft) => (await draft.tx.leafByKey(leaf.key))?.index ?? draft.append(leaf),
        false,
      );
      return { leafIndex: value, size: checkpoint.size, imprint, stampedAt: stamp.at };
    }),
  ];
}

function invalid(why: string): Fault {
  return new Fault('TIMESTAMP_INVALID', { why });
}
