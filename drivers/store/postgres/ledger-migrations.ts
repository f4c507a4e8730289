/** The schema of the gateway's ledger, in the same dialect as the fleet database. */
import type { Migration } from './migration.ts';

export const ledgerMigrations: readonly Migration[] = [
  {
    id: 1,
    title: 'dialogues, intents, certificates and conclusions',
    statements: [
      `create table if not exists dialogue (
        dialogue text not null, operation text not null, epoch bigint not null, eid text not null,
        se_fingerprint text not null, ticket text not null, station text not null, instance text not null,
        opened_at text not null, attempts bigint not null,
        constraint dialogue_dialogue primary key (dialogue))`,
      'create index if not exists dialogue_by_operation on dialogue (operation, epoch)',
      `create table if not exists operation_epoch (
        operation text not null, epoch bigint not null,
        constraint operation_epoch_operation primary key (operation))`,
      `create table if not exists unit_attempts (
        eid text not null, attempts bigint not null,
        constraint unit_attempts_eid primary key (eid))`,
      `create table if not exists ticket_quota (
        ticket text not null, taken bigint not null,
        constraint ticket_quota_ticket primary key (ticket))`,
      `create table if not exists ticket_unit (
        ticket text not null, eid text not null,
        constraint ticket_unit_ticket_eid primary key (ticket, eid))`,
      `create table if not exists intent (
        operation text not null, "position" bigint not null, dialogue text not null, epoch bigint not null,
        step text not null, detail text not null, "at" text not null,
        constraint intent_operation_position primary key (operation, "position"))`,
      `create table if not exists intent_count (
        operation text not null, counted bigint not null,
        constraint intent_count_operation primary key (operation))`,
      `create table if not exists certificate (
        serial text not null, eid text not null, "position" bigint not null, public_key bytea not null,
        issuer text not null, profile text not null, not_before text not null, to_be_signed bytea not null,
        certificate bytea,
        constraint certificate_serial primary key (serial),
        constraint certificate_public_key unique (public_key),
        constraint certificate_eid_position unique (eid, "position"))`,
      `create table if not exists conclusion (
        operation text not null, epoch bigint not null, kind text not null, jws text not null,
        constraint conclusion_operation_epoch primary key (operation, epoch))`,
    ],
  },
  {
    id: 2,
    title: 'transcripts',
    statements: [
      `create table if not exists transcript (
        operation text not null, epoch bigint not null, eid text not null, "at" text not null,
        transcript text not null,
        constraint transcript_operation_epoch primary key (operation, epoch))`,
      'create index if not exists transcript_by_eid on transcript (eid)',
    ],
  },
  {
    id: 3,
    title: 'refusals, and the dialogues of a ticket',
    statements: [
      `create table if not exists refusal (
        "key" text not null, station text not null, code text not null, ticket text not null, eid text not null,
        entry text not null, "at" text not null,
        constraint refusal_key primary key ("key"))`,
      'create index if not exists refusal_by_ticket on refusal (ticket, "key")',
      'create index if not exists dialogue_by_ticket on dialogue (ticket, operation)',
    ],
  },
  {
    id: 4,
    title: 'revoked certificates, revocation lists and the trust list',
    statements: [
      `create table if not exists revoked_certificate (
        serial text not null, issuer text not null, reason text not null, revoked_at text not null,
        "order" text not null,
        constraint revoked_certificate_serial primary key (serial))`,
      'create index if not exists revoked_certificate_by_issuer on revoked_certificate (issuer, serial)',
      `create table if not exists crl_number (
        issuer text not null, "number" bigint not null,
        constraint crl_number_issuer primary key (issuer))`,
      `create table if not exists crl (
        issuer text not null, "number" bigint not null, this_update text not null, next_update text not null,
        crl bytea not null,
        constraint crl_issuer_number primary key (issuer, "number"))`,
      `create table if not exists known_trust_list (
        "number" bigint not null, jws text not null,
        constraint known_trust_list_number primary key ("number"))`,
    ],
  },
  {
    id: 5,
    title: 'the list of revoked stations',
    statements: [
      `create table if not exists station_list (
        id bigint not null, number bigint not null, jws text not null,
        constraint station_list_id primary key (id))`,
    ],
  },
  {
    id: 6,
    title: 'certificates by batch and station',
    statements: [
      `alter table certificate add column if not exists operation text not null default ''`,
      `alter table certificate add column if not exists batch text not null default ''`,
      `alter table certificate add column if not exists station text not null default ''`,
      'create index if not exists certificate_by_issuer on certificate (issuer, serial)',
      'create index if not exists certificate_by_batch on certificate (batch, serial)',
      'create index if not exists certificate_by_station on certificate (station, serial)',
    ],
  },
  {
    id: 7,
    title: 'the mark by which an older ledger is known',
    statements: [
      `create table if not exists ledger_mark (
        id bigint not null, mark bigint not null,
        constraint ledger_mark_id primary key (id))`,
    ],
  },
];
