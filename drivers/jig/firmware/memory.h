/*
 * What must survive a power cut, in a ring of 30 slots that fills the EEPROM from byte 64 on.
 *
 * A write takes the slot after the newest, so the newest stays whole until its successor is. Of a slot (32
 * bytes) the first byte says whether it counts: it is spoilt first and set last, when all others have been
 * written and read back. The highest sequence of the slots that count, with a check that fits, is the memory.
 *
 * Slot: A5, sequence (4), boots (4), obeyed (6), left arrival (6), left counter (6), left lane (1), check over
 * all of these but the first (2), two unused. Big endian.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* Arrivals and counters: six bytes, big endian, so that memcmp orders them. */
#define NUMBER_BYTES 6

struct memory {
  uint8_t boots[4];
  uint8_t obeyed[NUMBER_BYTES];
  uint8_t left_arrival[NUMBER_BYTES];
  uint8_t left_counter[NUMBER_BYTES];
  uint8_t left_lane;
};

/* False when no slot counts: a controller must not begin from nothing and forget what it obeyed. */
bool memory_load(struct memory *memory);
/* Durable, and read back, when it returns. False when no slot of the ring keeps what is written any more. */
bool memory_save(const struct memory *memory);

#endif
