/** What anybody with public keys can check of a transcript: each check says in plain words what it looked at. */
import { type Bytes, equal, fromBase64, fromHex } from '../../core/bytes.ts';
import { askedHash, judgedHashOf, strayAction, transcriptHashOf } from '../../core/card/transcript.ts';
import {
  type ProcedureStep,
  procedureSteps,
  type Transcript,
  type TranscriptFile,
} from '../../core/card/transcript-form.ts';
import { isFault } from '../../core/faults.ts';
import { open, type TrustedKey } from '../../core/messages/envelope.ts';
import { type Confirmation, confirmation, type Verdict, verdict } from '../../core/messages/receipts.ts';
import { parseCertificate } from '../../core/pki/certificate.ts';
import { verifyRequest } from '../../core/pki/request.ts';
import type { Crypto } from '../../core/ports.ts';

export interface Check {
  readonly check: string;
  readonly ok: boolean;
  /** What holds, or what does not. */
  readonly found: string;
}

export interface Trust {
  readonly gateways: readonly TrustedKey[];
  readonly issuers: readonly IssuerKey[];
}

/** The public key of an intermediate. */
export interface IssuerKey {
  readonly name: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
}

/** A dialogue before this one may have done these, and no other. */
const MAY_BE_EARLIER: readonly ProcedureStep[] = ['transport-set', 'put-key'];

type Concluded =
  | { readonly kind: 'confirmation'; readonly said: Confirmation; readonly signer: string }
  | { readonly kind: 'verdict'; readonly said: Verdict; readonly signer: string };

/** In the order in which they are shown. Behind a signature that does not hold nothing else is looked at. */
export function checkTranscript(file: TranscriptFile, trust: Trust, crypto: Crypto): readonly Check[] {
  const signed = signatureOf(file, trust, crypto);
  if ('check' in signed) return [signed];
  const { transcript } = file;
  const checks = [
    judged('signature', true, `the ${file.kind} is signed by ${signed.signer}`),
    unitOf(signed.said, transcript),
    listsOf(transcript, crypto),
    wireOf(transcript),
    transcriptHashOf(transcript, crypto) === signed.said.transcriptHash
      ? judged('transcript hash', true, 'the exchanges are those that were signed')
      : judged('transcript hash', false, 'the exchanges are not those that were signed'),
    judgedHashOf(transcript.judged, crypto) === signed.said.judgedHash
      ? judged('judged facts', true, 'they are those that were signed')
      : judged('judged facts', false, 'they are not those that were signed'),
    stepsOf(signed, transcript),
  ];
  return [...checks, ...ofKeyPair(signed, transcript, trust, crypto)];
}

function judged(check: string, ok: boolean, found: string): Check {
  return { check, ok, found };
}

function signatureOf({ kind, conclusion }: TranscriptFile, trust: Trust, crypto: Crypto): Concluded | Check {
  try {
    if (kind === 'confirmation') {
      const { signer, payload } = open(confirmation, conclusion, trust.gateways, crypto);
      return { kind, said: payload, signer: signer.name };
    }
    const { signer, payload } = open(verdict, conclusion, trust.gateways, crypto);
    return { kind, said: payload, signer: signer.name };
  } catch (error) {
    if (!isFault(error)) throw error;
    const why = String(error.context.why ?? error.context.where ?? error.code);
    return judged('signature', false, `the ${kind} is not one that a trusted gateway signed: ${why}`);
  }
}

function unitOf(said: Confirmation | Verdict, { operation, epoch, eid }: Transcript): Check {
  const same = said.operation === operation && said.epoch === epoch && said.eid === eid;
  return judged('unit', same, same ? `EID ${eid}, epoch ${epoch}` : 'it speaks of another unit or epoch');
}

function listsOf({ lists }: Transcript, crypto: Crypto): Check {
  const wrong = lists.find((list) => askedHash(list, crypto) !== list.hash);
  return wrong === undefined
    ? judged('lists', true, `${lists.length} APDU lists with their hashes: ${namesIn(lists)}`)
    : judged('lists', false, `list ${wrong.name} has another hash`);
}

function namesIn(lists: Transcript['lists']): string {
  return lists.map(({ name }) => name).join(', ');
}

/** What was sent is what was listed, and everything was answered. */
function wireOf({ lists }: Transcript): Check {
  let count = 0;
  for (const list of lists) {
    const stray = strayAction(list);
    if (stray !== null)
      return judged('exchanges', false, `action ${stray} of list ${list.name} was not played as listed`);
    count += list.actions.length;
  }
  return judged('exchanges', true, `${count} actions, each played as listed and answered`);
}

function stepsOf({ kind, said }: Concluded, { judged: facts }: Transcript): Check {
  const failed = facts.steps.filter(({ outcome }) => outcome === 'failed');
  if (kind === 'verdict') {
    const [one, ...more] = failed;
    const fits = one !== undefined && more.length === 0 && one.how === said.fault.code;
    return judged(
      'steps',
      fits,
      fits ? `the chip failed at ${one.step}: ${one.how}` : 'no step says what the verdict says',
    );
  }
  const names = Object.keys(procedureSteps) as ProcedureStep[];
  const missing = names.filter((name) => {
    const step = facts.steps.find((one) => one.step === name);
    if (step?.outcome === 'earlier') return !MAY_BE_EARLIER.includes(name);
    if (step?.outcome === 'not-provable') return !unprovableIn(said).includes(name);
    return step?.outcome !== 'passed';
  });
  const { keys, transport } = said;
  const sameKeys =
    facts.keys.fleet.generation === keys.generation &&
    facts.keys.fleet.keyVersion === keys.keyVersion &&
    facts.keys.transport.keyVersion === transport.keyVersion;
  if (!sameKeys) return judged('steps', false, 'they were judged for another key set');
  return missing.length === 0 && failed.length === 0
    ? judged('steps', true, allJudged(names.length, unprovableIn(said)))
    : judged('steps', false, `not passed: ${missing.join(', ')}`);
}

/** What the confirmation says that nobody could show. */
function unprovableIn({ proofs, certificate }: Confirmation): readonly ProcedureStep[] {
  return [
    ...(proofs.negativeControl === 'not-provable' ? (['negative-control'] as const) : []),
    ...(proofs.dek === 'not-provable' ? (['key-dek'] as const) : []),
    ...('absent' in certificate ? (['key-pair', 'certificate'] as const) : []),
  ];
}

function allJudged(count: number, unprovable: readonly ProcedureStep[]): string {
  const but =
    unprovable.length === 0 ? '' : `; not provable with this card profile: ${unprovable.join(', ')}`;
  return `all ${count} steps of the procedure are judged, none failed${but}`;
}

/** The chip's own signature, its certificate, and the issuer's; nothing where a verdict came before the chip signed. */
function ofKeyPair(
  { kind, said }: Concluded,
  { eid, judged: { possession, certificate } }: Transcript,
  trust: Trust,
  crypto: Crypto,
): readonly Check[] {
  if (kind === 'verdict' && certificate === null && possession === null) return [];
  const named = kind === 'verdict' ? null : said.certificate;
  if (named !== null && 'absent' in named)
    return [judged('key pair', certificate === null && possession === null, `none: ${named.absent}`)];
  if (possession === null || certificate === null)
    return kind === 'verdict'
      ? []
      : [judged('key pair', false, 'no signature of the chip, or no certificate')];
  try {
    const der = fromBase64(certificate);
    const { publicKey, subjectSerialNumber, tbs, signature } = parseCertificate(der, NO_IDENTIFIERS);
    const proved = holderOf(possession, { eid, publicKey, crypto });
    const isSame = named === null || equal(fromBase64(named.der), der);
    const issuer = trust.issuers.find(
      ({ name, publicKey: key }) =>
        (named === null || name === named.issuer) && crypto.verifyP256(key, tbs, signature),
    );
    return [
      proved,
      isSame && subjectSerialNumber === eid
        ? judged('certificate', true, 'it names this EID and is the one that was confirmed')
        : judged('certificate', false, 'it names another EID, or is not the one that was confirmed'),
      issuer === undefined
        ? judged('issuer', false, 'the certificate is not signed by the issuer that it should be')
        : judged('issuer', true, `the certificate is signed by ${issuer.name}`),
    ];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [judged('key pair', false, `request or certificate cannot be read: ${error.message}`)];
  }
}

/** What is not checked here is not parsed: extensions of the maker have identifiers of the maker. */
const NO_IDENTIFIERS = { hardwareType: '', manufacturing: '' };

function holderOf(
  possession: NonNullable<Transcript['judged']['possession']>,
  { eid, publicKey, crypto }: { eid: string; publicKey: Bytes; crypto: Crypto },
): Check {
  if (possession.kind === 'challenge') {
    const { challenge, signature } = possession;
    const ok = crypto.verifyP256(publicKey, fromHex(challenge), fromHex(signature));
    return judged(
      'key pair',
      ok,
      ok
        ? 'a resume: the chip signed a fresh challenge with the key of its certificate'
        : 'the challenge is not signed with the key of the certificate',
    );
  }
  const request = verifyRequest(crypto, fromBase64(possession.request));
  if (request === null) return judged('key pair', false, 'the request is not signed with its own key');
  const ok = request.eid === eid && equal(request.publicKey, publicKey);
  return judged(
    'key pair',
    ok,
    ok
      ? 'the chip signed the request, and its key is the key of the certificate'
      : 'the request is of another EID or key than the certificate',
  );
}
