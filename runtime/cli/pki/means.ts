/** What the commands of certificates and revocation ask of the world. */
import type { z } from 'zod';
import type { Bytes } from '../../core/bytes.ts';
import type { Instruction } from '../../core/messages/instruction.ts';
import type { RootDirectory, RootForm } from '../../core/pki/root.ts';
import type { Signer } from '../../core/ports.ts';

export interface PkiMeans {
  /** An officer's P-256 key. @throws Fault FILE_UNREADABLE */
  openSigner(path: string): Promise<Signer>;
  /** @throws Fault ROOT_REFUSED */
  makeRoot(directory: string, form: RootForm, curve: 'P-256' | 'P-384'): Promise<void>;
  /** @throws Fault ROOT_REFUSED, FILE_UNREADABLE, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
  openRoot(directory: string): Promise<RootDirectory>;
  /** A P-256 key file, mode 0600, where there is none. @throws Fault ROOT_REFUSED */
  makeKey(path: string): Promise<void>;
  random(count: number): Bytes;
  /** The whole file or none of it. @throws Fault CRL_NOT_PUBLISHED */
  write(path: string, content: Bytes): Promise<void>;
  /** @throws Fault INSTRUCTION_UNREACHABLE, INSTRUCTION_REFUSED, or what the program answers with */
  instruct<Body extends z.ZodType, Answer extends z.ZodType>(
    socket: string,
    of: Instruction<Body, Answer>,
    body: z.input<Body>,
  ): Promise<z.output<Answer>>;
  /** An empty directory that only this user may enter. */
  temporaryDirectory(): string;
  forget(directory: string): void;
  /** Milliseconds since an arbitrary start. */
  monotonicMs(): number;
}
