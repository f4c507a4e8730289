/** What a drill is played with: a root, two intermediates, a unit of each, and officers, all with keys of the day. */
import { fromText, toHex } from '../../core/bytes.ts';
import { instantOf } from '../../core/instant.ts';
import { approvalStatement } from '../../core/messages/approval.ts';
import { seal } from '../../core/messages/envelope.ts';
import { issuerFrom, type ParsedAuthority, parseAuthority } from '../../core/pki/authority.ts';
import { assembleCertificate } from '../../core/pki/certificate.ts';
import { type Finding, judgeChain } from '../../core/pki/chain.ts';
import { assembleCrl, crlToBeSigned } from '../../core/pki/crl.ts';
import { documentationIdentifiers, serialFrom } from '../../core/pki/profile.ts';
import { type CertifyPlan, planHashOf, type RootCrlPlan } from '../../core/pki/root.ts';
import { certifyIntermediate, issueRootCrl, makeRoot, type RootWork } from '../../core/pki/root-office.ts';
import { toBeSigned } from '../../core/pki/tbs.ts';
import { FAR_DATE_MS } from '../../core/pki/time.ts';
import type { Signer } from '../../core/ports.ts';
import type { Means } from '../means.ts';
import { secondOf } from './given.ts';
import { nextCrlPlan } from './root.ts';

export interface Stage {
  /** The root's list before anything falls, DER. */
  readonly firstList: Uint8Array;
  plan(): RootCrlPlan;
  approve(plan: object): Promise<readonly string[]>;
  sign(plan: RootCrlPlan, approvals: readonly string[]): Promise<Uint8Array>;
  /** What our validator finds of both units, by this list of the root. */
  judge(rootCrl: Uint8Array): { readonly falling: readonly Finding[]; readonly standing: readonly Finding[] };
  close(): Promise<void>;
}

interface Branch {
  readonly authority: ParsedAuthority;
  readonly device: Uint8Array;
  readonly crl: Uint8Array;
}

const EID = '89049032000000000000000000000123';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export async function createStage(
  path: string,
  { required, crlDays }: { readonly required: number; readonly crlDays: number },
  means: Means,
): Promise<Stage> {
  const names = Array.from({ length: required }, (_, i) => `officer-${i + 1}`);
  const signers = await Promise.all(names.map((name) => keyAt(`${path}/${name}.key`, means)));
  const officers = names.map((name, i) => ({ name, signer: signers[i] as Signer }));
  await means.pki.makeRoot(
    `${path}/root`,
    {
      contract: 'holdfast/root-1',
      commonName: 'Root of a drill',
      key: { file: 'root.key' },
      quorum: { required, officers: names },
      officers: officers.map(({ name, signer }) => ({ name, publicKey: toHex(signer.publicKey) })),
      hardwareType: documentationIdentifiers.hardwareType,
      batchExtension: documentationIdentifiers.manufacturing,
      scopeExtension: documentationIdentifiers.scope ?? '',
      crlDays,
    },
    'P-256',
  );
  const directory = await means.pki.openRoot(`${path}/root`);
  const nowMs = Math.floor(means.now() / 1000) * 1000;
  const work: RootWork = { directory, crypto: means.crypto, nowMs };
  const approve = (plan: object, purpose: 'ceremony' | 'revocation') =>
    Promise.all(officers.map((officer) => approved(officer, plan, { purpose, nowMs }, means)));
  const birth = {
    serial: serialFrom(means.pki.random(16)),
    notBeforeMs: nowMs - DAY_MS,
    notAfterMs: FAR_DATE_MS,
  };
  const root = await makeRoot(birth, work);
  const firstList = await issueRootCrl(nextCrlPlan(work, [], crlDays), [], work);
  const branch = (name: string) => branchOf(name, `${path}/${name}.key`, { work, approve, root }, means);
  const [falling, standing] = [await branch('falling'), await branch('standing')];
  const judge = (rootCrl: Uint8Array, { authority, device, crl }: Branch): readonly Finding[] =>
    judgeChain(
      {
        device,
        intermediates: [authority.whole],
        roots: [root],
        crls: [crl, rootCrl],
        trustList: null,
        time: 'now',
        nowMs,
        identifiers: documentationIdentifiers,
      },
      means.crypto,
    );
  const revoked = {
    name: 'falling',
    serial: toHex(falling.authority.serial),
    reason: 'cACompromise',
  } as const;
  return {
    firstList,
    plan: () => nextCrlPlan(work, [{ ...revoked, revokedAt: secondOf(nowMs) }], crlDays),
    approve: (plan) => approve(plan, 'revocation'),
    sign: (plan, approvals) => issueRootCrl(plan, approvals, work),
    judge: (crl) => ({ falling: judge(crl, falling), standing: judge(crl, standing) }),
    close: () => directory.close(),
  };
}

async function keyAt(path: string, { pki, openSigner }: Means): Promise<Signer> {
  await pki.makeKey(path);
  return openSigner({ file: path });
}

function approved(
  { name, signer }: { readonly name: string; readonly signer: Signer },
  plan: object,
  { purpose, nowMs }: { readonly purpose: 'ceremony' | 'revocation'; readonly nowMs: number },
  { crypto }: Means,
): Promise<string> {
  const payload = {
    purpose,
    subject: planHashOf(plan, crypto),
    officer: name,
    reason: 'a drill',
    approvedAt: instantOf(nowMs),
    notAfter: instantOf(nowMs + DAY_MS),
  };
  return seal(approvalStatement, payload, signer, crypto);
}

interface Root {
  readonly work: RootWork;
  readonly root: Uint8Array;
  approve(plan: object, purpose: 'ceremony'): Promise<readonly string[]>;
}

/** An intermediate, one unit under it, and its own list without entries. */
async function branchOf(
  name: string,
  keyPath: string,
  { work, approve, root }: Root,
  means: Means,
): Promise<Branch> {
  const { nowMs, directory } = work;
  const signer = await keyAt(keyPath, means);
  const serial = (): Uint8Array => serialFrom(means.pki.random(16));
  const plan: CertifyPlan = {
    contract: 'holdfast/certify-plan-1',
    root: rootNameOf(root),
    name,
    commonName: name,
    publicKey: toHex(signer.publicKey),
    scope: null,
    distributionPoint: null,
    serial: toHex(serial()),
    notBefore: instantOf(nowMs - HOUR_MS),
    notAfter: instantOf(FAR_DATE_MS),
  };
  const certificate = await certifyIntermediate(plan, await approve(plan, 'ceremony'), work);
  const authority = parseAuthority(certificate, documentationIdentifiers);
  const times = { notBeforeMs: nowMs - HOUR_MS, notAfterMs: FAR_DATE_MS };
  const issuer = issuerFrom(authority);
  const tbs = toBeSigned({
    profile: 'idevid',
    issuer,
    serial: serial(),
    eid: EID,
    publicKey: directory.signer.publicKey,
    ...times,
    identifiers: documentationIdentifiers,
    manufacturing: null,
  });
  const list = crlToBeSigned({
    issuer,
    number: 1,
    thisUpdateMs: nowMs - HOUR_MS,
    nextUpdateMs: nowMs + DAY_MS,
    entries: [],
  });
  return {
    authority,
    device: assembleCertificate(tbs, await signer.sign(tbs)),
    crl: assembleCrl(list, await signer.sign(list)),
  };
}

function rootNameOf(root: Uint8Array): string {
  return toHex(parseAuthority(root, documentationIdentifiers).keyIdentifier ?? fromText(''));
}
