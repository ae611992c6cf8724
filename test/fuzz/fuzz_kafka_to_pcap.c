// SPDX-License-Identifier: BSD-3-Clause
// The program kafka-to-pcap on a topic of any messages: what is a packet is written, once each if
// it is asked for, and in order if the window is wide enough; with its wire length, and of the
// range of time and the length that are asked for. First line: UNIQUE FOLLOW FROM_END WINDOW_MS
// COUNT PCAPNG KEY_NS FROM_S TO_S MARGIN_S LENGTH CHECK, as many as you like; then the topic, see
// fake_kafka.h.

#include "duplicate_filter.h"
#include "exit_code.h"
#include "fake_kafka.h"
#include "fuzz.h"
#include "pcap_output.h"
#include "time_spec.h"

#include <getopt.h>
#include <pcap/pcap.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SORTED_WINDOW_MS 60000 // longer than any run: a rest does not end it

#define MIN_KEY_NS UINT64_C(100000000000000000) // what is below it is taken for us

#define MOST_MESSAGES 1024 // above FAKE_KAFKA_MAX_EVENTS

// The program, built with its main() and what it makes its filter with under other names: a filter
// for a million packets takes longer to clear than the rest.
int kafka_to_pcap_main(int argc, char **argv);
struct duplicate_filter *small_filter_create(size_t size);

struct duplicate_filter *small_filter_create(size_t size) {
	return duplicate_filter_create(MOST_MESSAGES);
}

struct wanted {
	unsigned int unique, follow, from_end, window_ms, count;
	unsigned int pcapng, key_ns, from_s, to_s, margin_s, length, check;
};

// A set of packets, whatever their order.
struct packets {
	uint64_t nb, sum;
	bool sorted;
	uint64_t last_ns, oldest_ns, newest_ns;
};

static uint64_t hash(uint64_t time_ns, const uint8_t *bytes, size_t len, size_t wire_len) {
	uint64_t h = time_ns * UINT64_C(0x9e3779b97f4a7c15) + len;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return (h ^ h >> 29) + wire_len;
}

static void
add(struct packets *p, uint64_t time_ns, const uint8_t *bytes, size_t len, size_t wire_len) {
	p->nb++;
	p->sum += hash(time_ns, bytes, len, wire_len);
	p->sorted = p->sorted && time_ns >= p->last_ns;
	p->last_ns = time_ns;
	if (p->nb == 1 || time_ns < p->oldest_ns)
		p->oldest_ns = time_ns;
	if (time_ns > p->newest_ns)
		p->newest_ns = time_ns;
}

// ---- what is to be expected ----

// The number in the last header of a name and `len` bytes; 0 without.
static uint64_t header(const struct fake_kafka_event *e, const char *name, size_t len) {
	uint64_t number = 0;

	for (unsigned int i = 0; i < e->nb_headers; i++) {
		const struct fake_kafka_header *h = &e->headers[i];

		if (strcmp(h->name, name) != 0 || h->len != len)
			continue;
		number = 0;
		for (size_t n = 0; n < len; n++)
			number = number << 8 | h->value[n];
	}
	return number;
}

static size_t wire_len_of(const struct fake_kafka_event *e) {
	uint64_t told = header(e, "wl", 4);

	return told > e->len && told <= PCAP_OUTPUT_SNAPLEN ? told : e->len;
}

static uint64_t unit_of(const struct wanted *w) {
	return w->key_ns != 0 ? 1 : 1000;
}

static uint64_t time_of(const struct fake_kafka_event *e, const struct wanted *w) {
	uint64_t told = header(e, "ts", 8);

	return told / unit_of(w) == e->time_us ? told : e->time_us * unit_of(w);
}

static bool
is_message(const struct fake_kafka *k, const struct fake_kafka_event *e, const struct wanted *w) {
	bool there = w->follow ? !w->from_end || e->offset >= k->high[e->partition]
			       : e->offset < k->high[e->partition];

	return e->kind == 'm' && e->partition < k->nb_partitions && there && e->key_len == 8
		&& e->len > 0 && e->time_us <= TIME_SPEC_MAX_NS / unit_of(w)
		&& !(w->key_ns != 0 && e->time_us < MIN_KEY_NS);
}

// Whether its partition was left before it, after the range of time.
static bool is_left(const struct fake_kafka *k, unsigned int i, const struct wanted *w) {
	for (unsigned int n = 0; w->to_s != 0 && n < i; n++)
		if (k->events[n].partition == k->events[i].partition
		    && is_message(k, &k->events[n], w)
		    && time_of(&k->events[n], w)
			    >= ((uint64_t)w->to_s + w->margin_s) * UINT64_C(1000000000))
			return true;
	return false;
}

static bool is_packet(const struct fake_kafka *k, unsigned int i, const struct wanted *w) {
	const struct fake_kafka_event *e = &k->events[i];
	uint64_t s = time_of(e, w) / 1000000000;

	return is_message(k, e, w) && !is_left(k, i, w) && s >= w->from_s
		&& (w->to_s == 0 || s < w->to_s) && wire_len_of(e) >= w->length;
}

static bool
is_same(const struct fake_kafka_event *a, const struct fake_kafka_event *b,
	const struct wanted *w) {
	return time_of(a, w) == time_of(b, w) && a->len == b->len
		&& memcmp(a->value, b->value, a->len) == 0;
}

static bool is_repeated(const struct fake_kafka *k, unsigned int i, const struct wanted *w) {
	for (unsigned int n = 0; n < i; n++)
		if (is_packet(k, n, w) && is_same(&k->events[n], &k->events[i], w))
			return true;
	return false;
}

static bool in_us(const struct wanted *w) {
	return !w->pcapng && !w->key_ns;
}

static struct packets expect(const struct fake_kafka *k, const struct wanted *w) {
	struct packets p = {0};

	for (unsigned int i = 0; i < k->nb_events; i++) {
		const struct fake_kafka_event *e = &k->events[i];
		uint64_t time_ns = time_of(e, w);

		if (in_us(w))
			time_ns -= time_ns % 1000;
		if (is_packet(k, i, w) && !(w->unique && is_repeated(k, i, w)))
			add(&p, time_ns, e->value, e->len, w->unique ? 0 : wire_len_of(e));
	}
	return p;
}

// ---- what was written ----

// Of the same packet with different lengths on the wire any may be the first: then those do not
// count.
static struct packets read_back(const char *path, const struct wanted *w) {
	struct packets p = {.sorted = true};
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
		path, PCAP_TSTAMP_PRECISION_NANO, error
	);
	const u_char *bytes;

	REQUIRE(pcap != NULL);
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		// The seconds are unsigned up to 2106; libpcap reads them as it likes.
		uint64_t s = (uint32_t)header->ts.tv_sec;

		REQUIRE(header->caplen <= header->len);
		add(&p, s * 1000000000 + (uint64_t)header->ts.tv_usec, bytes, header->caplen,
		    w->unique ? 0 : header->len);
	}
	pcap_close(pcap);
	return p;
}

static void run_program(const struct wanted *w, const char *path) {
	char text[512], *argv[32], *rest;
	int argc = 0, used, code;

	used = snprintf(
		text, sizeof(text), "kafka-to-pcap -b fake -t fake --window=%u%s%s%s%s%s",
		w->window_ms, w->check ? " --check" : " -w ", w->check ? "" : path,
		w->follow ? " --follow" : "", w->follow && w->from_end ? " --from-end" : "",
		w->key_ns ? " --key-unit=ns" : ""
	);
	used += snprintf(
		text + used, sizeof(text) - (size_t)used, "%s%s --require-complete",
		w->unique ? " --unique" : "", w->pcapng && !w->check ? " --format=pcapng" : ""
	);
	if (w->from_s != 0)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " --from=%u", w->from_s);
	if (w->to_s != 0)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " --to=%u", w->to_s);
	if (w->from_s != 0 || w->to_s != 0)
		used += snprintf(
			text + used, sizeof(text) - (size_t)used, " --margin-s=%u", w->margin_s
		);
	if (w->count != 0)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " --count=%u", w->count);
	if (w->length != 0)
		snprintf(text + used, sizeof(text) - (size_t)used, " --filter=len>=%u", w->length);
	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	optind = 0; // glibc starts again
	code = kafka_to_pcap_main(argc, argv);
	REQUIRE(code == RTAP_EXIT_OK || code == RTAP_EXIT_FAILURE || code == RTAP_EXIT_LAW);
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
	    && all->newest_ns - all->oldest_ns < (uint64_t)w->window_ms * 1000000)
		REQUIRE(out->sorted);
}

static void read_wanted(struct wanted *w, const char *line) {
	sscanf(line, "%u %u %u %u %u %u %u %u %u %u %u %u", &w->unique, &w->follow, &w->from_end,
	       &w->window_ms, &w->count, &w->pcapng, &w->key_ns, &w->from_s, &w->to_s, &w->margin_s,
	       &w->length, &w->check);
	// What the program refuses.
	w->from_s = w->from_end ? 0 : w->from_s;
	w->to_s = w->to_s > w->from_s ? w->to_s : 0;
	if (w->check)
		w->length = w->unique = w->count = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct fake_kafka kafka;
	const uint8_t *end = memchr(data, '\n', size);
	size_t used = end != NULL ? (size_t)(end - data) + 1 : size;
	struct wanted w = {0};
	struct packets all, out;
	char line[128], path[40];
	int fd;

	snprintf(line, sizeof(line), "%.*s", (int)used, (const char *)data);
	read_wanted(&w, line);
	fake_kafka_script(&kafka, data + used, size - used);
	kafka.follow = w.follow != 0;
	all = expect(&kafka, &w);
	fake_kafka_use(&kafka);

	fd = memfd_create("fuzz.pcap", MFD_CLOEXEC);
	REQUIRE(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run_program(&w, path);
	if (!w.check) {
		out = read_back(path, &w);
		ck_written(&out, &all, &kafka, &w);
	}
	close(fd);
	return 0;
}
