/** Units of a simulated line whose log is witnessed: what a dock and a customer ask about. */
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createInMemoryHttp } from '../../drivers/http/in-memory.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { beginCosigning } from '../../runtime/backend/cosigning.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { witnessAt } from '../../runtime/cli/witness/desk.ts';
import { verifierKey } from '../../runtime/core/log/note.ts';
import { readPolicy } from '../../runtime/core/log/policy.ts';
import type { FleetStore, RecordRow } from '../../runtime/core/store/fleet.ts';
import { createWorld, type World } from '../../scripts/simulation/world.ts';
import { backendPorts } from '../orders/quota.ts';
import { deskOf, witnessKeys } from './witnesses.ts';

const DAY_MS = 86_400_000;
const WITNESSES = ['a', 'b', 'c'];

export interface CertifiedUnits {
  readonly world: World;
  readonly store: FleetStore;
  /** Two of three must have cosigned. */
  readonly policyText: string;
  readonly records: readonly RecordRow[];
  /** One round of the witnesses that are named; the others are silent. */
  witness(...names: readonly string[]): Promise<void>;
}

export async function certifiedUnits(units: number): Promise<CertifiedUnits> {
  const world = await createWorld({ seed: 'birth certificates', stations: 1, units });
  await world.run(DAY_MS);
  const { logSigner } = world.parties;
  const store = world.fleet.connect();
  const log = verifierKey(logSigner.key, nodeCrypto);
  const policyText = [
    `log ${log}`,
    ...WITNESSES.map((name) => `witness ${name} ${witnessKeys(`w.example/${name}`).vkey} http://${name}`),
    'group two 2 a b c',
    'quorum two',
    '',
  ].join('\n');
  const http = createInMemoryHttp();
  for (const name of WITNESSES) {
    const { key, sign } = witnessKeys(`w.example/${name}`);
    await http.door(name).serve(witnessAt(deskOf({ key, sign, logs: [logSigner.key], directory: name })));
  }
  const ports = {
    ...{ ...backendPorts(store), logSigner, clock: createSimulatedClock(0), log: createMemoryLog() },
  };
  await ports.heads.remember(await store.transaction((tx) => tx.readHead()));
  const sequencer = new Sequencer(ports, 16);
  await sequencer.load();
  const settings = { policyFile: 'none', roundMs: DAY_MS, deadlineMs: 100 };
  const policy = readPolicy(policyText, nodeCrypto);
  const round = await beginCosigning(settings, { policy, http: http.client }, ports, sequencer);
  return {
    world,
    store,
    policyText,
    records: await store.transaction((tx) => tx.listRecords(units)),
    witness: async (...names) => {
      for (const name of WITNESSES) http.silence(name, !names.includes(name));
      await round();
    },
  };
}
