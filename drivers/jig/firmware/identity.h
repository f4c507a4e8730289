/*
 * Who this controller is: written into the EEPROM at commissioning, never by this program.
 *
 * Bytes 1 to 50: `HFG1`, tag key (16), controller (16), nest (8), host time-out and open time-out in
 * milliseconds (2 each), check over all of that (2). Numbers are big endian, names ASCII padded with zeros.
 * Byte 0 stays unused: a write that loses power before its address stands hits that one.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#define CONTROLLER_BYTES 16
#define NEST_BYTES 8

struct identity {
  uint8_t controller[CONTROLLER_BYTES];
  uint8_t nest[NEST_BYTES];
  uint16_t host_timeout_ms;
  uint16_t open_timeout_ms;
};

extern struct identity identity;

/* Reads it and hands the key to the CMAC; false when the EEPROM holds no identity, or a damaged one. */
bool identity_load(void);

#endif
