import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { createSimulatedCeremonyToken } from '../../drivers/token/ceremony-simulated.ts';
import { openPkcs11CeremonyToken } from '../../drivers/token/pkcs11/ceremony/process.ts';
import { createBareToken } from '../../drivers/token/pkcs11/provision.ts';
import { ceremonyTokenContract } from '../contracts/ceremony-token.contract.ts';
import { components, custody, gatewayToken } from './room.ts';

let directory = '';
after(() => rm(directory, { recursive: true, force: true }));
const sourcesIn = (place: string) =>
  components.map((component) => ({ ...component, file: join(place, `${component.custodian}.key`) }));

describe('a simulated token in a ceremony', () => {
  ceremonyTokenContract(async () => {
    const entered = Object.entries(custody).map(
      ([name, { component }]) => [`${name}.key`, component] as const,
    );
    const options = { role: 'gateway', description: gatewayToken, components: new Map(entered) } as const;
    return { token: createSimulatedCeremonyToken(options), sources: sourcesIn('') };
  });
});

describe('SoftHSM in a ceremony', () => {
  ceremonyTokenContract(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-ceremony-contract-'));
    const place = await createBareToken({
      directory: join(directory, 'hsm'),
      label: 'gateway',
      role: 'gateway',
    });
    for (const [name, { component }] of Object.entries(custody))
      writeFileSync(join(directory, `${name}.key`), component, { mode: 0o600 });
    const token = await openPkcs11CeremonyToken({ ...place, laboratory: true, role: 'gateway' });
    return { token, sources: sourcesIn(directory) };
  });
});
