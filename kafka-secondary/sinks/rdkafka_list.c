// SPDX-License-Identifier: BSD-3-Clause
// Print what ringtap does with each property of librdkafka, for users and for other programs.

#include "rdkafka_list.h"

#include "config_schema.h"
#include "json_string.h"
#include "rdkafka_conf.h"
#include "rdkafka_rules.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 128 // characters of a name in librdkafka's table

struct list {
	FILE *out;
	bool json;
	const char *table; // librdkafka's
	struct rdkafka_own own[RDKAFKA_NB_OWN];
	unsigned int nb_printed;
};

static const char *own_value(const struct list *list, const char *name) {
	for (unsigned int i = 0; i < RDKAFKA_NB_OWN; i++)
		if (strcmp(list->own[i].name, name) == 0)
			return list->own[i].value;
	return NULL;
}

static const struct rdkafka_promise *promise_of(const char *name) {
	for (unsigned int i = 0; i < RDKAFKA_NB_PROMISES; i++)
		if (strcmp(rdkafka_promises[i].name, name) == 0)
			return &rdkafka_promises[i];
	return NULL;
}

// The name in a row of the table; false for headings and the like.
static bool parse_row(const char *row, char name[static MAX_NAME + 1]) {
	size_t len = strspn(row, "abcdefghijklmnopqrstuvwxyz0123456789._");

	if (len == 0 || len > MAX_NAME || row[len + strspn(row + len, " ")] != '|')
		return false;
	snprintf(name, MAX_NAME + 1, "%.*s", (int)len, row);
	return true;
}

static bool is_known(const char *table, const char *name) {
	size_t len = strlen(name);

	for (const char *row = table; row != NULL; row = strchr(row, '\n')) {
		row += *row == '\n';
		if (strncmp(row, name, len) == 0 && row[len] == ' ')
			return len > 0;
	}
	return false;
}

static void put_member(FILE *out, const char *name, const char *text) {
	fprintf(out, ", \"%s\": ", name);
	rtap_json_put_string(out, text, SIZE_MAX);
}

static void print_json(struct list *list, const char *name) {
	const struct rdkafka_promise *promise = promise_of(name);
	FILE *out = list->out;

	fputs(list->nb_printed == 0 ? "{\"name\": " : ",\n{\"name\": ", out);
	rtap_json_put_string(out, name, SIZE_MAX);
	fprintf(out, ", \"known\": %s", is_known(list->table, name) ? "true" : "false");
	fprintf(out, ", \"secret\": %s", rtap_config_is_secret(name) ? "true" : "false");
	put_member(out, "refused", rdkafka_rules_why_refused(name));
	put_member(out, "set", own_value(list, name));
	put_member(out, "required", promise != NULL ? promise->required : NULL);
	put_member(out, "forbidden", promise != NULL ? promise->forbidden : NULL);
	put_member(out, "why", promise != NULL ? promise->why : NULL);
	fputc('}', out);
}

static void print_text(struct list *list, const char *name) {
	const char *refused = rdkafka_rules_why_refused(name), *own = own_value(list, name);
	const struct rdkafka_promise *promise = promise_of(name);
	FILE *out = list->out;

	if (own != NULL)
		fprintf(out, "%s: set to %s\n", name, own);
	if (rtap_config_is_secret(name))
		fprintf(out, "%s: may be a secret, its value is never printed\n", name);
	if (refused != NULL)
		fprintf(out, "%s: refused: %s\n", name, refused);
	else if (promise != NULL && promise->required != NULL)
		fprintf(out, "%s: refused unless \"%s\": %s\n", name, promise->required,
			promise->why);
	else if (promise != NULL)
		fprintf(out, "%s: refused when \"%s\": %s\n", name, promise->forbidden,
			promise->why);
}

static void print_one(struct list *list, const char *name) {
	if (list->json)
		print_json(list, name);
	else
		print_text(list, name);
	list->nb_printed++;
}

static void print_table(struct list *list) {
	char name[MAX_NAME + 1];

	for (const char *row = list->table; row != NULL; row = strchr(row, '\n')) {
		row += *row == '\n';
		if (parse_row(row, name))
			print_one(list, name);
	}
}

int rdkafka_list_print(FILE *out, bool json, char *const *names, unsigned int nb_names) {
	struct list list = {.out = out, .json = json};
	char *table = rtap_rdkafka_table();
	struct rtap_config defaults;

	if (table == NULL)
		return -ENOMEM;
	if (rtap_config_set_defaults(&defaults) < 0) {
		free(table);
		return -ENOMEM;
	}
	list.table = table;
	rdkafka_rules_own(
		list.own, &defaults,
		(unsigned int)(defaults.receive_queues * defaults.transmit_rings_per_queue)
	);
	rtap_config_fini(&defaults);
	fputs(json ? "[" : "", out);
	if (nb_names == 0)
		print_table(&list);
	for (unsigned int i = 0; i < nb_names; i++)
		print_one(&list, names[i]);
	fputs(json ? "]\n" : "", out);
	free(table);
	return 0;
}
