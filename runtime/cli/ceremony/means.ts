/** What the commands of ceremonies ask of the world. */
import type { CeremonyTokenFile } from '../../../config/ceremony.ts';
import type { Bytes } from '../../core/bytes.ts';
import type { Shelf } from '../../core/ceremony/shelf.ts';
import type { CeremonyToken } from '../../core/ceremony/token.ts';
import type { Kdf, TokenRole } from '../../core/key-policy.ts';
import type { AgreementKey } from '../../core/ports.ts';

/** The token of a plan, and where it is. */
export interface CeremonyTokenPlace extends CeremonyTokenFile {
  readonly label: string;
  readonly role: TokenRole;
  /** Which masters the token has. */
  readonly kdf: Kdf;
  /** Whether a token that computes in software is allowed. */
  readonly laboratory: boolean;
}

export interface CeremonyMeans {
  /** @throws Fault TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG, FILE_UNREADABLE, HSM_FAILED */
  openToken(place: CeremonyTokenPlace): Promise<CeremonyToken & AsyncDisposable>;
  readonly shelf: Shelf;
  /** The key of somebody to whom keys are carried; a file of mode 0600. @throws Fault FILE_UNREADABLE */
  openRecipient(path: string): Promise<AgreementKey>;
  random(count: number): Bytes;
}
