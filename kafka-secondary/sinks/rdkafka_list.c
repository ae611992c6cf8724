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
	FILE *out, *err;
	bool json;
	const char *table; // librdkafka's
	struct rdkafka_own own[RDKAFKA_NB_OWN];
	unsigned int nb_printed;
	int rc;
};

static const char *next_row(const char *row) {
	row = strchr(row, '\n');
	return row != NULL ? row + 1 : NULL;
}

// The first row of a property, NULL when librdkafka has none of this name.
static const char *find_row(const char *table, const char *name) {
	size_t len = strlen(name);

	for (const char *row = table; len > 0 && row != NULL; row = next_row(row))
		if (strncmp(row, name, len) == 0 && row[len] == ' ')
			return row;
	return NULL;
}

// The property that a name stands for: itself, but for an alias.
static void resolve(const char *table, const char *name, char property[static MAX_NAME + 1]) {
	static const char mark[] = "Alias for `";
	const char *row = find_row(table, name), *alias;

	snprintf(property, MAX_NAME + 1, "%s", name);
	if (row == NULL)
		return;
	alias = strstr(row, mark);
	if (alias == NULL || alias >= row + strcspn(row, "\n"))
		return;
	alias += strlen(mark);
	snprintf(property, MAX_NAME + 1, "%.*s", (int)strcspn(alias, "`\n"), alias);
}

static bool is_same(const struct list *list, const char *a, const char *b) {
	char property_a[MAX_NAME + 1], property_b[MAX_NAME + 1];

	resolve(list->table, a, property_a);
	resolve(list->table, b, property_b);
	return strcmp(property_a, property_b) == 0;
}

static const char *own_value(const struct list *list, const char *name) {
	for (unsigned int i = 0; i < RDKAFKA_NB_OWN; i++)
		if (is_same(list, list->own[i].name, name))
			return list->own[i].value;
	return NULL;
}

static const struct rdkafka_promise *promise_of(const struct list *list, const char *name) {
	for (unsigned int i = 0; i < RDKAFKA_NB_PROMISES; i++)
		if (is_same(list, rdkafka_promises[i].name, name))
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

static void put_member(FILE *out, const char *name, const char *text) {
	fprintf(out, ", \"%s\": ", name);
	rtap_json_put_string(out, text, SIZE_MAX);
}

static void print_json(struct list *list, const char *name) {
	const struct rdkafka_promise *promise = promise_of(list, name);
	FILE *out = list->out;

	fputs(list->nb_printed == 0 ? "{\"name\": " : ",\n{\"name\": ", out);
	rtap_json_put_string(out, name, SIZE_MAX);
	fprintf(out, ", \"known\": %s", find_row(list->table, name) != NULL ? "true" : "false");
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
	const struct rdkafka_promise *promise = promise_of(list, name);
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

static bool has_rule(const struct list *list, const char *name) {
	return rdkafka_rules_why_refused(name) != NULL || own_value(list, name) != NULL
		|| promise_of(list, name) != NULL || rtap_config_is_secret(name);
}

static void print_named(struct list *list, const char *name) {
	bool known = find_row(list->table, name) != NULL;

	print_one(list, name);
	if (list->json)
		return;
	if (known && !has_rule(list, name))
		fprintf(list->out, "%s: passed to librdkafka as it is\n", name);
	if (known)
		return;
	fprintf(list->err,
		"kafka-secondary: librdkafka has no property \"%s\"; --properties without a name "
		"lists what ringtap sets and refuses\n",
		name);
	list->rc = -ENOENT;
}

// A property of both sections has two rows.
static void print_table(struct list *list) {
	char name[MAX_NAME + 1];

	for (const char *row = list->table; row != NULL; row = next_row(row))
		if (parse_row(row, name) && find_row(list->table, name) == row)
			print_one(list, name);
}

int rdkafka_list_print(FILE *out, FILE *err, bool json, char *const *names, unsigned int nb_names) {
	struct list list = {.out = out, .err = err, .json = json};
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
		print_named(&list, names[i]);
	fputs(json ? "]\n" : "", out);
	free(table);
	return list.rc;
}
