/** A running line of one station, watched from where its people stand: log, status on the bus, the board's gate log. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { openPostgresFleetStore } from '../../drivers/store/postgres/fleet-store.ts';
import { type FaultCode, faults } from '../../runtime/core/faults.ts';
import { decodeJson, filterOf } from '../../runtime/core/messages/channel.ts';
import { statusState } from '../../runtime/core/messages/status.ts';
import type { State } from '../../runtime/core/operation/transitions.ts';
import type { FleetTransaction } from '../../runtime/core/store/fleet.ts';
import type { FixtureWorld, GateLine } from '../../scripts/laboratory/fixture-world.ts';
import { PLANT, writeTicket } from '../../scripts/laboratory/laboratory.ts';
import { type Line, type LineStation, startLine } from '../../scripts/laboratory/line.ts';
import { type LinePlaces, linePlaces, type StationPlaces } from '../../scripts/laboratory/places.ts';
import { openSubscriber } from '../../scripts/laboratory/watch.ts';

/** A line of a program's log. */
export interface LogLine {
  readonly event: string;
  readonly on?: string;
  readonly state?: State;
  readonly code?: FaultCode;
  /** How far a list of APDUs came, as the gateway was told. */
  readonly outcome?: string;
}
type StatusState = z.output<typeof statusState.payload>;

/** How much was said up to some moment. */
export interface Mark {
  readonly log: number;
  readonly status: number;
}

/** The longest a unit takes, with every wait for a silent program and a restart. */
const UNIT_DEADLINE_MS = 45_000;
const POLL_MS = 10;

export class Rig implements AsyncDisposable {
  readonly line: Line;
  readonly places: LinePlaces;
  readonly own: StationPlaces;
  readonly #gate: GateLine[] = [];
  readonly #log: LogLine[] = [];
  readonly #status: StatusState[] = [];
  readonly #listeners: ((line: LogLine) => void)[] = [];
  #watch: { close(): Promise<void> } | null = null;
  #tickets = 0;
  #units = 0;

  constructor(line: Line) {
    this.line = line;
    this.places = line.laboratory.places;
    this.own = this.places.station(1);
    this.world.onGate((gate) => this.#gate.push(gate));
  }

  get station(): LineStation {
    const [station] = this.line.stations;
    assert.ok(station);
    return station;
  }

  get world(): FixtureWorld {
    return this.station.world;
  }

  /** The gate log so far: the board's own witness. */
  get gate(): readonly GateLine[] {
    return this.#gate;
  }

  /** Reads status as an MES does. */
  async watch(): Promise<void> {
    const bus = await openSubscriber(this.line);
    await bus.subscribe(filterOf(statusState, { ...PLANT }), (_topic, payload) => {
      this.#status.push(decodeJson(statusState.payload, payload));
    });
    this.#watch = bus;
  }

  /** @throws Error with what the station said, when it refuses */
  async start(): Promise<void> {
    await this.station.start();
    let rest = '';
    this.station.program()?.child.stdout?.on('data', (data: Buffer) => {
      const lines = (rest + data.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      // The end of a line whose beginning came before this turn is left out.
      for (const text of lines.filter((one) => one.startsWith('{"level":'))) {
        const line = JSON.parse(text) as LogLine;
        this.#log.push(line);
        for (const tell of this.#listeners) tell(line);
      }
    });
  }

  async stop(): Promise<void> {
    await this.station.program()?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Changes the station's settings for its next start; the returned function puts them back. */
  configure(change: (settings: Record<string, unknown>) => void): () => void {
    const [file = ''] = this.line.configurations.stations;
    const before = readFileSync(file, 'utf8');
    const settings = JSON.parse(before) as Record<string, unknown>;
    change(settings);
    writeFileSync(file, JSON.stringify(settings));
    return () => writeFileSync(file, before);
  }

  /** Loads a ticket. Its quota counts from here; what is changed is as `writeTicket` has it. */
  async loadTicket(order: { units: number; nowMs?: number; stations?: readonly StationPlaces[] }) {
    const { units, nowMs = Date.now(), stations = [this.own] } = order;
    this.#tickets += 1;
    await writeTicket(this.places, stations, { run: this.#tickets, units, nowMs });
  }

  /** Index of a fresh unit, which somebody may spoil before it is fed. */
  nextUnit(): number {
    this.#units += 1;
    return this.#units;
  }

  async feed(unit: number = this.nextUnit()): Promise<number> {
    await this.world.feed(1, unit);
    return unit;
  }

  /** Calls once, in the same turn in which the station's log tells of this state. */
  onState(state: State, act: () => Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const tell = (line: LogLine): void => {
        if (line.event !== 'transition' || line.state !== state) return;
        this.#listeners.splice(this.#listeners.indexOf(tell), 1);
        act().then(() => resolve(), reject);
      };
      this.#listeners.push(tell);
    });
  }

  /** What the station has logged. */
  get lines(): readonly LogLine[] {
    return this.#log;
  }

  /** From here on. */
  mark(): Mark {
    return { log: this.#log.length, status: this.#status.length };
  }

  /** Resolves when a line of the log since then is as it should be. */
  async logged(what: string, fits: (line: LogLine) => boolean, since: Mark): Promise<void> {
    await this.until(what, () => this.#log.slice(since.log).some(fits));
  }

  /** The log tells in words that the unit is held for this reason. */
  async held(code: FaultCode, since: Mark): Promise<void> {
    const isHold = (line: LogLine): boolean => line.event === 'unit-held' && line.code === code;
    await this.logged(`held for ${code}`, isHold, since);
    assertWords(this.#log.slice(since.log).find(isHold), code);
  }

  /** Log and status tell it in words. */
  async heldAndShown(code: FaultCode, since: Mark): Promise<void> {
    await this.held(code, since);
    const shown = (): StatusState | undefined =>
      this.#status.slice(since.status).find(({ reason }) => reason?.code === code);
    await this.until(`status ${code}`, () => shown() !== undefined);
    assertWords(shown()?.reason, code);
    assert.equal(shown()?.state, faults[code].blame === 'own' ? 'Held' : 'Suspended');
  }

  /** The lane by which the unit left. */
  async departure(unit: number): Promise<string> {
    const left = (): GateLine | undefined =>
      this.#gate.find((gate) => gate.event === 'LEFT' && gate.unit === unit);
    await this.until(`unit ${unit} left`, () => left() !== undefined);
    return left()?.lane ?? 'none';
  }

  async until(what: string, reached: () => boolean): Promise<void> {
    const deadline = performance.now() + UNIT_DEADLINE_MS;
    while (!reached()) {
      if (performance.now() > deadline)
        assert.fail(
          `not in time: ${what}\n${this.#log
            .slice(-12)
            .map((line) => JSON.stringify(line))
            .join('\n')}`,
        );
      await sleep(POLL_MS);
    }
  }

  async fleet<T>(read: (tx: FleetTransaction) => Promise<T>): Promise<T> {
    const store = await openPostgresFleetStore({
      url: this.line.fleetUrl,
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      poolMax: 1,
    });
    try {
      return await store.transaction(read);
    } finally {
      await store.close();
    }
  }

  /** Everything that the programs have said, by file. */
  logs(): readonly { readonly name: string; readonly text: string }[] {
    const { logs } = this.places;
    return readdirSync(logs).map((name) => ({ name, text: readFileSync(join(logs, name), 'utf8') }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.close();
    await this.line.stop();
  }
}

/** The catalogue's own words stand beside the code. */
function assertWords(said: object | null | undefined, code: FaultCode): void {
  const { title, cause, remedy } = faults[code];
  const { title: t, cause: c, remedy: r } = { ...said } as Record<string, unknown>;
  assert.deepEqual([t, c, r], [title, cause, remedy]);
}

export async function openRig(directory: string, gateways = 1): Promise<Rig> {
  const line = await startLine({
    places: linePlaces(directory),
    stations: 1,
    gateways,
    seed: 'doors',
    onProgress: () => undefined,
  });
  const rig = new Rig(line);
  await rig.watch();
  return rig;
}
