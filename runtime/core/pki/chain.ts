/**
 * Whether a device certificate is to be trusted: root, intermediate, device, and what revokes them. It asks all that
 * OpenSSL asks of such a chain, strictly, and besides what only we know: the scope of an intermediate, the two
 * encodings of the EID, and the trust list.
 *
 * Limits: chains of exactly these three levels; complete CRLs alone.
 *
 * @see RFC 5280 section 6
 */
import { type Bytes, equal, toHex } from '../bytes.ts';
import { eidContext } from '../card/eid-kdf.ts';
import { isIntermediateRevoked, type TrustList } from '../messages/trust-list.ts';
import type { Crypto } from '../ports.ts';
import { verifiesUnder } from './algorithm.ts';
import { type ParsedAuthority, parseAuthority } from './authority.ts';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import { type ParsedCrl, parseCrl } from './crl.ts';
import type { MakerIdentifiers } from './profile.ts';
import { outsideScope } from './scope.ts';

/** What a standard verifier finds too. */
export type StandardFinding =
  | 'not-readable'
  | 'no-issuer'
  | 'signature-wrong'
  | 'issuer-may-not-issue'
  | 'path-too-long'
  | 'not-yet-valid'
  | 'expired'
  | 'critical-extension-unknown'
  | 'crl-missing'
  | 'crl-signature-wrong'
  | 'crl-out-of-time'
  | 'revoked'
  | 'issuer-revoked';
/** What only we find. */
export type OwnFinding =
  | 'not-three-levels'
  | 'outside-the-issuers-scope'
  | 'eid-encodings-differ'
  | 'issuer-on-the-trust-list'
  | 'crl-rolled-back';
export type Finding = StandardFinding | OwnFinding;

export const ownFindings: ReadonlySet<string> = new Set<OwnFinding>([
  'not-three-levels',
  'outside-the-issuers-scope',
  'eid-encodings-differ',
  'issuer-on-the-trust-list',
  'crl-rolled-back',
]);

export interface ChainQuestion {
  /** DER, each. */
  readonly device: Bytes;
  readonly intermediates: readonly Bytes[];
  readonly roots: readonly Bytes[];
  /** Null: revocation is not asked about. */
  readonly crls: readonly Bytes[] | null;
  /** Highest CRL number seen of an issuer, by its key identifier in hexadecimal. */
  readonly crlNumbers?: Readonly<Record<string, number>>;
  readonly trustList: TrustList | null;
  /**
   * `now`: every certificate is valid now, as RFC 5280 wants. `issuance`: every authority was valid when the
   * device's certificate began; what is revoked is revoked all the same. Which it is, the caller says.
   */
  readonly time: 'now' | 'issuance';
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly identifiers: MakerIdentifiers;
}

/** Everything that speaks against the device's certificate; empty when it is to be trusted. */
export function judgeChain(question: ChainQuestion, crypto: Crypto): readonly Finding[] {
  const device = readable(() => parseCertificate(question.device, question.identifiers));
  if (device === null) return ['not-readable'];
  const found = new Set<Finding>();
  const path = pathOf(device, question, crypto);
  if (path === null) return ['no-issuer'];
  for (const finding of judgeLinks(device, path, crypto)) found.add(finding);
  for (const finding of judgeTimes(device, path, question)) found.add(finding);
  for (const finding of judgeDevice(device, path, question)) found.add(finding);
  if (question.crls !== null)
    for (const finding of judgeRevocation(device, path, question, crypto)) found.add(finding);
  return [...found];
}

/** Above the device, its issuer first and the root last. */
type Path = readonly ParsedAuthority[];

/** Authorities that follow one another: as many as anything here has, and one more to find them too many. */
const AUTHORITIES_MAX = 4;

/** Names and key identifiers lead from child to parent; where several fit, the one whose key verifies. */
function pathOf(device: ParsedCertificate, question: ChainQuestion, crypto: Crypto): Path | null {
  const { identifiers } = question;
  const parse = (bytes: Bytes): ParsedAuthority | null => readable(() => parseAuthority(bytes, identifiers));
  const roots = question.roots.map(parse).filter((one) => one !== null);
  const others = question.intermediates.map(parse).filter((one) => one !== null);
  const path: ParsedAuthority[] = [];
  let child: ParsedCertificate | ParsedAuthority = device;
  while (path.length < AUTHORITIES_MAX) {
    const root = parentOf(child, roots, crypto);
    if (root !== null) return [...path, root];
    const parent = parentOf(child, others, crypto);
    if (parent === null || path.includes(parent)) return null;
    path.push(parent);
    child = parent;
  }
  return null;
}

function parentOf(
  child: ParsedCertificate | ParsedAuthority,
  among: readonly ParsedAuthority[],
  crypto: Crypto,
): ParsedAuthority | null {
  const fitting = among.filter(
    ({ subjectName, keyIdentifier }) =>
      equal(subjectName, child.issuerName) &&
      equal(keyIdentifier ?? NOTHING, child.authorityKeyIdentifier ?? NOTHING),
  );
  const right = fitting.find((one) => verifiesUnder(crypto, one.publicKey, child.tbs, child.signature));
  return right ?? fitting[0] ?? null;
}

const NOTHING = new Uint8Array(0);

function* judgeLinks(device: ParsedCertificate, path: Path, crypto: Crypto): Generator<Finding> {
  if (path.length !== 2) yield 'not-three-levels';
  for (const [i, authority] of path.entries()) {
    const child = i === 0 ? device : path[i - 1];
    if (child === undefined) continue;
    if (!verifiesUnder(crypto, authority.publicKey, child.tbs, child.signature)) yield 'signature-wrong';
    if (!authority.mayIssue || authority.keyIdentifier === null) yield 'issuer-may-not-issue';
    // Below the authority at i stand i others.
    if (authority.pathLength !== null && i > authority.pathLength) yield 'path-too-long';
    if (authority.unknownCritical.length > 0) yield 'critical-extension-unknown';
  }
}

function* judgeTimes(
  device: ParsedCertificate,
  path: Path,
  { time, nowMs }: ChainQuestion,
): Generator<Finding> {
  const at = time === 'now' ? nowMs : device.notBeforeMs;
  for (const one of path) {
    if (at < one.notBeforeMs) yield 'not-yet-valid';
    if (at > one.notAfterMs) yield 'expired';
  }
  if (nowMs < device.notBeforeMs) yield 'not-yet-valid';
  if (nowMs > device.notAfterMs) yield 'expired';
}

function* judgeDevice(
  device: ParsedCertificate,
  path: Path,
  { trustList, identifiers }: ChainQuestion,
): Generator<Finding> {
  const known = new Set(['2.5.29.15', '2.5.29.19', '2.5.29.17']);
  if (device.extensions.some(({ oid, critical }) => critical && !known.has(oid)))
    yield 'critical-extension-unknown';
  const module = device.hardwareModule;
  const eid = device.subjectSerialNumber;
  const same =
    module?.type === identifiers.hardwareType &&
    eid !== null &&
    /^\d{32}$/.test(eid) &&
    equal(module.serial, eidContext(eid));
  if (!same) yield 'eid-encodings-differ';
  for (const { scope, keyIdentifier } of path) {
    if (scope !== null && outsideScope(scope, device).length > 0) yield 'outside-the-issuers-scope';
    if (isIntermediateRevoked(trustList, keyIdentifier ?? NOTHING)) yield 'issuer-on-the-trust-list';
  }
}

/** Every certificate below the root is looked up in the list of its issuer, and the root in its own. */
function* judgeRevocation(
  device: ParsedCertificate,
  path: Path,
  { crls, crlNumbers, nowMs }: ChainQuestion,
  crypto: Crypto,
): Generator<Finding> {
  const lists = (crls ?? []).map((bytes) => readable(() => parseCrl(bytes))).filter((one) => one !== null);
  for (const [i, authority] of path.entries()) {
    const subject = i === 0 ? device : path[i - 1];
    const list = newest(lists.filter((one) => isOf(one, authority)));
    if (subject === undefined) continue;
    if (list === null) {
      yield 'crl-missing';
      continue;
    }
    if (!authority.mayIssue || !verifiesUnder(crypto, authority.publicKey, list.tbs, list.signature))
      yield 'crl-signature-wrong';
    if (list.unknownCritical.length > 0) yield 'critical-extension-unknown';
    if (nowMs < list.thisUpdateMs || nowMs > list.nextUpdateMs) yield 'crl-out-of-time';
    const seen = crlNumbers?.[toHex(authority.keyIdentifier ?? NOTHING)] ?? 0;
    if ((list.number ?? 0) < seen) yield 'crl-rolled-back';
    if (list.entries.has(toHex(subject.serial))) yield i === 0 ? 'revoked' : 'issuer-revoked';
  }
}

function isOf(crl: ParsedCrl, authority: ParsedAuthority): boolean {
  return (
    equal(crl.issuerName, authority.subjectName) &&
    equal(crl.authorityKeyIdentifier ?? NOTHING, authority.keyIdentifier ?? NOTHING)
  );
}

function newest(lists: readonly ParsedCrl[]): ParsedCrl | null {
  return lists.reduce<ParsedCrl | null>(
    (best, one) => (best === null || (one.number ?? 0) > (best.number ?? 0) ? one : best),
    null,
  );
}

/** What `read` gives, or null where it finds a form that is not allowed; that is the finding. */
function readable<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
