/** What a ceremony and its token process say to each other: one verb at a time. */
import type { CeremonyToken } from '../../../../runtime/core/ceremony/token.ts';
import type { FaultNote } from '../../../../runtime/core/faults.ts';
import type { Kdf, TokenRole } from '../../../../runtime/core/key-policy.ts';
import type { TokenDescription } from '../../../../runtime/core/token.ts';
import type { TokenPlace } from '../cryptoki.ts';

export type CeremonyVerb = Exclude<keyof CeremonyToken, 'describe' | 'close'>;
export type VerbInput<V extends CeremonyVerb> = Parameters<CeremonyToken[V]>;
export type VerbResult<V extends CeremonyVerb> = Awaited<ReturnType<CeremonyToken[V]>>;

export interface CeremonyStart extends TokenPlace {
  /** Whether a token that computes in software is allowed. */
  readonly laboratory: boolean;
  readonly role: TokenRole;
  /** Which masters the token has. */
  readonly kdf: Kdf;
}

export type CeremonyRequest =
  | { readonly kind: 'start'; readonly start: CeremonyStart }
  | { readonly kind: 'verb'; readonly verb: CeremonyVerb; readonly input: readonly unknown[] };

export type CeremonyReply =
  | { readonly kind: 'ready'; readonly description: TokenDescription }
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly fault: FaultNote };
