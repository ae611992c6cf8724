// SPDX-License-Identifier: BSD-3-Clause
// Stands in for librdkafka below kafka-to-pcap.

#include "fake_kafka.h"

#include "fuzz.h"

#include <librdkafka/rdkafka.h>

#include <endian.h>
#include <string.h>

static const struct fake_kafka *fake;
static unsigned int next_event[8]; // of each partition, index into all
static bool started[8];
static int64_t start_at[8];
static int64_t position[8];
static unsigned int nb_idle; // answers in a row that were nothing
static char handle; // what all opaque objects are

#define MAX_IDLE 2000 // more than a reader needs to see that there is nothing

// ---- the script ----

static void add_message(struct fake_kafka *k, struct fake_kafka_event *e, uint64_t gap) {
	static const uint64_t max_gap = 1000;

	e->offset = k->high[e->partition] + (int64_t)(gap % max_gap);
	k->high[e->partition] = e->offset + 1;
}

static void read_header(struct fake_kafka_event *next, const char *line) {
	struct fake_kafka_header h = {0};
	unsigned int byte;
	int used = 0;

	if (sscanf(line, "x %7s %n", h.name, &used) != 1)
		return;
	for (line += used; used > 0 && h.len < sizeof(h.value) && sscanf(line, "%2x", &byte) == 1
	     && line[1] != '\0';
	     line += 2)
		h.value[h.len++] = (uint8_t)byte;
	if (next->nb_headers == FAKE_KAFKA_MAX_HEADERS)
		next->nb_headers--;
	next->headers[next->nb_headers++] = h;
}

static void read_line(struct fake_kafka *k, const uint8_t *line, size_t len) {
	struct fake_kafka_event e = k->next;
	char head[96];
	uint64_t number = 0;
	int used = 0, n;

	snprintf(head, sizeof(head), "%.*s", (int)len, (const char *)line);
	if (head[0] == 'x') {
		read_header(&k->next, head);
		return;
	}
	n = sscanf(
		head, "%c %u %ju %ju %zu%n", &e.kind, &e.partition, &number, &e.time_us, &e.key_len,
		&used
	);
	if (n < 2 || k->nb_events == FAKE_KAFKA_MAX_EVENTS)
		return;
	e.partition %= 8;
	e.key_len %= 64;
	if ((e.kind == 'm' || e.kind == 'n') && n == 5) {
		e.value = line + used + ((size_t)used < len);
		e.len = len - (size_t)(e.value - line);
		add_message(k, &e, number);
		k->events[k->nb_events++] = e;
		k->next.nb_headers = 0;
	} else if (e.kind == 'i' || e.kind == 'e') {
		k->has_error |= e.kind == 'e';
		k->events[k->nb_events++] = e;
	} else if (e.kind == 'p') {
		k->nb_partitions = e.partition == 0 ? 8 : e.partition;
	}
}

// What ends a partition is told last: adding messages moves it.
static void read_end(struct fake_kafka *k, const uint8_t *line, size_t len) {
	unsigned int partition;
	char head[64];
	uint32_t high;

	snprintf(head, sizeof(head), "%.*s", (int)len, (const char *)line);
	if (sscanf(head, "h %u %u", &partition, &high) == 2)
		k->high[partition % 8] = high;
}

static void read_lines(
	struct fake_kafka *k, const uint8_t *text, size_t len,
	void (*read)(struct fake_kafka *, const uint8_t *, size_t)
) {
	while (len > 0) {
		const uint8_t *end = memchr(text, '\n', len);
		size_t used = end != NULL ? (size_t)(end - text) : len;

		read(k, text, used);
		used += end != NULL;
		text += used;
		len -= used;
	}
}

void fake_kafka_script(struct fake_kafka *k, const uint8_t *text, size_t len) {
	memset(k, 0, sizeof(*k));
	k->nb_partitions = 8;
	read_lines(k, text, len, read_line);
	read_lines(k, text, len, read_end);
}

void fake_kafka_use(const struct fake_kafka *kafka) {
	fake = kafka;
	memset(next_event, 0, sizeof(next_event));
	memset(started, 0, sizeof(started));
	nb_idle = 0;
}

// ---- librdkafka ----

rd_kafka_conf_t *rd_kafka_conf_new(void) {
	return (rd_kafka_conf_t *)&handle;
}

void rd_kafka_conf_destroy(rd_kafka_conf_t *conf) {}

rd_kafka_conf_res_t rd_kafka_conf_set(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *error, size_t size
) {
	return RD_KAFKA_CONF_OK;
}

rd_kafka_conf_res_t
rd_kafka_conf_get(const rd_kafka_conf_t *conf, const char *name, char *value, size_t *size) {
	return RD_KAFKA_CONF_UNKNOWN;
}

void rd_kafka_conf_set_error_cb(
	rd_kafka_conf_t *conf, void (*cb)(rd_kafka_t *, int, const char *, void *)
) {}

void rd_kafka_conf_set_opaque(rd_kafka_conf_t *conf, void *opaque) {}

rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *error, size_t size) {
	return (rd_kafka_t *)&handle;
}

void rd_kafka_destroy(rd_kafka_t *rk) {}

rd_kafka_topic_t *
rd_kafka_topic_new(rd_kafka_t *rk, const char *topic, rd_kafka_topic_conf_t *conf) {
	return (rd_kafka_topic_t *)&handle;
}

void rd_kafka_topic_destroy(rd_kafka_topic_t *topic) {}

rd_kafka_resp_err_t rd_kafka_last_error(void) {
	return RD_KAFKA_RESP_ERR__FAIL;
}

const char *rd_kafka_err2str(rd_kafka_resp_err_t err) {
	return "an error";
}

const char *rd_kafka_message_errstr(const rd_kafka_message_t *message) {
	return "an error";
}

int rd_kafka_poll(rd_kafka_t *rk, int timeout_ms) {
	return 0;
}

rd_kafka_resp_err_t rd_kafka_metadata(
	rd_kafka_t *rk, int all, rd_kafka_topic_t *only, const struct rd_kafka_metadata **metadata,
	int timeout_ms
) {
	struct rd_kafka_metadata *m = calloc(1, sizeof(*m));
	struct rd_kafka_metadata_topic *t = calloc(1, sizeof(*t));
	unsigned int nb = fake->nb_partitions;

	REQUIRE(m != NULL && t != NULL);
	t->partition_cnt = (int)nb;
	t->partitions = calloc(nb, sizeof(*t->partitions));
	REQUIRE(t->partitions != NULL);
	for (unsigned int i = 0; i < nb; i++)
		t->partitions[i].id = (int32_t)i;
	m->topic_cnt = 1;
	m->topics = t;
	*metadata = m;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void rd_kafka_metadata_destroy(const struct rd_kafka_metadata *m) {
	free(m->topics[0].partitions);
	free(m->topics);
	free((void *)(uintptr_t)m);
}

rd_kafka_resp_err_t rd_kafka_get_watermark_offsets(
	rd_kafka_t *rk, const char *topic, int32_t partition, int64_t *low, int64_t *high
) {
	*low = 0;
	*high = fake->high[partition];
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// From the beginning, unless it is the end: what lies before a time comes, too, as it does within a
// margin.
rd_kafka_resp_err_t rd_kafka_offsets_for_times(
	rd_kafka_t *rk, rd_kafka_topic_partition_list_t *offsets, int timeout_ms
) {
	for (int i = 0; i < offsets->cnt; i++)
		offsets->elems[i].offset = offsets->elems[i].offset == RD_KAFKA_OFFSET_END
			? fake->high[offsets->elems[i].partition]
			: 0;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The key alone says when.
int64_t rd_kafka_message_timestamp(const rd_kafka_message_t *m, rd_kafka_timestamp_type_t *type) {
	*type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
	return -1;
}

int rd_kafka_consume_start(rd_kafka_topic_t *topic, int32_t partition, int64_t offset) {
	started[partition] = true;
	start_at[partition] = position[partition] = offset;
	return 0;
}

// The logs stay the same ones.
rd_kafka_resp_err_t
rd_kafka_seek(rd_kafka_topic_t *topic, int32_t partition, int64_t offset, int timeout_ms) {
	REQUIRE(false);
	return RD_KAFKA_RESP_ERR__FAIL;
}

int rd_kafka_consume_stop(rd_kafka_topic_t *topic, int32_t partition) {
	started[partition] = false;
	return 0;
}

static const struct fake_kafka_event *take_event(unsigned int partition) {
	for (unsigned int *i = &next_event[partition]; *i < fake->nb_events;) {
		const struct fake_kafka_event *e = &fake->events[(*i)++];
		bool message = e->kind == 'm' || e->kind == 'n';

		if (e->partition == partition && (!message || e->offset >= start_at[partition]))
			return e;
	}
	return NULL;
}

static bool all_is_read(void) {
	for (unsigned int i = 0; i < fake->nb_partitions; i++)
		for (unsigned int k = next_event[i]; started[i] && k < fake->nb_events; k++)
			if (fake->events[k].partition == i)
				return false;
	return true;
}

// Copies of exactly their length, so that a look beyond their end is seen.
static void *copy(const void *bytes, size_t len) {
	void *p = malloc(len > 0 ? len : 1);

	REQUIRE(p != NULL);
	memcpy(p, bytes, len);
	return p;
}

// librdkafka's own: they need no handle.
static rd_kafka_headers_t *make_headers(const struct fake_kafka_event *e) {
	rd_kafka_headers_t *headers;

	if (e->nb_headers == 0)
		return NULL;
	headers = rd_kafka_headers_new(e->nb_headers);
	for (unsigned int i = 0; i < e->nb_headers; i++)
		rd_kafka_header_add(
			headers, e->headers[i].name, -1, e->headers[i].value,
			(ssize_t)e->headers[i].len
		);
	return headers;
}

static rd_kafka_message_t *make_message(const struct fake_kafka_event *e) {
	rd_kafka_message_t *m = calloc(1, sizeof(*m));
	uint64_t key[8] = {htobe64(e->time_us)};

	REQUIRE(m != NULL);
	m->partition = (int32_t)e->partition;
	m->offset = e->offset;
	m->key_len = e->key_len;
	m->key = e->key_len > 0 ? copy(key, e->key_len) : NULL;
	m->len = e->kind == 'm' ? e->len : 0;
	m->payload = e->kind == 'm' ? copy(e->value, e->len) : NULL;
	m->_private = make_headers(e);
	return m;
}

rd_kafka_resp_err_t
rd_kafka_message_headers(const rd_kafka_message_t *m, rd_kafka_headers_t **headers) {
	*headers = m->_private;
	return m->_private != NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__NOENT;
}

static rd_kafka_message_t *make_error(int32_t partition, rd_kafka_resp_err_t err) {
	rd_kafka_message_t *m = calloc(1, sizeof(*m));

	REQUIRE(m != NULL);
	m->partition = partition;
	m->offset = position[partition];
	m->err = err;
	return m;
}

rd_kafka_message_t *rd_kafka_consume(rd_kafka_topic_t *topic, int32_t partition, int timeout_ms) {
	const struct fake_kafka_event *e;

	REQUIRE(started[partition]);
	e = take_event((unsigned int)partition);
	nb_idle = e == NULL ? nb_idle + 1 : 0;
	if (e == NULL && fake->follow && (all_is_read() || nb_idle > MAX_IDLE))
		return make_error(partition, RD_KAFKA_RESP_ERR__FAIL);
	if (e == NULL && fake->follow)
		return NULL;
	if (e == NULL)
		return make_error(partition, RD_KAFKA_RESP_ERR__PARTITION_EOF);
	switch (e->kind) {
	case 'i':
		return NULL;
	case 'e':
		return make_error(partition, RD_KAFKA_RESP_ERR__FAIL);
	default:
		position[partition] = e->offset + 1;
		return make_message(e);
	}
}

void rd_kafka_message_destroy(rd_kafka_message_t *m) {
	if (m->_private != NULL)
		rd_kafka_headers_destroy(m->_private);
	free(m->key);
	free(m->payload);
	free(m);
}
