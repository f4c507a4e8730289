/** What a dialogue has shown so far, step by step: the part of its transcript that a verifier reads in clear. */
import { type Bytes, toHex } from '../../core/bytes.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { judgedHashOf } from '../../core/card/transcript.ts';
import {
  type JudgedFacts,
  type JudgedStep,
  type Possession,
  type ProcedureStep,
  procedureSteps,
  type Transcript,
} from '../../core/card/transcript-form.ts';
import type { Fault } from '../../core/faults.ts';
import type { Job } from './job.ts';

export interface Evidence {
  /** The first word on a step stands. */
  passed(step: ProcedureStep, how: string): void;
  /** The chip shows that a dialogue before this one had done it. */
  earlier(step: ProcedureStep, how: string): void;
  failed(fault: Fault): void;
  /** The card profile says that its chips cannot show it. */
  notProvable(step: ProcedureStep, why: string): void;
  /** MAC chaining values behind the PUT KEY commands of one list, in order. */
  putKeys(chains: readonly Bytes[]): void;
  /** Key pair and certificate, once the chip has signed. */
  holds(possession: Possession): void;
  /** Base64 of the DER. */
  certified(certificate: string): void;
  /** Whether the chip gave the reserved identity under R-MAC, whatever it did later. */
  identityProved(): boolean;
  judged(): Omit<JudgedFacts, 'keys'>;
}

export function createEvidence(): Evidence {
  const steps = new Map<ProcedureStep, JudgedStep>();
  const putKeyChains: string[] = [];
  let possession: Possession | null = null;
  let certificate: string | null = null;
  const say = (step: ProcedureStep, outcome: JudgedStep['outcome'], how: string): void => {
    if (!steps.has(step) || outcome === 'failed') steps.set(step, { step, outcome, how });
  };
  return {
    passed: (step, how) => say(step, 'passed', how),
    earlier: (step, how) => say(step, 'earlier', how),
    notProvable: (step, why) => say(step, 'not-provable', why),
    failed: (fault) => say(stepOf(fault), 'failed', fault.code),
    putKeys: (chains) => putKeyChains.push(...chains.map(toHex)),
    holds: (shown) => {
      possession = shown;
    },
    certified: (der) => {
      certificate = der;
    },
    identityProved: () => steps.get('identity')?.outcome === 'passed',
    judged: () => ({
      putKeyChains: [...putKeyChains],
      steps: (Object.keys(procedureSteps) as ProcedureStep[]).flatMap((step) => steps.get(step) ?? []),
      possession,
      certificate,
    }),
  };
}

/** The transcript as it is kept, and the hash of what was judged in it. */
export function transcriptOf({ reserved, profile, config, line, evidence, ports }: Job): {
  readonly text: string;
  readonly judgedHash: string;
} {
  const { operation, epoch, eid, generation, keyVersion } = reserved;
  const judged: JudgedFacts = {
    keys: {
      transport: {
        scheme: config.transport.scheme,
        algorithm: profile.transportAlgorithm,
        keyVersion: profile.transportKeyVersion,
      },
      fleet: { generation, algorithm: profile.algorithm, keyVersion },
      scratch: { keyVersion: profile.scratchKeyVersion },
    },
    ...evidence.judged(),
  };
  const transcript: Transcript = {
    schema: 'holdfast/transcript-1',
    operation,
    epoch,
    eid,
    lists: [...line.kept()],
    judged,
  };
  return { text: canonicalJson(transcript), judgedHash: judgedHashOf(judged, ports.crypto) };
}

/** Where the verdict fell. A step inside the context names it more closely than the code. */
function stepOf({ code, context }: Fault): ProcedureStep {
  const inside = STEP_INSIDE[String(context.step)];
  if (code === 'CARD_KEYS_NOT_PROVED') return inside ?? 'key-mac';
  return STEP_OF[code] ?? 'identity';
}

const STEP_OF: Readonly<Record<string, ProcedureStep>> = {
  CARD_NOT_OURS: 'transport-set',
  CARD_EID_INVALID: 'identity',
  CARD_IDENTITY_MISMATCH: 'identity',
  CARD_KEY_PAIR_NOT_PROVED: 'key-pair',
  CARD_CERTIFICATE_NOT_STORED: 'certificate',
  CARD_KEYS_LEFT_BEHIND: 'old-set',
  CARD_STATE_WRONG: 'life-cycle',
};

/** Of CARD_KEYS_NOT_PROVED. */
const STEP_INSIDE: Readonly<Record<string, ProcedureStep>> = {
  'put-key': 'put-key',
  'response encryption': 'key-enc',
  'negative-control': 'negative-control',
  'scratch-set': 'key-dek',
  template: 'key-dek',
};
