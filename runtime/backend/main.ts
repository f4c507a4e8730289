/** The backend as a process: `node main.js <config.json>`. Composes drivers; its keys are files of its own. */
import { backendConfig } from '../../config/backend.ts';
import { busIdentity, loadConfig, readText, trustedFrom } from '../../config/load.ts';
import { openDriver } from '../../drivers/index.ts';
import { fromHex } from '../core/bytes.ts';
import { readPolicy } from '../core/log/policy.ts';
import { runProgram } from '../program.ts';
import { createBackend } from './backend.ts';

await runProgram(async () => {
  const config = loadConfig(process.argv[2] ?? 'backend.json', backendConfig);
  const log = (await openDriver.log())('backend', 'info');
  const { openFileSigner, openEd25519FileSigner } = await openDriver.fileSigner();
  const crypto = await openDriver.nodeCrypto();
  const logKey = await openEd25519FileSigner(config.log.keyFile);
  const store = await (await openDriver.postgresFleetStore())({
    url: process.env.DATABASE_URL ?? config.databaseUrl,
    statementTimeoutMs: config.statementTimeoutMs,
    connectTimeoutMs: 5_000,
    poolMax: 8,
    role: 'restricted',
  });
  const bus = await (await openDriver.mqttBus())({
    host: config.bus.host,
    port: config.bus.port,
    servername: config.bus.servername,
    clientId: config.backend,
    secureContext: await (await openDriver.secureContext())(busIdentity(config.bus)),
    clean: true,
    sessionExpirySeconds: 0,
    keepaliveSeconds: config.bus.keepaliveSeconds,
    onUnfit: (fault) => log.write('warn', 'warning', { part: 'bus', code: fault.code, ...fault.context }),
    connectDeadlineMs: config.bus.connectDeadlineMs,
  });
  const instructions = (await openDriver.instructionSocket())(config.instructionSocket);
  const witnesses =
    config.witnesses === null
      ? {}
      : {
          witnesses: {
            policy: readPolicy(readText(config.witnesses.policyFile), crypto),
            http: await openDriver.httpClient(),
          },
        };
  await createBackend(config, {
    clock: await openDriver.systemClock(),
    entropy: await openDriver.kernelEntropy(),
    crypto,
    ...witnesses,
    bus,
    signer: await openFileSigner(config.receiptKeyFile),
    logSigner: {
      key: { name: config.log.origin, publicKey: logKey.publicKey },
      sign: (message) => logKey.sign(message),
    },
    store,
    heads: await (await openDriver.headFile())(config.headFile),
    controllers: config.controllers.map(({ name, station, keyFile }) => ({
      name,
      station,
      key: keyFile === null ? null : fromHex(readText(keyFile)),
    })),
    trusted: trustedFrom(config.trusted),
    instructions,
    log,
  });
  return {
    ended: new Promise(() => undefined),
    stop: async () => {
      await instructions.close();
      await bus.close();
      await store.close();
    },
  };
});
