// SPDX-License-Identifier: BSD-3-Clause
// Check a capture file that a device will read.

#include "capture_file.h"

#include "errno_set.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int check_link_type(int link_type, char *why, size_t size) {
	const char *name = pcap_datalink_val_to_name(link_type);
	const char *words = pcap_datalink_val_to_description(link_type);

	if (link_type == DLT_EN10MB)
		return 0;
	if (name != NULL)
		snprintf(why, size, "its link type is %s (%s)", name, words != NULL ? words : "");
	else
		snprintf(why, size, "its link type is number %d", link_type);
	return errno_set(EINVAL);
}

int capture_file_check(const char *path, char *why, size_t size) {
	char error[PCAP_ERRBUF_SIZE];
	struct stat st;
	pcap_t *file;
	int rc;

	if (strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &st) < 0) {
		snprintf(why, size, "%s", strerror(errno));
		return errno_set(ENODEV);
	}
	if (!S_ISREG(st.st_mode))
		return 0;
	file = pcap_open_offline(path, error);
	if (file == NULL) {
		snprintf(why, size, "%s", error);
		return errno_set(ENODEV);
	}
	rc = check_link_type(pcap_datalink(file), why, size);
	pcap_close(file);
	return rc;
}
