#include <greeting.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	char line[128];

	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return puts("hello " VERSION) < 0;
	return puts(greet(line, sizeof line, "Hello", argc > 1 ? argv[1] : "world")) < 0;
}
