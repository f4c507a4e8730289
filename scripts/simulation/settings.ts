/** Configurations of a simulated plant: as on a line, but that no file, host or token stands behind them. */
import { backendConfig } from '../../config/backend.ts';
import { gatewayConfig } from '../../config/gateway.ts';
import { stationConfig } from '../../config/station.ts';
import { simulatedNestPins } from '../../drivers/jig/controller/pin-map.ts';
import { toHex } from '../../runtime/core/bytes.ts';
import type { GateKind } from '../../runtime/core/gate/release.ts';
import { ISSUER, OFFICERS, type SimulatedParties } from './parties.ts';
import type { SimulatedRevocation } from './revocation.ts';
import type { Supply } from './supply.ts';

const PLANT = { enterprise: 'Simulation', site: 'Site', area: 'Area', line: 'Line-1' };

const nowhere = {
  host: 'simulated',
  servername: 'simulated',
  ca: 'none',
  certificate: 'none',
  key: { file: 'none' },
};

/** Who must approve the orders of a simulated plant. */
const ticketQuorum = { required: 2, officers: OFFICERS };

export interface StationPlace {
  readonly name: string;
  readonly index: number;
  readonly gate: GateKind;
  readonly keepEntries?: number;
}

export function stationSettings({ name, index, gate, keepEntries }: StationPlace, parties: SimulatedParties) {
  return stationConfig.parse({
    station: name,
    authority: 'unattended under authority of the simulation',
    plant: PLANT,
    nests: [{ name: 'a', reader: 'simulated', pins: simulatedNestPins }],
    controller: `gate-${index + 1}`,
    ticketFile: 'none',
    statusKey: 'simulation',
    journal: { directory: 'none', socket: 'none', keepEntries },
    serialPort: 'none',
    jig: { plainFirmata: gate === 'controller' ? 'refuse' : 'bench-only' },
    bus: nowhere,
    token: { module: 'none', label: 'none', pinFile: 'none' },
    trusted: [],
    logKey: { name: parties.logSigner.key.name, publicKey: toHex(parties.logSigner.key.publicKey) },
  });
}

export function gatewaySettings(
  { transport }: Supply,
  gateway = 'gateway-1',
  revocation?: SimulatedRevocation,
) {
  return gatewayConfig.parse({
    gateway,
    profile: 'laboratory',
    bus: nowhere,
    token: { module: 'none', label: 'none', pinFile: 'none', constantsFile: 'none' },
    instructionSocket: 'simulated.sock',
    ledgerUrl: 'postgres:simulated',
    markFile: 'none',
    transport,
    issuers: [{ name: ISSUER, key: `issuer-${ISSUER}`, certificate: 'none' }],
    hardwareType: '1.3.6.1.4.1.32473.1.1',
    batchExtension: '1.3.6.1.4.1.32473.1.2',
    crl: revocation === undefined ? null : { directory: 'simulated' },
    trusted: [],
    ticketQuorum,
  });
}

export function backendSettings(
  stations: readonly string[],
  gate: GateKind,
  revocation?: SimulatedRevocation,
) {
  const judge = gate === 'controller' ? { keyFile: 'none' } : { plainFirmata: 'bench-only' as const };
  return backendConfig.parse({
    backend: 'backend-1',
    bus: nowhere,
    instructionSocket: 'simulated.sock',
    databaseUrl: 'postgres:simulated',
    headFile: 'none',
    receiptKeyFile: 'none',
    log: { origin: 'simulation', keyFile: 'none' },
    controllers: stations.map((station, i) => ({ name: `gate-${i + 1}`, station, ...judge })),
    authorities: Object.fromEntries(stations.map((station) => [station, 'the simulation'])),
    revocation: revocation === undefined ? null : { quorum: revocation.quorum },
    lifeQuorum: revocation?.quorum ?? null,
    // Its rounds would go on for ever in a plant at rest.
    reconcileSeconds: 0,
    trusted: [],
    ticketQuorum,
  });
}
