/**
 * Renews the station's certificate for the broker by itself, while it works: it asks in time, again and again if need be, and
 * says so when the end comes near. Nothing here stops a unit: what fails is told and tried later.
 */
import type { StationConfig } from '../../config/station.ts';
import { asFault, Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import { askEnrolment } from '../core/messages/enrolment.ts';
import {
  dueMs,
  endingFault,
  isDue,
  isNext,
  type RenewalOffice,
  retryDelayMs,
  type StationIdentity,
} from '../core/renewal.ts';
import type { StationPorts } from './ports.ts';

/** Longest time to the next look: a certificate that somebody installs by hand is seen by then. */
const LOOK_MS = 3_600_000;
/** Between two looks for the answer, and for a moment without a unit at work. */
const ANSWER_LOOK_MS = 5_000;
/** A line that never rests is asked for no rest any longer: a signature takes less than a card's answer. */
const BUSY_MAX_MS = 600_000;

type RenewalPorts = Pick<StationPorts, 'clock' | 'crypto' | 'log'>;

/** @param busy whether a unit is being worked on @returns ends it */
export function keepRenewed(
  config: Pick<StationConfig, 'station' | 'renewal'>,
  identity: StationIdentity,
  ports: RenewalPorts,
  busy: () => boolean,
): () => void {
  const { clock, log } = ports;
  const renewal = new Renewal(config, identity, ports, busy);
  let cancel: () => void = () => undefined;
  let over = false;
  const next = (delayMs: number): void => {
    if (!over) cancel = clock.after(delayMs, turn);
  };
  const turn = (): void => {
    renewal.turn().then(next, (error: unknown) => {
      const { code, context } = asFault(error, 'UNEXPECTED');
      log.write('warn', 'fault', { part: 'renewal', code, ...context });
      next(renewal.failed());
    });
  };
  next(0);
  return () => {
    over = true;
    cancel();
  };
}

class Renewal {
  readonly #config: Pick<StationConfig, 'station' | 'renewal'>;
  readonly #identity: StationIdentity;
  readonly #ports: RenewalPorts;
  readonly #busy: () => boolean;
  #tries = 0;
  /** Monotonic; null while nothing is asked. */
  #askedMs: number | null = null;
  #busySinceMs: number | null = null;
  #warnedMs: number | null = null;

  constructor(
    config: Pick<StationConfig, 'station' | 'renewal'>,
    identity: StationIdentity,
    ports: RenewalPorts,
    busy: () => boolean,
  ) {
    this.#config = config;
    this.#identity = identity;
    this.#ports = ports;
    this.#busy = busy;
  }

  /** Forgets what was asked. @returns when to try again */
  failed(): number {
    this.#askedMs = null;
    this.#tries += 1;
    const { retryFirstMs: firstMs, retryMaxMs: maxMs } = this.#config.renewal;
    return retryDelayMs({ firstMs, maxMs }, this.#tries);
  }

  /** One look. @returns when to look again @throws Fault for a try that failed */
  async turn(): Promise<number> {
    const { renewAt } = this.#config.renewal;
    const present = this.#identity.present();
    const nowMs = this.#ports.clock.now();
    if (!isDue(present, renewAt, nowMs)) {
      this.#askedMs = null;
      this.#tries = 0;
      return Math.min(LOOK_MS, Math.ceil(dueMs(present, renewAt) - nowMs));
    }
    this.#warn();
    const { office } = this.#identity;
    if (office === null) return LOOK_MS;
    if (this.#askedMs !== null) return this.#listen(office, this.#askedMs);
    if (this.#mustWait()) return ANSWER_LOOK_MS;
    await this.#ask(office);
    this.#askedMs = this.#ports.clock.monotonicMs();
    return ANSWER_LOOK_MS;
  }

  /** Once in a while, from that part of its life on until there is another. */
  #warn(): void {
    const { clock, log } = this.#ports;
    const present = this.#identity.present();
    const nowMs = clock.monotonicMs();
    if (!isDue(present, this.#config.renewal.warnAt, clock.now())) return;
    if (this.#warnedMs !== null && nowMs - this.#warnedMs < LOOK_MS) return;
    this.#warnedMs = nowMs;
    const { code, context } = endingFault(present, this.#config.station);
    log.write('error', 'fault', { part: 'renewal', code, ...context });
  }

  #mustWait(): boolean {
    const nowMs = this.#ports.clock.monotonicMs();
    if (!this.#busy()) this.#busySinceMs = null;
    else this.#busySinceMs ??= nowMs;
    return this.#busySinceMs !== null && nowMs - this.#busySinceMs < BUSY_MAX_MS;
  }

  async #ask(office: RenewalOffice): Promise<void> {
    const { clock, crypto } = this.#ports;
    const present = this.#identity.present();
    const asked = { station: this.#config.station, requestedAt: instantOf(clock.now()) };
    const keys = await this.#identity.keys();
    try {
      await office.ask(await askEnrolment(asked, keys, { code: null, present: present.der }, crypto));
    } finally {
      await keys.close();
    }
  }

  /** @throws Fault RENEWAL_UNANSWERED, ENROLMENT_FOREIGN */
  async #listen(office: RenewalOffice, askedMs: number): Promise<number> {
    const { clock, log } = this.#ports;
    const { station, renewal } = this.#config;
    const answer = await office.answer();
    const next = answer === null ? null : this.#identity.read(answer);
    if (answer !== null && next !== null && isNext(next, this.#identity.present(), station)) {
      this.#identity.install(answer);
      log.write('info', 'certificate-renewed', { station, endsAt: instantOf(next.notAfterMs) });
      return 0;
    }
    const waitedMs = clock.monotonicMs() - askedMs;
    if (waitedMs >= renewal.answerMs) throw new Fault('RENEWAL_UNANSWERED', { station, waitedMs });
    return ANSWER_LOOK_MS;
  }
}
