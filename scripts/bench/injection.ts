/** Key injections a second through the token's process and a virtual chip, against the token's primitive calls; and what the proof of the keys adds. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createVirtualSe, type VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createGatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { Token } from '../../runtime/core/token.ts';
import type { BenchRow } from '../bench.ts';
import { median } from './median.ts';
import { enter, FLEET_KEY_VERSION, fleetOf, inject, prove } from './one-unit.ts';

const CHIPS = 200;
const CALLS = 2_000;
/** PKCS#11 calls of one SCP03 session with PUT KEY, AES-128. */
const CALLS_OF_ONE_INJECTION = 45;
const profile = cardProfiles['holdfast-virtual'];

export async function benchInjection(directory: string): Promise<readonly BenchRow[]> {
  const transportMaster = randomBytes(32);
  const made = await createGatewayToken({
    directory: join(directory, 'token'),
    label: 'bench',
    masters: { 'transport-master': transportMaster, 'mdk-1': 'generated' },
    keyVersions: { 'transport-master': [profile.transportKeyVersion], 'mdk-1': [FLEET_KEY_VERSION] },
    signingKeys: ['envelope', 'confirmation', 'issuer-bench'],
  });
  await using token = await openPkcs11Token({ ...made, laboratory: true });
  const message = randomBytes(200);
  const signatures = await perSecond(CALLS, () => token.sign('envelope', message));
  const chips: VirtualSe[] = [];
  const injections = await perSecond(CHIPS, async (i) =>
    chips.push(await injected(token, transportMaster, i)),
  );
  const proof = await proofMs(token, chips);
  const calls = injections * CALLS_OF_ONE_INJECTION;
  return [
    {
      what: 'key injections (session, PUT KEY, chip)',
      value: injections,
      unit: '/s',
      beside: {
        what: `signatures through the same process`,
        value: signatures,
        ratio: injections / signatures,
      },
    },
    {
      what: 'proof of Key-DEK and negative control, p50',
      value: proof,
      unit: 'ms',
      beside: { what: 'injection', value: 1_000 / injections, ratio: (proof * injections) / 1_000 },
    },
    { what: `PKCS#11 calls of these (${CALLS_OF_ONE_INJECTION} each)`, value: calls, unit: '/s' },
  ];
}

/** A new chip with the fleet's keys. */
async function injected(token: Token, transportMaster: Uint8Array, index: number): Promise<VirtualSe> {
  const eid = eidOfIndex(index);
  const { transportKeyVersion } = profile;
  const state = freshChip({ eid, index, transportMaster, transportKeyVersion });
  const chip = createVirtualSe({ state, entropy: { bytes: randomBytes } });
  await inject(token, chip, eid);
  return chip;
}

/** Milliseconds of `prove`, the middle of all; the sessions around it are not counted. */
async function proofMs(token: Token, chips: readonly VirtualSe[]): Promise<number> {
  const times: number[] = [];
  for (const chip of chips) {
    const channel = await enter(token, chip, fleetOf(chip.state.eid));
    const begun = performance.now();
    await prove(token, chip, channel);
    times.push(performance.now() - begun);
    await token.closeChannel(channel);
  }
  return median(times);
}

async function perSecond(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < count; i++) await work(i);
  return (count * 1000) / (performance.now() - begun);
}
