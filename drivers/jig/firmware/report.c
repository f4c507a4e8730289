#include "report.h"

#include "cmac.h"
#include "extension.h"
#include "identity.h"

#include <string.h>

/* `HFS1` | kind | reason | gate open | controller | nest: under the MAC, and not or elsewhere on the wire. */
#define HEAD_BYTES (4 + 3 + CONTROLLER_BYTES + NEST_BYTES)
/* arrival, obeyed, left arrival, left counter, left lane: the same in both. */
#define BODY_BYTES (4 * NUMBER_BYTES + 1)
/* query | kind | reason | gate open */
#define WIRE_HEAD_BYTES 4

static uint8_t *put(uint8_t *at, const void *bytes, uint8_t size) {
  memcpy(at, bytes, size);
  return at + size;
}

void report_send(uint8_t query, const struct report *report) {
  const struct memory *memory = report->memory;
  const uint8_t said[3] = {report->kind, report->reason, report->gate_open};
  uint8_t covered[HEAD_BYTES + BODY_BYTES];
  uint8_t *at = put(covered, "HFS1", 4);
  at = put(at, said, sizeof said);
  at = put(at, identity.controller, CONTROLLER_BYTES);
  at = put(at, identity.nest, NEST_BYTES);
  at = put(at, report->arrival, NUMBER_BYTES);
  at = put(at, memory->obeyed, NUMBER_BYTES);
  at = put(at, memory->left_arrival, NUMBER_BYTES);
  at = put(at, memory->left_counter, NUMBER_BYTES);
  *at = memory->left_lane;

  uint8_t wire[WIRE_HEAD_BYTES + BODY_BYTES + BLOCK_BYTES];
  wire[0] = query;
  memcpy(wire + 1, said, sizeof said);
  memcpy(wire + WIRE_HEAD_BYTES, covered + HEAD_BYTES, BODY_BYTES);
  cmac(covered, sizeof covered, wire + WIRE_HEAD_BYTES + BODY_BYTES);
  extension_send(EXTENSION_REPORT, wire, sizeof wire);
}
