/** Takes the parts of a running line away and brings them back in the same place. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessList } from '../../runtime/core/messages/catalogue.ts';
import { PLANT } from '../../scripts/laboratory/laboratory.ts';
import { type Line, ourProgram } from '../../scripts/laboratory/line.ts';
import { partiesOf } from '../../scripts/laboratory/services.ts';
import { startMosquitto } from '../../scripts/stand/mosquitto.ts';
import { startPcscd } from '../../scripts/stand/pcscd.ts';
import { startPostgres } from '../../scripts/stand/postgres.ts';
import { endWithParent } from '../../scripts/stand/service.ts';

export type PartName = 'postgres' | 'broker' | 'pcscd' | 'backend' | 'gateway';

export interface Parts extends AsyncDisposable {
  /** As a crash does. */
  crash(name: PartName): Promise<void>;
  start(name: PartName): Promise<void>;
}

interface Ends {
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export function partsOf(line: Line): Parts {
  const { places } = line.laboratory;
  const keeper = keepNetwork(line);
  const starts: Readonly<Record<PartName, () => Promise<Ends>>> = {
    postgres: () => startPostgres({ directory: places.postgres, databases: [] }),
    broker: () =>
      startMosquitto({
        directory: places.broker,
        port: line.brokerPort,
        certificates: line.laboratory.broker,
        acl: accessList(partiesOf(line.laboratory), PLANT),
      }),
    pcscd: () => startPcscd({ directory: places.pcscd, readers: 1, networkOf: keeper.pid ?? 0 }),
    backend: async () => endsOf(await ourProgram(places, 'backend', line.configurations.backend)),
    gateway: async () => endsOf(await ourProgram(places, 'gateway', line.configurations.gateway)),
  };
  const { postgres, broker, pcscd, backend, gateway } = line.parts;
  const running: Record<PartName, Ends> = {
    postgres,
    broker,
    pcscd,
    backend: endsOf(backend),
    gateway: endsOf(gateway),
  };
  return {
    crash: (name) => running[name].crash(),
    start: async (name) => {
      running[name] = await starts[name]();
    },
    [Symbol.asyncDispose]: async () => {
      for (const name of ['gateway', 'backend', 'pcscd', 'broker', 'postgres'] as const)
        await running[name].stop();
      keeper.kill('SIGKILL');
    },
  };
}

function endsOf(program: Line['parts']['backend']): Ends {
  return {
    stop: program.stop,
    crash: async () => {
      program.child.kill('SIGKILL');
      await program.ended;
    },
  };
}

/** Holds the namespace of pcscd, where the chips are: a pcscd that comes back must find them. */
function keepNetwork(line: Line): ChildProcess {
  const [command = '', ...rest] = line.parts.pcscd.enter(endWithParent('KILL', ['sleep', 'infinity']));
  return spawn(command, rest, { stdio: 'ignore' });
}
