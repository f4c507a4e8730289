import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sinceMs } from '../../runtime/cli/journal/since.ts';
import { ago } from '../../runtime/cli/screen.ts';

/** 03:12:44 of a night, by the clock on the wall wherever this test runs. */
const now = new Date(2026, 9, 6, 3, 12, 44);
const at = (...parts: [number, number, number, number?, number?, number?]): number =>
  new Date(...parts).getTime();

describe('the times that --since understands', () => {
  const times: readonly (readonly [typed: string, ms: number])[] = [
    ['2026-10-06T01:00:00Z', Date.UTC(2026, 9, 6, 1)],
    ['2026-10-06T01:00:00.250+02:00', Date.UTC(2026, 9, 5, 23, 0, 0, 250)],
    ['2026-10-05 14:05', at(2026, 9, 5, 14, 5)],
    ['2026-10-05', at(2026, 9, 5)],
    ['10 min ago', now.getTime() - 600_000],
    ['90 seconds ago', now.getTime() - 90_000],
    ['2 h ago', now.getTime() - 7_200_000],
    ['1 day ago', now.getTime() - 86_400_000],
    ['today', at(2026, 9, 6)],
    ['Yesterday', at(2026, 9, 5)],
    ['yesterday 14:05', at(2026, 9, 5, 14, 5)],
    ['02:30', at(2026, 9, 6, 2, 30)],
    ['2:30:15', at(2026, 9, 6, 2, 30, 15)],
    ['now', now.getTime()],
  ];
  for (const [typed, ms] of times) it(typed, () => assert.equal(sinceMs(typed, now.getTime()), ms));

  it('a time of day that is still to come was yesterday', () => {
    assert.equal(sinceMs('23:50', now.getTime()), at(2026, 9, 5, 23, 50));
  });

  it('nothing else', () => {
    for (const typed of ['', 'soon', '25:00', '12:60', '2026-13-01', '5 parsecs ago', 'min ago', '17'])
      assert.equal(sinceMs(typed, now.getTime()), null, typed);
  });
});

describe('how long ago', () => {
  it('is told in the two largest units', () => {
    const told = (ms: number): string => ago(0, ms);
    assert.equal(told(300), 'just now');
    assert.equal(told(44_000), '44 s ago');
    assert.equal(told(65_000), '1 min 5 s ago');
    assert.equal(told(3_600_000), '1 h ago');
    assert.equal(told(93_784_000), '1 d 2 h ago');
    assert.equal(told(-5_000), 'in the future: check the clock');
  });
});
