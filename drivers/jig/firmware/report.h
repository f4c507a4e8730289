/* The controller's word about itself: as bytes under its MAC, and as a frame on the wire. */
#ifndef REPORT_H
#define REPORT_H

#include "memory.h"

#include <stdbool.h>
#include <stdint.h>

enum kind { STATUS, ARRIVED, LEFT, CLOSED, REFUSED };

enum reason {
  NO_REASON,
  TAG_WRONG,
  ARRIVAL_STALE,
  COUNTER_USED,
  ABSENT,
  GATE_OPEN,
  CLAMPED,
  PRESENCE_LOST,
  HOST_LOST,
  TIMED_OUT,
  RESET
};

struct report {
  enum kind kind;
  enum reason reason;
  bool gate_open;
  const uint8_t *arrival;
  const struct memory *memory;
};

/* `query` is 0 when nobody asked. */
void report_send(uint8_t query, const struct report *report);

#endif
