// SPDX-License-Identifier: BSD-3-Clause
// Words to the service manager that started us.

#include "notify.h"

#include "errno_set.h"
#include "now.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ALIVE_NS RTAP_SECOND_NS
#define SLACK_S 10 // for what comes before and after

// Returns the length of the address, or -EINVAL for a name that is neither a path nor abstract.
static int set_address(struct sockaddr_un *addr, const char *name) {
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len >= sizeof(addr->sun_path))
		return errno_set(EINVAL);
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	memcpy(addr->sun_path, name, len);
	if (name[0] == '@')
		addr->sun_path[0] = '\0';
	return (int)(offsetof(struct sockaddr_un, sun_path) + len);
}

int rtap_notify(const char *state) {
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr;
	int fd, addr_len, rc = 1;

	if (name == NULL || name[0] == '\0')
		return 0;
	addr_len = set_address(&addr, name);
	if (addr_len < 0)
		return addr_len;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno_set(errno);
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr,
		   (socklen_t)addr_len)
	    < 0)
		rc = -errno;
	close(fd);
	return rc < 0 ? errno_set(-rc) : rc;
}

void rtap_notify_alive(void) {
	static uint64_t last_ns;
	uint64_t now_ns = rtap_monotonic_ns();

	if (last_ns != 0 && now_ns - last_ns < ALIVE_NS)
		return;
	last_ns = now_ns;
	rtap_notify("WATCHDOG=1");
}

void rtap_notify_patience(uint64_t seconds) {
	static uint64_t last_ns, last_seconds;
	uint64_t now_ns = rtap_monotonic_ns();
	char state[64];

	if (last_ns != 0 && seconds == last_seconds && now_ns - last_ns < ALIVE_NS)
		return;
	last_ns = now_ns;
	last_seconds = seconds;
	snprintf(
		state, sizeof(state), "EXTEND_TIMEOUT_USEC=%" PRIu64,
		(seconds + SLACK_S) * UINT64_C(1000000)
	);
	rtap_notify(state);
}
