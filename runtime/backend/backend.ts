/**
 * The backend: reservations, identity records and the fleet log. It acknowledges nothing that is not
 * committed.
 */

import type { BackendConfig } from '../../config/backend.ts';
import { Fault } from '../core/faults.ts';
import { gateText } from '../core/gate/release.ts';
import {
  eventsExchange,
  journalHeadExchange,
  registerExchange,
  rejectExchange,
  reserveExchange,
  signInExchange,
} from '../core/messages/exchanges.ts';
import { instructionHandler } from '../core/messages/instruction.ts';
import { reconcileInstruction } from '../core/messages/reconciliation.ts';
import { serve } from '../exchange/responder.ts';
import { gateOf } from './controllers.ts';
import { beginCosigning } from './cosigning.ts';
import { eventsHandler, journalHeadHandler } from './events.ts';
import { ceremonyInstructions } from './instructions/ceremony.ts';
import { issuedInstructions } from './instructions/issued.ts';
import { manifestInstructions } from './instructions/manifest.ts';
import { operatorInstructions } from './instructions/operators.ts';
import { orderInstructions } from './instructions/orders.ts';
import { revocationInstructions } from './instructions/revocation.ts';
import { stationInstructions } from './instructions/stations.ts';
import { timestampInstructions } from './instructions/timestamp.ts';
import { lifeInstructions } from './instructions/unit-life.ts';
import { signInHandler } from './operators.ts';
import type { BackendPorts } from './ports.ts';
import { createReconciler } from './reconciliation.ts';
import { notingRegistrations, notingReservations } from './refusals.ts';
import { registerHandler } from './registration.ts';
import { rejectHandler } from './rejection.ts';
import { reserveHandler } from './reservation.ts';
import { refusing } from './revoked-stations.ts';
import { Sequencer } from './sequencer.ts';
import { openStationRegister } from './station-register.ts';

/** Reads the log, compares it with its head, then listens. @throws Fault LOG_FORKED, STORE_UNAVAILABLE */
export async function createBackend(config: BackendConfig, ports: BackendPorts): Promise<void> {
  for (const { station } of config.controllers)
    if (config.authorities[station] === undefined)
      throw new Fault('CONFIG_INVALID', { why: `no authority is named for ${station}` });
  const sequencer = new Sequencer(ports, config.queueMax);
  await sequencer.load();
  const stations = await openStationRegister(ports);
  const addressed = { addressedAs: ['backend', config.backend], topic: {}, keys: stations };
  const revoked = refusing(stations, ports, sequencer);
  const service = { ...addressed, demand: revoked.demand };
  // A reservation is refused in its own transaction, with a leaf.
  const reserve = notingReservations(reserveHandler(config, ports, sequencer), ports, sequencer);
  await serve(reserveExchange, { ...addressed, demand: () => stations.look() }, reserve, ports);
  const means = { ...ports, register: stations };
  const register = notingRegistrations(registerHandler(config, means, sequencer), ports, sequencer);
  await serve(registerExchange, service, revoked.noting(register), ports);
  await serve(rejectExchange, service, revoked.noting(rejectHandler(config, means, sequencer)), ports);
  await serve(eventsExchange, service, revoked.noting(eventsHandler(means, sequencer)), ports);
  await serve(journalHeadExchange, service, revoked.noting(journalHeadHandler(means)), ports);
  await serve(signInExchange, service, revoked.noting(signInHandler(config, ports, sequencer)), ports);
  ports.bus.onLink((link) => {
    if (link.up) ports.log.write('info', 'link-up');
    else ports.log.write('warn', 'link-down', { code: link.fault.code, ...link.fault.context });
  });
  for (const controller of ports.controllers.filter((c) => gateOf(c) === 'plain-firmata'))
    ports.log.write('warn', 'warning', {
      warning: 'this gate verifies no release, and its reports carry no code',
      gate: gateText(gateOf(controller)),
      controller: controller.name,
      station: controller.station,
    });
  if (config.witnesses !== null && ports.witnesses !== undefined)
    await beginCosigning(config.witnesses, ports.witnesses, ports, sequencer);
  const { reconcileSeconds } = config;
  const reconciler = createReconciler(ports, reconcileSeconds === 0 ? null : reconcileSeconds * 1_000);
  await ports.instructions.serve([
    ...stationInstructions(config, ports, sequencer, stations),
    ...ceremonyInstructions(ports, sequencer),
    ...manifestInstructions(ports),
    ...timestampInstructions(ports, sequencer),
    ...orderInstructions(config, ports, sequencer),
    ...revocationInstructions(config, ports, sequencer),
    ...issuedInstructions(ports, sequencer),
    ...lifeInstructions(config, ports, sequencer),
    ...operatorInstructions(config, ports, sequencer),
    instructionHandler(reconcileInstruction, (asked) => reconciler.ask(asked)),
  ]);
  ports.log.write('info', 'started', { backend: config.backend });
}
