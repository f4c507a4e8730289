/**
 * What the gateway and its token process say to each other. Verbs that are asked in one turn travel in one message,
 * and so do their answers: each message wakes a process.
 */
import type { FaultNote } from '../../../runtime/core/faults.ts';
import type { Kdf } from '../../../runtime/core/key-policy.ts';
import type { TokenDescription } from '../../../runtime/core/token.ts';
import type { ChannelLimits, Verb, VerbArguments, VerbResult } from '../verbs.ts';
import type { TokenPlace } from './cryptoki.ts';

export interface StartRequest extends TokenPlace {
  readonly constantsFile: string;
  readonly kdf: Kdf;
  /** Whether a token that computes in software is allowed. */
  readonly laboratory: boolean;
  readonly limits: ChannelLimits;
  /** Differs for each process. */
  readonly prefix: string;
}

export type Request =
  | { readonly kind: 'start'; readonly start: StartRequest }
  | { readonly kind: 'verbs'; readonly verbs: readonly VerbRequest<Verb>[] }
  | { readonly kind: 'stop' };

export interface VerbRequest<V extends Verb> {
  readonly id: number;
  readonly verb: V;
  readonly input: VerbArguments<V>;
}

export type Reply =
  | { readonly kind: 'ready'; readonly description: TokenDescription }
  | { readonly kind: 'refused'; readonly fault: FaultNote }
  | {
      readonly kind: 'answers';
      /** In the order of the verbs; fewer where the process ends after the last of them. */
      readonly answers: readonly VerbAnswer[];
      /** Channels open after them. */
      readonly open: number;
      /** Memory of the process above what it had when it was ready, in bytes; looked at now and then. */
      readonly grownBytes: number;
    };

export type VerbAnswer =
  | { readonly id: number; readonly result: VerbResult<Verb> }
  | { readonly id: number; readonly fault: FaultNote };
