// SPDX-License-Identifier: BSD-3-Clause
// Set and read the properties of librdkafka as a user writes them: text that means what it says.

#include "rdkafka_conf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 62 // longer is no number

const char *rtap_rdkafka_why_not_text(const char *name) {
	size_t len = strlen(name);

	if (len > 3 && strcmp(name + len - 3, "_cb") == 0)
		return "callbacks are not text";
	if (strcmp(name, "opaque") == 0 || strcmp(name, "interceptors") == 0
	    || strcmp(name, "default_topic_conf") == 0)
		return "not text";
	return NULL;
}

int rtap_rdkafka_set(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size
) {
	const char *not_text = rtap_rdkafka_why_not_text(name);

	if (not_text != NULL) {
		snprintf(why, size, "%s", not_text);
		return -EINVAL;
	}
	if (rd_kafka_conf_set(conf, name, value, why, size) == RD_KAFKA_CONF_OK)
		return 0;
	why[strcspn(why, "\n")] = '\0'; // some of librdkafka's reasons end with one
	return -EINVAL;
}

int rtap_rdkafka_set_if_known(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size
) {
	if (rd_kafka_conf_set(conf, name, value, why, size) == RD_KAFKA_CONF_UNKNOWN)
		return 0;
	return rtap_rdkafka_set(conf, name, value, why, size);
}

int rtap_rdkafka_get(const rd_kafka_conf_t *conf, const char *name, char *value, size_t size) {
	if (rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK)
		return 0;
	value[0] = '\0';
	return -ENOENT;
}

// Equal, or a fraction that it keeps and shows with six digits.
static bool is_kept(double written, double number, const char *taken) {
	char shown[32];

	snprintf(shown, sizeof(shown), "%g", written);
	return written == number || (strchr(taken, '.') != NULL && strcmp(shown, taken) == 0);
}

// It reads a number up to the first character that is none of it, 100k as 100, and keeps what fits
// into its type.
int rtap_rdkafka_check_number(const char *text, const char *taken, char *why, size_t size) {
	char *end;
	double written, number = strtod(taken, &end);

	// What it took word for word is text.
	if (end == taken || *end != '\0' || strlen(taken) > MAX_DIGITS || strcmp(taken, text) == 0)
		return 0;
	written = strtod(text, &end);
	if (end == text || (*end == '\0' && is_kept(written, number, taken))) // acks=all is -1
		return 0;
	snprintf(
		why, size,
		"librdkafka reads this as %s; allowed: a number in digits, without a unit", taken
	);
	return -EINVAL;
}

int rtap_rdkafka_set_checked(
	rd_kafka_conf_t *conf, const char *name, const char *value, char *why, size_t size
) {
	char taken[64];
	int rc = rtap_rdkafka_set(conf, name, value, why, size);

	if (rc < 0)
		return rc;
	rtap_rdkafka_get(conf, name, taken, sizeof(taken));
	return rtap_rdkafka_check_number(value, taken, why, size);
}

char *rtap_rdkafka_table(void) {
	char *table = NULL;
	size_t size;
	FILE *out = open_memstream(&table, &size);

	if (out == NULL)
		return NULL;
	rd_kafka_conf_properties_show(out);
	fclose(out);
	return table;
}

void rtap_rdkafka_print_version(FILE *out) {
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char features[512];

	rtap_rdkafka_get(conf, "builtin.features", features, sizeof(features));
	fprintf(out, "librdkafka %s\nbuiltin.features %s\n", rd_kafka_version_str(), features);
	rd_kafka_conf_destroy(conf);
}
