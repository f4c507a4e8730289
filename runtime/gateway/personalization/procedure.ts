/**
 * The personalization of one chip, top to bottom: keys in, keys proved, key pair and certificate, transport
 * keys out, confirmation. Design rows 4 to 9; a resume runs the same procedure and skips what the chip shows
 * to be done.
 */
import { modeIn } from '../../core/card/profile.ts';
import { asFault, type Fault, isVerdict, noteOf } from '../../core/faults.ts';
import { instantOf } from '../../core/instant.ts';
import { seal } from '../../core/messages/envelope.ts';
import { confirmation, verdict } from '../../core/messages/receipts.ts';
import type { ConclusionRow } from '../../core/store/ledger.ts';
import type { CheckValues } from '../../core/token.ts';
import type { Conclusion } from '../dialogue.ts';
import { beginCertificate, type Certified, certify } from './certificate.ts';
import { transcriptOf } from './evidence.ts';
import { closing, type Finished, finish } from './finish.ts';
import { fleetKeys, intend, type Job, type Touched, transportKeys } from './job.ts';
import { injectKeys, openFleet, type Trial } from './keys.ts';
import { demandSameChip } from './look.ts';
import { drawProof, type Proved, proveKeys, trialCommands } from './proof.ts';

/** Ends in a confirmation or in a signed verdict on the card. @throws Fault for everything that only holds the unit */
export async function personalize(job: Job): Promise<Conclusion> {
  const touched: Touched = { keyVersions: new Set(), certificateSerials: new Set() };
  try {
    // What the chip lists in clear is a hint where to begin; every step is proved under the keys themselves.
    const fresh = job.claimed.keyVersions.includes(job.profile.transportKeyVersion);
    const beginning = job.line.meanwhile(() => beginCertificate(job));
    const drawing = job.line.meanwhile(() => drawProof(job));
    const trial: Trial = async (keyVersions) => trialCommands(job, await drawing, keyVersions);
    const entered = fresh ? await injectKeys(job, touched, trial) : await openFleet(job, trial);
    const certification = await beginning;
    const { proved, applet } = await proveKeys(job, entered, await drawing, certification);
    const ending = closing(job, proved);
    const oldSet = job.line.meanwhile(() =>
      job.ports.token.openChannel(transportKeys(job), modeIn(job.profile)),
    );
    const { certified, domain } = await certify(job, applet, touched, { ...certification, ending });
    const checkValues = job.line.meanwhile(() => job.ports.token.checkValues(fleetKeys(job)));
    const finished = await finish(job, domain, ending, await oldSet);
    return await confirm(job, proved, certified, finished, await checkValues);
  } catch (error) {
    const fault = asFault(error, 'UNEXPECTED');
    if (!isVerdict(fault)) throw fault;
    await demandSameChip(job);
    return condemn(job, touched, fault);
  }
}

async function confirm(
  job: Job,
  proved: Proved,
  certified: Certified,
  finished: Finished,
  checkValues: CheckValues,
): Promise<Conclusion> {
  const { ports, reserved, ticket, config, profile } = job;
  const at = instantOf(ports.clock.now());
  const transcriptHash = job.line.transcriptHash();
  const [, { text, judgedHash }] = await Promise.all([
    intend(job, 'confirm', `certificate ${certified.serial}, transcript ${transcriptHash}`),
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
