/**
 * One nest: takes happenings one by one, makes the fact durable, then starts what follows. The only place
 * where the state of an operation changes.
 *
 * The ready contract, as ARCHITECTURE.md prints it:
 * 1. Make `append` durable. 2. Only then start `perform`. 3. Feed every outcome back as a happening.
 * 4. After a restart fold the journal before listening to anything. 5. A failed append ends the program.
 */
import { Fault } from '../core/faults.ts';
import type { ControllerReport } from '../core/gate/release.ts';
import type { Fact } from '../core/operation/facts.ts';
import { visitOf } from '../core/operation/gate.ts';
import { factOfHappening, type Happening, happeningsOf } from '../core/operation/happenings.ts';
import { recover, step } from '../core/operation/step.ts';
import type { Action, State } from '../core/operation/transitions.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { StationPorts } from './ports.ts';

/** What is known of the visit in progress. */
export interface Visit {
  readonly nest: string;
  readonly visit: string;
  readonly arrival: number;
}

/** Starts an action of a visit. Its outcome comes back through `tell`; what comes too late is dropped. */
export type Perform = (
  action: Action,
  visit: Visit,
  context: {
    readonly inspect: boolean;
    readonly facts: readonly Fact[];
    readonly tell: Tell;
    /** Whether the nest has moved on: nobody takes the outcome any longer. */
    readonly isOver: () => boolean;
    readonly lastReport: () => ControllerReport | null;
  },
) => void;
/** Resolves when the happening has been made durable, or false when it came out of turn. */
export type Tell = (what: Happening) => Promise<boolean>;

export interface NestView {
  readonly state: State;
  readonly facts: readonly Fact[];
  readonly since: number;
  readonly held: Fault | null;
}

/** Happenings that may wait; more means that the journal does not keep up with the world. */
const QUEUE_MAX = 64;
/** Facts kept of visits that ended. */
const FACTS_KEPT = 512;

interface Queued {
  readonly what: Happening;
  /** The turn in which the action that tells this was started; null for the jig's own reports. */
  readonly turn: number | null;
  readonly done: (accepted: boolean) => void;
}

export class Nest {
  readonly name: string;
  #facts: Fact[];
  #state: State;
  #turn = 0;
  #since: number;
  #held: Fault | null = null;
  #running = false;
  #lastReport: ControllerReport | null = null;
  /** The arrival that the last report has named, while what it means is not yet in the journal: two reports of one
   * arrival are one arrival. */
  #told: { readonly arrival: number | null } | null = null;
  readonly #queue: Queued[] = [];
  readonly #ports: StationPorts;
  readonly #perform: Perform;
  readonly #changed: (nest: Nest) => void;
  readonly #failed: (error: unknown) => void;
  readonly #lacking: (fault: Fault) => void;

  constructor(options: {
    readonly name: string;
    readonly facts: readonly Fact[];
    readonly ports: StationPorts;
    readonly perform: Perform;
    readonly changed: (nest: Nest) => void;
    /** The journal failed: the program must end. */
    readonly failed: (error: unknown) => void;
    /** The journal lacks something that happened. */
    readonly lacking: (fault: Fault) => void;
  }) {
    this.name = options.name;
    this.#facts = [...options.facts];
    this.#ports = options.ports;
    this.#perform = options.perform;
    this.#changed = options.changed;
    this.#failed = options.failed;
    this.#lacking = options.lacking;
    this.#state = recover(this.#facts.map((fact) => fact.name)).state;
    this.#since = options.ports.clock.now();
    const last = this.#facts.at(-1);
    if (last?.name === 'held') this.#held = new Fault(last.fault.code, last.fault.context);
  }

  get view(): NestView {
    return { state: this.#state, facts: this.#facts, since: this.#since, held: this.#held };
  }

  get visit(): Visit | null {
    const arrived = visitOf(this.#facts)[0];
    return arrived?.name === 'arrived'
      ? { nest: this.name, visit: arrived.visit, arrival: arrived.arrival }
      : null;
  }

  /** Starts again what the last run left without an answer. Call once, with the controller's report at hand. */
  restart(report: ControllerReport): void {
    this.#lastReport = report;
    const { perform, inspect } = recover(this.#facts.map((fact) => fact.name));
    const visit = this.visit;
    if (perform !== null && visit !== null && visit.arrival === report.arrival)
      this.#start(perform, visit, inspect);
    else this.report(report);
  }

  /** Takes what the gate controller says of itself. */
  report(report: ControllerReport): void {
    this.#lastReport = report;
    const arrival = this.#told === null ? (this.visit?.arrival ?? null) : this.#told.arrival;
    const happenings = happeningsOf(report, arrival);
    if (happenings.length === 0) return;
    this.#told = { arrival: report.arrival === 0 ? null : report.arrival };
    for (const what of happenings) void this.#enqueue(what, null);
  }

  /** The link to the gate controller was lost: what it said before counts no longer. */
  forgetReport(): void {
    this.#lastReport = null;
  }

  /** Tries a held unit now instead of later: what held it may be over. */
  nudge(): void {
    if (this.#state === 'held' || this.#state === 'reject-held')
      void this.#enqueue({ on: 'resume-due' }, this.#turn);
  }

  /** Holds what is under way, for a reason that no action of a visit has met. */
  hold(fault: Fault): void {
    void this.#enqueue({ on: 'fault', fault }, this.#turn);
  }

  #enqueue(what: Happening, turn: number | null): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#queue.length >= QUEUE_MAX) {
        this.#failed(new Error(`nest ${this.name}: more than ${QUEUE_MAX} happenings wait`));
        return;
      }
      this.#queue.push({ what, turn, done: resolve });
      if (this.#running) return;
      this.#running = true;
      this.#drain().catch(this.#failed);
    });
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { what, turn, done } = next;
      const { state, append, perform } = step(this.#state, what.on);
      if (append === null || (turn !== null && turn !== this.#turn)) {
        this.#ports.log.write('debug', 'out-of-turn', { nest: this.name, state: this.#state, on: what.on });
        if (append === null) this.#compare(what);
        // The unit has another arrival by now and is not held with this, but somebody may have to act.
        if (what.on === 'fault')
          this.#ports.log.write('warn', 'fault', {
            nest: this.name,
            code: what.fault.code,
            ...what.fault.context,
          });
        done(false);
        continue;
      }
      const fact = factOfHappening(what, this.#visitFor(what));
      this.#ports.failpoint(`append:${append}:before`);
      await this.#ports.journal.append([{ fact, at: this.#ports.clock.now() }]);
      this.#ports.failpoint(`append:${append}:after`);
      this.#take(fact, what, state);
      done(true);
      const visit = this.visit;
      if (perform !== null && visit !== null && perform !== 'play') this.#start(perform, visit, false);
    }
    this.#running = false;
    this.#told = null;
  }

  /** A unit leaves only on a release that was written down first: one that left otherwise shows that entries are gone. */
  #compare({ on }: Happening): void {
    if (this.#state === 'vacant' || (on !== 'unit-left' && on !== 'unit-diverted')) return;
    const why = 'a unit has left on a release that is not written in it';
    this.#lacking(new Fault('JOURNAL_ROLLED_BACK', { nest: this.name, state: this.#state, why }));
  }

  #take(fact: Fact, what: Happening, state: State): void {
    this.#facts.push(fact);
    if (state === 'vacant' && this.#facts.length > FACTS_KEPT)
      this.#facts = this.#facts.slice(-FACTS_KEPT / 2);
    if (state !== this.#state) {
      this.#turn += 1;
      this.#since = this.#ports.clock.now();
    }
    this.#state = state;
    this.#held = what.on === 'fault' ? what.fault : null;
    this.#ports.log.write('info', 'transition', { nest: this.name, on: what.on, state });
    if (what.on === 'fault')
      this.#ports.log.write('warn', 'unit-held', {
        nest: this.name,
        code: what.fault.code,
        ...what.fault.context,
      });
    this.#changed(this);
  }

  #start(action: Action, visit: Visit, inspect: boolean): void {
    const turn = this.#turn;
    this.#perform(action, visit, {
      inspect,
      facts: this.#facts,
      tell: (what) => this.#enqueue(what, turn),
      isOver: () => turn !== this.#turn,
      lastReport: () => this.#lastReport,
    });
  }

  #visitFor(what: Happening): { readonly nest: string; readonly visit: string } {
    if (what.on === 'unit-arrived')
      return { nest: this.name, visit: uuidV7(this.#ports.clock.now(), this.#ports.entropy.bytes(10)) };
    return { nest: this.name, visit: this.visit?.visit ?? '' };
  }
}
