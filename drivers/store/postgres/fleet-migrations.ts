/**
 * The schema of the fleet database, in the dialect that PostgreSQL 15, CockroachDB and YugabyteDB share.
 * Rows of `confirmation`, `custody`, `rejection`, `appearance`, `gate_release`, `station_event`, `identity_record`,
 * `operator`, `disowned_operation`, `ticket_unit`, `revoked_station`, `enrolled_station`, `unit_certificate`, `revocation`, `trust_list`, `log_leaf` and `leaf_trace` are only ever
 * inserted: a role without UPDATE and DELETE on them is enough.
 * DELETE is needed on `operation`, whose row then goes into `disowned_operation`, and on `operator_key`, whose row is gone.
 */
import type { Migration } from './migration.ts';

const tracedBy = ['station', 'operator', 'ticket', 'intermediate', 'gateway', 'generation', 'software'];

/** As core/history/trace.ts reads them, of the kinds that were written before there were traces. */
const tracesOfOlderLeaves = `insert into leaf_trace
  (leaf_index, part, kind, "at", eid, operation, station, operator, ticket, intermediate, gateway, generation,
    key_version, software, certificate_serial)
  select "index", 0, said->>'kind', said->>'at', body->>'eid',
    coalesce(body->>'operation', body->'known'->>'operation'),
    hands->>'station', hands->>'operator', hands->>'ticket', hands->'certificate'->>'issuer', hands->>'gateway',
    coalesce(hands->>'generation', hands->'revocation'->>'generation')::bigint,
    coalesce(hands->>'keyVersion', hands->'revocation'->'keyVersions'->>-1)::bigint,
    hands->>'stationSoftware', hands->'certificate'->>'serial'
  from (select "index", said, said->'body' as body,
      case when said->>'kind' = 'appearance' or said->'body'->'revocation'->>'keyVersions' = '[]' then null
        else said->'body' end as hands
    from (select "index", convert_from(entry, 'UTF8')::jsonb as said from log_leaf
      where "key" like 'record/%' or "key" like 'confirmation/%' or "key" like 'rejection/%'
        or "key" like 'appearance/%') as read) as known
  where body->>'eid' is not null
  on conflict (leaf_index, part) do nothing`;

export const fleetMigrations: readonly Migration[] = [
  {
    id: 1,
    title: 'operations, records, receipts, releases, events and the log',
    statements: [
      `create table if not exists operation (
        operation text not null, eid text not null, se_fingerprint text not null,
        ticket text not null, ticket_hash text not null, station text not null, nest text not null,
        epoch bigint not null, attempt text not null, generation bigint not null, key_version bigint not null,
        state text not null, reserved_at text not null, attempted_at text not null,
        constraint operation_operation primary key (operation),
        constraint operation_eid unique (eid),
        constraint operation_se_fingerprint unique (se_fingerprint))`,
      `create table if not exists ticket_quota (
        ticket text not null, taken bigint not null,
        constraint ticket_quota_ticket primary key (ticket))`,
      `create table if not exists identity_record (
        operation text not null, eid text not null, certificate_serial text not null,
        public_key_hash text not null, record bytea not null, record_hash text not null,
        leaf_index bigint not null,
        constraint identity_record_operation primary key (operation),
        constraint identity_record_eid unique (eid),
        constraint identity_record_certificate_serial unique (certificate_serial),
        constraint identity_record_public_key_hash unique (public_key_hash))`,
      'create index if not exists identity_record_by_leaf on identity_record (leaf_index)',
      `create table if not exists confirmation (
        operation text not null, epoch bigint not null, jws text not null, sha256 text not null,
        leaf_index bigint not null,
        constraint confirmation_operation_epoch primary key (operation, epoch))`,
      `create table if not exists custody (
        operation text not null, epoch bigint not null, "position" bigint not null, holder text not null,
        statement text not null, sha256 text not null,
        constraint custody_operation_epoch_position primary key (operation, epoch, "position"))`,
      `create table if not exists rejection (
        visit text not null, operation text not null, eid text, fault_code text not null,
        entry bytea not null, leaf_index bigint not null,
        constraint rejection_visit primary key (visit))`,
      'create index if not exists rejection_by_leaf on rejection (leaf_index)',
      `create table if not exists controller (
        controller text not null, arrival bigint not null, obeyed bigint not null,
        left_arrival bigint not null, left_counter bigint not null, issued bigint not null,
        constraint controller_controller primary key (controller))`,
      `create table if not exists gate_release (
        controller text not null, counter bigint not null, nest text not null, lane text not null,
        operation text not null, epoch bigint not null, arrival bigint not null,
        constraint gate_release_controller_counter primary key (controller, counter))`,
      'create index if not exists gate_release_by_operation on gate_release (operation, counter)',
      `create table if not exists station_event (
        station text not null, journal text not null, sequence bigint not null, hash text not null,
        "text" text not null, received_at text not null,
        constraint station_event_station_journal_sequence primary key (station, journal, sequence))`,
      `create table if not exists station_event_subject (
        eid text not null, received_at text not null, station text not null, journal text not null,
        sequence bigint not null,
        constraint station_event_subject_all primary key (eid, received_at, station, journal, sequence))`,
      `create table if not exists log_leaf (
        "index" bigint not null, "key" text not null, hash bytea not null, entry bytea not null,
        constraint log_leaf_index primary key ("index"),
        constraint log_leaf_key unique ("key"))`,
      `create table if not exists log_head (
        id bigint not null, size bigint not null, root bytea not null, checkpoint text not null,
        constraint log_head_id primary key (id))`,
      // The root of a tree without leaves is SHA-256 of nothing. RFC 6962 section 2.1.
      `insert into log_head (id, size, root, checkpoint)
        values (1, 0, '\\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'::bytea, '')
        on conflict (id) do nothing`,
    ],
  },
  {
    id: 2,
    title: 'appearances, and operations that gave their EID and chip back',
    statements: [
      `create table if not exists disowned_operation (
        operation text not null, eid text not null, se_fingerprint text not null,
        ticket text not null, ticket_hash text not null, station text not null, nest text not null,
        epoch bigint not null, attempt text not null, generation bigint not null, key_version bigint not null,
        state text not null, reserved_at text not null, attempted_at text not null,
        constraint disowned_operation_operation primary key (operation))`,
      `create index if not exists disowned_operation_by_pair
        on disowned_operation (eid, se_fingerprint, reserved_at)`,
      `create table if not exists appearance (
        "key" text not null, appearance text not null, eid text not null, se_fingerprint text not null,
        operation text not null, fault_code text, "at" text not null, entry bytea not null,
        leaf_index bigint not null,
        constraint appearance_key primary key ("key"))`,
      'create index if not exists appearance_by_eid on appearance (eid, leaf_index)',
      'create index if not exists appearance_by_operation on appearance (operation, leaf_index)',
    ],
  },
  {
    id: 3,
    title: 'records of units without a certificate',
    statements: [
      'alter table identity_record alter column certificate_serial drop not null',
      'alter table identity_record alter column public_key_hash drop not null',
    ],
  },
  {
    id: 4,
    title: 'orders: rate, closing, the units of each ticket, nests',
    statements: [
      'alter table ticket_quota add column if not exists full_us bigint not null default 0',
      'alter table ticket_quota add column if not exists closed_at text',
      `create table if not exists ticket_unit (
        ticket text not null, operation text not null, eid text not null,
        constraint ticket_unit_ticket_operation primary key (ticket, operation))`,
      `insert into ticket_unit (ticket, operation, eid) select ticket, operation, eid from operation
        on conflict (ticket, operation) do nothing`,
      `insert into ticket_unit (ticket, operation, eid) select ticket, operation, eid from disowned_operation
        on conflict (ticket, operation) do nothing`,
      `create table if not exists nest_claim (
        controller text not null, nest text not null, arrival bigint not null, operation text not null,
        constraint nest_claim_controller_nest primary key (controller, nest))`,
    ],
  },
  {
    id: 5,
    title: 'certificates by batch, intermediate and station; revocations and trust lists',
    statements: [
      `create table if not exists unit_certificate (
        serial text not null, eid text not null, operation text not null, issuer text not null,
        issuer_key_id text not null, batch text not null, station text not null, recorded_at text not null,
        constraint unit_certificate_serial primary key (serial))`,
      'create index if not exists unit_certificate_by_eid on unit_certificate (eid)',
      'create index if not exists unit_certificate_by_batch on unit_certificate (batch, serial)',
      'create index if not exists unit_certificate_by_issuer on unit_certificate (issuer, serial)',
      'create index if not exists unit_certificate_by_station on unit_certificate (station, serial)',
      `insert into unit_certificate
        (serial, eid, operation, issuer, issuer_key_id, batch, station, recorded_at)
        select certificate_serial, eid, operation, said->'certificate'->>'issuer',
          said->'certificate'->>'issuerKeyId', said->>'batch', said->>'station', said->'time'->>'latest'
        from (select certificate_serial, eid, operation, convert_from(record, 'UTF8')::jsonb as said
          from identity_record where certificate_serial is not null) as known
        on conflict (serial) do nothing`,
      `create table if not exists revocation (
        serial text not null, eid text not null, issuer text not null, plan text not null, reason text not null,
        revoked_at text not null, leaf_index bigint not null,
        constraint revocation_serial primary key (serial))`,
      'create index if not exists revocation_by_issuer on revocation (issuer, serial)',
      'create index if not exists revocation_by_plan on revocation (plan, serial)',
      `create table if not exists revoked_issuer (
        issuer text not null, issuer_key_id text not null, plan text not null, reason text not null,
        revoked_at text not null, leaf_index bigint not null,
        constraint revoked_issuer_issuer primary key (issuer))`,
      `create table if not exists executed_plan (
        plan text not null, executed_at text not null, leaf_index bigint not null,
        constraint executed_plan_plan primary key (plan))`,
      `create table if not exists trust_list (
        "number" bigint not null, jws text not null, leaf_index bigint not null,
        constraint trust_list_number primary key ("number"))`,
    ],
  },
  {
    id: 6,
    title: 'revoked stations',
    statements: [
      `create table if not exists revoked_station (
        station text not null, number bigint not null, since text not null, reason text not null,
        constraint revoked_station_station primary key (station),
        constraint revoked_station_number unique (number))`,
    ],
  },
  {
    id: 7,
    title: 'tiles of the log, and what witnesses said of its checkpoints',
    statements: [
      `create table if not exists log_tile (
        level bigint not null, "index" bigint not null, root bytea not null, hashes bytea not null,
        constraint log_tile_level_index primary key (level, "index"))`,
      `create table if not exists cosignature (
        size bigint not null, witness text not null, cosigned_at bigint not null, line text not null,
        checkpoint text not null,
        constraint cosignature_size_witness primary key (size, witness))`,
      'create index if not exists cosignature_by_witness on cosignature (witness, size)',
    ],
  },
  {
    id: 8,
    title: 'enrolled stations',
    statements: [
      `create table if not exists enrolled_station (
        station text not null, number bigint not null, since text not null, tls_key text not null,
        envelope_key text not null,
        constraint enrolled_station_number primary key (number),
        constraint enrolled_station_envelope_key unique (envelope_key))`,
    ],
  },
  {
    id: 9,
    title: 'traces: leaves by unit, and units by who had a part in them',
    statements: [
      `create table if not exists leaf_trace (
        leaf_index bigint not null, part bigint not null, kind text not null, "at" text not null,
        eid text not null, operation text not null, station text, operator text, ticket text,
        intermediate text, gateway text, generation bigint, key_version bigint, software text,
        certificate_serial text,
        constraint leaf_trace_leaf_index_part primary key (leaf_index, part))`,
      'create index if not exists leaf_trace_by_eid on leaf_trace (eid, leaf_index)',
      ...tracedBy.map(
        (key) =>
          `create index if not exists leaf_trace_by_${key} on leaf_trace (${key}, "at") where ${key} is not null`,
      ),
      `create index if not exists leaf_trace_of_life on leaf_trace (eid, leaf_index) where kind = 'unit-life'`,
      `create index if not exists operation_open on operation (operation) where state = 'reserved'`,
      tracesOfOlderLeaves,
    ],
  },
  {
    id: 10,
    title: 'operators, and apart from them the keys of their pseudonyms',
    statements: [
      `create table if not exists operator (
        pseudonym text not null, order_hash text not null, registered_at text not null,
        constraint operator_pseudonym primary key (pseudonym),
        constraint operator_order_hash unique (order_hash))`,
      `create table if not exists operator_key (
        pseudonym text not null, key bytea not null, name text not null, removed_at text,
        constraint operator_key_pseudonym primary key (pseudonym))`,
    ],
  },
];
