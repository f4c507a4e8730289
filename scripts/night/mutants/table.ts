/**
 * Every safety rule of the programs taken away once: what stands in the compiled module, and what stands there
 * instead. A mutant is alive until a night or the sweep breaks a rule.
 */
export interface Mutant {
  readonly name: string;
  /** What the changed program does, as the end of a sentence that begins with "It". */
  readonly does: string;
  /** Below `dist`. */
  readonly module: string;
  readonly from: string;
  readonly to: string;
  /** Why no night can tell; absent for a mutant that must be killed. */
  readonly survives?: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'append-not-awaited',
    does: 'acts before its journal is on the disk',
    module: 'runtime/station/nest.js',
    from: 'await this.#ports.journal.append([',
    to: 'void this.#ports.journal.append([',
  },
  {
    name: 'no-intent-of-the-station',
    does: 'plays lists that change the chip without writing their intent',
    module: 'runtime/station/personalization.js',
    from: 'if (list.changes &&',
    to: 'if (false &&',
  },
  {
    name: 'no-intent-of-the-gateway',
    does: 'derives and wraps without an intent in the ledger',
    module: 'runtime/gateway/personalization/job.js',
    from: 'return job.ports.ledger.intend({',
    to: 'return Promise.resolve({',
  },
  {
    name: 'answers-before-commit',
    does: 'answers a registration before its transaction is committed',
    module: 'runtime/backend/sequencer.js',
    from: 'const { outcomes, log } = await this.#ports.store.transaction((tx) => this.#write(tx, group));',
    to: 'const { outcomes, log } = await new Promise((resolve, reject) => { this.#ports.store.transaction(async (tx) => { const written = await this.#write(tx, group); resolve(written); return written; }).catch(reject); });',
  },
  {
    name: 'tag-not-verified',
    does: 'opens the gate for a release with any tag',
    module: 'drivers/jig/controller/gate-controller.js',
    from: 'if (!ours || !isGenuine(self, release))',
    to: 'if (!ours)',
  },
  {
    name: 'arrival-not-compared',
    does: 'opens the gate for the release of another arrival',
    module: 'drivers/jig/controller/gate-controller.js',
    from: 'if (release.arrival !== state.arrival)',
    to: 'if (false)',
  },
  {
    name: 'counter-not-compared',
    does: 'obeys a release twice',
    module: 'drivers/jig/controller/gate-controller.js',
    from: 'if (release.counter <= state.memory.obeyed)',
    to: 'if (false)',
    survives: 'every closing names a new arrival, and the release of an older one is refused for that',
  },
  {
    name: 'open-without-presence',
    does: 'leaves the gate open when the unit is taken out by hand',
    module: 'drivers/jig/controller/gate-controller.js',
    from: "if (before.window !== null)\n        return close(self, before, 'presence-lost');",
    to: 'if (before.window !== null)\n        return { state: { ...before, arrival: 0 }, actions: [] };',
    survives:
      'the infeed waits for shut gates, and the station clamps whoever comes; the firmware’s claims hold it',
  },
  {
    name: 'open-without-host',
    does: 'leaves the gate open when its host is lost',
    module: 'drivers/jig/controller/gate-controller.js',
    from: "return state.window === null ? { state, actions: [] } : close(self, state, 'host-lost');",
    to: 'return { state, actions: [] };',
    survives:
      'the gate closes by its own time-out, and who leaves until then had its release; the firmware’s claims hold it',
  },
  {
    name: 'restart-repeats',
    does: 'repeats after a restart what it should ask about first',
    module: 'runtime/core/operation/step.js',
    from: "inspect: last?.restart === 'inspect'",
    to: 'inspect: false',
    survives:
      'the gate controller refuses what it obeyed, and a dialogue that is opened again asks the chip by itself',
  },
  {
    name: 'release-beside-another',
    does: 'gives a second release while the first may still be used',
    module: 'runtime/backend/controllers.js',
    from: 'if (spent || !(ended || ignored))',
    to: 'if (false)',
    survives: 'the gate controllers refuse what has ended; the model tells (FORMER_VOID)',
  },
  {
    name: 'epoch-not-raised',
    does: 'gives a resumed operation the epoch it had',
    module: 'runtime/backend/reservation.js',
    from: 'epoch: known.epoch + 1,',
    to: 'epoch: known.epoch,',
  },
  {
    name: 'older-epoch-admitted',
    does: 'admits a dialogue of an older epoch at the gateway',
    module: 'drivers/store/in-memory-ledger.js',
    from: "return { admitted: false, why: 'stale' };",
    to: '{}',
    survives: 'the backend registers the newest epoch alone; the ledger’s contract holds it',
  },
  {
    name: 'new-pair-each-time',
    does: 'makes a new key pair at every resumption',
    module: 'runtime/gateway/personalization/certificate.js',
    from: 'const kept = before !== null && (await holdsKeyOf(job, session, { codec, before, challenge })) ? before : null;',
    to: 'const kept = null; await holdsKeyOf;',
  },
  {
    name: 'certificate-not-reused',
    does: 'asks for another certificate for a key that has one',
    module: 'drivers/store/in-memory-ledger.js',
    from: 'return withoutPosition(known);',
    to: 'return row;',
    survives: 'a key that is held keeps its row before this is asked; the ledger’s contract holds it',
  },
  {
    name: 'transport-set-kept',
    does: 'leaves the transport set on the chip and does not look',
    module: 'runtime/gateway/personalization/finish.js',
    from: 'const gone = [profile.transportKeyVersion, profile.scratchKeyVersion];',
    to: 'const gone = [profile.scratchKeyVersion];',
  },
  {
    name: 'acknowledged-unsent',
    does: 'takes its journal for delivered without an answer',
    module: 'runtime/station/outbox.js',
    from: 'const head = await send(config, ports, requester, entries);',
    to: 'const head = entries.at(-1); void send(config, ports, requester, entries).catch(Boolean);',
  },
  {
    name: 'chip-not-judged',
    does: 'takes every proof of a chip for given',
    module: 'runtime/gateway/personalization/job.js',
    from: 'if (!holds)',
    to: 'if (false)',
  },
  {
    name: 'quota-not-counted',
    does: 'takes no unit of a quota',
    module: 'drivers/store/in-memory-quota.js',
    from: 'if (taken > quota)',
    to: 'if (false)',
    survives: 'no night has more units than its ticket; the contracts of both stores hold it',
  },
  {
    name: 'poison-forgotten',
    does: 'goes on writing to a journal that has failed',
    module: 'drivers/journal/group-commit.js',
    from: 'poisoned ??= fault;',
    to: '',
    survives: 'the nights fail the port and not the store behind it; the journal’s contract holds it',
  },
  {
    name: 'old-verdict-repeated',
    does: 'asks for ever for the record of a reject whose reservation is old',
    module: 'runtime/station/rejecting.js',
    from: "error.code === 'RESERVATION_STALE'",
    to: 'false',
    survives: 'one night in some thousands tells; the model tells at once',
  },
  {
    name: 'failure-unheard',
    does: 'leaves a failing promise of a transaction alone',
    module: 'runtime/backend/sequencer.js',
    from: 'insertDrafted(draft, leaves),',
    to: 'void insertDrafted(draft, leaves),',
  },
  {
    name: 'lists-overlap',
    does: 'begins a list while another is under way',
    module: 'runtime/station/reader-turns.js',
    from: 'const turn = last.then(() => reader.play(actions));',
    to: 'const turn = reader.play(actions);',
  },
  {
    name: 'older-store-accepted',
    does: 'goes on from a database that was restored from a backup',
    module: 'runtime/backend/sequencer.js',
    from: 'if (size < told)',
    to: 'if (false)',
  },
  {
    name: 'older-ledger-accepted',
    does: 'goes on from a ledger that was restored from a backup',
    module: 'runtime/gateway/whole-ledger.js',
    from: 'await ledger.raiseMark(marks.told)',
    to: 'await ledger.raiseMark(0)',
  },
  {
    name: 'older-journal-accepted',
    does: 'goes on from a journal that was put back',
    module: 'runtime/station/agreement.js',
    from: 'if (hash === head.hash)',
    to: 'if (true)',
  },
  {
    name: 'foreign-journal-accepted',
    does: "writes to another station's journal",
    module: 'runtime/station/station.js',
    from: 'if (genesis.station !== station)',
    to: 'if (false)',
  },
  {
    name: 'departure-unexplained',
    does: 'does not wonder at a unit that left on a release it never wrote down',
    module: 'runtime/station/nest.js',
    from: 'this.#compare(what);',
    to: '{}',
    survives:
      'one night in some thousands tells: it takes storage that was put back, and entries that nobody else had yet',
  },
  {
    name: 'any-answer',
    does: 'takes an answer that belongs to another request',
    module: 'runtime/core/messages/exchange.js',
    from: 'if (typed.id !== request.id || typed.requestHash !== hashOf(request.jws, crypto))',
    to: 'if (false)',
    survives:
      'answers find their request by its number, and receipts are judged by what they say; the exchange’s claims hold it',
  },
  {
    name: 'acts-twice',
    does: 'works on a request again each time it arrives',
    module: 'runtime/exchange/responder.js',
    from: 'if (before !== undefined)',
    to: 'if (false)',
  },
  {
    name: 'gate-not-asked',
    does: 'releases without asking whether everything is durable',
    module: 'runtime/station/actions.js',
    from: 'if (!verdict.open)',
    to: 'if (false)',
    survives: 'the table lets nobody come there without; the model and the core’s claims hold it',
  },
];

/** @throws RangeError when there is no such mutant */
export function mutantNamed(name: string): Mutant {
  const found = mutants.find((mutant) => mutant.name === name);
  if (found === undefined) throw new RangeError(`there is no mutant ${name}`);
  return found;
}

/** @throws RangeError when what should be changed stands there not once */
export function changed(source: string, { name, from, to }: Mutant): string {
  const parts = source.split(from);
  if (parts.length !== 2) throw new RangeError(`${name}: ${parts.length - 1} places are like that`);
  return parts.join(to);
}
