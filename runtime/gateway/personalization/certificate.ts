/**
 * Key pair and certificate: the pair is born on the chip, the request is composed here and signed there, and
 * what will be signed is stored before the issuer's key is used. One certificate per EID and public key.
 */
import { type Bytes, equal, toBase64, toHex } from '../../core/bytes.ts';
import type { KeyPairCodec } from '../../core/card/key-pair.ts';
import { StatusWord } from '../../core/card/status-word.ts';
import { Fault } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import type { Certified } from '../../core/messages/receipts.ts';
import { keyIdentifierOf } from '../../core/pki/algorithm.ts';
import { parseTbs } from '../../core/pki/certificate.ts';
import { P256_SPKI_PREFIX } from '../../core/pki/identifiers.ts';
import { lintTbs } from '../../core/pki/lint.ts';
import {
  type CertificateIntent,
  deviceProfiles,
  profileNames,
  SERIAL_BYTES,
  serialFrom,
} from '../../core/pki/profile.ts';
import { assembleRequest, requestInfo } from '../../core/pki/request.ts';
import { signatureFromDer } from '../../core/pki/signature.ts';
import { FAR_DATE_MS } from '../../core/pki/time.ts';
import type { CertificateRow } from '../../core/store/ledger.ts';
import { demandNotRevoked } from '../issuance.ts';
import { identifiersOf } from '../issuers.ts';
import type { Closing } from './finish.ts';
import { demand, fleetKeys, type Job, type Touched } from './job.ts';
import { cardMeans, onDomain } from './keys.ts';
import type { AfterProof } from './proof.ts';
import { CardSession, dataOf, type Opening, type SendOptions } from './session.ts';

/** A certificate's validity begins a minute before it is made: clocks of verifiers differ. */
const BACKDATE_MS = 60_000;

/** What the ledger knows of this unit's key pair, and the session in which the chip is asked for it. */
export interface Certification extends AfterProof {
  readonly codec: KeyPairCodec;
  readonly before: CertificateRow | null;
  /** 32 bytes that a chip with a certified key pair must sign: a resume. */
  readonly challenge: Bytes;
}

export async function beginCertificate(job: Job, codec: KeyPairCodec): Promise<Certification> {
  const { ports, reserved } = job;
  const before = await ports.ledger.certificateOf(reserved.eid);
  const challenge = ports.entropy.bytes(32);
  const digest = ports.crypto.sha256(challenge);
  const first = before === null ? codec.generate : [codec.sign(digest)];
  const prepare = (): Promise<Opening> =>
    CardSession.prepare(cardMeans(job), fleetKeys(job), { aid: codec.applet, coldReset: false });
  return { codec, before, challenge, first, prepare, opening: await prepare() };
}

/** Works in the session that was prepared for it; ends in one on the security domain. */
export async function certify(
  job: Job,
  session: CardSession,
  touched: Touched,
  { codec, before, challenge, ending }: Certification & { readonly ending: Closing },
): Promise<{ readonly certified: Certified; readonly domain: CardSession }> {
  const preparing = job.line.meanwhile(() =>
    CardSession.prepare(cardMeans(job), fleetKeys(job), onDomain(job, false)),
  );
  const kept =
    before !== null && (await holdsKeyOf(job, session, { codec, before, challenge })) ? before : null;
  const row = kept ?? (await newCertificate(job, { session, codec }, touched, before === null));
  touched.certificateSerials.add(row.serial);
  if (kept !== null) await demandNotRevoked(job.ports, kept);
  const certificate = row.certificate ?? (await signed(job, row));
  job.evidence.certified(toBase64(certificate));
  const next = { opening: await preparing, first: [...ending.changes, ...ending.shows] };
  const domain = await store(job, { session, codec }, certificate, next);
  return { certified: certifiedAs(job, row, certificate), domain };
}

/** Whether the chip signs a fresh challenge with the key of a certificate made before: a resume. */
async function holdsKeyOf(
  { ports, evidence }: Job,
  session: CardSession,
  {
    codec,
    before,
    challenge,
  }: Pick<Certification, 'codec' | 'challenge'> & { readonly before: CertificateRow },
): Promise<boolean> {
  const { answers } = await session.start({ list: 'recall', changes: false });
  const [answer] = answers;
  // A chip without a key pair refuses; it gets one.
  if (answer?.statusWord !== StatusWord.success) return false;
  const signature = rawSignature(codec.signatureIn(answer.data));
  if (!ports.crypto.verifyP256(before.publicKey, challenge, signature)) return false;
  evidence.holds({ kind: 'challenge', challenge: toHex(challenge), signature: toHex(signature) });
  evidence.passed('key-pair', 'fresh challenge signed');
  return true;
}

interface Applet {
  readonly session: CardSession;
  readonly codec: KeyPairCodec;
}

async function newCertificate(
  job: Job,
  { session, codec }: Applet,
  touched: Touched,
  first: boolean,
): Promise<CertificateRow> {
  const { ports, profile, reserved } = job;
  const generating = { list: 'generate', changes: true, deadlineMs: profile.deadlines.generateMs } as const;
  const generated = first ? await session.start(generating) : await session.send(codec.generate, generating);
  for (const answer of generated.answers) dataOf(answer, 'GENERATE');
  const publicKey = codec.publicKeyIn(dataOf(generated.answers.at(-1), 'GENERATE'));
  const info = requestInfo(reserved.eid, publicKey);
  const intent = intentFor(job, publicKey);
  // Built while the chip signs; nothing is signed with it before the chip has proved the key.
  const building = job.line.meanwhile(() => ports.certificates.toBeSigned(intent));
  const knowing = job.line.meanwhile(() => ports.ledger.certificatesOf(reserved.eid));
  const signedInfo = await session.send([codec.sign(ports.crypto.sha256(info))], {
    list: 'sign',
    changes: false,
  });
  const signature = codec.signatureIn(dataOf(signedInfo.answers[0], 'SIGN'));
  demand(
    ports.crypto.verifyP256(publicKey, info, rawSignature(signature)),
    () => new Fault('CARD_KEY_PAIR_NOT_PROVED', { keyPair: profile.keyPair.kind }),
  );
  const request = assembleRequest(info, signature);
  job.evidence.holds({ kind: 'request', request: toBase64(request) });
  job.evidence.passed('key-pair', 'request signed');
  const [toBeSigned, known] = await Promise.all([building, knowing]);
  const violations = lintTbs(toBeSigned, intent, {
    crypto: ports.crypto,
    eid: reserved.eid,
    chipPublicKey: publicKey,
    request,
    issuer: intent.issuer,
    issuerRevoked: false, // Judged with the intent, by the trust list of that moment.
    scope: job.issuer.authority.scope,
    issuerValidity: job.issuer.authority,
    keyKnown: known.some((row) => equal(row.publicKey, publicKey)),
    serialKnown: known.some((row) => row.serial === toHex(intent.serial)),
  });
  if (violations.length > 0) throw new Fault('CERTIFICATE_REFUSED', { violations: violations.join(', ') });
  const row = await job.issuance.intend(
    {
      serial: toHex(intent.serial),
      eid: reserved.eid,
      publicKey,
      issuer: job.issuer.name,
      operation: reserved.operation,
      batch: job.ticket.batch,
      station: reserved.station,
      profile: intent.profile,
      notBefore: instantOf(intent.notBeforeMs),
      toBeSigned,
      certificate: null,
    },
    job.issuer,
  );
  touched.certificateSerials.add(row.serial);
  return row;
}

function intentFor(job: Job, publicKey: Bytes): CertificateIntent {
  const { ports, reserved, ticket, config, issuer } = job;
  const nowMs = Math.floor(ports.clock.now() / 1000) * 1000;
  const parts = deviceProfiles[issuer.profile];
  const { scope } = issuer.authority;
  const scoped = {
    ...(scope?.product == null ? {} : { product: ticket.product }),
    ...(scope?.region == null ? {} : { region: config.region }),
  };
  return {
    profile: issuer.profile,
    issuer: issuer.naming,
    serial: serialFrom(ports.entropy.bytes(SERIAL_BYTES)),
    eid: reserved.eid,
    publicKey,
    notBeforeMs: nowMs - BACKDATE_MS,
    notAfterMs: FAR_DATE_MS,
    identifiers: identifiersOf(config),
    manufacturing: parts.manufacturing ? { batch: ticket.batch, manufacturedAtMs: nowMs, ...scoped } : null,
    names: parts.names ? { organization: config.maker ?? '', commonName: ticket.product } : null,
    subjectKeyIdentifier: parts.subjectKeyIdentifier ? keyIdentifierOf(publicKey, ports.crypto) : null,
    distributionPoint: parts.distributionPoint ? (issuer.distributionPoint ?? null) : null,
  };
}

/** Signs what was stored, checks the result, and keeps the first that was stored. */
function signed(job: Job, row: CertificateRow): Promise<Bytes> {
  const profile = profileNames.find((name) => name === row.profile);
  if (profile === undefined || row.issuer !== job.issuer.name)
    throw new Fault('CERTIFICATE_REFUSED', {
      why: 'the intent is of another intermediate',
      issuer: row.issuer,
    });
  return job.issuance.sign(row, job.issuer, { ...intentFor(job, row.publicKey), profile });
}

/** Writes the certificate and reads it back byte for byte; the applet's own object is what a verifier will get. */
async function store(
  job: Job,
  { session, codec }: Applet,
  certificate: Bytes,
  next: NonNullable<SendOptions['next']>,
): Promise<CardSession> {
  const { profile } = job;
  const { clear, write, read, certificateIn } = codec.store(certificate);
  const { answers, entered } = await session.send([...clear, ...write, ...read], {
    list: 'certificate',
    changes: true,
    deadlineMs: profile.deadlines.storeMs,
    next,
  });
  for (const answer of answers.slice(clear.length, -read.length)) dataOf(answer, 'certificate write');
  const stored = answers.slice(-read.length).map((answer) => dataOf(answer, 'certificate read'));
  demand(
    equal(certificateIn(stored), certificate),
    () => new Fault('CARD_CERTIFICATE_NOT_STORED', { keyPair: profile.keyPair.kind }),
  );
  job.evidence.passed('certificate', 'read back under R-MAC');
  return entered;
}

function certifiedAs(job: Job, row: CertificateRow, certificate: Bytes): Certified {
  const { crypto } = job.ports;
  const { authorityKeyIdentifier } = parseTbs(row.toBeSigned, identifiersOf(job.config));
  const spki = new Uint8Array([...P256_SPKI_PREFIX, ...row.publicKey]);
  return {
    der: toBase64(certificate),
    sha256: toHex(crypto.sha256(certificate)),
    serial: row.serial,
    issuer: row.issuer,
    // Of the certificate itself: one that was made before may be of another intermediate than this ticket's.
    issuerKeyId: toHex(authorityKeyIdentifier ?? job.issuer.naming.keyIdentifier),
    profile: row.profile,
    publicKeyHash: toHex(crypto.sha256(spki)),
    batch: job.ticket.batch,
    notBefore: row.notBefore,
  };
}

/** @throws Fault CARD_ANSWER_MALFORMED when it is no signature at all */
function rawSignature(der: Bytes): Bytes {
  try {
    return signatureFromDer(der);
  } catch (error) {
    throw new Fault('CARD_ANSWER_MALFORMED', { object: 'signature' }, { cause: error });
  }
}
