/** Counts what the gate logs say of this run's units, and what of their time is ours. */
import type { GateLine } from './fixture-world.ts';

export interface UnitTime {
  /** From ARRIVED to LEFT. */
  readonly unitMs: number;
  /** The same, less the chip's own calculating and the simulated motion. */
  readonly overheadMs: number;
  /** Commands that the chip was sent, GET RESPONSE included. */
  readonly apdus: number;
}

/** What a chip says of its unit. */
export interface ChipAccount {
  readonly cardMs: number;
  readonly apdus: number;
}

export interface Summary {
  readonly units: number;
  readonly released: number;
  readonly rejected: number;
  readonly quarantined: number;
  readonly held: number;
  readonly wallSeconds: number;
  readonly unitsPerSecond: number;
  readonly unitMs: Percentiles;
  readonly overheadMs: Percentiles;
  readonly apdus: Percentiles;
  readonly restarts: number;
  readonly stations: number;
  readonly ticket: string;
  readonly directory: string;
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

interface Present {
  readonly at: number;
  readonly motionMs: number;
}

export class Tally {
  released = 0;
  rejected = 0;
  readonly times: UnitTime[] = [];
  readonly #present = new Map<string, Present>();
  readonly #left = new Set<string>();

  /** Units that are in a nest, or were and have not left by a lane. */
  get held(): number {
    return this.#present.size;
  }

  get done(): number {
    return this.released + this.rejected;
  }

  /** Takes a line of the gate log of a station; `account` asks for the chip's own time. */
  async take(
    station: string,
    line: GateLine,
    account: (unit: number) => Promise<ChipAccount>,
  ): Promise<UnitTime | null> {
    if (line.unit === null) return null;
    const key = `${station}/${line.unit}`;
    if (line.event === 'ARRIVED') {
      if (!this.#present.has(key) && !this.#left.has(key)) this.#present.set(key, line);
      return null;
    }
    if (line.event !== 'LEFT') return null;
    const arrived = this.#present.get(key);
    this.#present.delete(key);
    this.#left.add(key);
    if (line.lane === 'good') this.released += 1;
    else this.rejected += 1;
    if (arrived === undefined) return null;
    const { cardMs, apdus } = await account(line.unit);
    const unitMs = line.at - arrived.at;
    const time = { unitMs, overheadMs: unitMs - cardMs - (line.motionMs - arrived.motionMs), apdus };
    this.times.push(time);
    return time;
  }
}

/** The value below which a part of the list lies; 0 of nothing. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: at(0.5), p99: at(0.99) };
}
