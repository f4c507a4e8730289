/*
 * The serial line at 57 600 Bd, 8N1, with a bounded queue each way. Nothing here waits: a byte that finds the
 * queue full is lost, as on any UART, and a frame that does not fit whole is not begun. Hosts ask again.
 */
#ifndef SERIAL_H
#define SERIAL_H

#include <stdbool.h>
#include <stdint.h>

void serial_start(void);
/* The next byte from the host; false when there is none. */
bool serial_take(uint8_t *byte);
bool serial_waits(void);
void serial_send(const uint8_t *frame, uint8_t size);

#endif
