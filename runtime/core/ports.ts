/**
 * What the programs ask of the world. Each port has a real and a simulated driver under `drivers/`,
 * held to one contract suite in `test/contracts`.
 */
import type { Bytes } from './bytes.ts';
import type { Exchange } from './card/apdu.ts';
import type { Fault } from './faults.ts';
import type { ControllerReport, Release } from './gate/release.ts';
import type { EntryMark, JournalEntry, NewEntry } from './journal/entry.ts';
import type { InstructionHandler } from './messages/instruction.ts';

/** Time. Real: `drivers/clock/system.ts`; simulated: an event heap that a seed drives. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01T00:00:00Z. May jump. Never decides anything alone. */
  now(): number;
  /** Milliseconds since an arbitrary start. Never jumps. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, action: () => void): () => void;
}

/** Randomness. Real: the kernel; simulated: a seed. */
export interface Entropy {
  bytes(count: number): Bytes;
}

/** Calculation, not I/O: synchronous, without state, the same in simulation and on the line. */
export interface Crypto {
  sha256(data: Bytes): Bytes;
  /** A fresh P-256 key; the same entropy gives the same. */
  drawAgreementKey(entropy: Entropy): AgreementKey;
  /** AES-256-GCM: the ciphertext and after it the tag, 16 bytes. */
  aesGcmEncrypt(under: GcmParameters, plaintext: Bytes): Bytes;
  /** Null when the tag does not verify. */
  aesGcmDecrypt(under: GcmParameters, sealed: Bytes): Bytes | null;
  /** One block (16 bytes), AES-128 or AES-256 by the key's length. */
  aesEncryptBlock(key: Bytes, block: Bytes): Bytes;
  /** ECDSA P-256 with SHA-256. `publicKey`: 65-byte uncompressed point; `signature`: r || s, 64 bytes. */
  verifyP256(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  /** ECDSA P-384 with SHA-384. `publicKey`: 97-byte uncompressed point; `signature`: r || s, 96 bytes. */
  verifyP384(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  /** RFC 8032. `publicKey`: 32 bytes; `signature`: 64 bytes. */
  verifyEd25519(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
}

/** A P-256 private key that only agrees on secrets. Its scalar is out of reach: it cannot get into a message. */
export interface AgreementKey {
  /** 65-byte uncompressed point. */
  readonly publicKey: Bytes;
  /** X coordinate of the shared point, 32 bytes; null when `point` (65 bytes) is not on the curve. SP 800-56A section 5.7.1.2. */
  agree(point: Bytes): Bytes | null;
}

export interface GcmParameters {
  /** 32 bytes. */
  readonly key: Bytes;
  /** 12 bytes, never twice under one key. */
  readonly iv: Bytes;
  /** What is authenticated besides. */
  readonly associated: Bytes;
}

/** A P-256 private key that only signs: a token's, or a file's in the backend. */
export interface Signer {
  /** 65-byte uncompressed point. */
  readonly publicKey: Bytes;
  /** ECDSA over SHA-256 of `message`: r || s, 64 bytes. */
  sign(message: Bytes): Promise<Bytes>;
}

/** The write-ahead journal of one station. Only one process holds it open. */
export interface Journal {
  /** Identifies this journal; its genesis names the station. */
  readonly journalId: string;
  /** Resolves when the entries are on disk, past fsync, in this order, in one atomic write. After any
   * failure every later call fails too: the outcome is unknown, and the owner ends the process.
   * @throws Fault JOURNAL_POISONED */
  append(entries: readonly NewEntry[]): Promise<readonly JournalEntry[]>;
  /** The last entry that was given up, after which the chain begins; null while the first of all is still here. */
  readonly cut: EntryMark | null;
  /** All entries from `from` on (default, and at the earliest: the first that is here), verified against the chain while read.
   * @throws Fault JOURNAL_DAMAGED */
  read(from?: number): AsyncIterable<JournalEntry>;
  /** Entries marked for the outbox that `acknowledge` has not yet covered, oldest first. */
  unacknowledged(limit: number): Promise<readonly JournalEntry[]>;
  /** Durably notes that everything up to and including `sequence` has arrived upstream. */
  acknowledge(sequence: number): Promise<void>;
  /** Gives up all entries that the `cut` at `sequence` names, past fsync, all of them or none. One after another.
   * @throws RangeError where there is no such entry, it is not acknowledged, or names too many */
  giveUp(sequence: number): Promise<void>;
  /** Resolves when the entries of a whole unit have room. Ask before a unit is begun; one that is begun is
   * finished. @throws Fault JOURNAL_SPACE_LOW, JOURNAL_POISONED */
  requireRoom(): Promise<void>;
}

export interface PublishOptions {
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** The MQTT broker: a lossy, untrusted wire. A resolved `publish` proves nothing about the receiver. */
export interface Bus {
  /** @throws Fault BUS_UNREACHABLE while there is no connection; nothing is queued. */
  publish(topic: string, payload: Bytes, options: PublishOptions): Promise<void>;
  /** Handlers run in order of arrival and must return quickly; they outlive reconnects. */
  subscribe(filter: string, handler: (topic: string, payload: Bytes) => void): Promise<void>;
  /** Tells of each change; called at once with the present state. */
  onLink(handler: (link: Link) => void): void;
  close(): Promise<void>;
}
export type Link = { readonly up: true } | { readonly up: false; readonly fault: Fault };

/** What the station gives the reader to do. */
export type CardAction =
  | { readonly kind: 'command'; readonly command: Bytes; readonly deadlineMs: number }
  | { readonly kind: 'cold-reset' };

/**
 * How far a list came. `played`: every action has its exchange. `unsent`: nothing of the list reached
 * the card. `unknown`: the last command may or may not have been executed (lost answer, removal, deadline).
 */
export type PlayOutcome =
  | { readonly outcome: 'played'; readonly exchanges: readonly Exchange[] }
  | {
      readonly outcome: 'unsent' | 'unknown';
      readonly exchanges: readonly Exchange[];
      readonly fault: Fault;
    };

/** One secure element in one reader, held exclusively. Never repeats a command by itself. */
export interface CardReader {
  /** Plays the actions in order. Follows 61xx and 6Cxx; each exchange lists what truly crossed the wire.
   * Stops at the first action without an answer. At most one list is under way. A list without a cold reset
   * continues the one before: where the card lost its power meanwhile, nothing of it is sent. */
  play(actions: readonly CardAction[]): Promise<PlayOutcome>;
  close(): Promise<void>;
}

/** The fixture: clamp, sensors, lamp, and the gate controller that names arrivals and judges releases. */
export interface Jig {
  /** The controller's state, with its MAC where it has a key. @throws Fault JIG_LINK_LOST, JIG_SILENT */
  report(nest: string): Promise<ControllerReport>;
  /** Resolves when the clamp's own switch confirms. @throws Fault CLAMP_TIMEOUT, JIG_LINK_LOST */
  clamp(nest: string, position: 'closed' | 'open'): Promise<void>;
  /** Resolves with the controller's LEFT report once the exit sensor has seen the unit go.
   * @throws Fault GATE_REFUSED (the controller judged), GATE_CLOSED (it closed with the unit still there),
   * JIG_LINK_LOST (unknown: ask `report`) */
  open(release: Release): Promise<ControllerReport>;
  lamp(nest: string, lamp: Lamp): Promise<void>;
  /** What the controller says, answers to `report` among it and before they resolve, and the link; in order. */
  onEvent(handler: (event: JigEvent) => void): void;
  close(): Promise<void>;
}
export type Lamp = 'idle' | 'busy' | 'held' | 'rejected';
export type JigEvent =
  | { readonly kind: 'report'; readonly report: ControllerReport }
  | { readonly kind: 'lost'; readonly fault: Fault }
  | { readonly kind: 'ready' };

/** Where the command line tells a program what to do, on the program's own machine. */
export interface HttpQuestion {
  readonly method: string;
  /** From the first slash on, without a query. */
  readonly path: string;
  readonly body: Bytes;
}

export interface HttpAnswer {
  readonly status: number;
  /** Media type. */
  readonly type: string;
  readonly body: string;
}

/** Small questions and answers over HTTP; both are bounded. */
export interface HttpDoor {
  /** Called once; resolves with the URL when somebody may ask. What `answer` rejects with is status 500, untold. */
  serve(answer: (question: HttpQuestion) => Promise<HttpAnswer>): Promise<string>;
  close(): Promise<void>;
}

/** Asks others over HTTP. */
export interface HttpClient {
  /** @throws Fault WITNESS_UNREACHABLE for no answer within the deadline, or a longer one than it takes */
  post(url: string, body: string, deadlineMs: number): Promise<HttpAnswer>;
}

export interface InstructionDoor {
  /** Called once. */
  serve(handlers: readonly InstructionHandler[]): Promise<void>;
  close(): Promise<void>;
}

/** Where files are put that others fetch, such as revocation lists. */
export interface Publisher {
  /** The whole file under its name, or what was there before: never a part, also after a power cut.
   * @throws Fault CRL_NOT_PUBLISHED */
  publish(name: string, content: Bytes): Promise<void>;
}

/** What a program tells people while it runs. Audit facts are not logs: they go to the journal. */
export const logEvents = [
  'started',
  'stopped',
  'link-up',
  'link-down',
  'message-refused',
  'request-answered',
  'request-refused',
  'transition',
  'out-of-turn',
  'unit-held',
  'resumed',
  'jig-lost',
  'jig-ready',
  'dialogue-opened',
  'crl-published',
  'trust-list-taken',
  'dialogue-ended',
  'committed',
  'cosigned',
  'certificate-renewed',
  'signed-in',
  'signed-out',
  'station-enrolled',
  'station-revoked',
  'stations-told',
  'events-acknowledged',
  'journal-cut',
  'warning',
  'fault',
] as const;
export type LogEvent = (typeof logEvents)[number];
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  write(level: LogLevel, event: LogEvent, fields?: Readonly<Record<string, unknown>>): void;
}

/** Named places where a test may end the process; does nothing on a line. */
export type Failpoint = (name: string) => void;
