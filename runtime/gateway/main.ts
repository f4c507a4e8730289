/** The gateway as a process: `node main.js <config.json>`. Composes drivers; the PIN stays with the token's child. */
import { gatewayConfig } from '../../config/gateway.ts';
import { busIdentity, gatewayToken, loadConfig, readText, trustedFrom } from '../../config/load.ts';
import { openDriver } from '../../drivers/index.ts';
import { fromBase64 } from '../core/bytes.ts';
import { runProgram } from '../program.ts';
import { createGateway } from './gateway.ts';

await runProgram(async () => {
  const config = loadConfig(process.argv[2] ?? 'gateway.json', gatewayConfig);
  const log = (await openDriver.log())('gateway', 'info');
  const token = await (await openDriver.pkcs11Token())({
    ...gatewayToken(config),
    recycleAfterBytes: config.token.recycleGrowthMiB * 1024 * 1024,
    onFault: (fault) => log.write('error', 'fault', { part: 'token', code: fault.code, ...fault.context }),
  });
  const ledger = await (await openDriver.postgresLedger())({
    url: config.ledgerUrl,
    statementTimeoutMs: config.statementTimeoutMs,
    connectTimeoutMs: 5_000,
    poolMax: 8,
  });
  const bus = await (await openDriver.mqttBus())({
    host: config.bus.host,
    port: config.bus.port,
    servername: config.bus.servername,
    clientId: config.gateway,
    secureContext: await (await openDriver.secureContext())(busIdentity(config.bus)),
    clean: true,
    sessionExpirySeconds: 0,
    keepaliveSeconds: config.bus.keepaliveSeconds,
    onUnfit: (fault) => log.write('warn', 'warning', { part: 'bus', code: fault.code, ...fault.context }),
    connectDeadlineMs: config.bus.connectDeadlineMs,
  });
  const instructions = (await openDriver.instructionSocket())(config.instructionSocket);
  await createGateway(config, {
    clock: await openDriver.systemClock(),
    entropy: await openDriver.kernelEntropy(),
    crypto: await openDriver.nodeCrypto(),
    bus,
    token,
    ledger,
    marks: await (await openDriver.markFile())(config.markFile),
    certificates: await (await openDriver.certificates())(),
    issuers: config.issuers.map(({ certificate, ...issuer }) => ({
      ...issuer,
      certificate: derOf(certificate),
    })),
    ...(config.crl === null ? {} : { publisher: (await openDriver.publisher())(config.crl.directory) }),
    trusted: trustedFrom(config.trusted),
    instructions,
    log,
  });
  return {
    ended: new Promise(() => undefined),
    stop: async () => {
      await instructions.close();
      await bus.close();
      await token.close();
      await ledger.close();
    },
  };
});

function derOf(path: string): Uint8Array {
  return fromBase64(readText(path).replace(/-----[A-Z ]+-----|\s/g, ''));
}
