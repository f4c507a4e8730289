/** What passes between the station and the process of one reader: one message there, one back, per list. */
import type { Exchange } from '../../../runtime/core/card/apdu.ts';
import type { FaultNote } from '../../../runtime/core/faults.ts';
import type { CardAction } from '../../../runtime/core/ports.ts';

export interface PlayRequest {
  readonly actions: readonly CardAction[];
}

/** What the process is started with, in its arguments as JSON. */
export interface ReaderSettings {
  /** The reader's name, or a part of it that only one has. */
  readonly readerName: string;
  /** For a cold reset. */
  readonly defaultDeadlineMs: number;
  readonly connectDeadlineMs: number;
  /** A process before this one was lost, and with it the card's power and its session. */
  readonly interrupted: boolean;
}

export type ReaderMessage =
  /** From here on a command may reach the card. */
  | { readonly kind: 'connected' }
  | {
      readonly kind: 'played';
      readonly outcome: 'played' | 'unsent' | 'unknown';
      readonly exchanges: readonly Exchange[];
      /** Absent exactly when `played`. */
      readonly fault?: FaultNote;
      /** The process is to be replaced. */
      readonly ends: boolean;
    };
