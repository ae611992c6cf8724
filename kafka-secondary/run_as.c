// SPDX-License-Identifier: BSD-3-Clause
// Drop root: become the user that connects to Kafka.

#include "run_as.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LOG_TYPE "run-as"

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
