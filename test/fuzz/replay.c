// SPDX-License-Identifier: BSD-3-Clause
// main() of a fuzz target that is built without a fuzzer: run it on the files and directories
// named.

#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_BYTES ((size_t)1 << 20)

static bool replay_file(const char *path) {
	uint8_t *data = malloc(MAX_BYTES), *exact;
	FILE *in = fopen(path, "rb");
	size_t size;

	if (data == NULL || in == NULL) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	size = fread(data, 1, MAX_BYTES, in);
	fclose(in);
	exact = realloc(data, size > 0 ? size : 1); // so that valgrind and ASan see its end
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return true;
}

static unsigned int replay(const char *path) {
	unsigned int nb = 0;
	struct dirent *entry;
	char file[4096];
	DIR *dir = opendir(path);

	if (dir == NULL)
		return replay_file(path);
	while ((entry = readdir(dir)) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			nb += replay_file(file);
	}
	closedir(dir);
	return nb;
}

int main(int argc, char **argv) {
	unsigned int nb = 0;

	for (int i = 1; i < argc; i++)
		nb += replay(argv[i]);
	printf("%u inputs\n", nb);
	return nb > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
