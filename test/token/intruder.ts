/** Somebody with the PIN who puts a key into the token that the key policy does not allow. */
import { ck, findSlot, loadModule, logIn, type TokenPlace } from '../../drivers/token/pkcs11/cryptoki.ts';
import { listOf, templateOf } from '../../drivers/token/pkcs11/templates.ts';
import { type Kdf, ruleFor } from '../../runtime/core/key-policy.ts';

export interface Intrusion extends TokenPlace {
  /** Label of the secret key that is made. */
  readonly key: string;
  /** Attributes that differ from what the policy says for a master. */
  readonly attributes: Readonly<Record<string, boolean>>;
  /** Which kind of master it is otherwise. */
  readonly kdf: Kdf;
}

process.on('disconnect', () => process.exit(0));
process.on('message', ({ key, attributes, kdf, ...place }: Intrusion) => {
  const cryptoki = loadModule(place.module);
  const session = logIn(cryptoki, findSlot(cryptoki, place.label), place.pinFile);
  const rule = ruleFor('secret', 'mdk-1', kdf);
  if (rule === undefined) throw new RangeError('no rule for masters');
  const changed = listOf(attributes);
  const template = [
    ...changed,
    ...templateOf(rule, key).filter((attribute) => changed.every(({ type }) => type !== attribute.type)),
  ];
  cryptoki.C_GenerateKey(session, { mechanism: ck.CKM_AES_KEY_GEN }, template);
  process.send?.('done');
});
