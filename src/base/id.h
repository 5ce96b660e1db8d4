/* Random identifiers from the kernel's generator. */
#ifndef VVE_BASE_ID_H
#define VVE_BASE_ID_H

#include <stdbool.h>

#define ID_UUID_LEN 36

void id_uuid(char out[ID_UUID_LEN + 1]); /* version 4, lower case */
bool id_is_uuid(const char *text);       /* exactly the form that id_uuid writes */
void id_nonce(char out[17]);             /* 64 random bits in hex */
unsigned id_below(unsigned bound);       /* 0 .. bound - 1, for jitter */

#endif
