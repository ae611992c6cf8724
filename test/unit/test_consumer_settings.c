// SPDX-License-Identifier: BSD-3-Clause
// A consumer's properties from a producer's file: what is for both is taken, the rest is left out.

#include "check_main.h"
#include "consumer_settings.h"
#include "rdkafka_conf.h"

#include <errno.h>
#include <string.h>

#define DIGITS "; allowed: a number in digits, without a unit"

static struct rtap_config config;
static char why[512];
static int refusal;

static void load(const char *text) {
	struct rtap_config_error error;

	rtap_config_fini(&config);
	ck_assert_msg(
		rtap_config_load_buffer(&config, "x.yaml", text, strlen(text), &error) == 0, "%s",
		error.text
	);
}

static rd_kafka_conf_t *build(struct consumer_settings settings) {
	rd_kafka_conf_t *conf;

	why[0] = '\0';
	conf = consumer_settings_build(&settings, why, sizeof(why));
	refusal = errno;
	return conf;
}

static void ck_value(const rd_kafka_conf_t *conf, const char *name, const char *wanted) {
	char value[256];
	size_t size = sizeof(value);

	ck_assert_int_eq(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
	ck_assert_str_eq(value, wanted);
}

START_TEST(of_the_file) {
	rd_kafka_conf_t *conf;

	load("kafka:\n"
	     "  global:\n"
	     "    bootstrap.servers: broker:1\n"
	     "    security.protocol: sasl_ssl\n"
	     "    sasl.mechanism: SCRAM-SHA-256\n"
	     "    sasl.username: probe\n"
	     "    sasl.password: hidden\n"
	     "    ssl.ca.location: /ca.pem\n"
	     "    enable.idempotence: true\n"
	     "    linger.ms: 7\n"
	     "    batch.size: 12345\n"
	     "    retries: 3\n"
	     "    compression.codec: lz4\n"
	     "    queue.buffering.max.messages: 77\n"
	     "    delivery.report.only.error: true\n"
	     "  topic:\n"
	     "    acks: 1\n"
	     "    message.timeout.ms: 5\n"
	     "    partitioner: random\n");
	conf = build((struct consumer_settings){.file = &config});
	ck_assert_msg(conf != NULL, "%s", why);
	ck_value(conf, "bootstrap.servers", "broker:1");
	ck_value(conf, "security.protocol", "sasl_ssl");
	ck_value(conf, "sasl.mechanism", "SCRAM-SHA-256");
	ck_value(conf, "sasl.username", "probe");
	ck_value(conf, "sasl.password", "hidden");
	ck_value(conf, "ssl.ca.location", "/ca.pem");
	ck_value(conf, "enable.partition.eof", "true");
	ck_value(conf, "enable.idempotence", "false");
	ck_value(conf, "linger.ms", "5");
	ck_value(conf, "batch.size", "1000000");
	ck_value(conf, "compression.codec", "none");
	ck_value(conf, "queue.buffering.max.messages", "100000");
	ck_value(conf, "delivery.report.only.error", "false");
	ck_value(conf, "acks", "-1");
	ck_value(conf, "message.timeout.ms", "300000");
	rd_kafka_conf_destroy(conf);
}
END_TEST

START_TEST(the_command_line_goes_first) {
	static char x[] = "client.id=x", broker[] = "bootstrap.servers=c:3";
	char *properties[] = {x, broker};
	rd_kafka_conf_t *conf;

	load("kafka:\n  global:\n    bootstrap.servers: a:1\n    client.id: probe\n");
	conf = build((struct consumer_settings){.file = &config, .brokers = "b:2"});
	ck_value(conf, "bootstrap.servers", "b:2");
	ck_value(conf, "client.id", "probe");
	rd_kafka_conf_destroy(conf);
	conf = build((struct consumer_settings){&config, "b:2", properties, 2});
	ck_value(conf, "bootstrap.servers", "c:3");
	ck_value(conf, "client.id", "x");
	rd_kafka_conf_destroy(conf);
	conf = build((struct consumer_settings){0});
	ck_value(conf, "bootstrap.servers", "localhost:9092");
	rd_kafka_conf_destroy(conf);
}
END_TEST

START_TEST(refused_at_its_place) {
	static char no_value[] = "client.id", callback[] = "stats_cb=1";
	char *properties[] = {no_value};

	load("kafka:\n  global:\n    client.id: x\n    sasl.pasword: canary\n");
	ck_assert_ptr_null(build((struct consumer_settings){.file = &config}));
	ck_assert_ptr_nonnull(strstr(why, "x.yaml:4:5: kafka.global.sasl.pasword: "));
	ck_assert_ptr_null(strstr(why, "canary"));
	ck_assert_ptr_null(strchr(why, '\n'));
	ck_assert_int_eq(refusal, EBADMSG);
	ck_assert_ptr_null(build((struct consumer_settings){NULL, "b:1", properties, 1}));
	ck_assert_str_eq(why, "-X client.id: not NAME=VALUE");
	ck_assert_int_eq(refusal, EINVAL);
	properties[0] = callback;
	ck_assert_ptr_null(build((struct consumer_settings){NULL, "b:1", properties, 1}));
	ck_assert_str_eq(why, "-X stats_cb: callbacks are not text");
	load("kafka:\n  global:\n    client.id: x\n");
	ck_assert_ptr_null(build((struct consumer_settings){&config, "b:1", properties, 1}));
	ck_assert_int_eq(refusal, EINVAL);
}
END_TEST

static void ck_not_kept(char *property, const char *wanted) {
	ck_assert_ptr_null(build((struct consumer_settings){NULL, "b:1", &property, 1}));
	ck_assert_str_eq(why, wanted);
	ck_assert_int_eq(refusal, EINVAL);
}

START_TEST(a_number_with_a_unit) {
	static char bytes[] = "fetch.min.bytes=1k", ms[] = "socket.timeout.ms=500ms";
	static char good[] = "socket.timeout.ms=500", word[] = "client.id=7 of 9";
	char *properties[] = {good, word};
	rd_kafka_conf_t *conf;

	ck_not_kept(bytes, "-X fetch.min.bytes: librdkafka reads this as 1" DIGITS);
	ck_not_kept(ms, "-X socket.timeout.ms: librdkafka reads this as 500" DIGITS);
	load("kafka:\n  global:\n    socket.timeout.ms: 500ms\n");
	ck_assert_ptr_null(build((struct consumer_settings){.file = &config}));
	ck_assert_str_eq(
		why,
		"x.yaml:3:5: kafka.global.socket.timeout.ms: librdkafka reads this as 500" DIGITS
	);
	ck_assert_int_eq(refusal, EBADMSG);
	conf = build((struct consumer_settings){NULL, "b:1", properties, 2});
	ck_assert_msg(conf != NULL, "%s", why);
	rd_kafka_conf_destroy(conf);
}
END_TEST

START_TEST(a_fraction_is_kept_in_six_digits) {
	ck_assert_int_eq(rtap_rdkafka_check_number("0.12345678", "0.123457", why, sizeof(why)), 0);
	ck_assert_int_eq(rtap_rdkafka_check_number("0", "0.0", why, sizeof(why)), 0);
	ck_assert_int_eq(rtap_rdkafka_check_number("all", "-1", why, sizeof(why)), 0);
	ck_assert_int_eq(rtap_rdkafka_check_number("0.5", "0", why, sizeof(why)), -EINVAL);
	ck_assert_int_eq(rtap_rdkafka_check_number("4294967297", "1", why, sizeof(why)), -EINVAL);
}
END_TEST

START_TEST(the_property_that_is_named_is_to_blame) {
	static char ca[] = "ssl.ca.location=/nowhere", id[] = "client.id=x";
	char *properties[] = {id, ca};
	struct consumer_settings settings = {&config, NULL, properties, 2};

	ck_assert_int_eq(
		consumer_settings_blame(&settings, "ssl.ca.location failed: no file"), -EINVAL
	);
	ck_assert_int_eq(consumer_settings_blame(&settings, "set `client.id`, please"), -EINVAL);
	ck_assert_int_eq(
		consumer_settings_blame(&settings, "ssl.ca.location.x, x.client.id"), -EBADMSG
	);
	ck_assert_int_eq(consumer_settings_blame(&settings, "no such user"), -EBADMSG);
	settings.file = NULL;
	ck_assert_int_eq(consumer_settings_blame(&settings, "no such user"), -EINVAL);
}
END_TEST

static void teardown(void) {
	rtap_config_fini(&config);
	memset(&config, 0, sizeof(config));
}

static Suite *make_suite(void) {
	Suite *suite = suite_create("consumer_settings");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, of_the_file);
	tcase_add_test(tcase, the_command_line_goes_first);
	tcase_add_test(tcase, refused_at_its_place);
	tcase_add_test(tcase, a_number_with_a_unit);
	tcase_add_test(tcase, a_fraction_is_kept_in_six_digits);
	tcase_add_test(tcase, the_property_that_is_named_is_to_blame);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
