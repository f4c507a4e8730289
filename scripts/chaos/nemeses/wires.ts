/** Partitions between each of our programs and the broker, whole and one-way. */
import { last, type Nemesis, NotStruck } from '../nemesis.ts';
import { type Direction, heal, lost, type Program, part } from '../network.ts';
import { until } from '../processes.ts';

/** Also a program that waits says something within its keep-alive of 5 s. */
const PACKET_MS = 7_000;

const programs: readonly Program[] = ['station', 'gateway', 'backend'];
const directions: readonly Direction[] = ['both', 'to-broker', 'from-broker'];

const titleOf = (program: Program, direction: Direction): string =>
  direction === 'both' ? `partition-${program}` : `one-way-${program}-${direction}`;

export const wireNemeses: readonly Nemesis[] = programs.flatMap((program) =>
  directions.map((direction) => ({
    kind: titleOf(program, direction),
    on: [program, 'mosquitto'],
    mayEnd: [],
    expects: 'held when an answer stays away for too long; asked again after the partition, and released',
    strike: async (_stand, draw) => {
      part(program, direction);
      await last(draw);
      const struck = await until(() => lost(program) > 0, PACKET_MS, 100);
      heal(program);
      if (!struck) throw new NotStruck(`no packet of ${program} was lost`);
    },
  })),
);
