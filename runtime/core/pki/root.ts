/**
 * The offline root: what it certifies and revokes is a plan first, which officers approve by its hash, and then
 * exactly that is signed. From a request of an intermediate nothing but its public key is taken.
 */
import { z } from 'zod';
import { type Bytes, equal, fromHex, fromText, toHex } from '../bytes.ts';
import { canonicalJson, type Json } from '../canonical-json.ts';
import { Fault } from '../faults.ts';
import { instantMs } from '../instant.ts';
import { quorumForm } from '../messages/approval.ts';
import { hash, hex, instant, partyName } from '../messages/fields.ts';
import type { Crypto, Signer } from '../ports.ts';
import { keyIdentifierOf, readCaKey, verifiesUnder } from './algorithm.ts';
import { type AuthorityIntent, issuerFrom, type ParsedAuthority } from './authority.ts';
import { type CrlIntent, reasonNames } from './crl.ts';
import { members, read, readBitString, Tag } from './der.ts';
import type { MakerIdentifiers } from './profile.ts';
import { scopeParts } from './scope.ts';
import { signatureFromDer } from './signature.ts';

const scopeText = z.string().min(1).max(64).nullable();

/** What a root directory says of itself. */
export const rootForm = z.strictObject({
  contract: z.literal('holdfast/root-1'),
  commonName: z.string().min(1).max(64),
  key: z.union([
    z.strictObject({
      file: z.string().min(1).meta({ description: 'Laboratory: a key file in this directory.' }),
    }),
    z.strictObject({
      module: z.string(),
      label: z.string(),
      pinFile: z.string(),
      softHsmConf: z.string().nullable(),
      key: z.string().meta({ description: 'Label of the key pair in the token.' }),
    }),
  ]),
  quorum: quorumForm,
  officers: z
    .array(z.strictObject({ name: partyName, publicKey: z.string().regex(/^04[0-9a-f]{128}$/) }))
    .min(1),
  hardwareType: z.string(),
  batchExtension: z.string(),
  scopeExtension: z.string(),
  crlDays: z.int().min(1).max(400),
});
export type RootForm = z.output<typeof rootForm>;

export const certifyPlan = z.strictObject({
  contract: z.literal('holdfast/certify-plan-1'),
  root: hex.meta({ description: 'Key identifier of the root that is asked.' }),
  name: partyName.meta({ description: 'The intermediate as tickets name it.' }),
  commonName: z.string().min(1).max(64),
  publicKey: z.string().regex(/^04(?:[0-9a-f]{128}|[0-9a-f]{192})$/),
  scope: z.strictObject({ product: scopeText, batch: scopeText, region: scopeText }).nullable(),
  distributionPoint: z.url().nullable().meta({ description: 'URL of the root’s CRL.' }),
  serial: z.string().regex(/^[4-7][0-9a-f]{31}$/),
  notBefore: instant,
  notAfter: instant,
});
export type CertifyPlan = z.output<typeof certifyPlan>;

export const rootCrlPlan = z.strictObject({
  contract: z.literal('holdfast/root-crl-plan-1'),
  root: hex,
  number: z.int().min(1),
  thisUpdate: instant,
  nextUpdate: instant,
  revoked: z
    .array(z.strictObject({ name: partyName, serial: hex, reason: z.enum(reasonNames), revokedAt: instant }))
    .max(10_000)
    .meta({ description: 'Every intermediate that this root has revoked, also before.' }),
});
export type RootCrlPlan = z.output<typeof rootCrlPlan>;

/** What the directory of a root remembers, oldest first; an intent stands there before its signature is made. */
export const rootEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('intent'), plan: hash, toBeSigned: z.base64(), at: instant }),
  z.strictObject({ kind: z.literal('root'), certificate: z.base64(), at: instant }),
  z.strictObject({
    kind: z.literal('certified'),
    plan: hash,
    name: partyName,
    serial: hex,
    certificate: z.base64(),
    approvals: z.array(hash),
    at: instant,
  }),
  z.strictObject({
    kind: z.literal('crl'),
    plan: hash,
    number: z.int(),
    crl: z.base64(),
    revoked: rootCrlPlan.shape.revoked,
    approvals: z.array(hash),
    at: instant,
  }),
]);
export type RootEntry = z.output<typeof rootEntry>;

/** The directory of a root. Real: `drivers/certificates/root-directory.ts`. */
export interface RootDirectory {
  readonly form: RootForm;
  /** P-256 or P-384. */
  readonly signer: Signer;
  readonly entries: readonly RootEntry[];
  /** Durable when it resolves. @throws Fault ROOT_REFUSED */
  append(entry: RootEntry): Promise<void>;
  close(): Promise<void>;
}

/** SHA-256 of a plan's canonical JSON, hexadecimal: what officers approve. */
export function planHashOf(plan: object, crypto: Pick<Crypto, 'sha256'>): string {
  return toHex(crypto.sha256(fromText(canonicalJson(plan as Json))));
}

export function identifiersOfRoot(form: RootForm): MakerIdentifiers {
  return { hardwareType: form.hardwareType, manufacturing: form.batchExtension, scope: form.scopeExtension };
}

/** The public key in a PKCS#10 request that verifies under it, or in a SubjectPublicKeyInfo. Names, attributes and
 * extensions that the request asks for count for nothing. @throws Fault ROOT_REFUSED */
export function requestedKey(der: Bytes, kind: 'request' | 'public-key', crypto: Crypto): Bytes {
  try {
    if (kind === 'public-key') return readCaKey(der);
    const [info, , signature] = members(read(der), Tag.sequence);
    const [, , spki] = members(info, Tag.sequence);
    if (info === undefined || spki === undefined) throw new RangeError('not a request');
    const key = readCaKey(spki.whole);
    const raw = signatureFromDer(readBitString(signature), (key.length - 1) / 2);
    if (!verifiesUnder(crypto, key, info.whole, raw)) throw new RangeError('its own key did not sign it');
    return key;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault('ROOT_REFUSED', { why: `the request: ${error.message}` }, { cause: error });
  }
}

/** @throws Fault ROOT_REFUSED when the plan is for another root, or names what was certified before */
export function intermediateIntent(
  plan: CertifyPlan,
  root: ParsedAuthority,
  entries: readonly RootEntry[],
  form: RootForm,
  crypto: Crypto,
): AuthorityIntent {
  demandThisRoot(plan.root, root);
  const publicKey = fromHex(plan.publicKey);
  const keyIdentifier = keyIdentifierOf(publicKey, crypto);
  const [notBeforeMs, notAfterMs] = [instantMs(plan.notBefore), instantMs(plan.notAfter)];
  const scope =
    plan.scope !== null && scopeParts.every((part) => plan.scope?.[part] === null) ? null : plan.scope;
  const wrong = {
    'an intermediate of this name is there': entries.some(
      (one) => one.kind === 'certified' && one.name === plan.name,
    ),
    'its validity ends before it begins': notBeforeMs >= notAfterMs,
    'it would outlive the root': notAfterMs > root.notAfterMs || notBeforeMs < root.notBeforeMs,
    'its key is the root’s own': equal(publicKey, root.publicKey),
  };
  for (const [why, holds] of Object.entries(wrong)) if (holds) throw refused(why, { name: plan.name });
  return {
    serial: fromHex(plan.serial),
    commonName: plan.commonName,
    issuer: issuerFrom(root),
    publicKey,
    keyIdentifier,
    notBeforeMs,
    notAfterMs,
    pathLength: 0,
    scope,
    distributionPoint: plan.distributionPoint,
    identifiers: identifiersOfRoot(form),
  };
}

/** @throws Fault ROOT_REFUSED when a number is used again, or a revocation of before is missing */
export function rootCrlIntent(
  plan: RootCrlPlan,
  root: ParsedAuthority,
  entries: readonly RootEntry[],
): CrlIntent {
  demandThisRoot(plan.root, root);
  const lists = entries.filter((one) => one.kind === 'crl');
  const newest = lists.at(-1);
  const missing = newest?.revoked.find((one) => !plan.revoked.some(({ serial }) => serial === one.serial));
  const certified = new Map(
    entries.flatMap((one) => (one.kind === 'certified' ? [[one.serial, one.name]] : [])),
  );
  const foreign = plan.revoked.find(({ serial, name }) => certified.get(serial) !== name);
  const wrong = {
    'its number is not higher than that of the last list': plan.number <= (newest?.number ?? 0),
    'it forgets an intermediate that is revoked': missing !== undefined,
    'it names what this root did not certify': foreign !== undefined,
    'it ends before it begins': instantMs(plan.thisUpdate) >= instantMs(plan.nextUpdate),
  };
  for (const [why, holds] of Object.entries(wrong)) if (holds) throw refused(why, { number: plan.number });
  return {
    issuer: issuerFrom(root),
    number: plan.number,
    thisUpdateMs: instantMs(plan.thisUpdate),
    nextUpdateMs: instantMs(plan.nextUpdate),
    entries: plan.revoked.map(({ serial, reason, revokedAt }) => ({
      serial: fromHex(serial),
      reason,
      revokedAtMs: Math.floor(instantMs(revokedAt) / 1000) * 1000,
    })),
  };
}

function demandThisRoot(asked: string, root: ParsedAuthority): void {
  if (asked !== toHex(root.keyIdentifier ?? new Uint8Array(0)))
    throw refused('the plan is for another root', {});
}

function refused(why: string, context: Readonly<Record<string, string | number>>): Fault {
  return new Fault('ROOT_REFUSED', { why, ...context });
}
