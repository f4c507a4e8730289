/** Fields that several messages share. */
import { z } from 'zod';
import { isEid } from '../eid.ts';
import { type FaultCode, isFaultCode } from '../faults.ts';
import { lanes, reasons, reportKinds } from '../gate/release.ts';

/** Names of stations, gateways and backends: the CN of their certificate. */
export const partyName = z.string().regex(/^[a-z0-9-]{1,32}$/);
export const nest = z
  .string()
  .regex(/^[a-z0-9-]{1,8}$/)
  .meta({ description: 'Place in the fixture.' });
export const eid = z
  .string()
  .refine(isEid, 'not an EID with valid check digits')
  .meta({ description: 'EID, 32 decimal digits with MOD 97-10 check digits (SGP.29).' });
export const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256, hexadecimal.' });
export const hex = z
  .string()
  .regex(/^(?:[0-9a-f]{2})*$/)
  .max(131_072);
export const operationId = z
  .uuid()
  .meta({ description: 'Operation: the provisioning of one EID under one ticket.' });
export const epoch = z.int().min(1).meta({ description: 'Raised at each resume; older ones are refused.' });
export const keyVersion = z.int().min(1).max(0x7f).meta({ description: 'Key version number (KVN).' });
export const generation = z.int().min(1).max(0xffff).meta({ description: 'Generation of the master key.' });
export const checkValues = z
  .tuple([hex.length(6), hex.length(6), hex.length(6)])
  .meta({ description: 'Check values of K-ENC, K-MAC, K-DEK: 3 bytes of AES-ECB over 16 x 01.' });
export const instant = z.iso.datetime().meta({ description: 'UTC.' });
const compactJws = z.string().regex(/^[\w-]+\.[\w-]+\.[\w-]+$/);
export const jws = compactJws.max(65_536).meta({ description: 'Compact JWS, ES256.' });
/** A statement that grows with the plant: as long as any message. */
export const listJws = compactJws
  .max(262_144) // MESSAGE_BYTES_MAX
  .meta({ description: 'Compact JWS, ES256.' });
/** P-256, uncompressed: 04 and 64 bytes. */
export const p256Point = z.string().regex(/^04[0-9a-f]{128}$/);

export const jwe = z
  .string()
  .regex(/^[\w-]+\.\.[\w-]+\.[\w-]*\.[\w-]+$/)
  .max(196_608) // MESSAGE_BYTES_MAX x 3/4: what base64url leaves of the largest message.
  .meta({ description: 'Compact JWE, ECDH-ES, A256GCM.' });
/** The 65-byte uncompressed point of a P-256 key, base64: 04 comes first, and one spelling is allowed. */
export const agreementKey = z.string().regex(/^B[A-P][A-Za-z0-9+/]{84}[AEIMQUYcgkosw048]=$/);

/** Context of a fault: names and numbers only. */
export const faultNote = z.strictObject({
  code: z.custom<FaultCode>((value) => typeof value === 'string' && isFaultCode(value), 'unknown fault code'),
  context: z.record(z.string().max(64), z.union([z.string().max(512), z.number(), z.boolean(), z.null()])),
});

const counter = z
  .int()
  .min(0)
  .max(2 ** 48 - 1);

export const release = z.strictObject({
  controller: z
    .string()
    .regex(/^[a-z0-9-]{1,16}$/)
    .meta({ description: 'Gate controller.' }),
  nest,
  lane: z.enum(lanes),
  operation: operationId,
  epoch: z.int().min(0),
  arrival: counter.meta({ description: 'The controller’s own name for the unit that is present.' }),
  counter: counter.meta({ description: 'Raised with each release for this controller.' }),
  tag: hex
    .length(32)
    .nullable()
    .meta({ description: 'AES-CMAC under the controller’s key; null for a plain Firmata gate.' }),
});

export const controllerReport = z.strictObject({
  kind: z.enum(reportKinds),
  reason: z.enum(reasons),
  controller: z.string().regex(/^[a-z0-9-]{1,16}$/),
  nest,
  arrival: counter,
  gate: z.enum(['closed', 'open']),
  obeyed: counter,
  left: z.strictObject({ arrival: counter, counter, lane: z.enum(lanes) }),
  mac: hex
    .length(32)
    .nullable()
    .meta({ description: 'AES-CMAC under the controller’s key; null for a plain Firmata gate.' }),
});

/** What cannot be known says why. */
export const absent = z.strictObject({ absent: z.string().meta({ description: 'Why this is not known.' }) });
export type Absent = z.output<typeof absent>;
