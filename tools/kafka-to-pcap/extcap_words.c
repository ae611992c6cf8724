// SPDX-License-Identifier: BSD-3-Clause
// Leave out what a Wireshark newer than this program says to extcap programs.

#include "extcap_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_option(const char *word, const char *name) {
	size_t len = strlen(name);

	return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, len) == 0
		&& (word[2 + len] == '\0' || word[2 + len] == '=');
}

static bool is_call(int argc, char **argv) {
	static const char *const questions[] = {
		"extcap-interfaces",     "extcap-dlts", "extcap-config",
		"extcap-capture-filter", "capture",
	};

	for (int i = 1; i < argc; i++)
		for (size_t q = 0; q < sizeof(questions) / sizeof(questions[0]); q++)
			if (is_option(argv[i], questions[q]))
				return true;
	return false;
}

static bool is_unknown(const char *word, const struct option *known) {
	if (strncmp(word, "--extcap-", 9) != 0 && strncmp(word, "--log-", 6) != 0)
		return false;
	for (; known->name != NULL; known++)
		if (is_option(word, known->name))
			return false;
	return true;
}

int extcap_words_drop_unknown(int argc, char **argv, const struct option *known) {
	int nb = 0;

	if (!is_call(argc, argv))
		return argc;
	for (int i = 0; i < argc; i++)
		if (i == 0 || !is_unknown(argv[i], known))
			argv[nb++] = argv[i];
		else if (strchr(argv[i], '=') == NULL && i + 1 < argc && argv[i + 1][0] != '-')
			i++; // its value
	argv[nb] = NULL;
	return nb;
}
