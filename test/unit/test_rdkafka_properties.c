// SPDX-License-Identifier: BSD-3-Clause
// Tests of the producer's properties: from the text of a configuration to librdkafka's effective
// values.

#include "check_main.h"
#include "rdkafka_conf.h"
#include "rdkafka_properties.h"
#include "rdkafka_security.h"
#include "rdkafka_validate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NB_RINGS 4
#define NOBODY 65534
#define LENGTH(array) (int)(sizeof(array) / sizeof((array)[0]))

#define METRICS "enable.metrics.push" // from librdkafka 2.5 on
#define GLOBAL "kafka:\n  global:\n    "
#define TOPIC "kafka:\n  topic:\n    "
#define TIMEOUT                                                                                     \
	"a message that times out in the client would have to be sent again anyway; nothing times " \
	"out"
#define ACKS "acks=0 is refused: \"delivered\" would mean sent, not stored; use -1 (all)"
#define ONLY_ERROR                                                                                 \
	"delivery.report.only.error=true is refused: without the report of a success its buffer "  \
	"could never be released"
#define NO_BROKERS                                                                                 \
	"bootstrap.servers= is refused: name the brokers, HOST:PORT,HOST:PORT, or leave it "       \
	"out for localhost:9092"
#define PARTITIONER "the partition is chosen by flow, see the key `partitioner` at the top level"
#define READ_AS(number)                                                                            \
	"librdkafka reads this as " number "; allowed: a number in digits, without a unit"
#define TWICE "set again below under another name; remove one of the two"
#define NOT_TOPIC                                                                                  \
	"librdkafka has no topic property of this name; global ones belong under kafka.global"

static struct rtap_config cfg;
static char why[512];

static void load(const char *text) {
	struct rtap_config_error error;

	rtap_config_fini(&cfg);
	memset(&cfg, 0, sizeof(cfg));
	ck_assert_msg(
		rtap_config_load_buffer(&cfg, "t.yaml", text, strlen(text), &error) == 0, "%s",
		error.text
	);
	why[0] = '\0';
}

static void tear_down(void) {
	rtap_config_fini(&cfg);
}

static rd_kafka_conf_t *build(const char *text) {
	load(text);
	return rdkafka_properties_build(&cfg, NB_RINGS, false, why, sizeof(why));
}

static void ck_value(const rd_kafka_conf_t *conf, const char *name, const char *wanted) {
	char value[256];
	size_t size = sizeof(value);

	ck_assert_int_eq(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK);
	ck_assert_msg(strcmp(value, wanted) == 0, "%s=%s, not %s", name, value, wanted);
}

static void ck_effective(const char *text, const char *name, const char *wanted) {
	rd_kafka_conf_t *conf = build(text);

	ck_assert_msg(conf != NULL, "%s", why);
	ck_value(conf, name, wanted);
	rd_kafka_conf_destroy(conf);
}

START_TEST(no_metrics_to_brokers) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	size_t size = 0;
	bool has = rd_kafka_conf_get(conf, METRICS, NULL, &size) == RD_KAFKA_CONF_OK;

	rd_kafka_conf_destroy(conf);
	ck_assert_int_eq(has, rd_kafka_version() >= 0x020500ff);
	if (!has)
		return;
	ck_effective("", METRICS, "false");
	ck_effective(GLOBAL METRICS ": true\n", METRICS, "true");
}
END_TEST

// What is refused, and the whole line for the user after "t.yaml:".
static const struct {
	const char *text, *line;
} refused[] = {
	// the promise, by the name of the manual, by alias, in either part
	{GLOBAL "message.timeout.ms: 1000\n",
	 "3:5: kafka.global.message.timeout.ms: message.timeout.ms=1000 is refused: " TIMEOUT},
	{GLOBAL "delivery.timeout.ms: 1000\n",
	 "3:5: kafka.global.delivery.timeout.ms: message.timeout.ms=1000 is refused: " TIMEOUT},
	{TOPIC "message.timeout.ms: 1000\n",
	 "3:5: kafka.topic.message.timeout.ms: message.timeout.ms=1000 is refused: " TIMEOUT},
	{TOPIC "delivery.timeout.ms: 1\n",
	 "3:5: kafka.topic.delivery.timeout.ms: message.timeout.ms=1 is refused: " TIMEOUT},
	{GLOBAL "acks: 0\n", "3:5: kafka.global.acks: " ACKS},
	{GLOBAL "acks: 00\n", "3:5: kafka.global.acks: " ACKS},
	{GLOBAL "request.required.acks: 0\n", "3:5: kafka.global.request.required.acks: " ACKS},
	{TOPIC "acks: 0\n", "3:5: kafka.topic.acks: " ACKS},
	{TOPIC "request.required.acks: 0\n", "3:5: kafka.topic.request.required.acks: " ACKS},
	{GLOBAL "delivery.report.only.error: true\n",
	 "3:5: kafka.global.delivery.report.only.error: " ONLY_ERROR},
	{GLOBAL "transactional.id: x\n",
	 "3:5: kafka.global.transactional.id: transactional.id=x is refused: packets are not sent in "
	 "transactions"},
	{GLOBAL "bootstrap.servers: \"\"\n", "3:5: kafka.global.bootstrap.servers: " NO_BROKERS},
	{GLOBAL "metadata.broker.list: \"\"\n",
	 "3:5: kafka.global.metadata.broker.list: " NO_BROKERS},
	// the line is the offender's, not the first or the last one
	{"kafka: {global: {linger.ms: 5, acks: 0, retries: 3}}\n",
	 "1:32: kafka.global.acks: " ACKS},
	// not text
	{GLOBAL "dr_cb: x\n", "3:5: kafka.global.dr_cb: callbacks are not text"},
	{GLOBAL "dr_msg_cb: x\n", "3:5: kafka.global.dr_msg_cb: callbacks are not text"},
	{GLOBAL "background_event_cb: x\n",
	 "3:5: kafka.global.background_event_cb: callbacks are not text"},
	{TOPIC "partitioner_cb: x\n", "3:5: kafka.topic.partitioner_cb: callbacks are not text"},
	{GLOBAL "opaque: 1\n", "3:5: kafka.global.opaque: not text"},
	{TOPIC "opaque: 1\n", "3:5: kafka.topic.opaque: not text"},
	{GLOBAL "interceptors: 1\n", "3:5: kafka.global.interceptors: not text"},
	{GLOBAL "partitioner: murmur2\n", "3:5: kafka.global.partitioner: " PARTITIONER},
	{TOPIC "partitioner: murmur2\n", "3:5: kafka.topic.partitioner: " PARTITIONER},
	// misplaced, misspelt, misvalued
	{TOPIC "linger.ms: 5\n", "3:5: kafka.topic.linger.ms: " NOT_TOPIC},
	{"# one\nkafka:\n  global:\n    acks: 1\n  topic:\n    acks: 1\n    client.id: x\n",
	 "7:5: kafka.topic.client.id: " NOT_TOPIC},
	{TOPIC "ackss: 1\n", "3:5: kafka.topic.ackss: " NOT_TOPIC},
	{GLOBAL "linger.mss: 5\n",
	 "3:5: kafka.global.linger.mss: No such configuration property: \"linger.mss\""},
	{GLOBAL "compression.codec: zip\n",
	 "3:5: kafka.global.compression.codec: Invalid value \"zip\" for configuration property "
	 "\"compression.codec\""},
	{TOPIC "compression.level: 99\n",
	 "3:5: kafka.topic.compression.level: Configuration property \"compression.level\" value 99 is "
	 "outside allowed range -1..12"},
	// two names of one
	{GLOBAL "client.id: x\n    linger.ms: 5\n    queue.buffering.max.ms: 6\n",
	 "4:5: kafka.global.linger.ms: " TWICE},
	{GLOBAL "metadata.broker.list: a:1\n    bootstrap.servers: b:1\n",
	 "3:5: kafka.global.metadata.broker.list: " TWICE},
	{TOPIC "acks: -1\n    request.required.acks: 2\n", "3:5: kafka.topic.acks: " TWICE},
	// numbers that are not all a number, or none that librdkafka can keep
	{GLOBAL "batch.size: 100k\n", "3:5: kafka.global.batch.size: " READ_AS("100")},
	{GLOBAL "batch.size: 1e6\n", "3:5: kafka.global.batch.size: " READ_AS("1")},
	{GLOBAL "batch.size: 0100\n", "3:5: kafka.global.batch.size: " READ_AS("64")},
	{GLOBAL "batch.size: 99999999999\n",
	 "3:5: kafka.global.batch.size: " READ_AS("1215752191")},
	{GLOBAL "batch.size: 100000.4\n", "3:5: kafka.global.batch.size: " READ_AS("100000")},
	{GLOBAL "linger.ms: 10.12345678s\n", "3:5: kafka.global.linger.ms: " READ_AS("10.1235")},
	{GLOBAL "linger.ms: 5 ms\n", "3:5: kafka.global.linger.ms: " READ_AS("5")},
	{TOPIC "request.timeout.ms: 3s\n", NULL},
	{TOPIC "acks: -1,\n", "3:5: kafka.topic.acks: " READ_AS("-1")},
	{GLOBAL "security.protocol: sasl_ssl\n    sasl.mechanism: KERBEROS\n",
	 "4:5: kafka.global.sasl.mechanism: \"KERBEROS\" is not a SASL mechanism that librdkafka "
	 "knows; allowed: GSSAPI, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"},
	{GLOBAL "linger.ms: \"\"\n", NULL},
	{GLOBAL "linger.ms: -1\n", NULL},
	{GLOBAL "linger.ms: 900001\n", NULL},
	{GLOBAL "default_topic_conf: 1\n", NULL},
	{TOPIC "msg_order_cmp: 1\n", NULL},
};

START_TEST(what_is_refused) {
	ck_assert_ptr_null(build(refused[_i].text));
	ck_assert_msg(strncmp(why, "t.yaml:", 7) == 0, "%s", why);
	ck_assert_ptr_null(strchr(why, '\n'));
	if (refused[_i].line != NULL)
		ck_assert_str_eq(why + 7, refused[_i].line);
	else
		ck_assert_msg(strncmp(why + 7, "3:5: kafka.", 11) == 0, "%s", why);
}
END_TEST

// A line that does not fit is cut, never written past its end.
START_TEST(reason_is_cut) {
	char line[41];

	load(GLOBAL "acks: 0\n");
	memset(line, '#', sizeof(line));
	ck_assert_ptr_null(rdkafka_properties_build(&cfg, NB_RINGS, false, line, sizeof(line) - 1));
	ck_assert_uint_eq(strlen(line), sizeof(line) - 2);
	ck_assert_int_eq(line[sizeof(line) - 1], '#');
}
END_TEST

// A secret with a misspelt name must not land in a log.
START_TEST(reason_keeps_secrets) {
	ck_assert_ptr_null(build(GLOBAL "sasl.pasword: geheim\n"));
	ck_assert_ptr_null(strstr(why, "geheim"));
	ck_assert_ptr_nonnull(strstr(why, "sasl.pasword"));
}
END_TEST

#define DIGITS "0000000000000000000000000000000000000000000000000000000000000000000000000000000007"

// What a user wrote wins where the promise allows it, wherever it stands.
static const struct {
	const char *text, *name, *value;
} effective[] = {
	{"{}", "bootstrap.servers", "localhost:9092"},
	{"{}", "client.id", "ringtap"},
	{"{}", "acks", "-1"},
	{"{}", "message.timeout.ms", "0"},
	{"{}", "enable.idempotence", "true"},
	{"{}", "reconnect.backoff.max.ms", "1000"},
	{"{}", "allow.auto.create.topics", "false"},
	{"{}", "delivery.report.only.error", "false"},
	{"{}", "queue.buffering.max.kbytes", "2147483647"},
	{"order: strict\n", "enable.idempotence", "true"},
	{"order: relaxed\n", "enable.idempotence", "false"},
	{"order: strict\n" GLOBAL "enable.idempotence: false\n", "enable.idempotence", "false"},
	{GLOBAL "bootstrap.servers: a:1,b:2\n", "bootstrap.servers", "a:1,b:2"},
	{GLOBAL "metadata.broker.list: c:3\n", "bootstrap.servers", "c:3"},
	{GLOBAL "linger.ms: 7\n    queue.buffering.max.ms: 7.0\n", "linger.ms", "7"},
	{"kafka: {topic: {acks: 2}, global: {acks: -1}}\n", "acks", "2"}, // the topic's wins
	{GLOBAL "client.id: probe\n", "client.id", "probe"},
	{GLOBAL "client.id: 7a\n", "client.id", "7a"},
	{GLOBAL "client.id: \"" DIGITS "\"\n", "client.id", DIGITS},
	{GLOBAL "linger.ms: 0.5\n", "linger.ms", "0.5"},
	{GLOBAL "linger.ms: 10.12345678\n", "linger.ms", "10.1235"},
	{GLOBAL "linger.ms: 0.00001234567\n", "linger.ms", "1.23457e-05"},
	{GLOBAL "batch.size: 0x100000\n", "batch.size", "1048576"},
	{GLOBAL "acks: 1\n", "acks", "1"},
	{GLOBAL "acks: all\n", "acks", "-1"},
	{TOPIC "acks: 2\n", "acks", "2"},
	{GLOBAL "message.timeout.ms: 0\n", "message.timeout.ms", "0"},
	{GLOBAL "delivery.report.only.error: false\n", "delivery.report.only.error", "false"},
	{GLOBAL "transactional.id: \"\"\n", "acks", "-1"},
	{GLOBAL "reconnect.backoff.max.ms: 5000\n", "reconnect.backoff.max.ms", "5000"},
	{GLOBAL "queue.buffering.max.messages: 77\n", "queue.buffering.max.messages", "77"},
	{GLOBAL "compression.codec: lz4\n", "compression.codec", "lz4"},
	{TOPIC "compression.codec: zstd\n", "compression.codec", "zstd"},
	{GLOBAL "enabled_events: 0\n", "enabled_events", "73"}, // DR, ERROR, STATS: ours
	{"worker-burst: 256\nack-window: 32768\n", "queue.buffering.max.messages", "132096"},
	{"worker-burst: 1\nack-window: 64\n", "queue.buffering.max.messages", "260"},
};

START_TEST(what_is_in_effect) {
	ck_effective(effective[_i].text, effective[_i].name, effective[_i].value);
}
END_TEST

START_TEST(queue_holds_every_window) {
	static const struct {
		unsigned int nb_rings;
		const char *messages;
	} cases[] = {{0, "1049600"}, {1, "1049600"}, {2, "2099200"}, {1024, "1074790400"}};

	load("ack-window: 1048576\nworker-burst: 1024\n");
	for (int i = 0; i < LENGTH(cases); i++) {
		rd_kafka_conf_t *conf = rdkafka_properties_build(
			&cfg, cases[i].nb_rings, false, why, sizeof(why)
		);

		ck_assert_msg(conf != NULL, "%s", why);
		ck_value(conf, "queue.buffering.max.messages", cases[i].messages);
		rd_kafka_conf_destroy(conf);
	}
}
END_TEST

// The one for single messages is alone in that, whatever the user set.
START_TEST(lone_sends_one_by_one) {
	rd_kafka_conf_t *conf;

	load(GLOBAL "batch.num.messages: 5000\n    client.id: probe\n");
	conf = rdkafka_properties_build(&cfg, NB_RINGS, true, why, sizeof(why));
	ck_value(conf, "batch.num.messages", "1");
	ck_value(conf, "client.id", "probe");
	rd_kafka_conf_destroy(conf);
	conf = rdkafka_properties_build(&cfg, NB_RINGS, false, why, sizeof(why));
	ck_value(conf, "batch.num.messages", "5000");
	rd_kafka_conf_destroy(conf);
}
END_TEST

// ---- security ----

static const struct {
	const char *features, *protocol, *mechanism, *missing;
} security[] = {
	{"gzip", "plaintext", "GSSAPI", NULL},
	{"gzip,sasl_gssapi", "ssl", "GSSAPI", "ssl"},
	{"gzip,ssl", "ssl", "GSSAPI", NULL},
	{"gzip,sslx,xssl", "ssl", "GSSAPI", "ssl"},
	{"ssl,sasl,sasl_scram", "sasl_ssl", "GSSAPI", "sasl_gssapi"},
	{"ssl,sasl,sasl_scram", "sasl_ssl", "SCRAM-SHA-512", NULL},
	{"ssl,sasl,sasl_scram", "sasl_plaintext", "scram-sha-256", NULL},
	{"sasl,sasl_scram", "sasl_ssl", "SCRAM-SHA-512", "ssl"},
	{"sasl,sasl_scram", "sasl_plaintext", "PLAIN", "sasl_plain"},
	{"sasl,sasl_scram", "sasl_plaintext", "OAUTHBEARER", "sasl_oauthbearer"},
	{"sasl,sasl_scram", "sasl_plaintext", "", ""},
	{"sasl,sasl_scram", "sasl_plaintext", "SCRAM", ""},
};

START_TEST(what_is_not_built_in) {
	const char *missing = rdkafka_security_missing(
		security[_i].features, security[_i].protocol, security[_i].mechanism
	);

	if (security[_i].missing == NULL)
		ck_assert_ptr_null(missing);
	else
		ck_assert_str_eq(missing, security[_i].missing);
}
END_TEST

#define SASL GLOBAL "security.protocol: sasl_ssl\n    sasl.mechanism: "

static const struct {
	const char *text, *principal;
} principals[] = {
	{"{}", "User:ANONYMOUS"},
	{GLOBAL "security.protocol: ssl\n", "User:ANONYMOUS"},
	{GLOBAL "sasl.username: probe\n", "User:ANONYMOUS"}, // not asked for
	{SASL "SCRAM-SHA-512\n    sasl.username: probe\n", "User:probe"},
	{SASL "PLAIN\n", NULL},
	{SASL "OAUTHBEARER\n    sasl.username: probe\n", NULL},
	{SASL "GSSAPI\n    sasl.kerberos.principal: probe@LAB\n", "User:probe"},
	{SASL "GSSAPI\n    sasl.kerberos.principal: probe/host@LAB\n", "User:probe"},
	{GLOBAL "security.protocol: ssl\n    ssl.certificate.location: /nonexistent\n", NULL},
	{GLOBAL "security.protocol: ssl\n    ssl.keystore.location: /nonexistent\n", NULL},
};

START_TEST(who_we_are) {
	rd_kafka_conf_t *conf = build(principals[_i].text);
	char buf[64];

	ck_assert_msg(conf != NULL, "%s", why);
	if (principals[_i].principal == NULL)
		ck_assert_ptr_null(rdkafka_security_principal(conf, buf, sizeof(buf)));
	else
		ck_assert_str_eq(
			rdkafka_security_principal(conf, buf, sizeof(buf)), principals[_i].principal
		);
	rd_kafka_conf_destroy(conf);
}
END_TEST

// ---- what the throw-away process says on stderr ----

static char said[16384];

// In a process that ends without exit(), as the programs call it: the producer's threads live on,
// and exit() frees what they use.
static int validate(const char *text) {
	char path[] = "/tmp/rtap-settings-XXXXXX";
	struct rtap_config_error error;
	int status, fd = mkstemp(path);
	ssize_t n;
	pid_t pid;

	ck_assert_int_ge(fd, 0);
	unlink(path);
	load(text);
	if (rtap_config_read_secrets(&cfg, &error) < 0)
		ck_abort_msg("%s", error.text);
	rtap_log_init("test", RTAP_LOG_NOTICE);
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDERR_FILENO);
		_exit(-rdkafka_validate(&cfg, NB_RINGS));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	n = pread(fd, said, sizeof(said) - 1, 0);
	ck_assert_int_ge(n, 0);
	said[n] = '\0';
	close(fd);
	return -WEXITSTATUS(status);
}

static void ck_said(const char *text) {
	ck_assert_msg(strstr(said, text) != NULL, "not said: %s\n%s", text, said);
}

START_TEST(validate_names_what_differs) {
	ck_assert_int_eq(
		validate(GLOBAL "queue.buffering.max.ms: 7\n    sasl.password: geheim\n" // alias
				"    sasl.username: probe\n  topic:\n    compression.codec: lz4\n"),
		0
	);
	ck_said(" message.timeout.ms=0 (librdkafka's default: 300000)\n");
	ck_said(" queue.buffering.max.ms=7 (librdkafka's default: 5)\n");
	ck_said(" compression.codec=lz4 (librdkafka's default: none)\n");
	ck_said(" sasl.username=probe (librdkafka's default: unset)\n");
	ck_said(" sasl.password=(hidden) (librdkafka's default: unset)\n");
	ck_assert_ptr_null(strstr(said, "geheim"));
	ck_assert_ptr_null(strstr(said, " socket.timeout.ms="));
	ck_assert_ptr_null(strstr(said, "0x"));
	ck_assert_ptr_null(strstr(said, "_cb="));
}
END_TEST

// By its alias librdkafka shows it under another name.
START_TEST(validate_keeps_what_is_elsewhere) {
	ck_assert_int_eq(setenv("RTAP_TEST_SECRET", "geheim", 1), 0);
	ck_assert_int_eq(validate(GLOBAL "metadata.broker.list: {env: RTAP_TEST_SECRET}\n"), 0);
	ck_said("=(hidden) (librdkafka's default: unset)\n");
	ck_assert_ptr_null(strstr(said, "geheim"));
}
END_TEST

START_TEST(validate_warns) {
	ck_assert_int_eq(validate("order: relaxed\n" GLOBAL "acks: 1\n"), 0);
	ck_said("warning kafka: acks=1: a packet that only the leader stored is lost with that broker"
	);
	ck_assert_int_eq(validate(GLOBAL "enable.idempotence: true\n"), 0);
	ck_said("warning kafka: t.yaml:3: enable.idempotence overrides `order`");
	ck_assert_int_eq(validate("{}"), 0);
	ck_assert_ptr_null(strstr(said, "warning"));
}
END_TEST

START_TEST(validate_refuses) {
	ck_assert_int_eq(validate(GLOBAL "acks: 0\n"), -EINVAL);
	ck_said("error kafka: t.yaml:3:5: kafka.global.acks: " ACKS "\n");
	// What only the constructor finds: an idempotent producer needs all acknowledgements.
	// It names both of the user's, the offender first.
	ck_assert_int_eq(validate(GLOBAL "acks: 1\n    enable.idempotence: true\n"), -EINVAL);
	ck_said("error kafka: t.yaml:3:5: kafka.global.acks: librdkafka refuses these properties: "
		"`acks` must be set to `all`");
	ck_assert_int_eq(
		validate(GLOBAL "enable.idempotence: true\n  topic: {acks: 1}\n"), -EINVAL
	);
	ck_said("error kafka: t.yaml:4:11: kafka.topic.acks: librdkafka refuses these properties: "
	);
	// It knows this one by its other name.
	ck_assert_int_eq(validate(GLOBAL "max.in.flight.requests.per.connection: 6\n"), -EINVAL);
	ck_said("error kafka: t.yaml: librdkafka refuses these properties: `max.in.flight` must be"
	);
}
END_TEST

#define SSL GLOBAL "security.protocol: ssl\n    "
#define KEYTAB "sasl.kerberos.keytab: /nonexistent\n"

static const struct {
	const char *text, *name; // NULL: not looked for
} missing[] = {
	{SSL "ssl.ca.location: /nonexistent\n", "ssl.ca.location"},
	{SSL "ssl.certificate.location: /nonexistent\n", "ssl.certificate.location"},
	{SSL "ssl.key.location: /nonexistent\n", "ssl.key.location"},
	{SSL "ssl.crl.location: /nonexistent\n", "ssl.crl.location"},
	{SSL "ssl.keystore.location: /nonexistent\n", "ssl.keystore.location"},
	{GLOBAL "security.protocol: sasl_plaintext\n    " KEYTAB, "sasl.kerberos.keytab"},
	{GLOBAL "security.protocol: sasl_plaintext\n    sasl.mechanism: PLAIN\n"
		"    sasl.username: u\n    sasl.password: p\n    " KEYTAB,
	 NULL},
	{SSL KEYTAB, NULL},
	{SSL "ssl.ca.location: probe\n", NULL},
	{SSL "ssl.ca.location: /etc/ssl/certs\n", NULL},
	{GLOBAL "ssl.ca.location: /nonexistent\n", NULL},
};

START_TEST(validate_looks_for_files) {
	char line[256];

	ck_assert_int_eq(validate(missing[_i].text), missing[_i].name != NULL ? -EINVAL : 0);
	if (missing[_i].name == NULL)
		return;
	snprintf(
		line, sizeof(line),
		"error kafka: t.yaml:4:5: kafka.global.%s: /nonexistent: No such file or directory; the "
		"workers' user must be able to read it\n",
		missing[_i].name
	);
	ck_said(line);
}
END_TEST

// As the user that the workers have; what stands elsewhere is named by its place.
START_TEST(validate_reads_files) {
	char path[] = "/tmp/rtap-settings-XXXXXX";
	int rc, fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0), 0);
	ck_assert_int_eq(setenv("RTAP_TEST_FILE", path, 1), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(setreuid(NOBODY, (uid_t)-1), 0);
	rc = validate(SSL "ssl.ca.location: {env: RTAP_TEST_FILE}\n");
	unlink(path);
	ck_assert_int_eq(rc, -EINVAL);
	ck_said("kafka.global.ssl.ca.location: RTAP_TEST_FILE: Permission denied; ");
	ck_assert_ptr_null(strstr(said, path));
}
END_TEST

#define KINIT GLOBAL "security.protocol: sasl_plaintext\n    sasl.kerberos.kinit.cmd: "

// It is librdkafka's own thread that would run it, some time later.
START_TEST(validate_runs_no_kinit) {
	char path[] = "/tmp/rtap-settings-XXXXXX", text[256];
	int fd = mkstemp(path);
	struct stat st;

	ck_assert_int_ge(fd, 0);
	snprintf(text, sizeof(text), KINIT "\"true || true; rm %s\"\n", path);
	ck_assert_int_eq(validate(text), 0);
	usleep(500 * 1000);
	ck_assert_int_eq(stat(path, &st), 0);
	unlink(path);
	ck_assert_int_eq(validate(KINIT "kinit %{nonsense}\n"), -EINVAL);
	ck_said("nonsense");
}
END_TEST

static Suite *make_suite(void) {
	Suite *suite = suite_create("rdkafka_properties");
	TCase *tc = tcase_create("rdkafka_properties");

	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, no_metrics_to_brokers);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, what_is_refused, 0, LENGTH(refused));
	tcase_add_test(tc, reason_is_cut);
	tcase_add_test(tc, reason_keeps_secrets);
	tcase_add_loop_test(tc, what_is_in_effect, 0, LENGTH(effective));
	tcase_add_test(tc, queue_holds_every_window);
	tcase_add_test(tc, lone_sends_one_by_one);
	tcase_add_test(tc, validate_names_what_differs);
	tcase_add_loop_test(tc, what_is_not_built_in, 0, LENGTH(security));
	tcase_add_loop_test(tc, who_we_are, 0, LENGTH(principals));
	tcase_add_test(tc, validate_keeps_what_is_elsewhere);
	tcase_add_test(tc, validate_warns);
	tcase_add_test(tc, validate_refuses);
	tcase_add_loop_test(tc, validate_looks_for_files, 0, LENGTH(missing));
	tcase_add_test(tc, validate_reads_files);
	tcase_add_test(tc, validate_runs_no_kinit);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
