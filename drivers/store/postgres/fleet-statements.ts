/** Every statement on the fleet database. `for update` stands where a decision follows from the row. */
import type {
  AppearanceRow,
  ConfirmationRow,
  ControllerRow,
  CustodyRow,
  EventRow,
  HeadRow,
  LeafRow,
  OperationRow,
  RecordRow,
  RejectionRow,
  ReleaseRow,
} from '../../../runtime/core/store/fleet.ts';
import type { SubjectRow } from '../event-subject.ts';
import type { Statement } from './session.ts';
import { columnsOf, fieldsOf, newOf, type Table, unnested } from './table.ts';

export const operations: Table<OperationRow> = {
  name: 'operation',
  columns: {
    operation: 'text',
    eid: 'text',
    seFingerprint: 'text',
    ticket: 'text',
    ticketHash: 'text',
    station: 'text',
    nest: 'text',
    epoch: 'bigint',
    attempt: 'text',
    generation: 'bigint',
    keyVersion: 'bigint',
    state: 'text',
    reservedAt: 'text',
    attemptedAt: 'text',
  },
};

const disowned: Table<OperationRow> = { ...operations, name: 'disowned_operation' };

export const records: Table<RecordRow> = {
  name: 'identity_record',
  columns: {
    operation: 'text',
    eid: 'text',
    certificateSerial: 'text',
    publicKeyHash: 'text',
    record: 'bytea',
    recordHash: 'text',
    leafIndex: 'bigint',
  },
};

export const confirmations: Table<ConfirmationRow> = {
  name: 'confirmation',
  columns: { operation: 'text', epoch: 'bigint', jws: 'text', sha256: 'text', leafIndex: 'bigint' },
};

export const custody: Table<CustodyRow> = {
  name: 'custody',
  columns: {
    operation: 'text',
    epoch: 'bigint',
    position: 'bigint',
    holder: 'text',
    statement: 'text',
    sha256: 'text',
  },
};

export const rejections: Table<RejectionRow> = {
  name: 'rejection',
  columns: {
    visit: 'text',
    operation: 'text',
    eid: 'text',
    faultCode: 'text',
    entry: 'bytea',
    leafIndex: 'bigint',
  },
};

export const appearances: Table<AppearanceRow> = {
  name: 'appearance',
  columns: {
    key: 'text',
    appearance: 'text',
    eid: 'text',
    seFingerprint: 'text',
    operation: 'text',
    faultCode: 'text',
    at: 'text',
    entry: 'bytea',
    leafIndex: 'bigint',
  },
};

export const controllers: Table<ControllerRow> = {
  name: 'controller',
  columns: {
    controller: 'text',
    arrival: 'bigint',
    obeyed: 'bigint',
    leftArrival: 'bigint',
    leftCounter: 'bigint',
    issued: 'bigint',
  },
};

export const releases: Table<ReleaseRow> = {
  name: 'gate_release',
  columns: {
    controller: 'text',
    counter: 'bigint',
    nest: 'text',
    lane: 'text',
    operation: 'text',
    epoch: 'bigint',
    arrival: 'bigint',
  },
};

export const events: Table<EventRow> = {
  name: 'station_event',
  columns: {
    station: 'text',
    journal: 'text',
    sequence: 'bigint',
    hash: 'text',
    text: 'text',
    receivedAt: 'text',
  },
};

export const subjects: Table<SubjectRow> = {
  name: 'station_event_subject',
  columns: { eid: 'text', receivedAt: 'text', station: 'text', journal: 'text', sequence: 'bigint' },
};

export const leaves: Table<LeafRow> = {
  name: 'log_leaf',
  columns: { index: 'bigint', key: 'text', hash: 'bytea', entry: 'bytea' },
};

const head: Table<HeadRow> = {
  name: 'log_head',
  columns: { size: 'bigint', root: 'bytea', checkpoint: 'text' },
};

export const select = {
  operationByEid: from(operations, 'where eid = $1 for update'),
  operationById: from(operations, 'where operation = $1 for update'),
  operationByFingerprint: from(operations, 'where se_fingerprint = $1 for update'),
  disownedOperation: from(
    disowned,
    'where eid = $1 and se_fingerprint = $2 order by reserved_at desc limit 1',
  ),
  recordByOperation: from(records, 'where operation = $1'),
  recordByEid: from(records, 'where eid = $1'),
  recordByPublicKey: from(records, 'where public_key_hash = $1'),
  listRecords: from(records, 'order by leaf_index desc limit $1'),
  recordsFrom: from(records, 'where leaf_index >= $1 order by leaf_index limit $2'),
  confirmation: from(confirmations, 'where operation = $1 and epoch = $2'),
  confirmationsOf: from(confirmations, 'where operation = $1 order by epoch'),
  custodyOf: from(custody, 'where operation = $1 order by epoch, "position"'),
  rejection: from(rejections, 'where visit = $1'),
  listRejections: from(rejections, 'order by leaf_index desc limit $1'),
  appearance: from(appearances, 'where "key" = $1'),
  appearancesOf: from(appearances, 'where eid = $1 or operation = $2 order by leaf_index limit $3'),
  controller: from(controllers, 'where controller = $1 for update'),
  lastRelease: from(releases, 'where operation = $1 order by counter desc limit 1'),
  releaseByCounter: from(releases, 'where controller = $1 and counter = $2'),
  eventHead: from(events, 'where station = $1 and journal = $2 order by sequence desc limit 1'),
  event: from(events, 'where station = $1 and journal = $2 and sequence = $3'),
  eventsAbout: from(
    events,
    `join (select received_at, station, journal, sequence from station_event_subject where eid = $1
       order by received_at, station, journal, sequence limit $2) as subject
     using (received_at, station, journal, sequence) order by received_at, station, journal, sequence`,
  ),
  lockHead: from(head, 'where id = 1 for update'),
  readHead: from(head, 'where id = 1'),
  leafByKey: from(leaves, 'where "key" = $1'),
  leaves: from(leaves, 'where "index" >= $1 and "index" < $2 order by "index"'),
} as const;

/** Those of many keys at once, for rows that a group of registrations reads. */
export const findings = {
  operationById: {
    one: select.operationById,
    many: from(operations, 'where operation = any($1::text[]) for update'),
    keyOf: ({ operation }: OperationRow) => [operation],
  },
  recordByOperation: {
    one: select.recordByOperation,
    many: from(records, 'where operation = any($1::text[])'),
    keyOf: ({ operation }: RecordRow) => [operation],
  },
  recordByPublicKey: {
    one: select.recordByPublicKey,
    many: from(records, 'where public_key_hash = any($1::text[])'),
    keyOf: ({ publicKeyHash }: RecordRow) => [publicKeyHash ?? ''],
  },
  controller: {
    one: select.controller,
    many: from(controllers, 'where controller = any($1::text[]) for update'),
    keyOf: ({ controller }: ControllerRow) => [controller],
  },
  lastRelease: {
    one: select.lastRelease,
    many: from(
      releases,
      `join (select operation, max(counter) as counter from gate_release where operation = any($1::text[])
         group by operation) as newest using (operation, counter)`,
    ),
    keyOf: ({ operation }: ReleaseRow) => [operation],
  },
  releaseByCounter: {
    one: select.releaseByCounter,
    many: from(
      releases,
      'join (select unnest($1::text[]) as controller, unnest($2::bigint[]) as counter) as asked using (controller, counter)',
    ),
    keyOf: ({ controller, counter }: ReleaseRow) => [controller, counter],
  },
} as const;

/** The values are those of a whole row, in the order of its table. */
export const updateOperation: Statement = {
  name: 'update operation',
  text: `update operation set se_fingerprint = $3, ticket = $4, ticket_hash = $5, station = $6, nest = $7,
    epoch = $8, attempt = $9, generation = $10, key_version = $11, state = $12, reserved_at = $13,
    attempted_at = $14 where operation = $1 and eid = $2`,
};

/** Rows as `insertInto` gives them; each is there. */
export const updateOperations: Statement = {
  name: 'update operations',
  text: `update operation set (${columnsOf(operations)}) = (${newOf(operations)})
    from (select ${unnested(operations)}) as new where operation.operation = new.operation and operation.eid = new.eid`,
};

export const updateControllers: Statement = {
  name: 'update controllers',
  text: `update controller set (${columnsOf(controllers)}) = (${newOf(controllers)})
    from (select ${unnested(controllers)}) as new where controller.controller = new.controller`,
};

/** Both tables have the same columns. */
export const disownOperation: Statement = {
  name: 'disown operation',
  text: `with gone as (delete from operation where operation = $1 returning *)
    insert into disowned_operation (${columnsOf(disowned)}) select ${columnsOf(disowned)} from gone`,
};

export const makeController: Statement = {
  name: 'make controller',
  text: `insert into controller (controller, arrival, obeyed, left_arrival, left_counter, issued)
    values ($1, 0, 0, 0, 0, 0) on conflict (controller) do nothing`,
};

export const updateController: Statement = {
  name: 'update controller',
  text: `update controller set arrival = $2, obeyed = $3, left_arrival = $4, left_counter = $5, issued = $6
    where controller = $1`,
};

export const updateHead: Statement = {
  name: 'update head',
  text: 'update log_head set size = $1, root = $2, checkpoint = $3 where id = 1',
};

export interface Select<Row> extends Statement {
  /** Carries the type of the rows; never set. */
  readonly row?: Row;
}

function from<Row>(table: Table<Row>, rest: string): Select<Row> {
  const text = `select ${fieldsOf(table)} from ${table.name} ${rest}`;
  return { name: `${table.name} ${rest}`.slice(0, 63), text };
}
