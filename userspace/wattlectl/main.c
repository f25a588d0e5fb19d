// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "wattlectl.h"

int main(int argc, char **argv)
{
	int code = wattlectl(argc, argv);

	kernel_close();
	/* What was not written was not done; a reader that has gone wanted no more. */
	if ((fflush(stdout) || ferror(stdout)) && errno != EPIPE) {
		report(NULL, NULL, "stdout: %s", strerror(errno));
		return EXIT_REFUSED;
	}
	return code;
}
