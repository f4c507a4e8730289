/** A backend whose file with the head of the log is gone: it stands for an empty log only where the log is empty. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createSimulatedClock } from '../../drivers/clock/simulated.ts';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { createMemoryLog } from '../../drivers/log/memory.ts';
import { openHeadFile } from '../../drivers/store/head-file.ts';
import { createInMemoryFleetDatabase, type InMemoryFleetDatabase } from '../../drivers/store/in-memory.ts';
import { createInMemoryHead } from '../../drivers/store/in-memory-head.ts';
import type { BackendPorts } from '../../runtime/backend/ports.ts';
import { Sequencer } from '../../runtime/backend/sequencer.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import type { HeadMemory } from '../../runtime/core/store/head.ts';
import { driven } from '../../scripts/simulation/driven.ts';
import { createWorld } from '../../scripts/simulation/world.ts';
import { inProcess } from '../cli/support.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-head-missing-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** A backend's start, as far as its log goes. */
function started(fleet: InMemoryFleetDatabase, heads: HeadMemory): Promise<void> {
  const ports = { crypto: nodeCrypto, heads, log: createMemoryLog(), store: fleet.connect() };
  return new Sequencer(ports as unknown as BackendPorts, 16).load();
}

describe('a backend without the file of its head', () => {
  it('starts where there is no leaf yet, and remembers from then on', async () => {
    const clock = createSimulatedClock(0);
    const fleet = createInMemoryFleetDatabase({ clock });
    const heads = createInMemoryHead();
    await driven(clock, started(fleet, heads));
    assert.equal(heads.told?.size, 0);
    await driven(clock, started(fleet, heads));
  });

  it('does not start where there are leaves, and does after the head of the verified log was written', async () => {
    const world = await createWorld({ seed: 'head-missing', units: 1, stations: 1, cheap: true });
    await world.run(86_400_000);
    const { clock, fleet, parties } = world;
    const refused = started(fleet, createInMemoryHead()).then(() => 'started', String);
    assert.match(await driven(clock, refused), /LOG_HEAD_MISSING/);

    const path = join(directory, 'log-head');
    const store = fleet.connect();
    const { name, publicKey } = parties.logSigner.key;
    const command = ['audit', 'verify', '--database', 'postgresql:///simulated', '--head-file', path];
    const verify = () =>
      inProcess([...command, '--log-key', `${name}:${toHex(publicKey)}`], {
        crypto: nodeCrypto,
        openFleet: async () => ({
          read: (work) => driven(clock, store.transaction(work)),
          operation: async () => null,
          [Symbol.asyncDispose]: async () => undefined,
        }),
        write: async (file, content) => writeFileSync(file, content),
      });
    const verified = await verify();
    assert.equal(verified.code, 0, verified.out + verified.err);
    await driven(clock, started(fleet, await openHeadFile(path)));
    const again = await verify();
    assert.equal(again.code, 2);
    assert.match(again.err, /there is a .* already/);
  });
});
