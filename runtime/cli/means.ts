/** What the commands ask of the world; `main.ts` gives it, from drivers. */
import type { z } from 'zod';
import type { OfficerTokenFile } from '../../config/ceremony.ts';
import type { GatewayConfig } from '../../config/gateway.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Genesis, JournalEntry } from '../core/journal/entry.ts';
import type { Instruction } from '../core/messages/instruction.ts';
import type { Crypto, Signer } from '../core/ports.ts';
import type { FleetTransaction, OperationRow } from '../core/store/fleet.ts';
import type { GatewayLedger } from '../core/store/ledger.ts';
import type { Token } from '../core/token.ts';
import type { CeremonyMeans } from './ceremony/means.ts';
import type { EnrolmentMeans } from './enrol/means.ts';
import type { PkiMeans } from './pki/means.ts';
import type { Paint } from './screen.ts';
import type { WitnessMeans } from './witness/means.ts';

export interface Means {
  /** Data: a line on standard output. @throws OutputClosed */
  print(line: string): void;
  /** Talk: a line on standard error. */
  talk(line: string): void;
  /** One line of standard input, at most 256 characters. @throws Fault USAGE when none comes in a minute */
  typedLine(): Promise<string>;
  /** Colours where standard output is a terminal; nothing else where not. */
  readonly paint: Paint;
  readonly version: string;
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  readonly crypto: Crypto;
  readonly files: Files;
  /** `DATABASE_URL`. */
  readonly databaseUrl: string | null;
  /** @param directory a journal's, or its station's
   * @throws Fault JOURNAL_MISSING, JOURNAL_LOCKED, JOURNAL_DAMAGED */
  openJournal(directory: string): Promise<OpenedJournal>;
  /** @throws Fault STORE_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA */
  openFleet(url: string): Promise<FleetReader>;
  /** Migrates the fleet database as its owner, and makes `role` one that a backend may have.
   * @throws Fault STORE_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA */
  prepareFleet(url: string, role: string): Promise<void>;
  /** The ledger of the gateways. @throws Fault LEDGER_UNAVAILABLE, STORE_UNSAFE, STORE_SCHEMA */
  openLedger(url: string): Promise<LedgerReader>;
  /** The gateway's token, for nothing but judging what was recorded.
   * @throws Fault TOKEN_PIN_WRONG, TOKEN_UNAVAILABLE, KEY_POLICY_BROKEN, CONFIG_INVALID, FILE_UNREADABLE */
  openToken(config: GatewayConfig): Promise<TokenJudge>;
  readonly ceremony: CeremonyMeans;
  readonly pki: PkiMeans;
  /** A P-256 key: a file that nobody else may read, or in somebody's own token.
   * @throws Fault FILE_UNREADABLE, TOKEN_UNAVAILABLE, TOKEN_PIN_WRONG */
  openSigner(
    key: { readonly file: string } | { readonly token: OfficerTokenFile },
  ): Promise<Signer & AsyncDisposable>;
  readonly backup: BackupMeans;
  /** The whole file or none of it. @throws Fault CRL_NOT_PUBLISHED */
  write(path: string, content: Bytes): Promise<void>;
  /** Tells a program of this machine at its socket.
   * @throws Fault INSTRUCTION_UNREACHABLE, INSTRUCTION_REFUSED, or what the program answers */
  instruct<Body extends z.ZodType, Answer extends z.ZodType>(
    socket: string,
    of: Instruction<Body, Answer>,
    body: z.input<Body>,
  ): Promise<z.output<Answer>>;
  readonly enrolment: EnrolmentMeans;
  readonly witness: WitnessMeans;
}

/** Copies of a whole database, encrypted. */
export interface BackupMeans {
  /** @param recipient age public key @throws Fault BACKUP_FAILED */
  backUp(of: { readonly url: string; readonly recipient: string; readonly file: string }): Promise<void>;
  /** @param identity file with the age secret key @throws Fault BACKUP_FAILED */
  restore(of: { readonly file: string; readonly identity: string; readonly url: string }): Promise<void>;
}

export type LedgerReader = Pick<GatewayLedger, 'transcriptsOf'> & AsyncDisposable;
export type TokenJudge = Pick<Token, 'auditSession'> & AsyncDisposable;

/** Whoever read our standard output has enough, as `head` does; thrown by `print`. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

export interface Files {
  exists(path: string): boolean;
  /** @throws Fault FILE_UNREADABLE */
  read(path: string): string;
  /** Names in a directory, sorted; none where there is no directory. */
  names(directory: string): readonly string[];
  /** The directory that the path names as its parent, links not followed. */
  parent(path: string): string;
}

export interface OpenedJournal extends AsyncDisposable {
  readonly genesis: Genesis;
  /** Whether a running station answers; else a copy of the dead one's directory is read. */
  readonly running: boolean;
  /** From the first that is still there, each verified against the chain. Can be read once.
   * @throws Fault JOURNAL_DAMAGED naming the first bad sequence, after the entries before it */
  readonly entries: AsyncIterable<JournalEntry>;
}

/** The verbs of the fleet store that change and lock nothing. */
export type FleetView = Pick<
  FleetTransaction,
  | 'recordByOperation'
  | 'recordByEid'
  | 'listRecords'
  | 'recordsFrom'
  | 'confirmation'
  | 'confirmationsOf'
  | 'custodyOf'
  | 'rejection'
  | 'listRejections'
  | 'appearance'
  | 'appearancesOf'
  | 'lastRelease'
  | 'event'
  | 'eventsAbout'
  | 'readHead'
  | 'leafByKey'
  | 'leaves'
  | 'tiles'
  | 'tileRoots'
  | 'countTiles'
  | 'cosignatures'
  | 'certificatesBy'
  | 'countCertificatesOf'
  | 'recordedIssuers'
  | 'revocation'
  | 'revocationsOf'
  | 'revokedIssuers'
  | 'newestTrustList'
  | 'leavesAbout'
  | 'tracesBy'
  | 'certificatesTraced'
  | 'openOperations'
  | 'revocationsAmong'
  | 'revocationsAfter'
  | 'executedPlans'
  | 'trustListsAfter'
  | 'revokedStations'
  | 'enrolledStations'
>;

export interface FleetReader extends AsyncDisposable {
  /** `work` may be run again from the start. @throws Fault STORE_UNAVAILABLE */
  read<T>(work: (view: FleetView) => Promise<T>): Promise<T>;
  /** Null for an EID that no ticket was ever used for. */
  operation(eid: string): Promise<OperationRow | null>;
}
