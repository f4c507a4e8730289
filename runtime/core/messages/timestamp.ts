/** Instruction: the backend keeps a time-stamp of one of its checkpoints in the log. */
import { z } from 'zod';
import { hash } from './fields.ts';
import { instruction } from './instruction.ts';

/** Base64 of an answer with the authority's chain of certificates. */
const ANSWER_CHARACTERS_MAX = 40_000;

export const keepTimestampInstruction = instruction({
  name: 'keep-timestamp',
  to: 'backend',
  body: z.strictObject({
    checkpoint: z.string().max(20_000).meta({ description: 'The note that was stamped, byte for byte.' }),
    answer: z.base64().max(ANSWER_CHARACTERS_MAX).meta({ description: 'TimeStampResp, DER. RFC 3161.' }),
  }),
  answer: z.strictObject({
    leafIndex: z.int().min(0),
    size: z.int().min(0),
    imprint: hash,
    stampedAt: z.string(),
  }),
});
