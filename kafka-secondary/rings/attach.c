// SPDX-License-Identifier: BSD-3-Clause
// Attach to an instance as a DPDK secondary.

#include "attach.h"

#include "cpu_list.h"
#include "eal_args.h"
#include "eal_locks.h"
#include "exit_code.h"
#include "lock_file.h"
#include "log.h"
#include "now.h"
#include "primary_check.h"

#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <rte_memzone.h>
#include <rte_ring.h>
#include <rte_service_component.h>
#include <rte_tailq.h>
#include <rte_version.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LOG_TYPE "attach"

#define WATCHDOG_S 20
#define GATE_WAIT_S 25 // longer than the watchdog lets a process be inside
#define GATE_INSIDE 'I' // first byte of the gate's file while a process is inside; the pid follows
#define GATE_TEXT 16

// An attach that does not end waits for a lock word that a killed process left taken.
static void on_watchdog(int signo) {
	static const char text[]
		= "kafka-secondary: the attach hangs: a process was killed while it attached and left a lock "
		  "of EAL taken. The capture and the running workers go on. Stop the primary when its rings "
		  "are empty and start it again; then secondaries can attach.\n";
	ssize_t n;

	n = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)n;
	_exit(RTAP_EXIT_ATTACH);
}

// A process inside that is stopped cannot be ended by its own watchdog.
static void log_who_is_inside(int fd) {
	char text[GATE_TEXT] = "";
	pid_t pid;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0 || text[0] != GATE_INSIDE) {
		LOG(ERR, "another secondary has been attaching for more than %d s; try again",
		    GATE_WAIT_S);
		return;
	}
	pid = (pid_t)strtol(text + 1, NULL, 10);
	LOG(ERR,
	    "another secondary (pid %d) has been attaching for more than %d s: it hangs or is stopped; "
	    "end it (kill -9 %d), then secondaries can attach. The capture and the running workers go "
	    "on",
	    pid, GATE_WAIT_S, pid);
}

static int take_gate(const struct rtap_instance *inst) {
	static const struct timespec pause = {.tv_nsec = 5000000};
	uint64_t deadline_ns = rtap_monotonic_ns() + GATE_WAIT_S * RTAP_SECOND_NS;
	int fd = rtap_lock_open(inst, RTAP_FILE_GATE);
	int rc;

	if (fd < 0)
		return fd;
	while ((rc = rtap_lock_write(fd, 0, 1)) == -EAGAIN && rtap_monotonic_ns() < deadline_ns)
		nanosleep(&pause, NULL);
	if (rc == -EAGAIN)
		log_who_is_inside(fd);
	return rc < 0 ? rc : fd;
}

static void enter_gate(const struct rtap_instance *inst, int fd) {
	char text[GATE_TEXT] = "";
	int n, rc = eal_locks_check(inst);

	if (rc == 0 && pread(fd, text, 1, 0) == 1 && text[0] == GATE_INSIDE)
		eal_locks_clear(inst);
	n = snprintf(text, sizeof(text), "%c%d\n", GATE_INSIDE, getpid());
	if (pwrite(fd, text, (size_t)n, 0) != n)
		LOG(WARNING, "attach gate: %s", strerror(errno));
}

static void leave_gate(int fd) {
	if (pwrite(fd, "-", 1, 0) != 1)
		LOG(WARNING, "attach gate: %s", strerror(errno));
	close(fd);
}

// The linker puts these in the place of EAL's own (-Wl,--wrap), which would take the lock of the
// primary's heap and 155,904 bytes of it: a kill before they are given back would leave both taken
// for good.
int32_t __wrap_rte_service_init(void);
int32_t __wrap_rte_service_start_with_defaults(void);

int32_t __wrap_rte_service_init(void) {
	return 0;
}

int32_t __wrap_rte_service_start_with_defaults(void) {
	return 0;
}

static int start_eal(struct attachment *a, const struct rtap_config *cfg) {
	struct rtap_cpu_list allowed = {0};
	struct rtap_eal_args args = {0};
	struct rtap_config_error error = {0};
	struct rtap_eal_host host = {.program = "kafka-secondary", .allowed = &allowed};
	int rc;

	rc = rtap_cpu_list_allowed(&allowed);
	if (rc == 0)
		rc = rtap_eal_args_secondary(&args, cfg, &host, &error);
	if (rc < 0) {
		LOG(ERR, "%s", error.text[0] != '\0' ? error.text : strerror(-rc));
		return rc;
	}
	a->eal_started = true;
	if (rte_eal_init(args.argc, args.argv) < 0) {
		LOG(ERR, "EAL does not attach: %s; the lines above say more",
		    rte_errno != 0 ? rte_strerror(rte_errno) : "without an error number");
		return -EIO;
	}
	return 0; // args live on: EAL keeps pointers into them
}

static void add_zone(struct shm_zones *zones, const struct rte_memzone *mz) {
	zones->zones[zones->nb++] = (struct shm_zone){mz->addr_64, mz->len};
}

// The list of memzones is EAL's and read-only to every transmit worker.
static void collect_zone(const struct rte_memzone *mz, void *arg) {
	struct shm_zones *zones = arg;

	if (strncmp(mz->name, RTAP_SHM_ZONE "_", strlen(RTAP_SHM_ZONE "_")) == 0
	    && zones->nb < RTAP_MAX_ZONES)
		add_zone(zones, mz);
}

static int check_block(struct attachment *a, const struct rtap_instance *inst) {
	const struct rte_memzone *of_block = rte_memzone_lookup(RTAP_SHM_ZONE);
	char why[256];
	int rc;

	if (of_block != NULL)
		add_zone(&a->zones, of_block);
	rte_memzone_walk(collect_zone, &a->zones);
	rc = shm_check_block(&a->header, &a->zones, rte_version(), why, sizeof(why));
	if (rc == 0 && a->header.stamp_offset != rte_mbuf_dynfield_lookup(RTAP_STAMP_FIELD, NULL)) {
		snprintf(why, sizeof(why), SHM_CHECK_CORRUPTED);
		rc = -EPROTO;
	}
	if (rc < 0)
		LOG(ERR, "instance %s: %s", inst->name, why);
	else
		a->shm = (struct rtap_shm *)(uintptr_t)a->zones.zones[0].start;
	return rc;
}

// Not by name, which transmit workers can write to: EAL's list of rings is read-only to them, and
// in the order in which the primary made them.
static unsigned int list_rings(struct attachment *a) {
	struct rte_tailq_head *head = rte_eal_tailq_lookup(RTE_TAILQ_RING_NAME);
	struct rte_tailq_entry *entry;
	unsigned int nb = 0;

	if (head == NULL)
		return 0;
	rte_mcfg_tailq_read_lock();
	TAILQ_FOREACH(entry, &head->tailq_head, next) {
		if (nb < RTAP_MAX_RINGS && shm_check_is_inside(&a->zones, entry->data))
			a->rings[nb++] = entry->data;
	}
	rte_mcfg_tailq_read_unlock();
	return nb;
}

static int look_up_rings(struct attachment *a) {
	unsigned int nb = list_rings(a);

	if (nb != a->header.nb_rings) {
		LOG(ERR,
		    "%u transmit rings, not the %u of the shared block: a transmit worker overwrote shared "
		    "memory; restart the primary",
		    nb, a->header.nb_rings);
		return -EPROTO;
	}
	for (unsigned int i = 0; i < nb; i++) {
		const struct rtap_shm_ring *shared = &a->shm->rings[i];

		if (shm_check_ring(&a->zones, shared->size, a->rings[i]))
			continue;
		LOG(ERR,
		    "transmit ring %.32s does not match the shared block: a transmit worker overwrote "
		    "shared memory; restart the primary",
		    shared->name);
		return -EPROTO;
	}
	return 0;
}

static int map_counters(struct attachment *a, const struct rtap_instance *inst) {
	char path[PATH_MAX], why[256] = "";
	int rc;

	rc = rtap_counters_map(
		&a->counters, rtap_instance_path(inst, RTAP_FILE_COUNTERS, path, sizeof(path)),
		true, why, sizeof(why)
	);
	if (rc == 0 && a->counters.shape.nb_rings == a->header.nb_rings
	    && a->counters.shape.nb_slots == RTAP_MAX_SLOTS
	    && memcmp(a->counters.header->boot_id, a->header.boot_id, RTAP_BOOT_ID_SIZE) == 0)
		return 0;
	LOG(ERR, "counters file %s: %s", path,
	    rc == -EPROTO
		    ? why
		    : (rc < 0 ? strerror(-rc) : "belongs to another primary; restart the primary"));
	return -EPROTO;
}

// Copied once: transmit workers can write to the counters file. They inherit the copy by fork.
static int note_origins(struct attachment *a, const struct rtap_config *cfg) {
	const struct rtap_counters *c = &a->counters;
	const char *sensor = cfg->sensor[0] != '\0' ? cfg->sensor : cfg->instance;

	a->origins = calloc(a->header.nb_rings, sizeof(*a->origins));
	if (a->origins == NULL) {
		LOG(ERR, "out of memory");
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < a->header.nb_rings; i++) {
		const struct rtap_ring_counters *ring = &c->rings[i];
		char port[sizeof(c->ports[0].name)] = "";

		for (unsigned int k = 0; k < c->shape.nb_ports; k++)
			if (c->ports[k].port_id == ring->port_id)
				memcpy(port, c->ports[k].name, sizeof(port) - 1);
		message_origin_init(&a->origins[i], sensor, port, ring->queue_id, ring->ring_id);
	}
	return 0;
}

static int attach_inside(
	struct attachment *a, const struct rtap_config *cfg, const struct rtap_instance *inst
) {
	int rc;

	rc = primary_check(inst);
	if (rc == 0)
		rc = primary_check_hugepages(inst);
	if (rc == 0)
		rc = start_eal(a, cfg);
	if (rc == 0)
		rc = check_block(a, inst);
	if (rc == 0)
		rc = look_up_rings(a);
	if (rc == 0)
		rc = map_counters(a, inst);
	if (rc == 0)
		rc = note_origins(a, cfg);
	return rc;
}

int attach(struct attachment *a, const struct rtap_config *cfg, const struct rtap_instance *inst) {
	int gate_fd, rc;

	memset(a, 0, sizeof(*a));
	rc = primary_check(inst);
	if (rc < 0)
		return rc;
	rtap_instance_set_eal_runtime_dir(inst);
	gate_fd = take_gate(inst);
	if (gate_fd == -EAGAIN)
		return -ETIMEDOUT;
	signal(SIGALRM, on_watchdog);
	alarm(WATCHDOG_S);
	a->attached_fd = rtap_lock_open(inst, RTAP_FILE_ATTACHED);
	if (gate_fd < 0 || a->attached_fd < 0) {
		rc = gate_fd < 0 ? gate_fd : a->attached_fd;
		LOG(ERR, "locks in %s: %s", inst->dir, strerror(-rc));
		return rc;
	}
	rc = rtap_lock_read(a->attached_fd, 0, 1);
	if (rc < 0) {
		LOG(ERR,
		    "the primary of instance %s is starting; wait until it says that it is ready",
		    inst->name);
		return -ESRCH;
	}
	enter_gate(inst, gate_fd);
	rc = attach_inside(a, cfg, inst);
	leave_gate(gate_fd);
	alarm(0);
	return rc;
}
