/**
 * What a leaf says of the keys and the certificate on a chip, and of who put them there: versions, check values and
 * names, never a key. Written by the backend into the leaf of each confirmation, and read back here.
 */
import { z } from 'zod';
import type { Json } from '../canonical-json.ts';
import type { Confirmation } from '../messages/receipts.ts';
import type { TicketPayload } from '../messages/ticket.ts';

export interface InjectionSources {
  readonly confirmation: Confirmation;
  /** SHA-256 of the confirmation as signed. */
  readonly confirmationHash: string;
  readonly ticket: Pick<TicketPayload, 'batch' | 'product'>;
  /** The operator’s pseudonym, or the authority in charge. */
  readonly operator: string;
  /** As the station names its program. */
  readonly stationSoftware: string;
}

/** The part that the leaves of a registration and of a resume have in common. */
export function injectionBody(from: InjectionSources): Readonly<Record<string, Json>> {
  const { confirmation: c, ticket } = from;
  const certificate = 'absent' in c.certificate ? null : c.certificate;
  const { keyVersion, scheme, class: known, deleted } = c.transport;
  return {
    operation: c.operation,
    epoch: c.epoch,
    eid: c.eid,
    seFingerprint: c.seFingerprint,
    confirmationHash: from.confirmationHash,
    scheme: c.keys.scheme,
    algorithm: c.keys.algorithm,
    generation: c.keys.generation,
    keyVersion: c.keys.keyVersion,
    checkValues: [...c.keys.checkValues],
    transport: { keyVersion, scheme, class: known, deleted },
    certificateHash: certificate?.sha256 ?? null,
    certificate:
      certificate === null
        ? null
        : {
            serial: certificate.serial,
            issuer: certificate.issuer,
            issuerKeyId: certificate.issuerKeyId,
            publicKeyHash: certificate.publicKeyHash,
          },
    station: c.station,
    nest: c.nest,
    stationSoftware: from.stationSoftware,
    operator: from.operator,
    gateway: c.gateway,
    token: { module: c.token.module, serial: c.token.serial },
    ticket: c.ticket,
    batch: ticket.batch,
    product: ticket.product,
    confirmedAt: c.confirmedAt,
  };
}

const known = z.string().nullable().default(null);

/** What an older leaf does not say is null. */
export const injectionForm = z.object({
  operation: z.string(),
  epoch: z.int(),
  eid: z.string(),
  seFingerprint: known,
  confirmationHash: z.string(),
  scheme: known,
  algorithm: known,
  generation: z.int().nullable().default(null),
  keyVersion: z.int().nullable().default(null),
  checkValues: z.array(z.string()).nullable().default(null),
  transport: z
    .object({ keyVersion: z.int(), scheme: z.string(), class: z.string(), deleted: z.boolean() })
    .nullable()
    .default(null),
  certificateHash: known,
  certificate: z
    .object({ serial: z.string(), issuer: z.string(), issuerKeyId: z.string(), publicKeyHash: z.string() })
    .nullable()
    .default(null),
  station: z.string(),
  nest: known,
  stationSoftware: known,
  operator: known,
  gateway: known,
  ticket: known,
  batch: known,
  product: known,
  confirmedAt: known,
});
export type Injection = z.output<typeof injectionForm>;
