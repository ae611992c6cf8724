// SPDX-License-Identifier: BSD-3-Clause
// Create and map the counters file of an instance.

#include "counters_file.h"

#include "errno_set.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// The one layout of a shape: the writer makes it, a reader accepts no other.
static void lay_out(struct rtap_counters_header *h, const struct rtap_counters_shape *shape) {
	h->version = RTAP_COUNTERS_VERSION;
	h->header_bytes = sizeof(*h);
	h->nb_ports = shape->nb_ports;
	h->nb_queues = shape->nb_queues;
	h->nb_rings = shape->nb_rings;
	h->nb_slots = shape->nb_slots;
	h->port_bytes = sizeof(struct rtap_port_counters);
	h->queue_bytes = sizeof(struct rtap_queue_counters);
	h->ring_bytes = sizeof(struct rtap_ring_counters);
	h->slot_bytes = sizeof(struct rtap_slot_counters);
	// 32-bit counts of elements below 4 KiB: no sum can overflow 64 bits.
	h->ports_offset = sizeof(*h);
	h->queues_offset = h->ports_offset + (uint64_t)h->nb_ports * h->port_bytes;
	h->rings_offset = h->queues_offset + (uint64_t)h->nb_queues * h->queue_bytes;
	h->slots_offset = h->rings_offset + (uint64_t)h->nb_rings * h->ring_bytes;
	h->file_bytes = h->slots_offset + (uint64_t)h->nb_slots * h->slot_bytes;
}

static int map_fd(struct rtap_counters *c, int fd, uint64_t bytes, int protection) {
	void *base = mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return errno_set(errno);
	c->header = base;
	c->mapped_bytes = bytes;
	return 0;
}

static void find_arrays(struct rtap_counters *c, const struct rtap_counters_header *layout) {
	unsigned char *base = (unsigned char *)c->header;

	c->shape = (struct rtap_counters_shape
	){layout->nb_ports, layout->nb_queues, layout->nb_rings, layout->nb_slots};
	c->ports = (void *)(base + layout->ports_offset);
	c->queues = (void *)(base + layout->queues_offset);
	c->rings = (void *)(base + layout->rings_offset);
	c->slots = (void *)(base + layout->slots_offset);
}

// Mode and group by hand: neither the umask nor the directory decides who may read.
static int prepare_file(int fd, gid_t gid, uint64_t bytes) {
	int rc;

	if (fchown(fd, (uid_t)-1, gid) < 0 || fchmod(fd, 0640) < 0)
		return errno_set(errno);
	// Every page now: a full tmpfs is an error here and no SIGBUS in the packet path.
	rc = posix_fallocate(fd, 0, (off_t)bytes);
	return rc == 0 ? 0 : errno_set(rc);
}

int rtap_counters_create(
	struct rtap_counters *c, const char *path, const struct rtap_counters_shape *shape,
	gid_t gid
) {
	struct rtap_counters_header layout = {0};
	int fd, rc;

	memset(c, 0, sizeof(*c));
	lay_out(&layout, shape);
	if (shape->nb_slots > RTAP_MAX_SLOTS)
		return errno_set(EINVAL);
	if (layout.file_bytes > RTAP_COUNTERS_MAX_FILE)
		return errno_set(EFBIG);
	if (unlink(path) < 0 && errno != ENOENT)
		return errno_set(errno);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno_set(errno);

	rc = prepare_file(fd, gid, layout.file_bytes);
	if (rc == 0)
		rc = map_fd(c, fd, layout.file_bytes, PROT_READ | PROT_WRITE);
	close(fd);
	if (rc < 0) {
		unlink(path);
		return errno_set(-rc);
	}
	lay_out(c->header, shape);
	find_arrays(c, &layout);
	return 0;
}

void rtap_counters_publish(struct rtap_counters *c) {
	__atomic_store_n(&c->header->magic, RTAP_COUNTERS_MAGIC, __ATOMIC_RELEASE);
}

static bool terminated(const char *text, size_t size) {
	return memchr(text, '\0', size) != NULL;
}

static bool layout_is_ours(const struct rtap_counters_header *h) {
	const struct rtap_counters_shape shape = {
		h->nb_ports, h->nb_queues, h->nb_rings, h->nb_slots};
	const size_t from = offsetof(struct rtap_counters_header, version);
	const size_t to = offsetof(struct rtap_counters_header, boot_id);
	struct rtap_counters_header want = {0};

	lay_out(&want, &shape);
	return memcmp(&h->version, &want.version, to - from) == 0;
}

static bool strings_are_terminated(const struct rtap_counters *c) {
	const struct rtap_counters_header *h = c->header;
	bool ok = terminated(h->instance, sizeof(h->instance))
		&& terminated(h->dpdk_version, sizeof(h->dpdk_version));

	for (uint32_t i = 0; i < c->shape.nb_ports; i++)
		ok = ok && terminated(c->ports[i].name, sizeof(c->ports[i].name))
			&& terminated(c->ports[i].driver, sizeof(c->ports[i].driver));
	for (uint32_t i = 0; i < c->shape.nb_rings; i++)
		ok = ok && terminated(c->rings[i].name, sizeof(c->rings[i].name));
	return ok;
}

// Check a mapped file and find its arrays. What is wrong, or NULL.
static const char *check_content(struct rtap_counters *c) {
	struct rtap_counters_header h; // what is checked is what is used

	if (__atomic_load_n(&c->header->magic, __ATOMIC_ACQUIRE) != RTAP_COUNTERS_MAGIC)
		return "not a counters file, or not yet complete";
	memcpy(&h, c->header, sizeof(h));
	if (h.version != RTAP_COUNTERS_VERSION)
		return "its layout is of another version of ringtap";
	if (!layout_is_ours(&h) || h.nb_slots > RTAP_MAX_SLOTS)
		return "its sizes and offsets are not those of this version of ringtap";
	if (h.file_bytes != c->mapped_bytes)
		return "its length is not the one that it names";
	find_arrays(c, &h);
	return strings_are_terminated(c) ? NULL : "a name in it has no end";
}

static const char *check_file(const struct stat *st) {
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if ((uint64_t)st->st_size < sizeof(struct rtap_counters_header))
		return "too short for a counters file";
	if ((uint64_t)st->st_size > RTAP_COUNTERS_MAX_FILE)
		return "too long for a counters file";
	return NULL;
}

// The size is taken before the map, so nothing after the end of a short file is touched. Counters
// files are never cut short later: a new primary makes a new file.
static int map_checked(struct rtap_counters *c, int fd, bool writable, const char **fault) {
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return errno_set(errno);
	*fault = check_file(&st);
	if (*fault != NULL)
		return errno_set(EPROTO);
	rc = map_fd(c, fd, (uint64_t)st.st_size, PROT_READ | (writable ? PROT_WRITE : 0));
	if (rc < 0)
		return rc;
	*fault = check_content(c);
	if (*fault == NULL)
		return 0;
	rtap_counters_unmap(c);
	return errno_set(EPROTO);
}

int rtap_counters_map(
	struct rtap_counters *c, const char *path, bool writable, char *why, size_t why_size
) {
	const char *fault = NULL;
	int fd, rc;

	memset(c, 0, sizeof(*c));
	// O_NONBLOCK: a FIFO in its place must not stop us.
	fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno_set(errno);
	rc = map_checked(c, fd, writable, &fault);
	close(fd);
	if (fault != NULL)
		snprintf(why, why_size, "%s", fault);
	return rc < 0 ? errno_set(-rc) : 0;
}

void rtap_counters_unmap(struct rtap_counters *c) {
	if (c->header != NULL)
		munmap(c->header, c->mapped_bytes);
	memset(c, 0, sizeof(*c));
}
