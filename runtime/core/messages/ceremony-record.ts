/** The instruction by which a ceremony record gets its place in the fleet log. */
import { z } from 'zod';
import { MESSAGE_BYTES_MAX } from './channel.ts';
import { hash, jws } from './fields.ts';
import { instruction } from './instruction.ts';

export const ceremonyRecordInstruction = instruction({
  name: 'ceremony-record',
  to: 'backend',
  body: z.strictObject({
    record: z
      .string()
      .max(MESSAGE_BYTES_MAX)
      .meta({ description: 'The record as it was signed: a compact JWS.' }),
    witnesses: z.array(jws).max(64).meta({ description: 'Officers who were there: approvals of its hash.' }),
  }),
  answer: z.strictObject({
    record: hash.meta({ description: 'SHA-256 of the record; what the leaf holds of it.' }),
    leafIndex: z.int().min(0),
    leaf: z.base64().meta({ description: 'Bytes of the leaf.' }),
    inclusionProof: z.array(hash).max(64),
    checkpoint: z.string().meta({ description: 'Signed checkpoint that covers the leaf.' }),
  }),
});
