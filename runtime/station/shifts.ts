/**
 * Who is in charge at this station: the operator who signed in, or the named authority. A sign-in counts once it is in the
 * journal, past fsync; it goes on over a restart and without a backend, and ends with a sign-out, its time, or another.
 */
import type { StationConfig } from '../../config/station.ts';
import { asFault, Fault } from '../core/faults.ts';
import { instantMs } from '../core/instant.ts';
import { unbound } from '../core/messages/exchange.ts';
import { signInExchange } from '../core/messages/exchanges.ts';
import { encryptBadge, judgeShift, type Shift, type ShownShift } from '../core/messages/shift.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import type { Fact } from '../core/operation/facts.ts';
import type { Requester } from '../exchange/requester.ts';
import type { StationPorts } from './ports.ts';

export interface Shifts {
  /** Receipt of the shift that goes on; null under the authority. */
  readonly receipt: string | null;
  readonly inCharge: string;
  shown(): ShownShift;
  /** @throws Fault OPERATOR_UNKNOWN, SIGN_IN_BARRED, BACKEND_SILENT, BUS_UNREACHABLE */
  signIn(badge: string): Promise<ShownShift>;
  signOut(): Promise<ShownShift>;
  stop(): void;
}

export interface ShiftMeans {
  readonly requester: Requester;
  /** Of the shift that the journal holds; null for none. */
  readonly past: string | null;
  readonly changed: () => void;
  /** The journal is lost: the program ends. */
  readonly failed: (error: unknown) => void;
}

interface Present {
  readonly receipt: string;
  readonly shift: Shift;
  /** Told at the sign-in, and kept nowhere. */
  readonly name: string | null;
}

type EndedBy = Extract<Fact, { readonly name: 'signed-out' }>['by'];

/** @throws Fault JOURNAL_POISONED */
export async function openShifts(
  config: Pick<StationConfig, 'station' | 'authority' | 'nests'>,
  ports: StationPorts,
  means: ShiftMeans,
): Promise<Shifts> {
  const shifts = new OpenShifts(config, ports, means);
  if (means.past !== null) await shifts.resume(means.past);
  return shifts;
}

class OpenShifts implements Shifts {
  readonly #config: Pick<StationConfig, 'station' | 'authority' | 'nests'>;
  readonly #ports: StationPorts;
  readonly #means: ShiftMeans;
  #present: Present | null = null;
  #cancel: () => void = () => undefined;
  /** One thing after another: two badges at once are two sign-ins. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    config: Pick<StationConfig, 'station' | 'authority' | 'nests'>,
    ports: StationPorts,
    means: ShiftMeans,
  ) {
    this.#config = config;
    this.#ports = ports;
    this.#means = means;
  }

  get receipt(): string | null {
    return this.#present?.receipt ?? null;
  }

  get inCharge(): string {
    return this.#present?.shift.pseudonym ?? this.#config.authority;
  }

  shown(): ShownShift {
    const { inCharge } = this;
    return { inCharge, name: this.#present?.name ?? null, until: this.#present?.shift.until ?? null };
  }

  signIn(badge: string): Promise<ShownShift> {
    return this.#inTurn(async () => {
      const { receipt, name } = await this.#ask(badge);
      const shift = this.#judged(receipt);
      if (shift === null) throw new Fault('SHIFT_INVALID', { why: 'it ended before it began' });
      const begun = { receipt, shift, name };
      await this.#write([...this.#end('sign-in'), { name: 'signed-in', nest: null, receipt }]);
      this.#begin(begun);
      this.#means.changed();
      this.#ports.log.write('info', 'signed-in', { operator: shift.pseudonym, until: shift.until });
      return this.shown();
    });
  }

  signOut(): Promise<ShownShift> {
    return this.#inTurn(async () => {
      await this.#over('sign-out');
      return this.shown();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** A receipt that this station does not believe any longer names nobody; the backend would not believe it either. */
  async resume(receipt: string): Promise<void> {
    let shift: Shift | null = null;
    try {
      shift = this.#judged(receipt);
    } catch (error) {
      const { code, context } = asFault(error, 'SHIFT_INVALID');
      this.#ports.log.write('warn', 'fault', { part: 'shift', code, ...context });
    }
    if (shift === null) await this.#write([{ name: 'signed-out', nest: null, shift: null, by: 'end' }]);
    else this.#begin({ receipt, shift, name: null });
  }

  #judged(receipt: string): Shift | null {
    const at = { station: this.#config.station, nowMs: this.#ports.clock.now() };
    return judgeShift(receipt, at, this.#ports.trusted, this.#ports.crypto);
  }

  #begin(present: Present): void {
    const { clock } = this.#ports;
    this.#cancel();
    this.#present = present;
    const leftMs = instantMs(present.shift.until) - clock.now();
    this.#cancel = clock.after(Math.max(0, leftMs), () => {
      this.#inTurn(() => (this.#present === present ? this.#over('end') : Promise.resolve())).catch(
        this.#means.failed,
      );
    });
  }

  async #over(by: EndedBy): Promise<void> {
    if (this.#present === null) return;
    await this.#write(this.#end(by));
    this.#cancel();
    this.#present = null;
    this.#ports.log.write('info', 'signed-out', { by });
    this.#means.changed();
  }

  #end(by: EndedBy): readonly Fact[] {
    if (this.#present === null) return [];
    return [{ name: 'signed-out', nest: null, shift: this.#present.shift.shift, by }];
  }

  async #write(facts: readonly Fact[]): Promise<void> {
    const { journal, clock } = this.#ports;
    try {
      await journal.append(facts.map((fact) => ({ fact, at: clock.now() })));
    } catch (error) {
      this.#means.failed(error);
      throw error;
    }
  }

  /** The backend's key is asked for each time: it is another after each start of the backend. */
  async #ask(badge: string): Promise<{ readonly receipt: string; readonly name: string }> {
    const { requester } = this.#means;
    const nest = this.#config.nests[0].name;
    const question = { nest, to: 'backend', step: 0, binding: unbound, retry: deadlines.signIn };
    const { body: offer } = await requester.ask(signInExchange, question, { kind: 'key' });
    if (offer.kind !== 'key') throw new Fault('MESSAGE_MALFORMED', { where: 'sign-in' });
    const sealed = encryptBadge(badge, offer.key, this.#config.station, this.#ports);
    const { body } = await requester.ask(signInExchange, question, { kind: 'badge', badge: sealed });
    if (body.kind !== 'shift') throw new Fault('MESSAGE_MALFORMED', { where: 'sign-in' });
    return body;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined); // Whoever asked hears of it; the next one does not hang on it.
    return done;
  }
}
