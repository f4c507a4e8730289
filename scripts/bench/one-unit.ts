/** What one unit asks of the token: its keys put into the chip, and proved. */
import type { VirtualSe } from '../../drivers/card-reader/virtual-se/card.ts';
import { encodeCommand } from '../../runtime/core/card/apdu.ts';
import { getData, select } from '../../runtime/core/card/global-platform.ts';
import { cardProfiles } from '../../runtime/core/card/profile.ts';
import type { KeySet, Token } from '../../runtime/core/token.ts';

export const FLEET_KEY_VERSION = 0x31;
const profile = cardProfiles['holdfast-virtual'];

/** Puts the fleet's keys into a chip that has its transport set. */
export async function inject(token: Token, chip: VirtualSe, eid: string): Promise<void> {
  const channel = await enter(token, chip, {
    origin: 'transport',
    scheme: 'eid-kdf-1',
    algorithm: profile.transportAlgorithm,
    eid,
    keyVersion: profile.transportKeyVersion,
  });
  const { command } = await token.wrapPutKey(channel, { keys: fleetOf(eid), form: profile.putKeyForm });
  const [done] = await token.unwrap(channel, [chip.transmit(command)]);
  if (done?.statusWord !== 0x9000) throw new Error('the chip did not take its keys');
  await token.closeChannel(channel);
}

/** What the proof of Key-DEK and the negative control add to a session that is there anyway. */
export async function prove(token: Token, chip: VirtualSe, channel: string): Promise<void> {
  const keyVersion = profile.scratchKeyVersion;
  const scratch = await token.openScratchChannel(keyVersion, profile.algorithm);
  const put = {
    keys: { origin: 'scratch', channel: scratch.channel, keyVersion },
    form: profile.putKeyForm,
  } as const;
  const commands = [{ ...put, spoilt: true }, getData('E0'), put, getData('E0')];
  const sent = await token.wrap(channel, commands);
  const answers = await token.unwrap(
    channel,
    sent.map((command) => chip.transmit(command)),
  );
  chip.transmit(encodeCommand(select(profile.securityDomain)));
  await token.authenticate(scratch.channel, chip.transmit(scratch.initializeUpdate), profile.securityDomain);
  await token.closeChannel(scratch.channel);
  if (answers[0]?.statusWord === 0x9000) throw new Error('the chip took a wrong check value');
}

export function fleetOf(eid: string): KeySet {
  const { algorithm } = profile;
  return { origin: 'fleet', algorithm, generation: 1, eid, keyVersion: FLEET_KEY_VERSION };
}

/** A session on the security domain after a cold reset. @returns its channel */
export async function enter(token: Token, chip: VirtualSe, keys: KeySet): Promise<string> {
  chip.powerOn();
  chip.transmit(encodeCommand(select(profile.securityDomain)));
  const opening = await token.openChannel(keys);
  const answer = chip.transmit(opening.initializeUpdate);
  const proof = await token.authenticate(opening.channel, answer, profile.securityDomain);
  chip.transmit(proof.externalAuthenticate);
  return opening.channel;
}
