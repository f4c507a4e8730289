/**
 * When a station asks for its next certificate for the broker, and which answer it takes. The certificate that it has vouches
 * for the request, and both keys stay: so nobody has to approve it, and nothing but the certificate's end changes.
 */
import { type Bytes, equal } from './bytes.ts';
import { Fault } from './faults.ts';
import { instantOf } from './instant.ts';
import type { Signer } from './ports.ts';

/** A certificate of a party at the broker, as far as it says whose it is. */
export interface PartyCertificate {
  readonly der: Bytes;
  readonly name: string;
  /** 65-byte point. */
  readonly publicKey: Bytes;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** What a station has of its own identity. Real: its token and its certificate's file. */
export interface StationIdentity {
  /** The certificate of its next connection. @throws Fault FILE_UNREADABLE, ENROLMENT_FOREIGN */
  present(): PartyCertificate;
  /** Reads a certificate of the bus authority. @param pem as it came @throws Fault ENROLMENT_FOREIGN */
  read(pem: string): PartyCertificate;
  /** Past fsync when it returns. @throws Fault FILE_UNREADABLE */
  install(pem: string): void;
  /** Both keys of its token, to be given back. @throws Fault TOKEN_UNAVAILABLE */
  keys(): Promise<IdentityKeys>;
  /** Null where people renew it by hand. */
  readonly office: RenewalOffice | null;
}

export interface IdentityKeys {
  readonly tls: Signer;
  readonly envelope: Signer;
  close(): Promise<void>;
}

/** The way to the bus authority. Real: a directory that somebody carries there and back. */
export interface RenewalOffice {
  /** Leaves a request; a former one is forgotten. @throws Fault RENEWAL_UNANSWERED when there is no way to it */
  ask(request: string): Promise<void>;
  /** What lies there as an answer, PEM: it may be an old one, or anything else. Null for nothing. */
  answer(): Promise<string | null>;
}

/** @param share part of its life */
export function isDue(present: PartyCertificate, share: number, nowMs: number): boolean {
  return nowMs >= dueMs(present, share);
}

/** Milliseconds since 1970. */
export function dueMs({ notBeforeMs, notAfterMs }: PartyCertificate, share: number): number {
  return notBeforeMs + share * (notAfterMs - notBeforeMs);
}

/** Whether an answer is the next certificate; one that ends no later than the present one is no answer yet.
 * @throws Fault ENROLMENT_FOREIGN for a certificate that is somebody else's */
export function isNext(answer: PartyCertificate, present: PartyCertificate, station: string): boolean {
  const why =
    answer.name !== station
      ? `it names ${answer.name}`
      : equal(answer.publicKey, present.publicKey)
        ? null
        : 'it is for another key';
  if (why !== null) throw new Fault('ENROLMENT_FOREIGN', { why });
  return answer.notAfterMs > present.notAfterMs;
}

/** What is told while a certificate nears its end. */
export function endingFault(present: PartyCertificate, station: string): Fault {
  return new Fault('CERTIFICATE_ENDING', { station, endsAt: instantOf(present.notAfterMs) });
}

/** From the end of one try to the next. @param tries that failed since the last success, from 1 */
export function retryDelayMs({ firstMs, maxMs }: { firstMs: number; maxMs: number }, tries: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(tries - 1, 20));
}
