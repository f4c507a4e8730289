/** Carries what the gateway's ledger knows of certificates to the backend, before a revocation is planned. */
import { Fault } from '../../core/faults.ts';
import { type issuedKeys, listIssuedInstruction, takeIssuedInstruction } from '../../core/messages/issued.ts';
import type { Aim, RevocationPlan } from '../../core/pki/revocation-plan.ts';
import type { Means } from '../means.ts';

export interface Sockets {
  readonly gateway: string;
  readonly backend: string;
}

type Key = (typeof issuedKeys)[number];

/** What else is aimed at has no key in the ledger: its certificates are found by the intermediates that they touch. */
const keyOf: Readonly<Partial<Record<Aim['kind'], Key>>> = {
  eid: 'eid',
  batch: 'batch',
  intermediate: 'issuer',
  station: 'station',
};

/** Of what is aimed at. @returns how many certificates no record named @throws Fault as gateway and backend */
export async function tellAimed({ kind, value }: Aim, sockets: Sockets, means: Means): Promise<number> {
  const key = keyOf[kind];
  return key === undefined ? 0 : tell(key, value, sockets, means);
}

/** Of the intermediates that a plan touches: what else they issued decides what falls with it. */
export async function tellTouched(plan: RevocationPlan, sockets: Sockets, means: Means): Promise<number> {
  if (plan.aim.kind === 'intermediate') return 0;
  const names = new Set([
    ...plan.intermediates.map(({ name }) => name),
    ...plan.lists.map(({ issuer }) => issuer),
  ]);
  let added = 0;
  for (const name of [...names].sort()) added += await tell('issuer', name, sockets, means);
  return added;
}

async function tell(key: Key, value: string, sockets: Sockets, means: Means): Promise<number> {
  let added = 0;
  for (let after: string | null = ''; after !== null; ) {
    const said: { statement: string; next: string | null } = await means.instruct(
      sockets.gateway,
      listIssuedInstruction,
      { key, value, after },
    );
    added += (await means.instruct(sockets.backend, takeIssuedInstruction, { statement: said.statement }))
      .added;
    // A gateway that goes round in circles is not followed.
    if (said.next !== null && said.next <= after)
      throw new Fault('INSTRUCTION_REFUSED', { instruction: listIssuedInstruction.name, why: 'no end' });
    after = said.next;
  }
  return added;
}
