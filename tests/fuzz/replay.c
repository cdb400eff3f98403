/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * Feed every file of the given folders to a fuzz target, so that its corpus is an ordinary test
 * with any compiler.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Returns 1 for a file fed, 0 for what is no regular file, -1 on failure. */
static int
replay_file(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size;
	int ret = -1;

	if (f == NULL || fstat(fileno(f), &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		ret = 0;
		goto out;
	}
	/* Exactly its size, so that a sanitizer sees a read past the end. */
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	if (data == NULL || fread(data, 1, size, f) != size)
		goto out;
	/* If this one aborts, the last line says which it was. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	ret = 1;
out:
	if (ret < 0)
		perror(path);
	free(data);
	if (f != NULL)
		fclose(f);
	return ret;
}

/* Returns how many files were fed, or -1. */
static int
replay_folder(const char *folder)
{
	char path[4096];
	struct dirent *e;
	DIR *d = opendir(folder);
	int n = 0;

	if (d == NULL) {
		perror(folder);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		int fed;

		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name) >=
			sizeof(path)) {
			fprintf(stderr, "%s: path too long\n", e->d_name);
			n = -1;
			break;
		}
		fed = replay_file(path);
		if (fed < 0) {
			n = -1;
			break;
		}
		n += fed;
	}
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int n = replay_folder(argv[i]);

		/* An empty corpus is a mistake in the build, not a pass. */
		if (n <= 0) {
			fprintf(stderr, "%s: %s\n", argv[i], n == 0 ? "no files" : "failed");
			return 1;
		}
		printf("%s: %d files\n", argv[i], n);
	}
	return 0;
}
