#include <greeting.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char line[128];

	return puts(greet(line, sizeof line, HELLO, argc > 1 ? argv[1] : WORLD)) < 0;
}
