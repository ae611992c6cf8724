// SPDX-License-Identifier: BSD-3-Clause
// Compute the buffer sizes of net_memif's shared memory.

#include "memif_buffers.h"

#include "errno_set.h"
#include "vdev_args.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_BYTES 2048
#define STEP_BYTES 1024

// The driver, too, looks for the word in the value.
static bool argument_has(const char *device, const char *key, const char *word) {
	char value[64];

	return vdev_args_get(device, key, 0, value, sizeof(value)) == 0
		&& strstr(value, word) != NULL;
}

int memif_buffers_read(struct memif_buffers *buffers, const char *device) {
	int rc;

	buffers->server = argument_has(device, "role", "server")
		|| argument_has(device, "role", "master");
	buffers->zero_copy = !buffers->server && argument_has(device, "zero-copy", "yes");
	buffers->bytes = DEFAULT_BYTES;
	rc = vdev_args_number(device, "bsize", &buffers->bytes);
	buffers->has_bytes = rc == 0;
	if (rc == -ENOENT)
		return 0;
	return rc < 0 || buffers->bytes == 0 || buffers->bytes > UINT16_MAX ? errno_set(EINVAL) : 0;
}

uint32_t memif_buffers_size(uint32_t bytes) {
	uint32_t size = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;

	return size <= UINT16_MAX ? size : UINT16_MAX;
}

bool memif_buffers_mixes(unsigned int year, unsigned int month, unsigned int minor) {
	static const struct {
		unsigned int year, month, minor;
	} fixed_in[] = {{23, 11, 7}, {24, 11, 5}, {25, 11, 1}};

	for (unsigned int i = 0; i < sizeof(fixed_in) / sizeof(fixed_in[0]); i++)
		if (fixed_in[i].year == year && fixed_in[i].month == month)
			return minor < fixed_in[i].minor;
	return year < 26;
}
