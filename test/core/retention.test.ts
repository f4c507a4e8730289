import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CUT_ENTRIES_MAX, CutFinder, surplusOf } from '../../runtime/core/journal/retention.ts';
import type { Fact } from '../../runtime/core/operation/facts.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;
const keep = { entries: 8, days: 30 };
const ALL = { byNumber: 1_000, byAge: 0, olderThan: 0, least: 4 };

/** `a:arrived b:held`: facts of nests, a visit of each from its arrival on. */
function found(
  text: string,
  options: { surplus?: typeof ALL; openNow?: string[]; at?: (i: number) => number } = {},
) {
  const { surplus = ALL, openNow = [], at = () => NOW } = options;
  const finder = new CutFinder(surplus, {}, new Set(openNow));
  const visits = new Map<string, number>();
  for (const [sequence, word] of text.split(' ').entries()) {
    const [nest = '', name = ''] = word.split(':');
    if (name === 'arrived') visits.set(nest, (visits.get(nest) ?? 0) + 1);
    const fact = { name, nest, visit: `${nest}${visits.get(nest)}` } as unknown as Fact;
    if (!finder.take({ sequence, hash: String(sequence), at: at(sequence), fact })) break;
  }
  return finder.found;
}

const unit = (nest: string): string =>
  `${nest}:arrived ${nest}:clamped ${nest}:held ${nest}:resumed ${nest}:released`;

describe('where a journal is cut', () => {
  it('is after a visit that has ended, never within one', () => {
    assert.equal(found(`${unit('a')} ${unit('a')} a:arrived a:clamped`)?.upTo.sequence, 9);
    assert.equal(found(`${unit('a')} a:arrived b:arrived a:released b:released a:arrived`)?.upTo.sequence, 8);
  });

  it('is before the first entry of a visit that is open now, also where nests relieve one another for ever', () => {
    const overlapping = 'a:arrived a:clamped b:arrived a:released a:arrived b:released b:arrived a:released';
    assert.equal(found(overlapping)?.upTo.sequence, 7);
    assert.equal(found(overlapping, { openNow: ['b2'] })?.upTo.sequence, 5);
    assert.equal(found(overlapping, { openNow: ['a1'] }), null);
  });

  it('counts what goes, for each nest', () => {
    const { counters } = found(`${unit('a')} ${unit('a')} ${unit('b')}`) ?? assert.fail();
    assert.deepEqual(counters.a, {
      consumed: 2,
      processed: 2,
      defective: 0,
      interrupted: 0,
      holds: 2,
      resumed: 2,
    });
    assert.equal(counters.b?.consumed, 1);
  });

  it('is nowhere where too few would go', () => {
    assert.equal(found('a:arrived a:clamped a:interrupted'), null);
    const few = { ...ALL, byNumber: 3 };
    assert.equal(found(`${unit('a')} ${unit('a')}`, { surplus: few }), null);
  });

  it('leaves what is young and few, and what is young stays at the place where the old ends', () => {
    const old = { byNumber: 0, byAge: 1_000, olderThan: NOW - 30 * DAY_MS, least: 4 };
    const at = (i: number): number => (i < 7 ? 0 : NOW);
    assert.equal(found(`${unit('a')} ${unit('a')}`, { surplus: old, at })?.upTo.sequence, 4);
    assert.equal(found(`${unit('a')} ${unit('a')}`, { surplus: old }), null);
  });
});

describe('how many entries may go', () => {
  it('are those beyond the number that is kept, and some thousand at once', () => {
    assert.equal(surplusOf(8, keep, NOW, false).byNumber, 0);
    assert.equal(surplusOf(20, keep, NOW, false).byNumber, 12);
    assert.equal(surplusOf(1_000_000, keep, NOW, false).byNumber, CUT_ENTRIES_MAX);
  });

  it('are, by age, never the last thousand: the clock may be years ahead', () => {
    const large = { entries: 100_000, days: 30 };
    assert.equal(surplusOf(1_200, large, NOW, false).byAge, 200);
    assert.equal(surplusOf(900, large, NOW, false).byAge, 0);
    assert.equal(surplusOf(1_200, large, NOW, false).olderThan, NOW - 30 * DAY_MS);
  });

  it('are more on a disk that is nearly full, and fewer are worth it there', () => {
    const large = { entries: 100_000, days: 30 };
    const pressed = surplusOf(3_000, large, NOW, true);
    assert.deepEqual([pressed.byNumber, pressed.least], [2_000, 16]);
    assert.equal(surplusOf(3_000, large, NOW, false).least, 256);
  });
});
