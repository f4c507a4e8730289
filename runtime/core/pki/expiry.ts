/**
 * Expiry foresight: an intermediate that ends takes its units with it, whatever their own certificates say, and a
 * list that runs out stops every verifier that asks for it. Both are known years before.
 */

export interface ExpiringAuthority {
  readonly name: string;
  readonly notAfterMs: number;
  /** Units that hang by it. */
  readonly units: number;
}

export interface ExpiringList {
  readonly name: string;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
}

export interface ExpiryQuestion {
  readonly authorities: readonly ExpiringAuthority[];
  readonly lists: readonly ExpiringList[];
  readonly nowMs: number;
  /** The fleet is meant to live until then. Milliseconds since 1970. */
  readonly untilMs: number;
}

export interface AuthorityForesight extends ExpiringAuthority {
  /** `ends-before`: its units die with it while the fleet still lives. */
  readonly verdict: 'outlives' | 'ends-before' | 'ended';
}

export interface ListForesight extends ExpiringList {
  /** `renew`: more than half of its time is over. */
  readonly verdict: 'fresh' | 'renew' | 'ran-out';
}

export interface Foresight {
  /** The first to end stands first. */
  readonly authorities: readonly AuthorityForesight[];
  readonly lists: readonly ListForesight[];
  /** Units that die before the fleet is meant to. */
  readonly unitsAffected: number;
  readonly alarm: boolean;
}

export function foresee({ authorities, lists, nowMs, untilMs }: ExpiryQuestion): Foresight {
  const judged = authorities
    .map((one): AuthorityForesight => {
      const { notAfterMs } = one;
      return {
        ...one,
        verdict: notAfterMs < nowMs ? 'ended' : notAfterMs < untilMs ? 'ends-before' : 'outlives',
      };
    })
    .sort((a, b) => a.notAfterMs - b.notAfterMs);
  const listed = lists
    .map((one): ListForesight => {
      const halfMs = one.thisUpdateMs + (one.nextUpdateMs - one.thisUpdateMs) / 2;
      return { ...one, verdict: nowMs > one.nextUpdateMs ? 'ran-out' : nowMs >= halfMs ? 'renew' : 'fresh' };
    })
    .sort((a, b) => a.nextUpdateMs - b.nextUpdateMs);
  const dying = judged.filter(({ verdict }) => verdict !== 'outlives');
  return {
    authorities: judged,
    lists: listed,
    unitsAffected: dying.reduce((units, one) => units + one.units, 0),
    alarm: dying.length > 0 || listed.some(({ verdict }) => verdict !== 'fresh'),
  };
}
