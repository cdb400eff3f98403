/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "conf_pass_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASS_FILE_MAX_BYTES 256

/** A file that others can read or replace is no secret. */
static int
check_owner(const struct stat *st, char *err, size_t err_len)
{
	if (!S_ISREG(st->st_mode)) {
		snprintf(err, err_len, "is not a regular file");
		return -EINVAL;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		snprintf(err, err_len, "belongs to user %u, allowed are root and user %u",
			st->st_uid, geteuid());
		return -EPERM;
	}
	if ((st->st_mode & 077) != 0) {
		snprintf(err, err_len,
			"is open to group or others (mode %04o), allowed is 0600 or stricter",
			(unsigned int)st->st_mode & 07777);
		return -EPERM;
	}
	return 0;
}

int
conf_pass_key(const char *pass, uint8_t key[AUTH_KEY_LEN], char *err, size_t err_len)
{
	int ret = auth_key_from_pass(pass, key);

	if (ret == -E2BIG)
		snprintf(err, err_len,
			"the passphrase has %zu bytes, allowed are at most %d (or \"hex:\" and %d "
			"hexadecimal digits)",
			strlen(pass), AUTH_PASS_MAX_BYTES, 2 * AUTH_KEY_LEN);
	else if (ret != 0)
		snprintf(err, err_len,
			"\"hex:\" must be followed by exactly %d hexadecimal digits, found %zu "
			"characters%s",
			2 * AUTH_KEY_LEN, strlen(pass) - 4,
			strlen(pass) - 4 == 2 * AUTH_KEY_LEN ? ", not all of them such digits"
							     : "");
	return ret;
}

static int
key_of_line(char *line, size_t n, uint8_t key[AUTH_KEY_LEN], char *err, size_t err_len)
{
	if (n > 0 && line[n - 1] == '\n')
		n--;
	line[n] = '\0';
	if (n == 0) {
		snprintf(err, err_len, "is empty, expected the passphrase on one line");
		return -EINVAL;
	}
	if (memchr(line, '\n', n) != NULL) {
		snprintf(err, err_len, "has more than one line, expected the passphrase alone");
		return -EINVAL;
	}
	if (memchr(line, '\r', n) != NULL || memchr(line, '\0', n) != NULL) {
		snprintf(err, err_len, "holds a %s, expected the passphrase on one line",
			memchr(line, '\r', n) != NULL ? "carriage return" : "NUL byte");
		return -EINVAL;
	}
	return conf_pass_key(line, key, err, err_len) == 0 ? 0 : -EINVAL;
}

int
conf_pass_file_read(const char *path, uint8_t key[AUTH_KEY_LEN], char *err, size_t err_len)
{
	char buf[PASS_FILE_MAX_BYTES + 1];
	struct stat st;
	size_t n = 0;
	ssize_t got;
	int ret, fd;

	/* a FIFO must not hang the start */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		ret = -errno;
		/* unsafe is worth more than unreadable: it will not go away as root */
		if (stat(path, &st) == 0 && check_owner(&st, err, err_len) != 0)
			return S_ISREG(st.st_mode) ? -EPERM : -EINVAL;
		snprintf(err, err_len, "cannot be opened: %s", strerror(-ret));
		return ret;
	}
	if (fstat(fd, &st) != 0) {
		ret = -errno;
		snprintf(err, err_len, "cannot be read: %s", strerror(-ret));
		goto out;
	}
	ret = check_owner(&st, err, err_len);
	if (ret != 0)
		goto out;
	while (n < sizeof(buf) && (got = read(fd, buf + n, sizeof(buf) - n)) != 0) {
		if (got > 0) {
			n += (size_t)got;
		} else if (errno != EINTR) {
			ret = -errno;
			snprintf(err, err_len, "cannot be read: %s", strerror(-ret));
			goto out;
		}
	}
	if (n > PASS_FILE_MAX_BYTES) {
		snprintf(err, err_len,
			"has more than %d bytes, expected the passphrase on one line",
			PASS_FILE_MAX_BYTES);
		ret = -EINVAL;
		goto out;
	}
	ret = key_of_line(buf, n, key, err, err_len);
out:
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	return ret;
}
