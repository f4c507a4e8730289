/** Signs identity records for whoever takes the units over: what the store holds, and nothing that was sent along. */
import { toText } from '../../core/bytes.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { seal } from '../../core/messages/envelope.ts';
import { type InstructionHandler, instructionHandler } from '../../core/messages/instruction.ts';
import { manifestEntry, signManifestInstruction } from '../../core/messages/manifest.ts';
import type { RecordRow } from '../../core/store/fleet.ts';
import type { BackendPorts } from '../ports.ts';

export function manifestInstructions(ports: BackendPorts): readonly InstructionHandler[] {
  const { store, signer, crypto, clock, logSigner } = ports;
  const signed = ({ operation, eid, record, recordHash, leafIndex }: RecordRow): Promise<string> => {
    const entry = {
      ...{ operation, eid, recordHash, leafIndex, log: logSigner.key.name },
      record: JSON.parse(toText(record)),
      signedAt: instantOf(clock.now()),
    };
    return seal(manifestEntry, entry, signer, crypto);
  };
  return [
    instructionHandler(signManifestInstruction, async ({ operations }) => {
      const rows = await store.transaction((tx) =>
        Promise.all(operations.map((operation) => tx.recordByOperation(operation))),
      );
      const missing = operations.find((_, i) => rows[i] === null);
      if (missing !== undefined)
        throw new Fault('INSTRUCTION_REFUSED', {
          why: 'there is no record of this operation',
          operation: missing,
        });
      return { entries: await Promise.all(rows.flatMap((row) => (row === null ? [] : [signed(row)]))) };
    }),
  ];
}
