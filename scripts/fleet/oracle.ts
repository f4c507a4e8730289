/**
 * A second opinion on the history of units: every leaf of the log read from the first to the last, with no index and
 * none of the code that the product answers with. Slow on purpose; what it says is few words that can be compared.
 */

interface Said {
  readonly index: number;
  readonly at: string;
  readonly kind: string;
  // biome-ignore lint/suspicious/noExplicitAny: the oracle believes the bytes and nothing else
  readonly body: any;
}

/** What can be compared: `life`, then key sets, certificates, transport set and confirmations as text. */
export interface Opinion {
  readonly life: string;
  readonly keys: readonly string[];
  readonly certificates: readonly string[];
  readonly transport: string;
  readonly confirmations: number;
}

export function saidIn(index: number, entry: Uint8Array): Said {
  const { at, kind, body } = JSON.parse(Buffer.from(entry).toString('utf8'));
  return { index, at, kind, body };
}

/** Which unit a leaf names; null for none. */
export function unitIn({ kind, body }: Said): string | null {
  return (kind === 'station-event' ? body.departure?.eid : body.eid) ?? null;
}

/** @param log every leaf that might be about the unit, in order */
export function opinionOf(eid: string, at: string, log: readonly Said[]): Opinion {
  const seen = log.filter((leaf) => leaf.at <= at);
  const mine = seen.filter((leaf) => unitIn(leaf) === eid);
  const made = mine.filter(({ kind }) => kind === 'registration' || kind === 'confirmation');
  const refused = mine.filter(({ kind, body }) => kind === 'rejection' && body.effect === 'closes');
  const scrapped = mine.some(({ kind, body }) => kind === 'unit-life' && body.to === 'SCRAPPED');
  const last = made.at(-1)?.body;
  const keys = new Map<string, string>();
  for (const { body } of made)
    keys.set(`${body.operation} ${body.keyVersion}`, `${body.keyVersion} g${body.generation}`);
  const proved = last === undefined ? '' : `${last.operation} ${last.keyVersion}`;
  const sets = [...keys].map(
    ([name, set]) => `${set} ${scrapped ? 'destroyed' : name === proved ? 'proved' : 'replaced'}`,
  );
  for (const { body } of refused)
    for (const version of body.revocation.keyVersions)
      if (!keys.has(`${body.operation} ${version}`))
        sets.push(`${version} g${body.revocation.generation} ${scrapped ? 'destroyed' : 'unproved'}`);
  const certificates = new Map<string, string>();
  for (const { body } of made)
    if (body.certificate !== null)
      certificates.set(
        body.certificate.serial,
        deathOf(body.certificate, seen) === null ? 'good' : 'revoked',
      );
  for (const { body } of refused)
    for (const serial of body.revocation.certificateSerials)
      if (!certificates.has(serial))
        certificates.set(serial, deathOf({ serial }, seen) === null ? 'listed' : 'revoked');
  return {
    life: lifeOf(mine, seen),
    keys: sets.sort(),
    certificates: [...certificates].map(([serial, standing]) => `${serial} ${standing}`).sort(),
    transport: made.length === 0 ? 'unknown' : made[0]?.body.transport.deleted ? 'deleted' : 'present',
    confirmations: made.length,
  };
}

/** The first leaf by which a certificate is dead. */
function deathOf(certificate: { serial: string; issuer?: string }, seen: readonly Said[]): Said | null {
  return (
    seen.find(
      ({ kind, body }) =>
        kind === 'revocation' &&
        (body.certificates.some((one: { serial: string }) => one.serial === certificate.serial) ||
          body.intermediates.some((one: { name: string }) => one.name === certificate.issuer)),
    ) ?? null
  );
}

/** Forward, one word after the other. */
function lifeOf(mine: readonly Said[], seen: readonly Said[]): string {
  const serials: { serial: string; issuer?: string }[] = [];
  let life = 'none';
  for (const leaf of seen) {
    const own = mine.includes(leaf);
    const { kind, body, index } = leaf;
    if (own && (kind === 'registration' || kind === 'confirmation')) {
      if (life === 'none') life = 'RECORDED';
      const isNew =
        body.certificate !== null && !serials.some(({ serial }) => serial === body.certificate.serial);
      if (isNew) serials.push(body.certificate);
      const before = seen.filter((one) => one.index < index);
      if (isNew && deathOf(body.certificate, before) !== null) life = 'REVOKED';
    }
    if (own && kind === 'rejection' && body.effect === 'closes') life = 'REJECTED';
    if (own && kind === 'station-event' && body.departure.lane === 'good' && life === 'RECORDED')
      life = 'RELEASED';
    if (own && kind === 'unit-life') life = body.to;
    if (life === 'none' || life === 'SCRAPPED' || life === 'RETIRED' || serials.length === 0) continue;
    if (kind === 'revocation' && serials.some((one) => deathOf(one, [leaf]) !== null)) life = 'REVOKED';
  }
  return life;
}

/** EIDs whose keys somebody had a hand in, by reading everything. */
export function touchedBy(
  name: string,
  value: string,
  span: { readonly from: string; readonly to: string },
  log: readonly Said[],
): readonly string[] {
  const eids = new Set<string>();
  for (const { kind, at, body } of log) {
    if (at < span.from || at >= span.to) continue;
    const made = kind === 'registration' || kind === 'confirmation';
    const spoilt = kind === 'rejection' && body.revocation.keyVersions.length > 0;
    const who = name === 'intermediate' ? body.certificate?.issuer : body[name];
    if ((made || spoilt) && String(who) === value) eids.add(body.eid);
  }
  return [...eids].sort();
}
