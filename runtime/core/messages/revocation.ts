/** The order to revoke: what the backend tells the gateway of the intermediates to put on their lists. */
import { z } from 'zod';
import { reasonNames } from '../pki/crl.ts';
import { aimForm, revocationPlan, revocationWays } from '../pki/revocation-plan.ts';
import { statement } from './envelope.ts';
import { hash, hex, instant, jws, listJws, partyName } from './fields.ts';
import { instruction } from './instruction.ts';

/** Certificates in one order: the envelope that carries it is bounded. Longer plans make several orders. */
export const ORDER_CERTIFICATES_MAX = 4_000;
/** Orders in one instruction. */
export const ORDERS_MAX = 64;

export const revocationOrder = statement({
  typ: 'holdfast/revocation-order+v1',
  signedBy: 'backend',
  payload: z.strictObject({
    plan: hash.meta({ description: 'The approved plan that this is of.' }),
    issuer: partyName.meta({ description: 'The intermediate that issued every certificate here.' }),
    reason: z.enum(reasonNames),
    revokedAt: instant,
    serials: z.array(hex).min(1).max(ORDER_CERTIFICATES_MAX),
  }),
});

export const publishedCrl = z.strictObject({
  issuer: partyName,
  number: z.int(),
  entries: z.int(),
  bytes: z.int(),
  sha256: hash,
  nextUpdate: instant,
});
export type PublishedCrl = z.output<typeof publishedCrl>;

/** Given by the command line, which carries what the backend has signed. */
export const signCrlInstruction = instruction({
  name: 'sign-crl',
  to: 'gateway',
  body: z.strictObject({
    orders: z.array(jws).max(ORDERS_MAX),
    trustList: listJws.nullable(),
  }),
  answer: z.strictObject({
    crls: z.array(publishedCrl),
    trustList: z.int().nullable().meta({ description: 'Number of the list known now.' }),
  }),
});

/** The lists as they stand, for whoever wants to judge or copy them. */
export const showCrlInstruction = instruction({
  name: 'show-crl',
  to: 'gateway',
  body: z.strictObject({ issuer: partyName.nullable() }),
  answer: z.strictObject({
    crls: z.array(publishedCrl.extend({ der: z.base64() })),
    trustList: listJws.nullable(),
  }),
});

/** Who would die: asks nothing of anybody, and changes nothing. */
export const planRevocationInstruction = instruction({
  name: 'plan-revocation',
  to: 'backend',
  body: z.strictObject({ aim: aimForm, way: z.enum(revocationWays), reason: z.enum(reasonNames) }),
  answer: revocationPlan,
});

/** Done once; the same plan again gets the same orders, and changes nothing. */
export const executeRevocationInstruction = instruction({
  name: 'execute-revocation',
  to: 'backend',
  body: z.strictObject({ plan: revocationPlan, approvals: z.array(jws).max(64) }),
  answer: z.strictObject({
    plan: hash,
    executedAt: instant,
    leafIndex: z.int(),
    certificates: z.int(),
    intermediates: z.array(partyName),
    orders: z.array(jws).max(ORDERS_MAX).meta({ description: 'For the gateway, signed by the backend.' }),
    trustList: listJws.nullable(),
  }),
});

export const trustListInstruction = instruction({
  name: 'trust-list',
  to: 'backend',
  body: z.strictObject({}),
  answer: z.strictObject({ trustList: listJws.nullable() }),
});
