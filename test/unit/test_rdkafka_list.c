// SPDX-License-Identifier: BSD-3-Clause
// Tests of `--properties`: that the list says what the building of properties does.

#include "check_main.h"
#include "rdkafka_list.h"
#include "rdkafka_properties.h"
#include "rdkafka_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define W(word) ((char[]){word}) // a word of a command line may be written to

static char *text, *complaint;

static void tear_down(void) {
	free(text);
	free(complaint);
	text = complaint = NULL;
}

static int try(bool json, char *const *names, unsigned int nb_names) {
	size_t size;
	FILE *out = open_memstream(&text, &size), *err = open_memstream(&complaint, &size);
	int rc;

	ck_assert(out != NULL && err != NULL);
	rc = rdkafka_list_print(out, err, json, names, nb_names);
	fclose(out);
	fclose(err);
	return rc;
}

static const char *print(bool json, char *const *names, unsigned int nb_names) {
	ck_assert_int_eq(try(json, names, nb_names), 0);
	ck_assert_str_eq(complaint, "");
	return text;
}

static bool builds(const char *name, const char *value) {
	struct rtap_config_error error;
	struct rtap_config cfg;
	rd_kafka_conf_t *conf;
	char yaml[256], why[512];

	snprintf(yaml, sizeof(yaml), "kafka: {global: {%s: \"%s\"}}", name, value);
	ck_assert_int_eq(rtap_config_load_buffer(&cfg, "t.yaml", yaml, strlen(yaml), &error), 0);
	conf = rdkafka_properties_build(&cfg, 1, false, why, sizeof(why));
	if (conf != NULL)
		rd_kafka_conf_destroy(conf);
	rtap_config_fini(&cfg);
	return conf != NULL;
}

START_TEST(json_of_named_ones) {
	char *names[] = {
		W("sasl.password"), W("sasl.jaas.config"), W("acks"), W("dr_cb"), W("a\"\n")};

	ck_assert_str_eq(
		print(true, names, 5),
		"[{\"name\": \"sasl.password\", \"known\": true, \"secret\": true, "
		"\"refused\": null, \"set\": null, \"required\": null, \"forbidden\": null, "
		"\"why\": null},\n"
		"{\"name\": \"sasl.jaas.config\", \"known\": false, \"secret\": true, "
		"\"refused\": null, \"set\": null, \"required\": null, \"forbidden\": null, "
		"\"why\": null},\n"
		"{\"name\": \"acks\", \"known\": true, \"secret\": false, \"refused\": null, "
		"\"set\": \"-1\", \"required\": null, \"forbidden\": \"0\", "
		"\"why\": \"\\\"delivered\\\" would mean sent, not stored; use -1 (all)\"},\n"
		"{\"name\": \"dr_cb\", \"known\": true, \"secret\": false, "
		"\"refused\": \"callbacks are not text\", \"set\": null, \"required\": null, "
		"\"forbidden\": null, \"why\": null},\n"
		"{\"name\": \"a\\\"\\u000a\", \"known\": false, \"secret\": false, "
		"\"refused\": null, \"set\": null, \"required\": null, \"forbidden\": null, "
		"\"why\": null}]\n"
	);
}
END_TEST

START_TEST(text_of_named_ones) {
	char *names[] = {W("acks"), W("partitioner"), W("client.rack"), W("sasl.password")};

	ck_assert_str_eq(
		print(false, names, 4),
		"acks: set to -1\n"
		"acks: refused when \"0\": \"delivered\" would mean sent, not stored; use -1 "
		"(all)\n"
		"partitioner: refused: the partition is chosen by flow, see the key `partitioner` "
		"at the top level\n"
		"client.rack: passed to librdkafka as it is\n"
		"sasl.password: may be a secret, its value is never printed\n"
	);
}
END_TEST

// What is meant by "acks" and "delivery.timeout.ms", by their other names.
START_TEST(aliases) {
	char *names[] = {
		W("request.required.acks"), W("delivery.timeout.ms"), W("metadata.broker.list")};

	print(false, names, 3);
	ck_assert_ptr_nonnull(strstr(text, "request.required.acks: set to -1\n"));
	ck_assert_ptr_nonnull(strstr(text, "request.required.acks: refused when \"0\": "));
	ck_assert_ptr_nonnull(strstr(text, "delivery.timeout.ms: set to 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "delivery.timeout.ms: refused unless \"0\": "));
	ck_assert_ptr_nonnull(strstr(text, "metadata.broker.list: set to localhost:9092\n"));
	ck_assert(!builds("request.required.acks", "0"));
	ck_assert(!builds("delivery.timeout.ms", "1"));
}
END_TEST

START_TEST(unknown_names) {
	char *names[] = {W("acks"), W("ssl.pasword"), W("ack"), W("")};

	ck_assert_int_eq(try(false, names, 4), -ENOENT);
	ck_assert_ptr_nonnull(strstr(text, "acks: set to -1\n"));
	ck_assert_ptr_nonnull(strstr(text, "ssl.pasword: may be a secret"));
	ck_assert_ptr_nonnull(strstr(complaint, "librdkafka has no property \"ssl.pasword\"; "));
	ck_assert_ptr_nonnull(strstr(complaint, "librdkafka has no property \"ack\"; "));
	ck_assert_ptr_nonnull(strstr(complaint, "librdkafka has no property \"\"; "));
	ck_assert_ptr_null(strstr(complaint, "\"acks\""));
}
END_TEST

// Every row that librdkafka has: what the list refuses is refused.
START_TEST(all_of_them) {
	char *rest, *line;
	unsigned int nb = 0, nb_refused = 0;

	print(true, NULL, 0);
	ck_assert_int_eq(text[0], '[');
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), nb++) {
		char name[129] = "";

		ck_assert_int_eq(sscanf(line + (nb == 0), "{\"name\": \"%128[^\"]", name), 1);
		ck_assert_msg(strstr(line, "\"known\": true") != NULL, "%s", line);
		if (strstr(line, "\"refused\": null") != NULL)
			continue;
		nb_refused++;
		ck_assert_msg(!builds(name, "1"), "%s", name);
	}
	ck_assert_uint_gt(nb, 100);
	ck_assert_uint_gt(nb_refused, 15);
}
END_TEST

// A property of librdkafka's both sections is one property.
START_TEST(each_of_them_once) {
	const char *first;

	print(true, NULL, 0);
	first = strstr(text, "\"opaque\"");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "\"opaque\""));
}
END_TEST

START_TEST(promises) {
	for (unsigned int i = 0; i < RDKAFKA_NB_PROMISES; i++) {
		const struct rdkafka_promise *p = &rdkafka_promises[i];

		ck_assert((p->required != NULL) != (p->forbidden != NULL));
		if (p->required != NULL)
			ck_assert_msg(builds(p->name, p->required), "%s", p->name);
		else
			ck_assert_msg(!builds(p->name, p->forbidden), "%s", p->name);
	}
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("rdkafka_list");
	TCase *tc = tcase_create("rdkafka_list");

	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, json_of_named_ones);
	tcase_add_test(tc, text_of_named_ones);
	tcase_add_test(tc, aliases);
	tcase_add_test(tc, unknown_names);
	tcase_add_test(tc, all_of_them);
	tcase_add_test(tc, each_of_them_once);
	tcase_add_test(tc, promises);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
