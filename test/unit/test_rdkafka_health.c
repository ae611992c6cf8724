// SPDX-License-Identifier: BSD-3-Clause
// Test what is known of partitions that wait: from messages and from what brokers say.

#include "check_main.h"
#include "now.h"
#include "rdkafka_health.h"

#include <stdlib.h>

#define SECOND RTAP_SECOND_NS
#define LEAST (5 * SECOND)

// ---- by the messages ----

static struct rdkafka_progress progress;
static struct partition_wait waits[4];

static uint32_t scan(uint64_t now_ns) {
	return rdkafka_progress_scan(&progress, now_ns, LEAST, waits, 4);
}

static void begin(void) {
	free(progress.partitions);
	progress = (struct rdkafka_progress){0};
}

START_TEST(nothing_out_waits_for_nothing) {
	begin();
	rdkafka_progress_offered(&progress, 3);
	ck_assert_uint_eq(scan(1 * SECOND), 0);
	rdkafka_progress_reported(&progress, 3, true, 0);
	ck_assert_uint_eq(scan(2 * SECOND), 0);
	ck_assert_uint_eq(scan(100 * SECOND), 0);
}
END_TEST

START_TEST(waits_since_the_last_confirmation) {
	begin();
	for (int i = 0; i < 3; i++)
		rdkafka_progress_offered(&progress, 3);
	ck_assert_uint_eq(scan(1 * SECOND), 0);
	ck_assert_uint_eq(scan(5 * SECOND), 0);
	ck_assert_uint_eq(scan(6 * SECOND), 1);
	ck_assert_int_eq(waits[0].partition, 3);
	ck_assert_int_eq(waits[0].refusal, 0);
	ck_assert_uint_eq(waits[0].since_ns, 1 * SECOND);
	rdkafka_progress_reported(&progress, 3, true, 0);
	ck_assert_uint_eq(scan(7 * SECOND), 0);
	ck_assert_uint_eq(scan(12 * SECOND), 1);
	ck_assert_uint_eq(waits[0].since_ns, 7 * SECOND);
}
END_TEST

// During the back-off of its ring nothing of the partition is out.
START_TEST(waits_after_a_refusal) {
	begin();
	rdkafka_progress_offered(&progress, 0);
	rdkafka_progress_reported(&progress, 0, false, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	ck_assert_uint_eq(scan(1 * SECOND), 0);
	ck_assert_uint_eq(scan(6 * SECOND), 1);
	ck_assert_int_eq(waits[0].refusal, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	rdkafka_progress_offered(&progress, 0);
	rdkafka_progress_reported(&progress, 0, true, 0);
	ck_assert_uint_eq(scan(7 * SECOND), 0);
	ck_assert_uint_eq(scan(20 * SECOND), 0);
}
END_TEST

// Its ring went to another worker.
START_TEST(a_refusal_is_forgotten) {
	begin();
	rdkafka_progress_offered(&progress, 0);
	rdkafka_progress_reported(&progress, 0, false, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	scan(1 * SECOND);
	ck_assert_uint_eq(scan(30 * SECOND), 1);
	scan(31 * SECOND);
	ck_assert_uint_eq(scan(32 * SECOND), 0);
}
END_TEST

// It is proved bad: nothing comes back, nothing waits.
START_TEST(a_proof_is_an_answer) {
	begin();
	rdkafka_progress_offered(&progress, 0);
	rdkafka_progress_reported(&progress, 0, false, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	scan(1 * SECOND);
	rdkafka_progress_offered(&progress, 0);
	rdkafka_progress_reported(&progress, 0, true, 0);
	scan(2 * SECOND);
	ck_assert_uint_eq(scan(9 * SECOND), 0);
}
END_TEST

START_TEST(counts_more_than_it_lists) {
	begin();
	for (int32_t i = 0; i < 9; i++)
		rdkafka_progress_offered(&progress, i);
	rdkafka_progress_offered(&progress, -1);
	scan(1 * SECOND);
	ck_assert_uint_eq(scan(6 * SECOND), 9);
	ck_assert_int_eq(waits[3].partition, 3);
}
END_TEST

// ---- by what brokers say ----

static struct rdkafka_health health;
static char topic[] = "pcap", host[] = "127.0.0.1";
static rd_kafka_metadata_broker_t brokers[] = {{1, host, 9092}, {2, host, 9093}};
static rd_kafka_metadata_partition_t partitions[2];
static rd_kafka_metadata_topic_t topics[] = {{.topic = topic, 2, partitions, 0}};

// Partition 0 waits, led by broker 2.
static void heard(int32_t leader, int replica_cnt, int isr_cnt, int32_t refusal) {
	const struct partition_wait wait = {0, refusal, rtap_monotonic_ns() - 6 * SECOND};
	static rd_kafka_metadata_t *metadata; // freed with the next one

	metadata = calloc(1, sizeof(*metadata));
	if (metadata == NULL)
		ck_abort_msg("out of memory");
	partitions[0] = (rd_kafka_metadata_partition_t
	){.id = 0, .leader = leader, .replica_cnt = replica_cnt, .isr_cnt = isr_cnt};
	partitions[1] = (rd_kafka_metadata_partition_t){.id = 1, .leader = 1};
	*metadata = (rd_kafka_metadata_t
	){.broker_cnt = 2, .brokers = brokers, .topic_cnt = 1, .topics = topics};
	rdkafka_health_heard(&health, NULL); // frees that of the case before
	health = (struct rdkafka_health){0};
	rdkafka_health_init(&health, topic);
	rdkafka_health_heard(&health, metadata);
	rdkafka_health_note_waits(&health, &wait, 1);
}

static enum rtap_wait judged(void) {
	struct sink_waits found;

	rdkafka_health_judge(&health, RTAP_WAIT_NOTHING);
	rdkafka_health_look(&health, rtap_monotonic_ns(), &found);
	return found.reason;
}

static void know_min_insync(uint64_t nb) {
	health.config = (struct rdkafka_topic_config){.known = true, .min_insync_replicas = nb};
}

START_TEST(the_leader_does_not_answer) {
	heard(2, 3, 3, 0);
	ck_assert_int_eq(judged(), RTAP_WAIT_ANSWER);
}
END_TEST

START_TEST(the_leader_cannot_be_reached) {
	char why[400];

	heard(2, 3, 3, 0);
	rdkafka_health_note_failure(
		&health, "[thrd:127.0.0.1:9092/1]: 127.0.0.1:9092/1: Connect to x failed: refused"
	);
	ck_assert_int_eq(judged(), RTAP_WAIT_ANSWER);
	rdkafka_health_note_failure(
		&health, "sasl_ssl://127.0.0.1:9093/2: Failed to resolve 'x': unknown (after 9ms)"
	);
	ck_assert_int_eq(judged(), RTAP_WAIT_LEADER);
	rdkafka_health_last_failure(&health, why, sizeof(why));
	ck_assert_str_eq(why, "127.0.0.1:9093/2: Failed to resolve 'x': unknown");
}
END_TEST

START_TEST(there_is_no_leader) {
	heard(-1, 3, 0, 0);
	ck_assert_int_eq(judged(), RTAP_WAIT_ELECTION);
}
END_TEST

START_TEST(too_few_replicas) {
	heard(2, 3, 1, 0);
	know_min_insync(2);
	ck_assert_int_eq(judged(), RTAP_WAIT_REPLICAS);
	know_min_insync(1);
	ck_assert_int_eq(judged(), RTAP_WAIT_ANSWER);
	heard(2, 1, 1, 0); // brokers write it all the same
	know_min_insync(2);
	ck_assert_int_eq(judged(), RTAP_WAIT_ANSWER);
}
END_TEST

START_TEST(a_quota) {
	struct sink_waits found;

	heard(2, 3, 3, 0);
	rdkafka_health_note_throttle(&health, "127.0.0.1:9093", 2, 900);
	ck_assert_int_eq(judged(), RTAP_WAIT_QUOTA);
	rdkafka_health_look(&health, rtap_monotonic_ns(), &found);
	ck_assert(found.throttled);
	rdkafka_health_look(&health, rtap_monotonic_ns() + 60 * SECOND, &found);
	ck_assert(!found.throttled);
	rdkafka_health_note_throttle(&health, "127.0.0.1:9092", 1, 0); // another one's
	ck_assert_int_eq(judged(), RTAP_WAIT_QUOTA);
	rdkafka_health_note_throttle(&health, "127.0.0.1:9093", 2, 0);
	ck_assert_int_eq(judged(), RTAP_WAIT_ANSWER);
	rdkafka_health_note_throttle(&health, "127.0.0.1:9092", 1, 900);
	ck_assert_int_eq(judged(), RTAP_WAIT_ANSWER);
	rdkafka_health_look(&health, rtap_monotonic_ns(), &found);
	ck_assert(found.throttled);
}
END_TEST

START_TEST(a_refusal) {
	heard(2, 3, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
	know_min_insync(2);
	ck_assert_int_eq(judged(), RTAP_WAIT_CLOCK);
	heard(2, 3, 3, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	ck_assert_int_eq(judged(), RTAP_WAIT_PERMISSION);
	heard(2, 3, 3, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	ck_assert_int_eq(judged(), RTAP_WAIT_TOPIC);
	heard(2, 3, 3, RD_KAFKA_RESP_ERR_POLICY_VIOLATION);
	ck_assert_int_eq(judged(), RTAP_WAIT_REFUSED);
}
END_TEST

// All wait for it, also those that have no packet.
START_TEST(the_topic_comes_first) {
	struct sink_waits found;

	heard(2, 3, 3, 0);
	rdkafka_health_note_waits(&health, NULL, 0);
	rdkafka_health_judge(&health, RTAP_WAIT_BROKERS);
	rdkafka_health_look(&health, rtap_monotonic_ns(), &found);
	ck_assert_int_eq(found.reason, RTAP_WAIT_BROKERS);
	ck_assert_uint_eq(found.nb_partitions, 0);
	ck_assert_int_eq(judged(), RTAP_WAIT_NOTHING);
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("rdkafka_health");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, nothing_out_waits_for_nothing);
	tcase_add_test(tcase, waits_since_the_last_confirmation);
	tcase_add_test(tcase, waits_after_a_refusal);
	tcase_add_test(tcase, a_refusal_is_forgotten);
	tcase_add_test(tcase, a_proof_is_an_answer);
	tcase_add_test(tcase, counts_more_than_it_lists);
	tcase_add_test(tcase, the_leader_does_not_answer);
	tcase_add_test(tcase, the_leader_cannot_be_reached);
	tcase_add_test(tcase, there_is_no_leader);
	tcase_add_test(tcase, too_few_replicas);
	tcase_add_test(tcase, a_quota);
	tcase_add_test(tcase, a_refusal);
	tcase_add_test(tcase, the_topic_comes_first);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
