#ifndef GREETING_H
#define GREETING_H
#include <stddef.h>

/* Writes "HELLO, NAME!" into buffer, cut to its size, and returns buffer. */
char *greet(char *buffer, size_t size, const char *hello, const char *name);

#endif
