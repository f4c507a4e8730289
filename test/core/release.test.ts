import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nodeCrypto } from '../../drivers/crypto/node.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import {
  type ControllerReport,
  lanes,
  type Release,
  reasons,
  releaseBytes,
  reportBytes,
  reportKinds,
} from '../../runtime/core/gate/release.ts';
import { isReleaseGenuine, isReportGenuine, signReport, tagRelease } from '../../runtime/core/gate/tag.ts';
import { release, report, TAG_KEY } from './samples.ts';

const counter = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const controller = fc.stringMatching(/^[a-z0-9-]{1,16}$/);
const nest = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
const releases: fc.Arbitrary<Omit<Release, 'tag'>> = fc.record({
  controller,
  nest,
  lane: fc.constantFrom(...lanes),
  operation: fc.uuid(),
  epoch: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  arrival: counter,
  counter,
});
const reports: fc.Arbitrary<Omit<ControllerReport, 'mac'>> = fc.record({
  kind: fc.constantFrom(...reportKinds),
  reason: fc.constantFrom(...reasons),
  controller,
  nest,
  arrival: counter,
  gate: fc.constantFrom('closed' as const, 'open' as const),
  obeyed: counter,
  left: fc.record({ arrival: counter, counter, lane: fc.constantFrom(...lanes) }),
});
const otherKey = TAG_KEY.map((byte) => byte ^ 1);
const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/** With any one field of `b` in `a`, the bytes are those of `a` only if the field says the same. */
function eachFieldShows<T extends object>(a: T, b: T, bytesOf: (of: T) => Uint8Array): void {
  for (const key of Object.keys(a) as (keyof T)[]) {
    const mixed = { ...a, [key]: b[key] };
    assert.equal(toHex(bytesOf(mixed)) === toHex(bytesOf(a)), same(mixed, a), String(key));
  }
}

describe('a release', () => {
  it('has this layout: magic, controller, nest, lane, operation, epoch, arrival, counter', () => {
    assert.equal(
      toHex(releaseBytes(release)),
      [
        '48465231',
        '676174652d3100000000000000000000',
        '6100000000000000',
        '00',
        '01890000000070008000000000000001',
        '00000002',
        '000000000029',
        '000000000007',
      ].join(''),
    );
  });

  it('has other bytes as soon as one field differs', () => {
    fc.assert(fc.property(releases, releases, (a, b) => eachFieldShows(a, b, releaseBytes)));
  });

  it('is genuine as tagged, and in no other form of any of its fields', () => {
    assert.ok(isReleaseGenuine(release, TAG_KEY, nodeCrypto));
    const changes: readonly Partial<Release>[] = [
      { controller: 'gate-2' },
      { nest: 'b' },
      { lane: 'reject' },
      { operation: '01890000-0000-7000-8000-000000000002' },
      { epoch: 3 },
      { arrival: release.arrival + 1 },
      { counter: release.counter + 1 },
      { tag: `${release.tag.slice(0, -1)}${release.tag.endsWith('0') ? '1' : '0'}` },
      { tag: '' },
      { tag: null },
      { tag: release.tag.slice(0, 8) },
    ];
    for (const change of changes)
      assert.ok(!isReleaseGenuine({ ...release, ...change }, TAG_KEY, nodeCrypto), JSON.stringify(change));
  });

  it('is genuine under its key alone', () => {
    fc.assert(
      fc.property(releases, (any) => {
        const tagged = tagRelease(any, TAG_KEY, nodeCrypto);
        assert.ok(isReleaseGenuine(tagged, TAG_KEY, nodeCrypto));
        assert.ok(!isReleaseGenuine(tagged, otherKey, nodeCrypto));
      }),
      { numRuns: 50 },
    );
  });

  it('has a tag in which every byte of its layout matters', () => {
    const bytes = releaseBytes(release);
    const tags = new Set<string>();
    for (let i = 4; i < bytes.length; i++) {
      const changed = changedAt(i);
      if (changed !== null) tags.add(tagRelease(changed, TAG_KEY, nodeCrypto).tag);
    }
    assert.ok(tags.size > 30 && !tags.has(release.tag), `${tags.size} tags`);
  });

  it('cannot be made with names or numbers that do not fit', () => {
    for (const change of [{ controller: '' }, { controller: 'a'.repeat(17) }, { nest: 'a/b' }, { nest: 'ä' }])
      assert.throws(() => releaseBytes({ ...release, ...change }), RangeError);
  });
});

/** The release whose bytes differ at `at` and nowhere else; null where no release has such bytes. */
function changedAt(at: number): Omit<Release, 'tag'> | null {
  const wanted = releaseBytes(release).map((byte, i) => (i === at ? byte ^ 1 : byte));
  const text = (from: number, size: number): string =>
    Buffer.from(wanted.subarray(from, from + size))
      .toString('latin1')
      .replace(/\0+$/, '');
  const number = (from: number, size: number): number => Buffer.from(wanted).readUIntBE(from, size);
  const id = Buffer.from(wanted.subarray(29, 45)).toString('hex');
  const changed = {
    controller: text(4, 16),
    nest: text(20, 8),
    lane: lanes[number(28, 1)] ?? 'good',
    operation: id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    epoch: number(45, 4),
    arrival: number(49, 6),
    counter: number(55, 6),
  };
  if (!/^[a-z0-9-]+$/.test(changed.controller) || !/^[a-z0-9-]+$/.test(changed.nest)) return null;
  assert.equal(toHex(releaseBytes(changed)), toHex(wanted), `byte ${at}`);
  return changed;
}

describe('a report of the gate controller', () => {
  it('has this layout: magic, kind, reason, gate, controller, nest, arrival, obeyed, last departure', () => {
    assert.equal(
      toHex(reportBytes(report)),
      [
        '48465331',
        '01',
        '00',
        '00',
        '676174652d3100000000000000000000',
        '6100000000000000',
        '000000000029',
        '000000000006',
        '000000000028',
        '000000000006',
        '00',
      ].join(''),
    );
  });

  it('has other bytes as soon as one field differs', () => {
    fc.assert(fc.property(reports, reports, (a, b) => eachFieldShows(a, b, reportBytes)));
  });

  it('is genuine as signed, and with no field of another report', () => {
    fc.assert(
      fc.property(reports, reports, (a, b) => {
        const signed = signReport(a, TAG_KEY, nodeCrypto);
        assert.ok(isReportGenuine(signed, TAG_KEY, nodeCrypto));
        assert.ok(!isReportGenuine(signed, otherKey, nodeCrypto));
        for (const key of Object.keys(a) as (keyof typeof a)[]) {
          const mixed = { ...signed, [key]: b[key] };
          assert.equal(isReportGenuine(mixed, TAG_KEY, nodeCrypto), same(mixed, signed), key);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('never passes for a release: their bytes begin differently', () => {
    fc.assert(
      fc.property(releases, reports, (a, b) => {
        assert.notEqual(toHex(releaseBytes(a)).slice(0, 8), toHex(reportBytes(b)).slice(0, 8));
      }),
      { numRuns: 10 },
    );
  });
});
