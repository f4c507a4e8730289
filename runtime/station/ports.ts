/** What a station needs of the world. */
import type { NoteKey } from '../core/log/note.ts';
import type { TrustedKey } from '../core/messages/envelope.ts';
import type {
  Bus,
  CardReader,
  Clock,
  Crypto,
  Entropy,
  Failpoint,
  InstructionDoor,
  Jig,
  Journal,
  Log,
  Signer,
} from '../core/ports.ts';
import type { StationIdentity } from '../core/renewal.ts';
import type { Past } from './past.ts';

/** Version of the software, as it stands in journal and status. */
export const VERSION = '0.1.0';

export interface StationPorts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly journal: Journal;
  readonly bus: Bus;
  readonly jig: Jig;
  /** The reader of a nest. */
  readonly reader: (nest: string) => CardReader;
  readonly log: Log;
  readonly failpoint: Failpoint;
  /** Where operators sign in; absent where nobody does. */
  readonly instructions?: InstructionDoor;
  /** Absent where nothing is renewed: in a simulation. */
  readonly identity?: StationIdentity;
  readonly trusted: readonly TrustedKey[];
  readonly logKey: NoteKey;
  /** The production ticket, compact JWS. */
  readonly ticket: string;
  /** Told every entry of the journal when that was opened; absent: the station reads them. */
  readonly past?: Past;
  readonly genesis: { readonly journal: string; readonly station: string; readonly created: string };
}
