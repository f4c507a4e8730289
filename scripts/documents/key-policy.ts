/** The key policy as people read it: one row for each rule, and what every row has in common. */
import type { KeyRule } from '../../runtime/core/key-policy.ts';
import { code, table } from './parts.ts';

const KIND = { secret: 'secret', private: 'private', public: 'public' } as const;

/** Keys that stay in a token. */
export function keptKeyTable(policy: readonly KeyRule[]): string {
  return table(
    ['Key', 'Label', 'Kind', 'In the token of', 'May do', 'With', 'Who uses it, and for what'],
    policy
      .filter(({ lives }) => lives === 'token')
      .map((rule) => [
        code(rule.name),
        code(rule.label.source.replace(/^\^|\$$/g, '')),
        `${KIND[rule.kind]}, ${rule.type}`,
        rule.tokens.join(', '),
        rule.uses.map(code).join(' ') || 'nothing',
        rule.mechanisms.map(code).join(' ') || 'nothing',
        rule.user,
      ]),
  );
}

/** Keys that are gone with their PKCS#11 session. */
export function passingKeyTable(policy: readonly KeyRule[]): string {
  return table(
    ['Key', 'Type', 'May do', 'With', 'Leaves', 'Who uses it, and for what'],
    policy
      .filter(({ lives }) => lives === 'session')
      .map((rule) => [
        code(rule.name),
        rule.type,
        rule.uses.map(code).join(' ') || 'nothing',
        rule.mechanisms.map(code).join(' ') || 'nothing',
        rule.leaves,
        rule.user,
      ]),
  );
}
