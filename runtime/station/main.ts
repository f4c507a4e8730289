/** The station as a process: `node main.js <config.json>`. Composes drivers; decides nothing. */
import { busIdentity, loadConfig, readText, trustedFrom } from '../../config/load.ts';
import { type StationConfig, stationConfig, tlsKeyLabelOf } from '../../config/station.ts';
import { openFailpoint } from '../../drivers/failpoint.ts';
import { openDriver } from '../../drivers/index.ts';
import { fromHex } from '../core/bytes.ts';
import { Fault } from '../core/faults.ts';
import { instantOf } from '../core/instant.ts';
import type { Bus, CardReader, InstructionDoor, Jig, Log } from '../core/ports.ts';
import type { StationIdentity } from '../core/renewal.ts';
import { runProgram } from '../program.ts';
import { Past } from './past.ts';
import { createStation } from './station.ts';
import { lastWill } from './status.ts';

await runProgram(async () => {
  const config = loadConfig(process.argv[2] ?? 'station.json', stationConfig);
  const clock = await openDriver.systemClock();
  const crypto = await openDriver.nodeCrypto();
  const log = (await openDriver.log())('station', 'info');
  const onWarning = (warning: string): void => log.write('warn', 'warning', { warning });
  const past = new Past(config.nests.length);
  const journal = await (await openDriver.leveldbJournal())({
    directory: config.journal.directory,
    sha256: crypto.sha256,
    laboratoryFileSystem: config.journal.laboratoryFileSystem,
    room: config.journal,
    onWarning,
    onEntry: (entry) => past.take(entry),
  });
  const signer = await (await openDriver.pkcs11Signer())({
    module: config.token.module,
    label: config.token.label,
    pinFile: config.token.pinFile,
    key: config.token.envelopeKey,
  });
  const bus = await connectBus(config, instantOf(clock.now()), log);
  const jig = await openJig(config);
  const readers = await openReaders(config);
  const genesis = await (await openDriver.readGenesis())(config.journal.directory);
  const instructions = await openDoor(config);
  const station = await createStation(config, {
    ...(instructions === null ? {} : { instructions }),
    clock,
    entropy: await openDriver.kernelEntropy(),
    crypto,
    signer,
    journal,
    past,
    bus,
    jig,
    reader: (nest) => {
      const reader = readers.get(nest);
      if (reader === undefined) throw new Fault('READER_ABSENT', { nest });
      return reader;
    },
    log,
    identity: await identityOf(config),
    failpoint: openFailpoint(config.failpoint, config.failpointSkip),
    trusted: trustedFrom(config.trusted),
    logKey: { name: config.logKey.name, publicKey: fromHex(config.logKey.publicKey) },
    ticket: readText(config.ticketFile),
    genesis,
  });
  const socket = await (await openDriver.journalSocket())({ path: config.journal.socket, journal, genesis });
  return {
    ended: station.ended,
    stop: async () => {
      await instructions?.close();
      await station.stop();
      await socket.close();
      for (const reader of readers.values()) await reader.close();
      await jig.close();
      await bus.close();
      await journal[Symbol.asyncDispose]();
    },
  };
});

function openJig({ jig, serialPort, controller, nests }: StationConfig): Promise<Jig & AsyncDisposable> {
  const { plainFirmata, plainMemoryFile, ...deadlines } = jig;
  return openDriver.firmataJig().then((open) =>
    open({
      serialPath: serialPort,
      controller,
      nests: Object.fromEntries(nests.map((nest) => [nest.name, nest.pins])),
      deadlines,
      plain: plainFirmata === 'refuse' ? null : { memoryFile: plainMemoryFile },
      waitForBoard: false,
    }),
  );
}

/** Where operators sign in; null where nobody does. */
async function openDoor({ instructionSocket }: StationConfig): Promise<InstructionDoor | null> {
  return instructionSocket === null ? null : (await openDriver.instructionSocket())(instructionSocket);
}

async function identityOf(config: StationConfig): Promise<StationIdentity> {
  const { bus, renewal, station } = config;
  const tlsKey = tlsKeyLabelOf(config);
  const openKeys = await openDriver.stationKeys();
  const keys: StationIdentity['keys'] = async () => {
    if (tlsKey === null)
      throw new Fault('CONFIG_INVALID', { setting: 'bus.key', why: 'no object of a token' });
    const { tls, envelope, ...opened } = await openKeys({ ...config.token, tlsKey }, 'demand');
    return { tls, envelope, close: async () => opened[Symbol.asyncDispose]() };
  };
  const office = renewal.courier === null ? null : (await openDriver.courier())(renewal.courier, station);
  return (await openDriver.stationIdentity())(bus, keys, office);
}

async function connectBus(config: StationConfig, now: string, log: Log): Promise<Bus> {
  const secureContext = await (await openDriver.secureContext())(busIdentity(config.bus));
  const will = lastWill(config, now);
  return (await openDriver.mqttBus())({
    host: config.bus.host,
    port: config.bus.port,
    servername: config.bus.servername,
    clientId: config.station,
    secureContext,
    // Nothing waits for this station at the broker: what it misses it asks for again.
    clean: true,
    sessionExpirySeconds: 0,
    keepaliveSeconds: config.bus.keepaliveSeconds,
    onUnfit: (fault) => log.write('warn', 'warning', { part: 'bus', code: fault.code, ...fault.context }),
    connectDeadlineMs: config.bus.connectDeadlineMs,
    will: { ...will, retain: true },
  });
}

/** By the name of their nest. */
async function openReaders(config: StationConfig): Promise<ReadonlyMap<string, CardReader>> {
  const openReader = await openDriver.pcscReader();
  const readers = new Map<string, CardReader>();
  for (const nest of config.nests)
    readers.set(
      nest.name,
      await openReader({
        readerName: nest.reader,
        ...(config.pcscSocket === null ? {} : { socket: config.pcscSocket }),
        connectDeadlineMs: config.readerDeadlineMs,
      }),
    );
  return readers;
}
