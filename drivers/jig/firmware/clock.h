/* Milliseconds since power on, from timer 0. They run over after 65.5 s: only differences mean anything. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

void clock_start(void);
uint16_t clock_ms(void);
/* Sleeps until an interrupt comes: the next millisecond's at the latest. Interrupts must be on. */
void clock_nap(void);

#endif
