// SPDX-License-Identifier: BSD-3-Clause
// Print the effective configuration, and the reference of all keys.

#include "config.h"
#include "config_schema.h"
#include "cpu_list.h"

#include <yaml.h>

#include <stdlib.h>
#include <string.h>

// libyaml owns an event's memory as soon as it is emitted, successfully or not.

static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style) {
	yaml_event_t event;

	// Refused is what is not UTF-8: no file can hold it, the command line can.
	if (yaml_scalar_event_initialize(
		    &event, NULL, NULL, (const yaml_char_t *)text, -1, 1, 1, style
	    )
	    || yaml_scalar_event_initialize(
		    &event, NULL, NULL, (const yaml_char_t *)"(not UTF-8)", -1, 1, 1, style
	    ))
		yaml_emitter_emit(emitter, &event);
}

static void emit_text(yaml_emitter_t *emitter, const char *text) {
	emit_scalar(emitter, text, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void emit_plain(yaml_emitter_t *emitter, const char *text) {
	emit_scalar(emitter, text, YAML_PLAIN_SCALAR_STYLE);
}

static void emit_mapping_start(yaml_emitter_t *emitter) {
	yaml_event_t event;

	if (yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE))
		yaml_emitter_emit(emitter, &event);
}

static void emit_mapping_end(yaml_emitter_t *emitter) {
	yaml_event_t event;

	yaml_mapping_end_event_initialize(&event);
	yaml_emitter_emit(emitter, &event);
}

static void emit_string_list(yaml_emitter_t *emitter, const struct rtap_string_list *list) {
	yaml_event_t event;

	if (yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE))
		yaml_emitter_emit(emitter, &event);
	for (unsigned int i = 0; i < list->nb_items; i++)
		emit_text(emitter, list->items[i]);
	yaml_sequence_end_event_initialize(&event);
	yaml_emitter_emit(emitter, &event);
}

static void emit_cpu_list(yaml_emitter_t *emitter, const struct rtap_cpu_list *list) {
	char *text = rtap_cpu_list_text(list);

	emit_text(emitter, text != NULL ? text : "");
	free(text);
}

static void emit_place(yaml_emitter_t *emitter, const struct rtap_property *p) {
	emit_mapping_start(emitter);
	emit_plain(emitter, p->source == RTAP_PROPERTY_FILE ? "file" : "env");
	emit_text(emitter, p->from);
	emit_mapping_end(emitter);
}

static void emit_properties(yaml_emitter_t *emitter, const struct rtap_property_list *list) {
	emit_mapping_start(emitter);
	for (unsigned int i = 0; i < list->nb_items; i++) {
		const struct rtap_property *p = &list->items[i];

		emit_plain(emitter, p->name);
		if (p->source != RTAP_PROPERTY_TEXT)
			emit_place(emitter, p);
		else
			emit_text(emitter, rtap_config_is_secret(p->name) ? "(hidden)" : p->value);
	}
	emit_mapping_end(emitter);
}

static void emit_value(
	yaml_emitter_t *emitter, const struct rtap_config *cfg, const struct rtap_config_key *key
) {
	const void *field = rtap_config_const_field(cfg, key);
	char text[64];

	switch (key->type) {
	case RTAP_CONFIG_STRING:
		emit_text(emitter, *(char *const *)field);
		break;
	case RTAP_CONFIG_STRING_LIST:
		emit_string_list(emitter, field);
		break;
	case RTAP_CONFIG_CPU_LIST:
		emit_cpu_list(emitter, field);
		break;
	case RTAP_CONFIG_PROPERTIES:
		emit_properties(emitter, field);
		break;
	default:
		emit_plain(emitter, rtap_config_key_text(cfg, key, text, sizeof(text)));
	}
}

static void emit_config(yaml_emitter_t *emitter, const struct rtap_config *cfg) {
	bool in_section = false; // the keys of the one section are the last of the table

	emit_mapping_start(emitter);
	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];
		const char *dot = strchr(key->path, '.');
		char section[64];

		if (dot != NULL && !in_section) {
			snprintf(
				section, sizeof(section), "%.*s", (int)(dot - key->path), key->path
			);
			emit_plain(emitter, section);
			emit_mapping_start(emitter);
			in_section = true;
		}
		emit_plain(emitter, dot != NULL ? dot + 1 : key->path);
		emit_value(emitter, cfg, key);
	}
	if (in_section)
		emit_mapping_end(emitter);
	emit_mapping_end(emitter);
}

void rtap_config_print(const struct rtap_config *cfg, FILE *out) {
	yaml_emitter_t emitter;
	yaml_event_t event;

	if (yaml_emitter_initialize(&emitter) == 0)
		return;
	yaml_emitter_set_output_file(&emitter, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
	yaml_emitter_emit(&emitter, &event);
	yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
	yaml_emitter_emit(&emitter, &event);
	emit_config(&emitter, cfg);
	yaml_document_end_event_initialize(&event, 1);
	yaml_emitter_emit(&emitter, &event);
	yaml_stream_end_event_initialize(&event);
	yaml_emitter_emit(&emitter, &event);
	yaml_emitter_delete(&emitter);
}

void rtap_config_print_reference(FILE *out) {
	char allowed[160];

	for (unsigned int i = 0; i < rtap_config_nb_keys; i++) {
		const struct rtap_config_key *key = &rtap_config_keys[i];

		fprintf(out, "%s (%s)\n", key->path, rtap_config_type_name(key->type));
		fprintf(out, "    %s\n", key->help);
		fprintf(out, "    allowed: %s\n",
			rtap_config_key_allowed(key, allowed, sizeof(allowed)));
		fprintf(out, "    default: %s\n", *key->initial != '\0' ? key->initial : "none");
	}
}
