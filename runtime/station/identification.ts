/** Reads what the secure element says of itself before any key is used: claims, compared later under R-MAC. */
import { toHex } from '../core/bytes.ts';
import { type Command, decodeAnswer, encodeCommand } from '../core/card/apdu.ts';
import {
  decodeKeyTemplate,
  fingerprintInput,
  getData,
  keyVersionsOf,
  select,
} from '../core/card/global-platform.ts';
import { type CardProfile, cardProfile } from '../core/card/profile.ts';
import { StatusWord, showStatusWord } from '../core/card/status-word.ts';
import { tlvAt } from '../core/card/tlv.ts';
import { eidFromBytes } from '../core/eid.ts';
import { Fault } from '../core/faults.ts';
import type { TicketPayload } from '../core/messages/ticket.ts';
import type { CardIdentity } from '../core/operation/facts.ts';
import type { CardReader, Crypto } from '../core/ports.ts';

/** @throws Fault CARD_ABSENT, CARD_EID_INVALID, CARD_COMMAND_REFUSED, CARD_OUTCOME_UNKNOWN, READER_* */
export async function identify(
  reader: CardReader,
  ticket: TicketPayload,
  crypto: Crypto,
): Promise<CardIdentity> {
  const profile = cardProfile(ticket.cardProfile);
  if (profile === null) throw new Fault('TICKET_INVALID', { cardProfile: ticket.cardProfile });
  const commands = identificationOf(profile);
  const played = await reader.play([
    { kind: 'cold-reset' },
    ...commands.map((command) => ({
      kind: 'command' as const,
      command: encodeCommand(command),
      deadlineMs: profile.deadlines.plainMs,
    })),
  ]);
  if (played.outcome !== 'played') throw played.fault;
  const [reset, selected, eid, template, ...objects] = played.exchanges;
  if (!reset || !selected || !eid || !template)
    throw new Fault('CARD_ANSWER_MALFORMED', { exchanges: played.exchanges.length });
  succeeded(selected.answer, 'SELECT');
  const values = objects.map(({ answer }) => {
    const { data, statusWord } = decodeAnswer(answer);
    return statusWord === StatusWord.success ? data : new Uint8Array(0);
  });
  return {
    eid: eidFromBytes(tlvAt(succeeded(eid.answer, 'GET DATA EID'), profile.eidObject)),
    seFingerprint: toHex(crypto.sha256(fingerprintInput(reset.answer, values))),
    atr: toHex(reset.answer),
    keyVersions: keyVersionsOf(decodeKeyTemplate(succeeded(template.answer, 'GET DATA E0'))),
  };
}

function identificationOf(profile: CardProfile): readonly Command[] {
  return [
    select(profile.securityDomain),
    getData(profile.eidObject),
    getData('E0'),
    ...profile.fingerprintObjects.map(getData),
  ];
}

function succeeded(answer: Uint8Array, command: string): Uint8Array {
  const { data, statusWord } = decodeAnswer(answer);
  if (statusWord !== StatusWord.success)
    throw new Fault('CARD_COMMAND_REFUSED', { command, statusWord: showStatusWord(statusWord) });
  return data;
}
