// SPDX-License-Identifier: BSD-3-Clause
// Frames of any bytes, as the network brings them: nothing beyond their end is read.

#include "flow_hash.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t *frame = malloc(size + 4); // an unaligned copy must do as well
	uint32_t hash = rtap_flow_hash(data, (uint32_t)size);

	REQUIRE(frame != NULL);
	memcpy(frame + 1, data, size);
	REQUIRE(rtap_flow_hash(frame + 1, (uint32_t)size) == hash);
	free(frame);
	return 0;
}
