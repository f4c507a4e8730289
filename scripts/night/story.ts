/**
 * What befalls a plant in one night, drawn from a seed before it begins: a list of mishaps, so that a night that
 * went wrong can be told again with fewer of them.
 *
 * Every seed draws first which kinds it knows at all, then how often: a swarm of different nights.
 */
import type { Weather } from '../../drivers/bus/in-memory.ts';
import { liars } from '../../drivers/card-reader/virtual-se/mutants/table.ts';
import { createSimulatedEntropy, type SimulatedEntropy } from '../../drivers/entropy/simulated.ts';
import type { Odds } from '../../drivers/store/in-memory-fate.ts';
import type { Death } from './life.ts';

/** Mishaps that last for a while. */
export const lasting = [
  'cut-off', // The connection to the broker breaks.
  'deaf', // Nothing arrives, unnoticed.
  'mute', // Nothing is sent, unnoticed.
  'jig-link-lost',
  'clamp-stuck',
  'gate-stuck',
  'unit-stuck',
  'reader-away',
  'bad-contact',
  'store-down',
  'ledger-down',
  'space-low',
  'clock-wrong',
  'replays', // The broker says again what was said.
  'crosses', // It says it to others.
  'spoils', // It truncates, enlarges and changes.
] as const;
export type Lasting = (typeof lasting)[number];

interface Restored {
  readonly atMs: number;
  readonly backupMs: number;
  readonly forMs: number;
}

export type Mishap =
  /** At the nth crossing of a program, counted over all its lives. */
  | { readonly kind: 'kill'; readonly program: string; readonly nth: number; readonly death: Death }
  | { readonly kind: 'fail'; readonly program: string; readonly nth: number }
  | {
      readonly kind: Lasting;
      readonly atMs: number;
      readonly forMs: number;
      /** Program, or for machines their station. */
      readonly program: string;
      /** For a clock: how far it jumps. */
      readonly byMs: number;
    }
  | { readonly kind: 'board-reset'; readonly atMs: number; readonly program: string }
  | { readonly kind: 'token-lost'; readonly atMs: number; readonly program: string }
  | { readonly kind: 'broker-restart'; readonly atMs: number; readonly forMs: number }
  /** A unit is taken out by hand and put into the nest of `to` later. */
  | {
      readonly kind: 'carried';
      readonly atMs: number;
      readonly forMs: number;
      readonly program: string;
      readonly to: string;
    }
  /** The station's storage is exchanged while it is down: for another station's, an empty one, or an old state of its own,
   * which may lack no more than the last entry. */
  | {
      readonly kind: 'disk-exchanged';
      readonly what: 'foreign' | 'blank' | 'old' | 'behind';
      readonly atMs: number;
      readonly backupMs: number;
      readonly forMs: number;
      readonly program: string;
    }
  /** The fleet's database, or the gateways' ledger, is restored from a backup, and if that lacks what somebody was told,
   * to its newest state after a while. */
  | (Restored & { readonly kind: 'store-restored' })
  | (Restored & { readonly kind: 'ledger-restored' })
  /** The nth time a gate opens, the unit does not move, and the link to the controller is lost. */
  | { readonly kind: 'host-lost'; readonly opening: number; readonly program: string }
  /** The nth time a station asks the gate to open, the unit is taken out: before the word arrives, which is lost, or with
   * the gate open. A rogue has the wires then. */
  | {
      readonly kind: 'snatched';
      readonly opening: number;
      readonly lost: boolean;
      readonly forMs: number;
      readonly program: string;
    }
  /** Somebody with the station's wires asks the gate controller to open: again what was asked, or something of his own. */
  | { readonly kind: 'rogue-open'; readonly atMs: number; readonly program: string };

export type MishapKind = Mishap['kind'];

export interface Story {
  readonly seed: string;
  readonly stations: number;
  readonly units: number;
  readonly realCrypto: boolean;
  readonly weather: Weather;
  readonly fates: Odds;
  /** Liars by the number of their unit. */
  readonly liars: Readonly<Record<number, string>>;
  readonly mishaps: readonly Mishap[];
  /** From here on nothing more befalls anybody. */
  readonly calmMs: number;
}

/** Crossings of one unit's way through, about; measured by the sweep. */
const CROSSINGS = { station: 250, gateway: 130, backend: 110 } as const;
/** It lies once, in an answer, and holds what it should: after an interruption it is judged by that, and is good. */
const ONCE = 'acknowledges-another-version';
/** It takes the name of another unit, which may then have to wait for a person. */
const NAMESAKE = 'claims-another-eid';
/** Liars that are always found out: the verdict rejects their unit. */
const FOUND_OUT = Object.entries(liars)
  .filter(([name, { outcome }]) => outcome === 'rejected' && ![ONCE, NAMESAKE].includes(name))
  .map(([name]) => name);
/** One seed in so many reckons with real ECDSA. */
const REAL_CRYPTO_EVERY = 40;
/** Most faults need one unit and nobody else; some need company. */
const UNITS: readonly number[] = [...Array<number>(60).fill(1), 2, 2, 2, 3, 4, 5, 6];
const LIARS_RATE = 0.05;
/** The first unit of a quiet night is through by then. */
const WORK_MS = 4_000;
const DECADE_MS = 10 * 365 * 86_400_000;

export function drawStory(seed: string): Story {
  const draw = createSimulatedEntropy(`story/${seed}`);
  const units = pick(draw, UNITS);
  const stations = units === 1 ? pick(draw, [1, 1, 1, 2]) : pick(draw, [1, 2, 2]);
  const names = Array.from({ length: stations }, (_, i) => `station-${i + 1}`);
  const calmMs = 8_000 + Math.ceil(units / stations) * 8_000;
  const rough = draw.chance(0.5);
  const night: Night = { draw, names, units, calmMs, programs: ['backend-1', 'gateway-1', ...names] };
  return {
    seed,
    stations,
    units,
    realCrypto: below(draw, REAL_CRYPTO_EVERY) === 0,
    weather: {
      lossRate: rough ? draw.fraction() * 0.3 : 0,
      duplicateRate: rough ? draw.fraction() * 0.3 : 0,
      delayMs: { min: 1, max: rough ? 1 + below(draw, 600) : 4 },
    },
    fates: draw.chance(0.4)
      ? {
          repeat: below(draw, 15),
          fail: below(draw, 10),
          loseAnswer: below(draw, 10),
          delayMsMax: below(draw, 400),
        }
      : { repeat: 0, fail: 0, loseAnswer: 0, delayMsMax: 0 },
    liars: Object.fromEntries(
      Array.from({ length: units }, (_, i) => i + 1)
        .filter(() => draw.chance(LIARS_RATE))
        .map((unit) => [unit, pick(draw, FOUND_OUT)]),
    ),
    mishaps: mishapsOf(night),
    calmMs,
  };
}

interface Night {
  readonly draw: SimulatedEntropy;
  readonly names: readonly string[];
  readonly programs: readonly string[];
  readonly units: number;
  readonly calmMs: number;
}

function mishapsOf(night: Night): readonly Mishap[] {
  const { draw, units } = night;
  const mishaps: Mishap[] = [];
  const some = (rate: number, make: () => Mishap): void => {
    if (!draw.chance(rate)) return;
    const count = 1 + below(draw, 1 + units);
    for (let i = 0; i < count; i++) mishaps.push(make());
  };
  some(0.6, () => ({ kind: 'kill', ...crossingOf(night), death: deathOf(draw) }));
  some(0.3, () => ({ kind: 'fail', ...crossingOf(night) }));
  for (const kind of lasting) some(0.12, () => lastingOf(kind, night));
  some(0.15, () => ({
    kind: 'board-reset',
    atMs: below(draw, night.calmMs),
    program: pick(draw, night.names),
  }));
  some(0.1, () => ({ kind: 'token-lost', atMs: below(draw, night.calmMs), program: 'gateway-1' }));
  some(0.1, () => ({ kind: 'broker-restart', atMs: below(draw, night.calmMs), forMs: below(draw, 3_000) }));
  some(0.2, () => ({
    kind: 'carried',
    atMs: below(draw, night.calmMs),
    forMs: 100 + below(draw, 10_000),
    program: pick(draw, night.names),
    to: pick(draw, night.names),
  }));
  some(0.15, () => restoredOf('store-restored', night));
  some(0.15, () => {
    const backupMs = below(draw, night.calmMs);
    const atMs = backupMs + below(draw, Math.max(1, night.calmMs - backupMs));
    const what = pick(draw, ['foreign', 'blank', 'old', 'behind', 'behind'] as const);
    return {
      ...{ kind: 'disk-exchanged', what, atMs, backupMs, forMs: 500 + below(draw, 5_000) },
      program: pick(draw, night.names),
    };
  });
  some(0.15, () => ({
    ...{ kind: 'snatched', opening: 1 + below(draw, units), lost: draw.chance(0.5) },
    ...{ forMs: 2_000 + below(draw, 6_000), program: pick(draw, night.names) },
  }));
  some(0.1, () => ({ kind: 'host-lost', opening: 1 + below(draw, units), program: pick(draw, night.names) }));
  some(0.15, () => ({
    kind: 'rogue-open',
    atMs: below(draw, night.calmMs),
    program: pick(draw, night.names),
  }));
  some(0.15, () => ledgerRestoredOf(night));
  return mishaps;
}

function restoredOf(kind: 'store-restored' | 'ledger-restored', { draw, calmMs }: Night): Mishap {
  const backupMs = below(draw, calmMs);
  const atMs = backupMs + below(draw, Math.max(1, calmMs - backupMs));
  return { kind, atMs, backupMs, forMs: 500 + below(draw, 5_000) };
}

/** While units are worked on, as a rule: a gateway that has nothing to do misses nothing. */
function ledgerRestoredOf(night: Night): Mishap {
  const { draw } = night;
  if (draw.chance(0.3)) return restoredOf('ledger-restored', night);
  const backupMs = below(draw, WORK_MS);
  const atMs = backupMs + below(draw, WORK_MS);
  return { kind: 'ledger-restored', atMs, backupMs, forMs: 2_000 + below(draw, 6_000) };
}

function crossingOf({ draw, programs, names, units }: Night): {
  readonly program: string;
  readonly nth: number;
} {
  const program = pick(draw, programs);
  const kind = program.split('-')[0] as keyof typeof CROSSINGS;
  const share = kind === 'station' ? Math.ceil(units / names.length) : units;
  return { program, nth: 1 + below(draw, Math.ceil(CROSSINGS[kind] * share * 1.3)) };
}

function deathOf(draw: SimulatedEntropy): Death {
  return { downMs: pick(draw, [10, 300, 2_000, 12_000]), kept: draw.chance(0.5), power: draw.chance(0.3) };
}

function lastingOf(kind: Lasting, { draw, programs, names, calmMs }: Night): Mishap {
  const ofMachine =
    kind.includes('stuck') ||
    kind.startsWith('jig') ||
    kind.includes('contact') ||
    kind.includes('reader') ||
    kind === 'space-low';
  return {
    kind,
    atMs: below(draw, calmMs),
    forMs: pick(draw, [200, 1_500, 6_000, 20_000]),
    program: pick(draw, ofMachine ? names : programs),
    byMs: Math.trunc((draw.fraction() * 2 - 1) * pick(draw, [60_000, DECADE_MS])),
  };
}

/** A whole number in [0, bound). */
export function below(draw: SimulatedEntropy, bound: number): number {
  return Math.floor(draw.fraction() * bound);
}

function pick<T>(draw: SimulatedEntropy, from: readonly T[]): T {
  return from[Math.min(below(draw, from.length), from.length - 1)] as T;
}
