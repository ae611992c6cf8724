// SPDX-License-Identifier: BSD-3-Clause
// Let this process open as many files as it may.

#include "descriptors.h"

#include "errno_set.h"
#include "log.h"

#include <inttypes.h>
#include <sys/resource.h>

#define LOG_TYPE "limits"

int rtap_descriptors_raise(uint64_t needed) {
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= needed)
		return 0;
	LOG(ERR,
	    "too few open files: the hard limit is %" PRIu64 ", at least %" PRIu64
	    " are needed; raise it (`ulimit -Hn`, LimitNOFILE= of a service, --ulimit nofile= of a "
	    "container)",
	    (uint64_t)limit.rlim_max, needed);
	return errno_set(EMFILE);
}
