// SPDX-License-Identifier: BSD-3-Clause
// The program kafka-to-pcap on a topic of any messages: what is a packet is written, once each if it is
// asked for, and in order if the window is wide enough. First line: UNIQUE FOLLOW FROM_END WINDOW_MS
// COUNT; then the topic, see fake_kafka.h.

#include "duplicate_filter.h"
#include "fake_kafka.h"
#include "fuzz.h"
#include "pcap_output.h"

#include <getopt.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SORTED_WINDOW_MS 60000 // longer than any run: a rest does not end it

#define MOST_MESSAGES 1024 // above FAKE_KAFKA_MAX_EVENTS

// The program, built with its main() and what it makes its filter with under other names: a filter for
// a million packets takes longer to clear than the rest.
int kafka_to_pcap_main(int argc, char **argv);
struct duplicate_filter *small_filter_create(size_t size);

struct duplicate_filter *small_filter_create(size_t size) {
	return duplicate_filter_create(MOST_MESSAGES);
}

struct wanted {
	unsigned int unique, follow, from_end, window_ms, count;
};

// A set of packets, whatever their order.
struct packets {
	uint64_t nb, sum;
	bool sorted;
	uint64_t last_us, oldest_us, newest_us;
};

static uint64_t hash(uint64_t time_us, const uint8_t *bytes, size_t len) {
	uint64_t h = time_us * UINT64_C(0x9e3779b97f4a7c15) + len;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static void add(struct packets *p, uint64_t time_us, const uint8_t *bytes, size_t len) {
	p->nb++;
	p->sum += hash(time_us, bytes, len);
	p->sorted = p->sorted && time_us >= p->last_us;
	p->last_us = time_us;
	if (p->nb == 1 || time_us < p->oldest_us)
		p->oldest_us = time_us;
	if (time_us > p->newest_us)
		p->newest_us = time_us;
}

// ---- what is to be expected ----

static bool
is_packet(const struct fake_kafka *k, const struct fake_kafka_event *e, const struct wanted *w) {
	bool there = w->follow ? !w->from_end || e->offset >= k->high[e->partition]
			       : e->offset < k->high[e->partition];

	return e->kind == 'm' && e->partition < k->nb_partitions && there && e->key_len == 8
		&& e->time_us <= PCAP_OUTPUT_MAX_TIME_US;
}

static bool is_same(const struct fake_kafka_event *a, const struct fake_kafka_event *b) {
	return a->time_us == b->time_us && a->len == b->len
		&& memcmp(a->value, b->value, a->len) == 0;
}

static bool is_repeated(const struct fake_kafka *k, unsigned int i, const struct wanted *w) {
	for (unsigned int n = 0; n < i; n++)
		if (is_packet(k, &k->events[n], w) && is_same(&k->events[n], &k->events[i]))
			return true;
	return false;
}

static struct packets expect(const struct fake_kafka *k, const struct wanted *w) {
	struct packets p = {0};

	for (unsigned int i = 0; i < k->nb_events; i++) {
		const struct fake_kafka_event *e = &k->events[i];

		if (is_packet(k, e, w) && !(w->unique && is_repeated(k, i, w)))
			add(&p, e->time_us, e->value, e->len);
	}
	return p;
}

// ---- what was written ----

static struct packets read_back(const char *path) {
	struct packets p = {.sorted = true};
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	pcap_t *pcap = pcap_open_offline(path, error);
	const u_char *bytes;

	REQUIRE(pcap != NULL);
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		// The seconds are unsigned up to 2106; libpcap reads them as it likes.
		uint64_t s = (uint32_t)header->ts.tv_sec;

		REQUIRE(header->caplen == header->len);
		add(&p, s * 1000000 + (uint64_t)header->ts.tv_usec, bytes, header->caplen);
	}
	pcap_close(pcap);
	return p;
}

static void run_program(const struct wanted *w, const char *path) {
	char text[256], *argv[16], *rest;
	int argc = 0;

	snprintf(
		text, sizeof(text),
		"kafka-to-pcap -b fake -t fake -w %s --window=%u --count=%u%s%s%s", path,
		w->window_ms, w->count, w->unique ? " --unique" : "", w->follow ? " --follow" : "",
		w->follow && w->from_end ? " --from-end" : ""
	);
	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0; // glibc starts anew
	kafka_to_pcap_main(argc, argv);
}

static void ck_written(
	const struct packets *out, const struct packets *all, const struct fake_kafka *k,
	const struct wanted *w
) {
	REQUIRE(out->nb <= all->nb);
	REQUIRE(w->count == 0 || out->nb <= w->count);
	if (k->has_error)
		return; // it ends there
	REQUIRE(w->count != 0 || (out->nb == all->nb && out->sum == all->sum));
	REQUIRE(w->count == 0 || out->nb == (w->count < all->nb ? w->count : all->nb));
	if (w->window_ms >= SORTED_WINDOW_MS
	    && all->newest_us - all->oldest_us < (uint64_t)w->window_ms * 1000)
		REQUIRE(out->sorted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct fake_kafka kafka;
	const uint8_t *end = memchr(data, '\n', size);
	size_t used = end != NULL ? (size_t)(end - data) + 1 : size;
	struct wanted w = {0};
	struct packets all, out;
	char line[64], path[40];
	int fd;

	snprintf(line, sizeof(line), "%.*s", (int)used, (const char *)data);
	sscanf(line, "%u %u %u %u %u", &w.unique, &w.follow, &w.from_end, &w.window_ms, &w.count);
	fake_kafka_script(&kafka, data + used, size - used);
	kafka.follow = w.follow != 0;
	all = expect(&kafka, &w);
	fake_kafka_use(&kafka);

	fd = memfd_create("fuzz.pcap", MFD_CLOEXEC);
	REQUIRE(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run_program(&w, path);
	out = read_back(path);
	close(fd);
	ck_written(&out, &all, &kafka, &w);
	return 0;
}
