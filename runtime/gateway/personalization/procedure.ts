/**
 * The personalization of one chip, top to bottom: keys in, keys proved, key pair and certificate, transport
 * keys out, confirmation. Design rows 4 to 9; a resume runs the same procedure and skips what the chip shows
 * to be done.
 */
import { keyPairCodec } from '../../core/card/key-pair.ts';
import { modeIn } from '../../core/card/profile.ts';
import { asFault, type Fault, isVerdict, noteOf } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { seal } from '../../core/messages/envelope.ts';
import { type Confirmation, confirmation, verdict } from '../../core/messages/receipts.ts';
import type { ConclusionRow } from '../../core/store/ledger.ts';
import type { CheckValues } from '../../core/token.ts';
import type { Conclusion } from '../dialogue.ts';
import { beginCertificate, type Certification, certify } from './certificate.ts';
import { transcriptOf } from './evidence.ts';
import { closing, type Finished, finish } from './finish.ts';
import { fleetKeys, intend, type Job, type Touched, transportKeys } from './job.ts';
import { cardMeans, injectKeys, onDomain, openFleet, type Trial } from './keys.ts';
import { demandSameChip } from './look.ts';
import { type AfterProof, drawProof, type Proved, proveKeys, trialCommands } from './proof.ts';
import { CardSession, type Opening } from './session.ts';

/** Ends in a confirmation or in a signed verdict on the card. @throws Fault for everything that only holds the unit */
export async function personalize(job: Job): Promise<Conclusion> {
  const touched: Touched = { keyVersions: new Set(), certificateSerials: new Set() };
  try {
    // What the chip lists in clear is a hint where to begin; every step is proved under the keys themselves.
    const fresh = job.claimed.keyVersions.includes(job.profile.transportKeyVersion);
    const { keyPair, protectedBytesMax } = job.profile;
    const codec = keyPairCodec(keyPair, protectedBytesMax);
    const beginning = job.line.meanwhile<Beginning>(() =>
      codec === null ? beginClosing(job) : beginCertificate(job, codec),
    );
    const drawing = job.line.meanwhile(() => drawProof(job));
    const trial: Trial = async (keyVersions) => trialCommands(job, await drawing, keyVersions);
    const entered = fresh ? await injectKeys(job, touched, trial) : await openFleet(job, trial);
    const next = await beginning;
    const oldSet = job.line.meanwhile(() =>
      job.ports.token.openChannel(transportKeys(job), modeIn(job.profile), job.dialogue),
    );
    const { proved, following } = await proveKeys(job, entered, await drawing, next);
    const ending = closing(job, proved);
    const { certified, domain, more } =
      next.codec !== null
        ? { ...(await certify(job, following, touched, { ...next, ending })), more: [] }
        : { certified: uncertified(job), domain: following, more: [...ending.changes, ...ending.shows] };
    const checkValues = job.line.meanwhile(() => job.ports.token.checkValues(fleetKeys(job)));
    const finished = await finish(job, domain, { closing: ending, more, oldSet: await oldSet });
    return await confirm(job, proved, certified, finished, await checkValues);
  } catch (error) {
    const fault = asFault(error, 'UNEXPECTED');
    if (!isVerdict(fault)) throw fault;
    await demandSameChip(job);
    return condemn(job, touched, fault);
  }
}

/** The session behind the proof, and what it is for. */
type Beginning = Certification | (AfterProof & { readonly codec: null });

/** For chips without a key pair: the session in which they are closed follows the proof. */
async function beginClosing(job: Job): Promise<Beginning> {
  const prepare = (): Promise<Opening> =>
    CardSession.prepare(cardMeans(job), fleetKeys(job), onDomain(job, false));
  return { codec: null, first: [], prepare, opening: await prepare() };
}

function uncertified({ profile: { keyPair }, evidence }: Job): Confirmation['certificate'] {
  const reason = keyPair.kind === 'none' ? keyPair.reason : '';
  evidence.notProvable('key-pair', reason);
  evidence.notProvable('certificate', reason);
  return { absent: reason };
}

async function confirm(
  job: Job,
  proved: Proved,
  certified: Confirmation['certificate'],
  finished: Finished,
  checkValues: CheckValues,
): Promise<Conclusion> {
  const { ports, reserved, ticket, config, profile } = job;
  const at = instantOf(ports.clock.now());
  const transcriptHash = job.line.transcriptHash();
  const [, { text, judgedHash }] = await Promise.all([
    intend(
      job,
      'confirm',
      `certificate ${'absent' in certified ? 'none' : certified.serial}, transcript ${transcriptHash}`,
    ),
    transcriptOf(job),
  ]);
  const jws = await seal(
    confirmation,
    {
      operation: reserved.operation,
      epoch: reserved.epoch,
      station: reserved.station,
      nest: reserved.nest,
      eid: reserved.eid,
      seFingerprint: reserved.seFingerprint,
      ticket: ticket.ticket,
      ...(reserved.operator === undefined ? {} : { operator: reserved.operator }),
      gateway: config.gateway,
      keys: {
        scheme: 'eid-kdf-1',
        algorithm: profile.algorithm,
        generation: reserved.generation,
        keyVersion: reserved.keyVersion,
        checkValues: [...checkValues],
      },
      transport: {
        keyVersion: profile.transportKeyVersion,
        algorithm: profile.transportAlgorithm,
        scheme: config.transport.scheme,
        class: config.transport.class,
        deleted: true,
      },
      proofs: proved.proofs,
      card: {
        atr: proved.atr,
        objects: { ...proved.objects },
        keyVersions: [...finished.keyVersions],
        lifeCycle: finished.lifeCycle,
        sequenceCounter: finished.sequenceCounter,
      },
      certificate: certified,
      transcriptHash,
      judgedHash,
      exchanges: job.line.exchanges(),
      token: job.token,
      confirmedAt: at,
    },
    job.receiptSigner,
    ports.crypto,
  );
  const stored = await conclude(job, { kind: 'confirmation', jws, at, transcript: text });
  return { kind: 'confirmation', confirmation: stored };
}

async function condemn(job: Job, touched: Touched, fault: Fault): Promise<Conclusion> {
  const { ports, reserved, ticket, config } = job;
  // A dialogue before this one may have put the set on this chip, or on another that took its name.
  const intents = await ports.ledger.intentsOf(reserved.operation);
  if (intents.some(({ step }) => step === 'put-key')) touched.keyVersions.add(reserved.keyVersion);
  const identityProved = job.evidence.identityProved();
  job.evidence.failed(fault);
  const { text, judgedHash } = transcriptOf(job);
  const at = instantOf(ports.clock.now());
  const jws = await seal(
    verdict,
    {
      operation: reserved.operation,
      epoch: reserved.epoch,
      station: reserved.station,
      nest: reserved.nest,
      eid: reserved.eid,
      seFingerprint: reserved.seFingerprint,
      ticket: ticket.ticket,
      gateway: config.gateway,
      fault: { code: fault.code, context: { ...fault.context } },
      identityProved,
      keyVersionsTouched: [...touched.keyVersions],
      certificateSerials: [...touched.certificateSerials],
      transcriptHash: job.line.transcriptHash(),
      judgedHash,
      judgedAt: at,
    },
    job.receiptSigner,
    ports.crypto,
  );
  const stored = await conclude(job, { kind: 'verdict', jws, at, transcript: text });
  const { code, context } = noteOf(fault);
  return { kind: 'verdict', verdict: stored, fault: { code, context: { ...context } } };
}

function conclude(
  { ports, reserved: { operation, epoch, eid } }: Job,
  outcome: Pick<ConclusionRow, 'kind' | 'jws' | 'at' | 'transcript'>,
): Promise<string> {
  return ports.ledger.conclude({ operation, epoch, eid, ...outcome });
}
