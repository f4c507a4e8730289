/**
 * The drivers by name. Each is loaded when it is opened, so that a station never needs PostgreSQL's package
 * and a backend never needs a card reader's.
 */

export const openDriver = {
  systemClock: async () => (await import('./clock/system.ts')).openSystemClock(),
  kernelEntropy: async () => (await import('./entropy/kernel.ts')).openKernelEntropy(),
  nodeCrypto: async () => (await import('./crypto/node.ts')).nodeCrypto,
  log: async () => (await import('./log/pino.ts')).openLog,
  leveldbJournal: async () => (await import('./journal/leveldb.ts')).openLeveldbJournal,
  readGenesis: async () => (await import('./journal/parts.ts')).readGenesis,
  journalCopy: async () => (await import('./journal/copy.ts')).openJournalCopy,
  journalSocket: async () => (await import('./journal/socket.ts')).serveJournal,
  instruct: async () => (await import('./instruction/client.ts')).instruct,
  durableText: async () => import('./durable-text.ts'),
  instructionSocket: async () => (await import('./instruction/socket.ts')).openInstructionSocket,
  httpDoor: async () => (await import('./http/door.ts')).openHttpDoor,
  httpClient: async () => (await import('./http/client.ts')).httpClient,
  mqttBus: async () => (await import('./bus/mqtt.ts')).openMqttBus,
  secureContext: async () => (await import('./bus/secure-context.ts')).clientSecureContext,
  pcscReader: async () => (await import('./card-reader/pcsc/pcsc.ts')).openPcscReader,
  firmataJig: async () => (await import('./jig/firmata/jig.ts')).openFirmataJig,
  stationKeys: async () => (await import('./token/pkcs11/station-keys.ts')).openStationKeys,
  stationIdentity: async () => (await import('./renewal/identity.ts')).openStationIdentity,
  courier: async () => (await import('./renewal/courier.ts')).openCourier,
  busOffice: async () => import('./certificates/bus-office.ts'),
  pkcs11Signer: async () => (await import('./token/pkcs11/signer.ts')).openPkcs11Signer,
  pkcs11CeremonyToken: async () =>
    (await import('./token/pkcs11/ceremony/process.ts')).openPkcs11CeremonyToken,
  fileAgreementKey: async () => (await import('./token/file-agreement.ts')).openFileAgreementKey,
  directoryShelf: async () => (await import('./shelf/directory.ts')).openDirectoryShelf,
  pkcs11Token: async () => (await import('./token/pkcs11/token.ts')).openPkcs11Token,
  fileSigner: async () => await import('./token/file-signer.ts'),
  certificates: async () => (await import('./certificates/checked.ts')).openCheckedCertificates,
  rootDirectory: async () => await import('./certificates/root-directory.ts'),
  publisher: async () => (await import('./certificates/publisher.ts')).openPublisher,
  postgresFleetStore: async () => (await import('./store/postgres/fleet-store.ts')).openPostgresFleetStore,
  databaseBackup: async () => await import('./backup/postgres.ts'),
  prepareFleetDatabase: async () => (await import('./store/postgres/fleet-role.ts')).prepareFleetDatabase,
  markFile: async () => (await import('./store/mark-file.ts')).openMarkFile,
  headFile: async () => (await import('./store/head-file.ts')).openHeadFile,
  postgresLedger: async () => (await import('./store/postgres/ledger.ts')).openPostgresLedger,
} as const;
