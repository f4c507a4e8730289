import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attributes, demandedAttributes, firstDifference } from '../../runtime/core/key-attributes.ts';
import { keyPolicy } from '../../runtime/core/key-policy.ts';

const kept = keyPolicy.filter(({ lives }) => lives === 'token');

describe('attributes read back from a token', () => {
  it('are as the policy demands when they are exactly those, in whatever order mechanisms come', () => {
    for (const rule of kept) {
      const demanded = demandedAttributes(rule, 'name');
      const mechanisms = [...rule.mechanisms].reverse();
      const found =
        'ALLOWED_MECHANISMS' in demanded ? { ...demanded, ALLOWED_MECHANISMS: mechanisms } : demanded;
      assert.equal(firstDifference(rule, 'name', found), null, rule.name);
    }
  });

  it('differ when any one of them is another or is not told, and the difference is named', () => {
    for (const rule of kept) {
      const demanded = demandedAttributes(rule, 'name');
      for (const [name, value] of Object.entries(demanded)) {
        const { [name]: _, ...untold } = demanded;
        const others: readonly Attributes[] = [{ ...demanded, [name]: otherThan(value) }, untold];
        for (const found of others)
          assert.equal(firstDifference(rule, 'name', found), name, `${rule.name} ${name}`);
      }
    }
  });

  it('may lack the length of a key that was unwrapped, and of no other', () => {
    const rule = kept.find(({ name }) => name === 'mdk') ?? assert.fail();
    const demanded = demandedAttributes(rule, 'mdk-1');
    const unwrapped = { ...demanded, VALUE_LEN: 0, LOCAL: false };
    assert.equal(firstDifference(rule, 'mdk-1', unwrapped), null);
    assert.equal(firstDifference(rule, 'mdk-1', { ...unwrapped, LOCAL: true }), 'VALUE_LEN');
    assert.equal(firstDifference(rule, 'mdk-1', { ...unwrapped, VALUE_LEN: 16 }), 'VALUE_LEN');
  });

  it('of a private key must say that it was made inside and never was outside, unless its name says that it has a backup', () => {
    for (const rule of kept.filter(({ kind }) => kind === 'private'))
      for (const name of ['LOCAL', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE']) {
        const demanded = rule.name.endsWith('-restorable') ? undefined : true;
        assert.equal(demandedAttributes(rule, 'name')[name], demanded, `${rule.name} ${name}`);
      }
  });
});

function otherThan(value: Attributes[string]): Attributes[string] {
  switch (typeof value) {
    case 'boolean':
      return !value;
    case 'number':
      return value + 1;
    case 'string':
      return `${value}x`;
    default:
      return [...value, 'RSA_PKCS'];
  }
}
