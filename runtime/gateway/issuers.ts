/** The intermediates of a gateway, judged once at its start and then found by name: there may be hundreds. */
import type { GatewayConfig } from '../../config/gateway.ts';
import { equal } from '../core/bytes.ts';
import { Fault } from '../core/faults.ts';
import { issuerFrom, type ParsedAuthority, parseAuthority } from '../core/pki/authority.ts';
import {
  deviceProfiles,
  type Issuer as IssuerName,
  type MakerIdentifiers,
  type ProfileName,
} from '../core/pki/profile.ts';
import type { GatewayPorts, Issuer } from './ports.ts';

export interface ReadyIssuer extends Issuer {
  readonly profile: ProfileName;
  readonly authority: ParsedAuthority;
  /** As its certificates and its CRL name it. */
  readonly naming: Required<IssuerName>;
}

export type Issuers = ReadonlyMap<string, ReadyIssuer>;

export function identifiersOf(config: GatewayConfig): MakerIdentifiers {
  return {
    hardwareType: config.hardwareType,
    manufacturing: config.batchExtension,
    scope: config.scopeExtension,
  };
}

/** @throws Fault ISSUER_UNFIT naming the intermediate, HSM_FAILED */
export async function openIssuers(config: GatewayConfig, ports: GatewayPorts): Promise<Issuers> {
  const ready = new Map<string, ReadyIssuer>();
  for (const issuer of ports.issuers) {
    const one = judged(issuer, config, ports);
    if (ready.has(issuer.name)) throw unfit(issuer, 'two intermediates have this name');
    if (!equal(await ports.token.publicKey(issuer.key), one.authority.publicKey))
      throw unfit(issuer, 'its certificate is for another key');
    ready.set(issuer.name, one);
  }
  return ready;
}

function judged(issuer: Issuer, config: GatewayConfig, ports: GatewayPorts): ReadyIssuer {
  const authority = parsed(issuer, config);
  const { mayIssue, pathLength, scope, notBeforeMs, notAfterMs } = authority;
  const profile = issuer.profile ?? 'idevid-batch';
  const parts = deviceProfiles[profile];
  const nowMs = ports.clock.now();
  const scoped = scope !== null && (scope.product ?? scope.batch ?? scope.region) !== null;
  const wrong = {
    'its certificate is not that of a CA': !mayIssue || authority.keyIdentifier === null,
    'its path length is not 0': pathLength !== 0,
    'it is out of its time': nowMs < notBeforeMs || nowMs > notAfterMs,
    'it is of another region': scope !== null && scope.region !== null && scope.region !== config.region,
    'its scope cannot be kept by its profile': scoped && !parts.manufacturing,
    'its profile wants a distribution point': parts.distributionPoint && issuer.distributionPoint == null,
    'its profile has no distribution point': !parts.distributionPoint && issuer.distributionPoint != null,
    'its profile wants a maker': parts.names && config.maker === null,
  };
  for (const [why, holds] of Object.entries(wrong)) if (holds) throw unfit(issuer, why);
  return { ...issuer, profile, authority, naming: issuerFrom(authority) };
}

function parsed(issuer: Issuer, config: GatewayConfig): ParsedAuthority {
  try {
    return parseAuthority(issuer.certificate, identifiersOf(config));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Fault('ISSUER_UNFIT', { issuer: issuer.name, why: error.message }, { cause: error });
  }
}

function unfit({ name }: Issuer, why: string): Fault {
  return new Fault('ISSUER_UNFIT', { issuer: name, why });
}
