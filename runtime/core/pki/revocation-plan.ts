/**
 * The plan of a revocation: who is aimed at, who dies, who dies though not aimed at, what lists grow to, and when it
 * takes effect. Officers approve the hash of exactly this; the backend executes it only while the fleet still says
 * the same.
 */
import { z } from 'zod';
import { fromHex } from '../bytes.ts';
import { quorumForm } from '../messages/approval.ts';
import { eid, hex, instant, partyName } from '../messages/fields.ts';
import type { UnitCertificateRow } from '../store/revocation.ts';
import { type CrlEntry, entriesBytes, type RevocationReason, reasonNames } from './crl.ts';

/** Certificates in one plan: more fall with their intermediate. */
export const PLAN_CERTIFICATES_MAX = 250_000;
/** Units named in a plan though nobody aimed at them; their number is told in any case. */
export const COLLATERAL_NAMED_MAX = 10_000;

/** Who can be aimed at: a unit, units that belong together, or those that somebody had a part in. */
export const aimKinds = [
  'eid',
  'batch',
  'intermediate',
  'station',
  'operator',
  'ticket',
  'gateway',
  'generation',
  'software',
] as const;

export const aimForm = z
  .strictObject({
    kind: z.enum(aimKinds),
    value: z.string().min(1).max(64),
    from: instant
      .nullable()
      .meta({ description: 'Only units recorded, or worked on by whom it aims at, at or after this.' }),
    to: instant.nullable().meta({ description: 'Only before this.' }),
  })
  .refine(({ kind, value }) => kind !== 'generation' || /^\d{1,5}$/.test(value), {
    error: 'a generation is a number',
    path: ['value'],
  });
export type Aim = z.output<typeof aimForm>;

/**
 * `certificates`: each by its serial number. `intermediate`: every intermediate that is touched falls as a whole.
 * `auto`: an intermediate falls when it is aimed at, or when a batch is all that it has issued.
 */
export const revocationWays = ['auto', 'certificates', 'intermediate'] as const;
export type RevocationWay = (typeof revocationWays)[number];

const unit = z.strictObject({ serial: hex, eid, issuer: partyName, batch: z.string() });

export const revocationPlan = z.strictObject({
  contract: z.literal('holdfast/revocation-plan-1'),
  aim: aimForm,
  way: z.enum(revocationWays),
  reason: z.enum(reasonNames),
  madeAt: instant,
  intermediates: z
    .array(z.strictObject({ name: partyName, keyIdentifier: hex, units: z.int() }))
    .max(4096)
    .meta({ description: 'They fall as a whole: trust list at once, and the root’s list.' }),
  certificates: z
    .array(unit)
    .max(PLAN_CERTIFICATES_MAX)
    .meta({ description: 'They are put on lists one by one.' }),
  aimedAt: z.int(),
  revokedBefore: z.int().meta({ description: 'Aimed at, and revoked already.' }),
  collateral: z.strictObject({
    units: z.int().meta({ description: 'They die though nobody aimed at them.' }),
    named: z.array(unit).max(COLLATERAL_NAMED_MAX),
  }),
  lists: z.array(
    z.strictObject({
      issuer: partyName,
      entriesBefore: z.int(),
      entriesAfter: z.int(),
      bytesBefore: z.int(),
      bytesAfter: z.int(),
    }),
  ),
  effect: z.strictObject({
    ourValidators: z.string(),
    standardVerifiers: z.string(),
    needsRoot: z.boolean(),
  }),
  approvals: quorumForm,
});
export type RevocationPlan = z.output<typeof revocationPlan>;

/** What is known of one intermediate that is touched. */
export interface TouchedIssuer {
  readonly name: string;
  readonly keyIdentifier: string;
  /** Everything that it has issued and that is registered. */
  readonly certificates: readonly UnitCertificateRow[];
  /** Serials that are revoked already. */
  readonly revoked: ReadonlySet<string>;
  readonly revokedAsAWhole: boolean;
}

export interface PlanFacts {
  readonly aim: Aim;
  readonly way: RevocationWay;
  readonly reason: RevocationReason;
  readonly madeAt: string;
  /** Registered certificates that the aim hits. */
  readonly aimed: readonly UnitCertificateRow[];
  readonly issuers: readonly TouchedIssuer[];
  readonly quorum: z.output<typeof quorumForm>;
  readonly crlDays: number;
  readonly rootCrlDays: number;
}

export function isAimedAt(aim: Aim, row: UnitCertificateRow): boolean {
  return (aim.from === null || row.recordedAt >= aim.from) && (aim.to === null || row.recordedAt < aim.to);
}

/** The same facts give the same plan. */
export function planOf(facts: PlanFacts): RevocationPlan {
  const aimedSerials = new Set(facts.aimed.map(({ serial }) => serial));
  const falling = facts.issuers.filter(
    (issuer) => !issuer.revokedAsAWhole && falls(issuer, aimedSerials, facts),
  );
  const fallingNames = new Set(falling.map(({ name }) => name));
  const byName = new Map(facts.issuers.map((issuer) => [issuer.name, issuer]));
  const dead = ({ serial, issuer }: UnitCertificateRow): boolean =>
    byName.get(issuer)?.revokedAsAWhole === true || byName.get(issuer)?.revoked.has(serial) === true;
  const certificates = facts.aimed.filter((row) => !fallingNames.has(row.issuer) && !dead(row));
  const collateral = falling
    .flatMap((issuer) => issuer.certificates)
    .filter((row) => !aimedSerials.has(row.serial) && !dead(row));
  return {
    contract: 'holdfast/revocation-plan-1',
    aim: facts.aim,
    way: facts.way,
    reason: facts.reason,
    madeAt: facts.madeAt,
    intermediates: falling.map(({ name, keyIdentifier, certificates: all }) => ({
      name,
      keyIdentifier,
      units: all.length,
    })),
    certificates: certificates.map(unitOf),
    aimedAt: facts.aimed.length,
    revokedBefore: facts.aimed.filter(dead).length,
    collateral: { units: collateral.length, named: collateral.slice(0, COLLATERAL_NAMED_MAX).map(unitOf) },
    lists: listsOf(certificates, facts),
    effect: effectOf(falling.length > 0, certificates.length > 0, facts),
    approvals: facts.quorum,
  };
}

/** Whether two plans would do the same: when they were made does not count. */
export function sameEffect(one: RevocationPlan, other: RevocationPlan): boolean {
  const names = ({ intermediates }: RevocationPlan): string => intermediates.map(({ name }) => name).join();
  const serials = (plan: RevocationPlan): string =>
    [...plan.certificates, { serial: '-' }, ...plan.collateral.named].map(({ serial }) => serial).join();
  return (
    names(one) === names(other) &&
    one.collateral.units === other.collateral.units &&
    serials(one) === serials(other)
  );
}

function falls(issuer: TouchedIssuer, aimed: ReadonlySet<string>, { aim, way }: PlanFacts): boolean {
  if (way === 'intermediate' || (way === 'auto' && aim.kind === 'intermediate')) return true;
  if (way === 'certificates' || aim.kind !== 'batch' || aim.from !== null || aim.to !== null) return false;
  return issuer.certificates.every(({ serial }) => aimed.has(serial) || issuer.revoked.has(serial));
}

/** Bytes of a list without entries, about: the name of its issuer is not known here. */
const EMPTY_LIST_BYTES = 245;

function listsOf(certificates: readonly UnitCertificateRow[], facts: PlanFacts): RevocationPlan['lists'] {
  return facts.issuers.flatMap(({ name, revoked }) => {
    const added = certificates.filter(({ issuer }) => issuer === name).map(({ serial }) => serial);
    if (added.length === 0) return [];
    const bytes = (serials: readonly string[]): number =>
      EMPTY_LIST_BYTES + entriesBytes(serials.map((serial) => entryOf(serial, facts.reason)));
    const before = [...revoked];
    return [
      {
        issuer: name,
        entriesBefore: before.length,
        entriesAfter: before.length + added.length,
        bytesBefore: bytes(before),
        bytesAfter: bytes([...before, ...added]),
      },
    ];
  });
}

function entryOf(serial: string, reason: RevocationReason): CrlEntry {
  return { serial: fromHex(serial), revokedAtMs: 0, reason };
}

function effectOf(
  needsRoot: boolean,
  onLists: boolean,
  { crlDays, rootCrlDays }: PlanFacts,
): RevocationPlan['effect'] {
  const parts = [
    ...(onLists
      ? [`as soon as they fetch the new lists, at the latest ${crlDays} days after their last`]
      : []),
    ...(needsRoot
      ? [`when they fetch the root’s next list, at the latest ${rootCrlDays} days after their last`]
      : []),
  ];
  return {
    ourValidators: needsRoot || onLists ? 'at once, by the trust list and the new lists' : 'nothing changes',
    standardVerifiers: parts.length === 0 ? 'nothing changes' : parts.join('; '),
    needsRoot,
  };
}

function unitOf({ serial, eid: unitEid, issuer, batch }: UnitCertificateRow): z.output<typeof unit> {
  return { serial, eid: unitEid, issuer, batch };
}
