import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createFixture, type GateLogLine } from '../../drivers/jig/controller/fixture.ts';
import { plainNestPins, simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { createVolatileMemory } from '../../drivers/jig/controller/state-file.ts';
import { openFirmataJig } from '../../drivers/jig/firmata/jig.ts';
import { createSimulatedJig } from '../../drivers/jig/simulated.ts';
import { fromHex } from '../../runtime/core/bytes.ts';
import type { GateKind } from '../../runtime/core/gate/release.ts';
import type { JigEvent } from '../../runtime/core/ports.ts';
import { ownChild, PATIENT, startBoardRig, TAG_KEY, until } from '../jig/board-rig.ts';
import { CONTROLLER, type JigRig, jigContract, NEST } from './jig.contract.ts';

jigContract('simulated', async () => startSimulatedRig(TAG_KEY));
jigContract('firmata over a pseudo terminal', () => startFirmataRig('controller'));
jigContract('simulated, plain', async () => startSimulatedRig(null), 'plain-firmata');
jigContract('plain firmata over a pseudo terminal', () => startFirmataRig('plain-firmata'), 'plain-firmata');

function startSimulatedRig(tagKey: string | null): JigRig {
  const clock = createSimulatedClock(1_800_000_000_000);
  const key = tagKey === null ? null : fromHex(tagKey);
  const log: GateLogLine[] = [];
  const events: JigEvent[] = [];
  const fixture = createFixture({
    clock,
    self: {
      controller: CONTROLLER,
      nest: NEST,
      cipher: key === null ? null : (block) => nodeCrypto.aesEncryptBlock(key, block),
    },
    memory: createVolatileMemory(),
    motion: { arriveMs: 900, clampMs: 300, gateMs: 200, leaveMs: 800 },
    seat: async () => undefined,
    openTimeoutMs: 5_000,
    hostTimeoutMs: 250,
    witness: (line) => log.push(line),
  });
  const host = (): ReturnType<typeof createSimulatedJig> => {
    const fresh = createSimulatedJig({ clock, fixture });
    fresh.onEvent((event) => events.push(event));
    return fresh;
  };
  let jig = host();
  let index = 0;
  const waitUntil = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await condition()))
      if (!(await clock.runNext())) throw new Error(`nothing happens any more: ${condition}`);
  };
  return {
    tagKey,
    namesInLog: true,
    events,
    jig: () => jig,
    run: async (promise) => {
      let settled = false;
      const done = promise.finally(() => {
        settled = true;
      });
      done.catch(() => undefined);
      await waitUntil(() => settled);
      return done;
    },
    until: waitUntil,
    feed: async (count) => {
      fixture.line.feed(count, index);
      index += count;
    },
    takeByHand: async () => {
      fixture.line.takeByHand();
    },
    stick: async (what, stuck) => fixture.line.stick(what, stuck),
    clampIsOpen: async () => fixture.sensed()['clamp-open'],
    loseLink: async () => jig.loseLink(700),
    resetBoard: async () => jig.resetBoard(2_000),
    killHost: () => jig.close(),
    startHost: async () => {
      jig = host();
    },
    gateLog: async () => log,
    stop: () => jig.close(),
  };
}

async function startFirmataRig(gate: GateKind): Promise<JigRig> {
  const plain = gate === 'plain-firmata';
  const rig = await startBoardRig({ firmware: plain ? 'stock' : 'ours' });
  const events: JigEvent[] = [];
  const host = async (): ReturnType<typeof openFirmataJig> => {
    const fresh = await openFirmataJig({
      serialPath: rig.serialPath,
      controller: CONTROLLER,
      nests: { [NEST]: plain ? plainNestPins : simulatedNestPins },
      deadlines: { ...PATIENT, gateOpenMs: 2_000 },
      plain: plain ? { memoryFile: `${rig.directory}/plain-gate.json` } : null,
    });
    fresh.onEvent((event) => events.push(event));
    return fresh;
  };
  let jig = await host();
  let index = 0;
  return {
    tagKey: plain ? null : TAG_KEY,
    namesInLog: !plain,
    events,
    jig: () => jig,
    run: (promise) => promise,
    until,
    feed: async (count) => {
      await rig.ask({ verb: 'feed', count, firstIndex: index });
      index += count;
    },
    takeByHand: async () => {
      await rig.ask({ verb: 'take-by-hand' });
    },
    stick: async (what, stuck) => {
      await rig.ask({ verb: 'stick', what, stuck });
    },
    clampIsOpen: async () => {
      const { sensed } = await rig.ask({ verb: 'status' });
      return (sensed as Record<string, boolean>)['clamp-open'] === true;
    },
    loseLink: async () => {
      await rig.ask({ verb: 'misbehave', misbehaviour: { kind: 'halt', forMs: 1_500 } });
    },
    resetBoard: async () => {
      await rig.ask({ verb: 'misbehave', misbehaviour: { kind: 'reset', announced: true, bootMs: 50 } });
    },
    // Stopped, its process says nothing; the kill that follows leaves it no last word.
    killHost: async () => {
      process.kill(ownChild('firmata/child.js'), 'SIGSTOP');
      await jig.close();
    },
    startHost: async () => {
      jig = await host();
    },
    gateLog: rig.gateLog,
    stop: async () => {
      await jig.close();
      await rig.stop();
    },
  };
}
