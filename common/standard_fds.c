// SPDX-License-Identifier: BSD-3-Clause
// Make sure that descriptors 0 to 2 are open.

#include "standard_fds.h"

#include <fcntl.h>
#include <unistd.h>

void rtap_standard_fds_open(void) {
	int fd;

	// open() gives the lowest free one: go on until that is none of the three.
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}
