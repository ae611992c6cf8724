// SPDX-License-Identifier: BSD-3-Clause
// Keep the values of keys that have several: lists of strings, properties of librdkafka.

#include "config_properties.h"

#include "errno_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rtap_string_list_fini(struct rtap_string_list *list) {
	for (unsigned int i = 0; i < list->nb_items; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct rtap_string_list){0};
}

int rtap_config_list_add(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *item,
	struct rtap_config_error *error
) {
	struct rtap_string_list *list = rtap_config_field(cfg, key);
	int rc = rtap_config_text_check(key, item, error);
	char **items;

	if (rc != 0)
		return rc;
	if (list->nb_items == key->max)
		return rtap_config_refuse(key, error, "too many");
	items = reallocarray(list->items, list->nb_items + 1, sizeof(*items));
	if (items == NULL)
		return errno_set(ENOMEM);
	list->items = items;
	items[list->nb_items] = strdup(item);
	if (items[list->nb_items] == NULL)
		return errno_set(ENOMEM);
	list->nb_items++;
	return 0;
}

int rtap_config_list_set(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *text,
	struct rtap_config_error *error
) {
	struct rtap_string_list *list = rtap_config_field(cfg, key);
	struct rtap_string_list before = *list;
	int rc;

	*list = (struct rtap_string_list){0};
	rc = *text == '\0' ? 0 : rtap_config_list_add(cfg, key, text, error);
	rtap_string_list_fini(rc == 0 ? &before : list);
	if (rc != 0)
		*list = before;
	return rc;
}

static void property_fini(struct rtap_property *property) {
	free(property->name);
	free(property->value);
	free(property->from);
}

void rtap_property_list_fini(struct rtap_property_list *list) {
	for (unsigned int i = 0; i < list->nb_items; i++)
		property_fini(&list->items[i]);
	free(list->items);
	*list = (struct rtap_property_list){0};
}

const struct rtap_property *
rtap_config_property_find(const struct rtap_property_list *list, const char *name) {
	for (unsigned int i = 0; i < list->nb_items; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

int rtap_config_property_add(
	struct rtap_config *cfg, const struct rtap_config_key *key, const char *name,
	const char *value, unsigned int line, unsigned int column, struct rtap_config_error *error
) {
	struct rtap_property_list *list = rtap_config_field(cfg, key);
	struct rtap_property property = {.line = line, .column = column};
	struct rtap_property *items;
	int rc = rtap_config_text_check(key, name, error);

	if (rc != 0)
		return rc;
	if (rtap_config_property_find(list, name) != NULL) {
		snprintf(
			error->text, sizeof(error->text), "%s: %s is set twice; allowed: once",
			key->path, rtap_config_quote(name).text
		);
		return errno_set(EINVAL);
	}
	if (list->nb_items == key->max)
		return rtap_config_refuse(key, error, "too many");
	items = reallocarray(list->items, list->nb_items + 1, sizeof(*items));
	if (items == NULL)
		return errno_set(ENOMEM);
	list->items = items;
	property.name = strdup(name);
	property.value = strdup(value);
	if (property.name == NULL || property.value == NULL) {
		property_fini(&property);
		return errno_set(ENOMEM);
	}
	items[list->nb_items++] = property;
	return 0;
}

int rtap_config_property_from(
	struct rtap_property_list *list, enum rtap_property_source source, const char *from
) {
	struct rtap_property *property = &list->items[list->nb_items - 1];

	property->source = source;
	property->from = strdup(from);
	return property->from != NULL ? 0 : errno_set(ENOMEM);
}
