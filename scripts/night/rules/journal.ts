/** Rules of the journal, and of what may stand in it and on the wire. */
import { eidOfIndex } from '../../../drivers/card-reader/virtual-se/eid.ts';
import { equal, fromText, toHex } from '../../../runtime/core/bytes.ts';
import { chainHash, genesisHash } from '../../../runtime/core/journal/entry.ts';
import type { Fact } from '../../../runtime/core/operation/facts.ts';
import type { Place, Plant } from '../plant.ts';
import { cutOf, durableFacts, durableFactsFrom, type Rule } from './rule.ts';

export const journalRules: readonly Rule[] = [
  {
    name: 'I0',
    says: "no command changes a chip before the intent is durable, in the station's journal and in the gateway's ledger",
    watch: (plant, story, blame) => {
      plant.witnesses.push({
        onCommand: ({ unit, place, changed }) => {
          if (!changed || place === null || story.liars[unit] !== undefined) return;
          const intended = place.disk === null ? null : intendedUnit(durableFacts(place.disk));
          if (intended === null) blame(`unit ${unit} was changed without an intent`);
          else if (intended !== eidOfIndex(unit)) blame(`unit ${unit} was changed in the name of another`);
          if (plant.restored) return; // A reservation is in no leaf; what became of it, the end of the night shows.
          const operation = plant.fleet.tables.operations.find('operation_eid', eidOfIndex(unit))?.operation;
          if (operation === undefined) blame(`unit ${unit} was changed without a reservation`);
          else if (plant.ledger.tables.intents.group(operation).length === 0)
            blame(`unit ${unit} was changed without an intent of the gateway`);
        },
      });
    },
  },
  {
    name: 'I10',
    says: 'every journal is one unbroken chain, what it gave up is with the backend, and nothing is done to a unit on one that lacks what was acknowledged',
    end: ({ plant }, blame) => {
      for (const place of plant.places) {
        const hashes = chainOf(place, plant, blame);
        const journal = place.disk?.genesis.journal;
        const known = plant.fleet.tables.events.group(`${place.name}\u0000${journal}`);
        const parting = known.find(
          ({ sequence, hash }) => sequence >= hashes.first && hashes.all[sequence - hashes.first] !== hash,
        )?.sequence;
        for (let sequence = 0; sequence < hashes.first && !plant.restored; sequence++)
          if (known[sequence]?.sequence !== sequence)
            return blame(`${place.name} gave up entry ${sequence}, which the backend does not have`);
        // A store that was restored may have forgotten the head that it compares with.
        if (parting === undefined || place.disk === null || plant.restored) continue;
        const since = durableFactsFrom(place.disk, parting);
        if (since.some(({ name }) => name === 'identified'))
          blame(`${place.name} goes on from entry ${parting}, of which the backend has another`);
      }
    },
  },
  {
    name: 'I11',
    says: 'no key is in a journal, a message or a log',
    watch: (plant, story, blame) => {
      if (!story.realCrypto) return; // Searching every byte is dear: every night that reckons truly is searched.
      plant.taps.push((topic, payload) => {
        const found = secretIn(Buffer.from(payload), plant);
        if (found !== null) blame(`${found} was sent on ${topic}`);
      });
    },
    end: ({ plant, story }, blame) => {
      if (!story.realCrypto) return;
      for (const { name, ownDisks } of plant.places) {
        const found = secretIn(
          Buffer.concat(ownDisks.flatMap(({ durable }) => [...durable.values()])),
          plant,
        );
        if (found !== null) blame(`${found} is in the journal of ${name}`);
      }
      const found = secretIn(Buffer.from(JSON.stringify(plant.log.lines)), plant);
      if (found !== null) blame(`${found} is in a log`);
    },
  },
];

/** EID of the unit that the last intent is about. Its list may outlive its visit: nobody takes it from the reader. */
function intendedUnit(facts: readonly Fact[]): string | null {
  const last = facts.findLast(({ name }) => name === 'intent');
  if (last?.name !== 'intent') return null;
  const identified = facts.findLast((fact) => fact.name === 'identified' && fact.visit === last.visit);
  return identified?.name === 'identified' ? identified.identity.eid : null;
}

/** The hashes of a journal's entries, from the first that is here on. */
function chainOf(
  { name, disk }: Place,
  { crypto }: Plant,
  blame: (text: string) => void,
): { readonly first: number; readonly all: readonly string[] } {
  const all: string[] = [];
  if (disk === null) return { first: 0, all };
  const cut = cutOf(disk);
  const first = (cut?.sequence ?? -1) + 1;
  let hash = cut?.hash ?? genesisHash(disk.genesis, crypto.sha256);
  const entries = [...disk.durable]
    .filter(([key]) => key.startsWith('j!'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [key, value]] of entries.entries()) {
    const sequence = first + i;
    const stored = Buffer.from(value).toString('utf8');
    const at = stored.lastIndexOf(' ');
    hash = chainHash(stored.slice(0, at), sequence, hash, crypto.sha256);
    if (
      key !== `j!${String(sequence).padStart(16, '0')}` ||
      !equal(fromText(hash), fromText(stored.slice(at + 1)))
    )
      blame(`the journal of ${name} breaks at ${sequence}`);
    all.push(hash);
  }
  return { first, all };
}

/** Names a secret that stands in `bytes`: as it is, in hexadecimal or in base64. */
function secretIn(bytes: Buffer, { parties, chips }: Plant): string | null {
  const secrets: (readonly [string, string])[] = [
    ['the fleet master', toHex(parties.fleetMaster)],
    ['the transport master', toHex(parties.transportMaster)],
  ];
  for (const [unit, { state }] of chips) {
    for (const { keyVersion, enc, mac, dek } of state.keySets)
      for (const key of [enc, mac, dek])
        secrets.push([`a key of version ${keyVersion} of unit ${unit}`, key]);
    for (const scalar of Object.values(state.pairs))
      secrets.push([`the private key of unit ${unit}`, scalar]);
  }
  const found = secrets.find(([, key]) => {
    const raw = Buffer.from(key, 'hex');
    const base64 = raw.subarray(0, raw.length - (raw.length % 3)).toString('base64');
    return [raw, key, base64, base64.replaceAll('+', '-').replaceAll('/', '_')].some((form) =>
      bytes.includes(form),
    );
  });
  return found?.[0] ?? null;
}
