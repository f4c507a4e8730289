/** A last look at a chip before it is condemned: another one may lie in the reader by now. */
import { toBase64, toHex } from '../../core/bytes.ts';
import { decodeAnswer, encodeCommand } from '../../core/card/apdu.ts';
import { fingerprintInput, getData, select } from '../../core/card/global-platform.ts';
import { tlvAt } from '../../core/card/tlv.ts';
import { Fault } from '../../core/faults.ts';
import type { Job } from './job.ts';
import { dataOf, dataOrEmpty } from './session.ts';

/**
 * Reads in clear what the station read before it reserved. Nothing of it is evidence for the chip; that it differs
 * says that the one at fault may be gone.
 * @throws Fault CARD_CHANGED; CARD_OUTCOME_UNKNOWN, CARD_COMMAND_REFUSED when the chip cannot be looked at
 */
export async function demandSameChip({ line, profile, claimed, ports }: Job): Promise<void> {
  const commands = [
    select(profile.securityDomain),
    getData(profile.eidObject),
    ...profile.fingerprintObjects.map(getData),
  ];
  const [reset, ...answers] = await line.play({
    name: 'look',
    changes: false,
    actions: [
      { kind: 'cold-reset' },
      ...commands.map((command) => ({
        kind: 'command' as const,
        command: toBase64(encodeCommand(command)),
        deadlineMs: profile.deadlines.plainMs,
      })),
    ],
  });
  const [selected, eid, ...objects] = answers.map((exchange) => decodeAnswer(exchange.answer));
  dataOf(selected, 'SELECT');
  const digits = toHex(tlvAt(dataOf(eid, 'GET DATA EID'), profile.eidObject));
  const values = objects.map(dataOrEmpty);
  const atr = reset?.answer ?? new Uint8Array(0);
  const fingerprint = toHex(ports.crypto.sha256(fingerprintInput(atr, values)));
  if (digits !== claimed.eid || fingerprint !== claimed.seFingerprint)
    throw new Fault('CARD_CHANGED', { eid: digits.slice(-4), fingerprint: fingerprint.slice(0, 8) });
}
