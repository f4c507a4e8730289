/*
 * The board's end of Firmata 2.5: the subset that ../controller/firmata-peer.ts plays, answer for answer.
 *
 * A broken sysex swallows everything until the next F7 and is then handled under its first byte; a truncated
 * message falls away at the next status byte. No message reaches the gate valves, and none drives a sensor.
 */
#ifndef FIRMATA_H
#define FIRMATA_H

#include <stdint.h>

/* Outputs at LOW, everything else an input. */
void firmata_start(void);
/* What a boot says unasked: version, then firmware. */
void firmata_announce(void);
/* One byte from the host. */
void firmata_take(uint8_t byte);
/* Reports the ports that changed; once a millisecond. */
void firmata_look(void);
/* A string message to the host. `text` is in flash, up to 32 characters. */
void firmata_tell(const char *text);

#endif
