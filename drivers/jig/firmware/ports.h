/* The pins as Firmata knows them: mode, state, level, and which ports report. */
#ifndef PORTS_H
#define PORTS_H

#include "pins.h"

/* SYSTEM_RESET, and power on: D2 to D13 outputs at LOW, A0 to A5 analog, nothing reported. */
void ports_reset(void);
uint8_t port_mode(uint8_t pin);
/* What was written last; the pull-up of an input. */
uint8_t port_state(uint8_t pin);
/* False when the pin cannot do that. A pin of no role does nothing, and says nothing. */
bool port_set_mode(uint8_t pin, uint8_t mode);
/* One pin, if it is free and an output. */
void port_write(uint8_t pin, uint8_t value);
void ports_write(uint8_t port, uint8_t value);
/* Begins or ends the reports of a port; they begin with one at once. */
void ports_report(uint8_t port, bool on);
/* Reports what changed. */
void ports_look(void);
void ports_say_capabilities(void);

#endif
