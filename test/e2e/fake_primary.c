// SPDX-License-Identifier: BSD-3-Clause
// A primary without packets: `fake_primary INSTANCE GID` makes the instance's files as a primary
// does (2 ports, 2 queues of 2 rings each, 4 slots), holds the lock and stores what stdin says,
// line by line:
//     port|queue|ring|slot INDEX FIELD VALUE, or header 0 FIELD VALUE
// "ok" answers each line. It ends with stdin; kill it to leave things as they are.

#include "counters_file.h"
#include "fields.h"
#include "instance.h"
#include "lock_file.h"
#include "primary_info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct rtap_counters_shape shape = {2, 2, 4, 4};

static uint64_t utc_us(void) {
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fill(struct rtap_counters *c, const char *instance) {
	struct rtap_counters_header *h = c->header;

	h->primary_pid = getpid();
	h->started_us = utc_us();
	memset(h->boot_id, 0xa5, sizeof(h->boot_id));
	snprintf(h->instance, sizeof(h->instance), "%s", instance);
	snprintf(h->dpdk_version, sizeof(h->dpdk_version), "22.11.\"quoted\"\x01\xff");
	rtap_counter_set(&h->state, RTAP_STATE_CAPTURING);
	rtap_counter_set(&h->updated_us, utc_us());
	for (uint32_t i = 0; i < shape.nb_ports; i++) {
		c->ports[i].port_id = i;
		snprintf(c->ports[i].name, sizeof(c->ports[i].name), "net_tap%u", i);
		snprintf(c->ports[i].driver, sizeof(c->ports[i].driver), "net_tap");
	}
	for (uint32_t i = 0; i < shape.nb_queues; i++)
		c->queues[i].port_id = i;
	for (uint32_t i = 0; i < shape.nb_rings; i++) {
		struct rtap_ring_counters *r = &c->rings[i];

		r->port_id = i / 2;
		r->ring_id = i % 2;
		r->size = 1024;
		snprintf(r->name, sizeof(r->name), "ring-%u-%u", r->port_id, r->ring_id);
	}
}

static int make_instance(struct rtap_counters *c, const char *name, gid_t gid) {
	struct rtap_primary_info info = {.pid = getpid(), .dpdk_version = "22.11"};
	struct rtap_instance inst;
	char path[512];
	int fd;

	if (rtap_instance_init(&inst, name) < 0 || rtap_instance_create_dir(&inst, gid) < 0)
		return -1;
	fd = rtap_lock_open(&inst, RTAP_FILE_PRIMARY);
	if (fd < 0 || rtap_lock_write(fd, 0, 1) < 0 || rtap_primary_info_write(fd, &info) < 0)
		return -1;
	rtap_instance_path(&inst, RTAP_FILE_COUNTERS, path, sizeof(path));
	if (rtap_counters_create(c, path, &shape, gid) < 0)
		return -1;
	fill(c, name);
	rtap_counters_publish(c);
	return 0;
}

static int set_field(const struct field_list *list, void *base, const char *name, uint64_t value) {
	for (size_t i = 0; i < list->nb_fields; i++)
		if (strcmp(list->fields[i].name, name) == 0) {
			field_set(&list->fields[i], base, value);
			return 0;
		}
	return -1;
}

static int set_slot_word(struct rtap_slot_counters *s, const char *name, uint64_t value) {
	rtap_counter_t *word = strcmp(name, "state") == 0 ? &s->state
		: strcmp(name, "pid") == 0                ? &s->pid
		: strcmp(name, "supervisor_pid") == 0     ? &s->supervisor_pid
		: strcmp(name, "started_us") == 0         ? &s->started_us
		: strcmp(name, "heartbeat_us") == 0       ? &s->heartbeat_us
							  : NULL;

	if (word == NULL)
		return set_field(&fields_worker, s, name, value);
	rtap_counter_set(word, value);
	return 0;
}

static int set_word(
	struct rtap_counters *c, const char *part, unsigned int i, const char *name, uint64_t value
) {
	if (strcmp(part, "header") == 0 && strcmp(name, "state") == 0) {
		rtap_counter_set(&c->header->state, value);
		return 0;
	}
	if (strcmp(part, "header") == 0)
		return set_field(&fields_instance, c->header, name, value);
	if (strcmp(part, "port") == 0 && i < shape.nb_ports)
		return set_field(&fields_port, &c->ports[i], name, value);
	if (strcmp(part, "queue") == 0 && i < shape.nb_queues)
		return set_field(&fields_queue, &c->queues[i], name, value);
	if (strcmp(part, "ring") == 0 && i < shape.nb_rings && strcmp(name, "owner") == 0) {
		rtap_counter_set(&c->rings[i].owner, value);
		return 0;
	}
	if (strcmp(part, "ring") == 0 && i < shape.nb_rings)
		return set_field(&fields_ring, &c->rings[i], name, value);
	if (strcmp(part, "slot") == 0 && i < shape.nb_slots)
		return set_slot_word(&c->slots[i], name, value);
	return -1;
}

int main(int argc, char **argv) {
	char line[256], part[16], name[64];
	struct rtap_counters c;
	unsigned int i;
	uint64_t value;

	if (argc != 3 || make_instance(&c, argv[1], (gid_t)strtoul(argv[2], NULL, 10)) < 0) {
		perror("fake_primary");
		return EXIT_FAILURE;
	}
	puts("ok");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "%15s %u %63s %" SCNu64, part, &i, name, &value) != 4
		    || set_word(&c, part, i, name, value) < 0) {
			fprintf(stderr, "fake_primary: cannot do: %s", line);
			return EXIT_FAILURE;
		}
		puts("ok");
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}
