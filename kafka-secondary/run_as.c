// SPDX-License-Identifier: BSD-3-Clause
// Drop root: become the user that connects to Kafka.

#include "run_as.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_TYPE "run-as"

// Without them the workers stay root, or the supervisor cannot stop them.
static bool may_become(void) {
	static const int needed[] = {CAP_SETUID, CAP_SETGID, CAP_KILL};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (geteuid() != 0 || syscall(SYS_capget, &header, data) < 0)
		return true;
	for (unsigned int i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if ((data[0].effective & CAP_TO_MASK(needed[i])) == 0)
			return false;
	return true;
}

int run_as_find(struct run_as *who, const struct rtap_config *cfg) {
	const struct passwd *user;
	char place[512];

	*who = (struct run_as){0};
	if (cfg->run_as[0] == '\0')
		return 0;
	user = getpwnam(cfg->run_as);
	if (user == NULL) {
		LOG(ERR, "%s: there is no user '%s' on this machine; useradd --system %s",
		    rtap_config_place(cfg, "run-as", place, sizeof(place)), cfg->run_as,
		    cfg->run_as);
		return -EINVAL;
	}
	if (!may_become()) {
		LOG(ERR,
		    "%s: the capabilities SETUID, SETGID and KILL are needed to run transmit workers "
		    "as another user; add them to the container or service, or leave the key out",
		    rtap_config_place(cfg, "run-as", place, sizeof(place)));
		return -EINVAL;
	}
	*who = (struct run_as){.name = cfg->run_as, .uid = user->pw_uid, .gid = user->pw_gid};
	return 0;
}

int run_as_become(const struct run_as *who) {
	if (who->name == NULL || geteuid() != 0)
		return 0;
	if (initgroups(who->name, who->gid) < 0 || setgid(who->gid) < 0 || setuid(who->uid) < 0)
		return -errno;
	// The kernel has reset it to the value of sysctl fs.suid_dumpable.
	return prctl(PR_SET_DUMPABLE, 0) == 0 ? 0 : -errno;
}
