#include "greeting.h"

#include <stdio.h>

char *greet(char *buffer, size_t size, const char *hello, const char *name)
{
	snprintf(buffer, size, "%s, %s!", hello, name);
	return buffer;
}
