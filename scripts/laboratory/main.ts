/** `./scripts/line`: runs units through a line on this machine and says how it went. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultText } from '../../runtime/core/fault-text.ts';
import { isFault } from '../../runtime/core/faults.ts';
import { ExitCode } from '../../runtime/program.ts';
import { writeTicket } from './laboratory.ts';
import { type Line, type LineStation, startLine } from './line.ts';
import { HELP, type LineArguments, parseLineArguments } from './options.ts';
import { type LinePlaces, linePlaces } from './places.ts';
import { createProgress, type Progress } from './progress.ts';
import { readState, writeState } from './state.ts';
import { type ChipAccount, percentiles, type Summary, Tally } from './tally.ts';
import { watchStatus } from './watch.ts';

/** Without a departure for this long the line is stopped and the unit counted as held. */
const STALL_MS = 90_000;
const RESTART_MS = 300;

process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  let options: LineArguments | 'help';
  try {
    options = parseLineArguments(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
    return ExitCode.usage;
  }
  if (options === 'help') {
    process.stdout.write(`${HELP}\n`);
    return ExitCode.done;
  }
  try {
    const summary = await runLine(options);
    if (options.summary !== null) writeFileSync(options.summary, `${JSON.stringify(summary, null, 2)}\n`);
    process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : shown(summary));
    return summary.released + summary.rejected === summary.units ? ExitCode.done : ExitCode.held;
  } catch (error) {
    process.stderr.write(
      `${isFault(error) ? faultText(error) : `The line could not run: ${error instanceof Error ? error.message : String(error)}`}\n`,
    );
    return ExitCode.fault;
  }
}

async function runLine(options: LineArguments): Promise<Summary> {
  const places = linePlaces(resolve(options.directory));
  const release = holdDirectory(places);
  const progress = createProgress({ units: options.units, quiet: options.json });
  const state = readState(places.state);
  const stopping = new AbortController();
  const interrupt = (): void => {
    if (stopping.signal.aborted) return;
    progress.note('stopping: the unit in work is finished first');
    stopping.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    const line = await startLine({
      witnessed: true,
      places,
      stations: options.stations,
      gateways: options.gateways,
      seed: options.seed,
      onProgress: progress.starting,
    });
    try {
      const run = state.runs + 1;
      const stations = line.laboratory.stations.map(({ station }) => station);
      const ticket = await writeTicket(places, stations, { run, units: options.units, nowMs: Date.now() });
      writeState(places.state, { nextUnit: state.nextUnit + options.units, runs: run });
      return await feedAll(line, options, state.nextUnit, ticket, progress, stopping.signal);
    } finally {
      progress.end();
      await line.stop();
    }
  } finally {
    release();
  }
}

async function feedAll(
  line: Line,
  options: LineArguments,
  firstUnit: number,
  ticket: string,
  progress: Progress,
  stopping: AbortSignal,
): Promise<Summary> {
  const tally = new Tally();
  let restarts = 0;
  let lastDeparture = performance.now();
  for (const station of line.stations)
    station.world.onGate((gate) => {
      const account = (unit: number): Promise<ChipAccount> => station.world.account(unit);
      tally.take(station.name, gate, account).then(
        (time) => {
          if (gate.event !== 'LEFT' || gate.unit === null) return;
          lastDeparture = performance.now();
          progress.unit({
            station: station.name,
            unit: gate.unit,
            lane: gate.lane ?? 'good',
            time,
            done: tally.done,
          });
        },
        (error: unknown) => progress.note(`chip account failed: ${String(error)}`),
      );
    });
  const watch = await watchStatus(line, progress.step);
  progress.starting('stations');
  for (const station of line.stations) await station.start();
  const supervised = line.stations.map((station) =>
    supervise(station, stopping, () => {
      restarts += 1;
      progress.note(`${station.name} ended and is started again`);
    }),
  );
  const begun = performance.now();
  lastDeparture = begun;
  await feed(line.stations, options.units, firstUnit);
  while (tally.done < options.units && performance.now() - lastDeparture < STALL_MS) {
    if (stopping.aborted) {
      for (const station of line.stations) await station.world.stopFeeding();
      if (tally.held === 0) break;
    }
    await sleep(20);
  }
  const wallSeconds = (performance.now() - begun) / 1000;
  await sleep(400); // The stations stream their last events upward.
  for (const end of supervised) end();
  await watch.close();
  return {
    units: options.units,
    released: tally.released,
    rejected: tally.rejected,
    quarantined: 0,
    held: tally.held,
    wallSeconds: Math.round(wallSeconds * 100) / 100,
    unitsPerSecond: Math.round((tally.done / wallSeconds) * 100) / 100,
    unitMs: percentiles(tally.times.map((time) => time.unitMs)),
    overheadMs: percentiles(tally.times.map((time) => time.overheadMs)),
    apdus: percentiles(tally.times.map((time) => time.apdus)),
    restarts,
    stations: options.stations,
    ticket,
    directory: line.laboratory.places.root,
  };
}

/** Units are shared out evenly; each station has its own run of indices. */
async function feed(stations: readonly LineStation[], units: number, firstUnit: number): Promise<void> {
  let next = firstUnit;
  for (const [i, station] of stations.entries()) {
    const share = Math.floor(units / stations.length) + (i < units % stations.length ? 1 : 0);
    if (share > 0) await station.world.feed(share, next);
    next += share;
  }
}

/** Starts a station again when it ends, as its service manager would. */
function supervise(station: LineStation, stopping: AbortSignal, restarted: () => void): () => void {
  let over = false;
  const watch = async (): Promise<void> => {
    while (!over && !stopping.aborted) {
      const program = station.program();
      if (program === null) {
        await sleep(RESTART_MS);
        if (over) return;
        restarted();
        await station.start();
      } else await Promise.race([program.ended, sleep(RESTART_MS)]);
    }
  };
  watch().catch((error: unknown) => process.stderr.write(`${station.name}: ${String(error)}\n`));
  return () => {
    over = true;
  };
}

/** One line per directory at a time. */
function holdDirectory(places: LinePlaces): () => void {
  const file = join(places.root, 'running');
  mkdirSync(places.root, { recursive: true });
  if (existsSync(file) && existsSync(`/proc/${readFileSync(file, 'utf8').trim()}/cmdline`))
    throw new Error(`a line is running in ${places.root} already; give another --dir`);
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

function shown(summary: Summary): string {
  const { units, released, rejected, held, wallSeconds, unitsPerSecond, unitMs, overheadMs, apdus } = summary;
  return [
    `${units} units: ${released} released, ${rejected} rejected, ${held} held`,
    `${wallSeconds} s, ${unitsPerSecond} units/s`,
    `a unit takes ${unitMs.p50} ms (p99 ${unitMs.p99} ms), of which ours ${overheadMs.p50} ms (p99 ${overheadMs.p99} ms), and ${apdus.p50} commands to its chip`,
    `everything is in ${summary.directory}`,
    '',
  ].join('\n');
}
