/** Plays the gateway's APDU lists until it confirms or condemns. The next list comes only after every answer was judged there. */
import { fromBase64, toBase64 } from '../core/bytes.ts';
import { canonicalJson } from '../core/canonical-json.ts';
import type { Exchange } from '../core/card/apdu.ts';
import { keepList, listHashOf, transcriptNext, transcriptStart } from '../core/card/transcript.ts';
import { LISTS_MAX } from '../core/card/transcript-form.ts';
import { asFault, Fault } from '../core/faults.ts';
import { type ApduList, dialogueContinueExchange, dialogueOpenExchange } from '../core/messages/exchanges.ts';
import type { Reservation } from '../core/messages/receipts.ts';
import { createSecrecy } from '../core/messages/secrecy.ts';
import { deadlines } from '../core/operation/deadlines.ts';
import type { CardIdentity } from '../core/operation/facts.ts';
import type { CardAction, PlayOutcome } from '../core/ports.ts';
import type { Means, Task } from './task.ts';

export type Personalization =
  | { readonly kind: 'confirmed'; readonly confirmation: string; readonly transcriptHash: string }
  | { readonly kind: 'verdict'; readonly verdict: string; readonly fault: Fault };

/** Null when the visit ended meanwhile. @throws Fault of gateway, bus or reader */
export async function personalize(
  means: Means,
  task: Task,
  unit: { readonly identity: CardIdentity; readonly receipt: string; readonly reserved: Reservation },
): Promise<Personalization | null> {
  const { crypto } = means.ports;
  const { operation, epoch } = unit.reserved;
  const question = {
    nest: task.visit.nest,
    binding: { operation, epoch },
    retry: deadlines.dialogue,
  };
  let transcriptHash = transcriptStart(operation, epoch, crypto);
  const secrecy = createSecrecy(means.ports);
  let answer = (
    await means.requester.ask(
      dialogueOpenExchange,
      { ...question, to: 'gateway', step: 0 },
      {
        ticket: means.ports.ticket,
        reservation: unit.receipt,
        identity: { ...unit.identity, keyVersions: [...unit.identity.keyVersions] },
        listKey: secrecy.key,
      },
    )
  ).body;
  for (let step = 1; answer.kind === 'list'; step++) {
    if (task.isOver()) return null; // The unit is another now: nothing more is played for this visit.
    if (step > LISTS_MAX) throw new Fault('DIALOGUE_LOST', { lists: step });
    const { dialogue, instance, answerKey } = answer;
    const place = { dialogue, step };
    const list = secrecy.decryptList(place, answer.list);
    const listHash = listHashOf(list, crypto);
    if (list.changes && !(await task.tell({ on: 'list-issued', step: list.name, listHash }))) return null;
    const played = await play(means, task, list, () => secrecy.prepare(answerKey));
    const kept = canonicalJson(keepList(list, played.exchanges, crypto));
    transcriptHash = transcriptNext(transcriptHash, kept, crypto);
    const answers = secrecy.encryptAnswers(place, answerKey, played.exchanges.map(encoded));
    const next = means.requester.ask(
      dialogueContinueExchange,
      { ...question, to: instance, step, topic: { instance } },
      { dialogue, outcome: played.outcome, answers },
    );
    if (played.outcome !== 'played') {
      // The gateway is told how the list ended, and refuses to go on; the reason is known only here.
      const [refusal] = await Promise.allSettled([next]);
      const refused = refusal.status === 'rejected' ? asFault(refusal.reason, 'UNEXPECTED').code : null;
      means.ports.log.write('debug', 'dialogue-ended', { dialogue, refused });
      throw played.fault;
    }
    answer = (await next).body;
  }
  if (answer.kind === 'confirmation')
    return { kind: 'confirmed', confirmation: answer.confirmation, transcriptHash };
  return {
    kind: 'verdict',
    verdict: answer.verdict,
    fault: new Fault(answer.fault.code, answer.fault.context),
  };
}

/** @param meanwhile done while the chip works */
async function play(
  { ports }: Means,
  { visit }: Task,
  list: ApduList,
  meanwhile: () => void,
): Promise<PlayOutcome> {
  ports.failpoint(`list:${list.name}:before`);
  const actions = list.actions.map(
    (action): CardAction =>
      action.kind === 'cold-reset'
        ? { kind: 'cold-reset' }
        : { kind: 'command', command: fromBase64(action.command), deadlineMs: action.deadlineMs },
  );
  const playing = ports.reader(visit.nest).play(actions);
  try {
    meanwhile();
  } finally {
    await playing; // Whatever fails here: no list is left under way.
  }
  const played = await playing;
  ports.failpoint(`list:${list.name}:after`);
  return played;
}

/** Only what crossed the wire travels: the rest follows from it. */
function encoded({ kind, command, answer, wire }: Exchange) {
  const frames = kind === 'cold-reset' ? [{ command, answer }] : wire;
  return {
    kind,
    wire: frames.map((frame) => ({ command: toBase64(frame.command), answer: toBase64(frame.answer) })),
  };
}
