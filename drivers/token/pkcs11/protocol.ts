/** What the gateway and its token process say to each other: one request and one answer for each verb. */
import type { FaultNote } from '../../../runtime/core/faults.ts';
import type { TokenDescription } from '../../../runtime/core/token.ts';
import type { ChannelLimits, Verb, VerbArguments, VerbResult } from '../verbs.ts';
import type { TokenPlace } from './cryptoki.ts';

export interface StartRequest extends TokenPlace {
  readonly constantsFile: string;
  /** Whether a token that computes in software is allowed. */
  readonly laboratory: boolean;
  readonly limits: ChannelLimits;
  /** Differs for each process. */
  readonly prefix: string;
}

export type Request =
  | { readonly kind: 'start'; readonly start: StartRequest }
  | VerbRequest<Verb>
  | { readonly kind: 'stop' };

export interface VerbRequest<V extends Verb> {
  readonly kind: 'verb';
  readonly id: number;
  readonly verb: V;
  readonly input: VerbArguments<V>;
}

export type Reply =
  | { readonly kind: 'ready'; readonly description: TokenDescription }
  | { readonly kind: 'refused'; readonly fault: FaultNote }
  | {
      readonly kind: 'result';
      readonly id: number;
      readonly result: VerbResult<Verb>;
      /** Channels open after it. */
      readonly open: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: FaultNote; readonly open: number };
