/** The hash chain of the journal: whoever knows the last hash sees every change before it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { chain, chainHash, genesisHash, type JournalEntry } from '../../runtime/core/journal/entry.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';
import { VISIT } from './samples.ts';

const { sha256 } = nodeCrypto;
const genesis = {
  journal: '3f1c9a52-0000-4000-8000-000000000001',
  station: 'station-1',
  created: '2026-11-22T12:00:00.000Z',
};
const visit = { nest: 'a', visit: VISIT };
const facts: readonly Fact[] = [
  { name: 'started', nest: null, version: '0.1.0', authority: 'tests' },
  { ...visit, name: 'clamped' },
  { ...visit, name: 'reserved', receipt: 'a.b.c' },
  { ...visit, name: 'intent', step: 'put-key', listHash: '00' },
  { ...visit, name: 'held', fault: { code: 'CARD_ABSENT', context: { reader: 'one' } } },
  { ...visit, name: 'resumed' },
];

function journal(from: string = genesisHash(genesis, sha256)): readonly JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (const [sequence, fact] of facts.entries())
    entries.push(chain({ fact, at: 1000 + sequence }, sequence, entries.at(-1)?.hash ?? from, sha256));
  return entries;
}

/** The hash at the end of these texts, read in this order. */
function headOf(texts: readonly string[], from = genesisHash(genesis, sha256)): string {
  return texts.reduce((hash, text, sequence) => chainHash(text, sequence, hash, sha256), from);
}

const entries = journal();
const texts = entries.map((entry) => entry.text);
const head = entries.at(-1)?.hash;

describe('the journal chain', () => {
  it('is verified from the stored texts alone', () => {
    assert.equal(headOf(texts), head);
    assert.deepEqual(JSON.parse(texts[1] ?? ''), { sequence: 1, at: 1001, fact: facts[1] });
  });

  it('shows any changed character', () => {
    fc.assert(
      fc.property(
        fc.nat(texts.length - 1),
        fc.nat(),
        fc.constantFrom('0', 'x', '"', ' '),
        (n, at, character) => {
          const text = texts[n] ?? '';
          const i = at % text.length;
          fc.pre(text[i] !== character);
          const changed = texts.with(n, text.slice(0, i) + character + text.slice(i + 1));
          assert.notEqual(headOf(changed), head);
        },
      ),
    );
  });

  it('shows a gap, at any place', () => {
    for (const [n] of texts.entries()) assert.notEqual(headOf(texts.toSpliced(n, 1)), head);
  });

  it('shows two entries that changed places', () => {
    for (let n = 1; n < texts.length; n++) {
      const [before = '', after = ''] = texts.slice(n - 1, n + 1);
      assert.notEqual(headOf(texts.with(n - 1, after).with(n, before)), head);
    }
  });

  it('shows an entry that was inserted or repeated', () => {
    for (const [n, text] of texts.entries()) assert.notEqual(headOf(texts.toSpliced(n, 0, text)), head);
  });

  it('shows another station’s journal, and the same station’s other one', () => {
    for (const other of [
      { ...genesis, station: 'station-2' },
      { ...genesis, journal: '3f1c9a52-0000-4000-8000-000000000002' },
      { ...genesis, created: '2026-11-22T12:00:00.001Z' },
    ]) {
      const start = genesisHash(other, sha256);
      assert.notEqual(headOf(texts, start), head);
      assert.notEqual(journal(start).at(-1)?.hash, head);
    }
  });

  it('counts with the place of an entry, not only with its text', () => {
    const [text = ''] = texts;
    assert.notEqual(chainHash(text, 0, head ?? '', sha256), chainHash(text, 1, head ?? '', sha256));
  });
});
