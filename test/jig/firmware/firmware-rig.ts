/** For tests: the real driver over a pseudo terminal, and the firmware in its chip at the other end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simulatedNestPins } from '../../../drivers/jig/controller/pin-map.ts';
import { openFirmataJig } from '../../../drivers/jig/firmata/jig.ts';
import { fromHex } from '../../../runtime/core/bytes.ts';
import type { JigEvent } from '../../../runtime/core/ports.ts';
import { buildFirmware } from '../../../scripts/firmware/build.ts';
import { eepromImage } from '../../../scripts/firmware/eeprom-image.ts';
import { CONTROLLER, type JigRig, NEST } from '../../contracts/jig.contract.ts';
import { end, HOST_TIMEOUT_MS, ownChild, PATIENT, TAG_KEY, until } from '../board-rig.ts';
import { startBench } from './bench.ts';

const OPEN_TIMEOUT_MS = 1_200;
const CUT_MS = 1_200;

export async function startFirmwareRig(): Promise<JigRig> {
  const directory = await mkdtemp(join(tmpdir(), 'firmware-rig-'));
  const at = (name: string): string => join(directory, name);
  const ends = ['station', 'board'].map((name) => `pty,raw,echo=0,link=${at(name)}`);
  const socat: ChildProcess = spawn('socat', ends, { stdio: 'ignore' });
  await until(() => existsSync(at('station')) && existsSync(at('board')));
  const { SerialPort } = await import('serialport');
  const port = new SerialPort({ path: at('board'), baudRate: 57_600, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  const bench = startBench({
    hex: buildFirmware().hex,
    eeprom: eepromImage({
      controller: CONTROLLER,
      nest: NEST,
      tagKey: fromHex(TAG_KEY),
      hostTimeoutMs: HOST_TIMEOUT_MS,
      openTimeoutMs: OPEN_TIMEOUT_MS,
      boots: 0,
    }),
    send: (bytes) => port.write(Buffer.from(bytes)),
  });
  port.on('data', (bytes: Uint8Array) => bench.hear(bytes));
  const events: JigEvent[] = [];
  const host = async (): ReturnType<typeof openFirmataJig> => {
    const fresh = await openFirmataJig({
      serialPath: at('station'),
      controller: CONTROLLER,
      nests: { [NEST]: simulatedNestPins },
      deadlines: PATIENT,
    });
    fresh.onEvent((event) => events.push(event));
    return fresh;
  };
  let jig = await host();
  let index = 0;
  return {
    tagKey: TAG_KEY,
    namesInLog: false,
    events,
    jig: () => jig,
    run: (promise) => promise,
    until,
    feed: async (count) => {
      bench.line.feed(count, index);
      index += count;
    },
    takeByHand: async () => {
      bench.line.takeByHand();
    },
    stick: async (what, stuck) => bench.line.stick(what, stuck),
    clampIsOpen: async () => bench.sensed()['clamp-open'],
    loseLink: async () => {
      bench.chip.cut(true);
      setTimeout(() => bench.chip.cut(false), CUT_MS);
    },
    resetBoard: async () => bench.chip.powerCycle(),
    // Stopped, its process says nothing; the kill that follows leaves it no last word.
    killHost: async () => {
      process.kill(ownChild('firmata/child.js'), 'SIGSTOP');
      await jig.close();
    },
    startHost: async () => {
      jig = await host();
    },
    gateLog: async () => bench.log,
    stop: async () => {
      await jig.close();
      bench.stop();
      await new Promise<void>((resolve) => port.close(() => resolve()));
      await end(socat, 'SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
