/**
 * What an HSM's intermediates have issued, as its gateways' ledger knows it: certificates of units that were rejected or
 * never came to a record too. The command line carries it to the backend, so that a plan of revocation finds them all.
 */
import { z } from 'zod';
import { statement } from './envelope.ts';
import { eid, hex, instant, listJws, partyName } from './fields.ts';
import { instruction } from './instruction.ts';

/** Certificates in one statement: at their longest, 400 * 560 characters of base64 are within a message. */
export const ISSUED_MAX = 400;

/** How they are looked for; a batch that ends with `*` means all that begin so. */
export const issuedKeys = ['eid', 'batch', 'issuer', 'station'] as const;

export const issuedCertificate = z.strictObject({
  serial: hex.max(40),
  eid,
  operation: z.string().max(36),
  issuer: partyName,
  issuerKeyId: hex.max(64),
  batch: z.string().max(32).meta({ description: 'Empty for one of before batches were kept.' }),
  station: z.string().max(32),
  notBefore: instant,
});

export const issuedCertificates = statement({
  typ: 'holdfast/issued-certificates+v1',
  signedBy: 'gateway',
  payload: z.strictObject({
    gateway: partyName,
    at: instant,
    certificates: z
      .array(issuedCertificate)
      .max(ISSUED_MAX)
      .meta({ description: 'Signed, or about to be: what is stored here may have been signed.' }),
  }),
});

export const listIssuedInstruction = instruction({
  name: 'list-issued',
  to: 'gateway',
  body: z.strictObject({
    key: z.enum(issuedKeys),
    value: z.string().min(1).max(64),
    after: hex.max(64).meta({ description: 'Serial number; those behind it are listed.' }),
  }),
  answer: z.strictObject({ statement: listJws, next: hex.nullable() }),
});

/** Done once for each certificate, however often it is told. */
export const takeIssuedInstruction = instruction({
  name: 'take-issued',
  to: 'backend',
  body: z.strictObject({ statement: listJws }),
  answer: z.strictObject({ known: z.int(), added: z.int() }),
});
