/** Key injections a second through the token's process and a virtual chip, against the token's primitive calls. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createVirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { freshChip } from '../../drivers/card-reader/virtual-se/chip.ts';
import { eidOfIndex } from '../../drivers/card-reader/virtual-se/eid.ts';
import { createGatewayToken } from '../../drivers/token/pkcs11/provision.ts';
import { openPkcs11Token } from '../../drivers/token/pkcs11/token.ts';
import { encodeCommand } from '../../runtime/core/card/apdu.ts';
import { select } from '../../runtime/core/card/global-platform.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { Token } from '../../runtime/core/token.ts';
import type { BenchRow } from '../bench.ts';

const CHIPS = 200;
const CALLS = 2_000;
/** PKCS#11 calls of one SCP03 session with PUT KEY, AES-128. */
const CALLS_OF_ONE_INJECTION = 45;
const FLEET_KEY_VERSION = 0x31;
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
  const injections = await perSecond(CHIPS, (i) => inject(token, transportMaster, i));
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
    { what: `PKCS#11 calls of these (${CALLS_OF_ONE_INJECTION} each)`, value: calls, unit: '/s' },
  ];
}

async function inject(token: Token, transportMaster: Uint8Array, index: number): Promise<void> {
  const eid = eidOfIndex(index);
  const state = freshChip({ eid, index, transportMaster, transportKeyVersion: profile.transportKeyVersion });
  const chip = createVirtualSe({ state, entropy: { bytes: randomBytes } });
  chip.powerOn();
  chip.transmit(encodeCommand(select(profile.securityDomain)));
  const opening = await token.openChannel({
    origin: 'transport',
    scheme: 'eid-kdf-1',
    algorithm: 'aes-128',
    eid,
    keyVersion: profile.transportKeyVersion,
  });
  const answer = chip.transmit(opening.initializeUpdate);
  const proof = await token.authenticate(opening.channel, answer, profile.securityDomain);
  chip.transmit(proof.externalAuthenticate);
  const keys = {
    origin: 'fleet',
    algorithm: 'aes-128',
    generation: 1,
    eid,
    keyVersion: FLEET_KEY_VERSION,
  } as const;
  const { command } = await token.wrapPutKey(opening.channel, { keys, form: profile.putKeyForm });
  const [done] = await token.unwrap(opening.channel, [chip.transmit(command)]);
  if (done?.statusWord !== 0x9000) throw new Error('the chip did not take its keys');
  await token.closeChannel(opening.channel);
}

async function perSecond(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < count; i++) await work(i);
  return (count * 1000) / (performance.now() - begun);
}
