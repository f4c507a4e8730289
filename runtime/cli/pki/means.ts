/** What the commands of certificates and revocation ask of the world. */
import type { Bytes } from '../../core/bytes.ts';
import type { RootDirectory, RootForm } from '../../core/pki/root.ts';

export interface PkiMeans {
  /** @throws Fault ROOT_REFUSED */
  makeRoot(directory: string, form: RootForm, curve: 'P-256' | 'P-384'): Promise<void>;
  /** @throws Fault ROOT_REFUSED, FILE_UNREADABLE, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
  openRoot(directory: string): Promise<RootDirectory>;
  /** A P-256 key file, mode 0600, where there is none. @throws Fault ROOT_REFUSED */
  makeKey(path: string): Promise<void>;
  random(count: number): Bytes;
  /** An empty directory that only this user may enter. */
  temporaryDirectory(): string;
  forget(directory: string): void;
  /** Milliseconds since an arbitrary start. */
  monotonicMs(): number;
}
