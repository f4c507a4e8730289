/*
 * The contacts of the nest and its gates, read once a millisecond and believed when they have come to rest.
 * Presence rests longest, so that a unit on its way out is seen at the exit before it is missed in the nest.
 */
#ifndef SENSORS_H
#define SENSORS_H

#include <stdbool.h>
#include <stdint.h>

/* In the order in which changes of the same moment are told: exits before presence. */
enum sensor {
  CLAMP_CLOSED,
  CLAMP_OPEN,
  GATE_GOOD_CLOSED,
  GATE_REJECT_CLOSED,
  EXIT_GOOD,
  EXIT_REJECT,
  PRESENCE,
  SENSOR_COUNT
};

/* Pull-ups on, and every contact read until it rests. */
void sensors_start(void);
/* What rests now, one bit per sensor. */
uint8_t sensors_at_rest(void);
/* One reading. Afterwards `sensors_at_rest` may say something else. */
void sensors_read(void);
/* The contact of the nest at this instant, at rest or not. */
bool presence_now(void);

#endif
