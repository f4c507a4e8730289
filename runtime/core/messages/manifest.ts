/**
 * The signed manifest: for each unit a compact JWS of the backend over its identity record, so that whoever takes the
 * units over needs its public key and nothing else of ours. RFC 7515.
 */
import { z } from 'zod';
import { statement } from './envelope.ts';
import { eid, hash, instant, operationId } from './fields.ts';
import { instruction } from './instruction.ts';

/** Records signed at a time. */
export const SIGNED_RECORDS_MAX = 100;

export const manifestEntry = statement({
  typ: 'holdfast/manifest-entry+v1',
  signedBy: 'backend',
  payload: z.strictObject({
    operation: operationId,
    eid,
    recordHash: hash.meta({ description: 'SHA-256 over the canonical JSON of the record.' }),
    leafIndex: z.int().min(0).meta({ description: 'Its place in the log.' }),
    log: z.string().meta({ description: 'Origin of that log.' }),
    record: z.record(z.string(), z.json()),
    signedAt: instant,
  }),
});

export const signManifestInstruction = instruction({
  name: 'sign-manifest',
  to: 'backend',
  body: z.strictObject({ operations: z.array(operationId).min(1).max(SIGNED_RECORDS_MAX) }),
  /** In the order of the operations. */
  answer: z.strictObject({ entries: z.array(z.string()) }),
});
