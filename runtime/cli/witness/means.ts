/** What a witness asks of the world. */
import type { Bytes } from '../../core/bytes.ts';
import type { HttpDoor } from '../../core/ports.ts';

export interface WitnessMeans {
  openDoor(host: string, port: number): Promise<HttpDoor & AsyncDisposable>;
  /** An Ed25519 key file. @throws Fault FILE_UNREADABLE */
  openKey(file: string): Promise<{ readonly publicKey: Bytes; sign(message: Bytes): Bytes }>;
  /** Resolves when the witness is to end. */
  ended(): Promise<void>;
}
