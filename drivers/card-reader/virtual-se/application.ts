/** What can be selected on the virtual card. */
import type { Bytes } from '../../../runtime/core/bytes.ts';
import type { SecureSession } from './secure-channel.ts';
import type { CardAnswer, CardCommand } from './wire.ts';

export interface Application {
  readonly aid: Bytes;
  select(): CardAnswer;
  /** Carries out one command without protection. `session` is the open session that protected it, null for
   * a plain one. @throws Refusal */
  process(command: CardCommand, session: SecureSession | null): CardAnswer;
  /** Forgets what does not outlive power or selection. */
  reset(): void;
}
