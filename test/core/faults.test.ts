import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explanation, faultText } from '../../runtime/core/fault-text.ts';
import {
  asFault,
  Fault,
  type FaultCode,
  faults,
  isFault,
  isFaultCode,
  isVerdict,
  noteOf,
} from '../../runtime/core/faults.ts';
import { faultNote } from '../../runtime/core/messages/fields.ts';

const codes = Object.keys(faults) as FaultCode[];

describe('a fault', () => {
  it('says what happened, and ends with its code', () => {
    const fault = new Fault('CARD_ABSENT', { reader: 'one' });
    assert.equal(fault.message, 'No secure element in the reader (CARD_ABSENT)');
  });

  it('keeps the error that caused it, and shows it to nobody', () => {
    const cause = new Error('0x80100014 at pcsc.c:12');
    const fault = asFault(cause, 'READER_FAILED', { reader: 'one' });
    assert.equal(fault.cause, cause);
    assert.ok(!faultText(fault).includes('pcsc.c'));
    assert.ok(!JSON.stringify(noteOf(fault)).includes('pcsc.c'));
  });

  it('stays itself when it is asked to be a fault', () => {
    const fault = new Fault('CARD_ABSENT');
    assert.equal(asFault(fault, 'UNEXPECTED'), fault);
  });

  it('becomes UNEXPECTED, or what the caller names, from anything that is thrown', () => {
    for (const thrown of [new Error('x'), 'text', null, undefined, 7]) {
      const fault = asFault(thrown, 'UNEXPECTED');
      assert.ok(isFault(fault) && fault.code === 'UNEXPECTED');
    }
  });

  it('crosses the bus as code and context, and no further', () => {
    const note = noteOf(new Fault('READER_FAILED', { statusWord: 0x6982, reader: 'one', exclusive: true }));
    assert.deepEqual(faultNote.parse(JSON.parse(JSON.stringify(note))), note);
    assert.ok(!faultNote.safeParse({ code: 'NO_SUCH_CODE', context: {} }).success);
    assert.ok(!faultNote.safeParse({ code: 'toString', context: {} }).success);
    assert.ok(!faultNote.safeParse({ ...note, stack: 'x' }).success);
    assert.ok(!faultNote.safeParse({ code: 'CARD_ABSENT', context: { apdu: { data: '00' } } }).success);
  });

  it('is known by its code alone: no code is inherited from Object', () => {
    for (const name of ['constructor', 'toString', '__proto__', '']) assert.ok(!isFaultCode(name), name);
    for (const code of codes) assert.ok(isFaultCode(code));
  });
});

/** What nobody at a fixture has to know. */
const PROGRAMMERS_WORDS =
  /\b(?:exception|stack|null|undefined|errno|E[A-Z]{4,}|0x[0-9a-f]+|promise|mutex|JSON|JWS|socket|handle|enum|assert\w*|CKR_\w+)\b/;

/** A remedy begins with a verb that says what to do, or with `Nothing`. */
const ORDERS =
  /^(?:Bring|Call|Check|Clear|Close|Correct|Do not|Free|Keep|Leave|Load|Nothing:|Note|Open|Plug|Put|Quarantine|Renew|Reseat|Restore|Run|Start|Stop|Take|Tell|Unplug|Use|Wait:)/;

describe('the fault catalogue', () => {
  it('lets only verdicts on the card reject a unit: all but one are of the card itself', () => {
    const verdicts = codes.filter((code) => isVerdict(new Fault(code)));
    assert.deepEqual(
      verdicts.filter((code) => !code.startsWith('CARD_')),
      ['UNIT_REJECTED_BEFORE'],
    );
  });

  it('tells people what a code means: title, cause, remedy, what follows, whose fault', () => {
    for (const code of codes) {
      const text = explanation(code);
      const { title, cause, remedy } = faults[code];
      for (const part of [title, code, cause, remedy]) assert.ok(text.includes(part), `${code}: ${part}`);
      assert.match(text, /PackML (Held|Suspended)/);
      assert.match(text, /the unit (is held|leaves)/);
    }
  });

  it('speaks as one technician to another: no words of programmers, and what to do now comes first', () => {
    for (const code of codes) {
      const { title, cause, remedy, disposition } = faults[code];
      for (const text of [title, cause, remedy]) {
        assert.doesNotMatch(text, PROGRAMMERS_WORDS, `${code}: ${text}`);
        assert.ok(!codes.some((other) => text.includes(other)), `${code} speaks in codes: ${text}`);
      }
      assert.match(remedy, ORDERS, `${code} does not begin with what to do: ${remedy}`);
      if (disposition === 'reject')
        assert.match(remedy, /^Nothing: the unit leaves by the reject lane/, code);
      if (disposition === 'retry') assert.doesNotMatch(remedy, /\bTake the unit out\b/, code);
    }
  });

  it('says of every code whether the unit may be taken out', () => {
    for (const code of codes) {
      const text = explanation(code);
      assert.match(text, /leave it in the fixture|leaves by the reject lane, recorded: leave it alone/, code);
      const person = faults[code].remedy;
      if (/\b(Take the unit out|Quarantine)\b/.test(person))
        assert.match(text, /unless the remedy says otherwise/, code);
    }
  });

  it('shows the details of one failure in one line, without a stack', () => {
    const text = faultText(new Fault('CLAMP_TIMEOUT', { nest: 'a', waitedMs: 2000 }));
    assert.match(text, /^The clamp did not reach its position \(CLAMP_TIMEOUT\)\n/);
    assert.match(text, /Details: nest: a; waitedMs: 2000$/);
    assert.ok(!text.includes(' at '));
  });
});
