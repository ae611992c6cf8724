// SPDX-License-Identifier: BSD-3-Clause
// Parse the name and the arguments of a device of the configuration.

#include "vdev_args.h"

#include "errno_set.h"

#include <rte_kvargs.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *driver, *alias;
} aliases[] = {
	{"net_af_packet", "eth_af_packet"}, {"net_bonding", "eth_bond"}, {"net_null", "eth_null"},
	{"net_pcap", "eth_pcap"},           {"net_ring", "eth_ring"},    {"net_tap", "eth_tap"},
	{"net_vhost", "eth_vhost"},
};

// The keys that name the interface, in the order in which the driver looks at them.
static const struct {
	const char *driver, *key;
} interface_keys[] = {
	{"net_af_packet", "iface"},  {"net_af_xdp", "iface"}, {"net_tap", "iface"},
	{"net_tun", "iface"},        {"net_pcap", "iface"},   {"net_pcap", "rx_iface"},
	{"net_pcap", "rx_iface_in"},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool begins_with(const char *device, const char *name) {
	return strncmp(device, name, strlen(name)) == 0;
}

bool vdev_args_driver_is(const char *device, const char *driver) {
	if (begins_with(device, driver))
		return true;
	for (size_t i = 0; i < LENGTH(aliases); i++)
		if (strcmp(aliases[i].driver, driver) == 0)
			return begins_with(device, aliases[i].alias);
	return false;
}

// Parse the arguments after the name; the caller frees them. Returns 0, -EINVAL or -ENOMEM.
static int parse(const char *device, struct rte_kvargs **args) {
	const char *text = device + strcspn(device, ",");

	errno = 0;
	*args = rte_kvargs_parse(*text == ',' ? text + 1 : text, NULL);
	if (*args != NULL)
		return 0;
	return errno_set(errno == ENOMEM ? ENOMEM : EINVAL);
}

static const char *find(const struct rte_kvargs *args, const char *key, unsigned int n) {
	for (unsigned int i = 0; i < args->count; i++) {
		const struct rte_kvargs_pair *pair = &args->pairs[i];

		if (strcmp(pair->key, key) == 0 && n-- == 0)
			return pair->value != NULL ? pair->value : "";
	}
	return NULL;
}

int vdev_args_get(const char *device, const char *key, unsigned int n, char *value, size_t size) {
	struct rte_kvargs *args;
	const char *found;
	int rc;

	value[0] = '\0';
	rc = parse(device, &args);
	if (rc < 0)
		return rc;
	found = find(args, key, n);
	if (found == NULL)
		rc = errno_set(ENOENT);
	else if (strlen(found) >= size)
		rc = errno_set(ENOSPC);
	else
		memcpy(value, found, strlen(found) + 1);
	rte_kvargs_free(args);
	return rc;
}

int vdev_args_number(const char *device, const char *key, unsigned int *number) {
	char text[16], *end;
	unsigned long value;
	int rc = vdev_args_get(device, key, 0, text, sizeof(text));

	if (rc < 0)
		return rc == -ENOENT ? rc : errno_set(EINVAL);
	if (text[0] < '0' || text[0] > '9')
		return errno_set(EINVAL);
	value = strtoul(text, &end, 10);
	if (*end != '\0' || value > UINT_MAX)
		return errno_set(EINVAL);
	*number = (unsigned int)value;
	return 0;
}

int vdev_args_interface(const char *device, char *name, size_t size) {
	for (size_t i = 0; i < LENGTH(interface_keys); i++) {
		int rc;

		if (!vdev_args_driver_is(device, interface_keys[i].driver))
			continue;
		rc = vdev_args_get(device, interface_keys[i].key, 0, name, size);
		if (rc != -ENOENT)
			return rc;
	}
	name[0] = '\0';
	return 0;
}
