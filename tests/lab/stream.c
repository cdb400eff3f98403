/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_stream: small UDP packets at a steady rate, in a burst each millisecond; over IPv4 they have
 * 64 bytes on the wire.
 *
 *   lab_stream DESTINATION RATE_HZ [fifo_priority]
 *
 * Each begins with its number, from 0, in network order (lab_sink counts what is missing). Prints
 * what pace_run() prints.
 */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>

#include <arpa/inet.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pace.h"

#define PORT	9  /* discard */
#define PAYLOAD 18 /* with Ethernet, IPv4, UDP and check sequence 64 bytes */

static void
put_numbers(void *arg, struct iovec *iov, size_t n, uint64_t number)
{
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		uint64_t be = htobe64(number + i);

		memcpy(iov[i].iov_base, &be, sizeof(be));
	}
}

static int
open_socket(const char *destination)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	bool six = inet_pton(AF_INET6, destination, &to6.sin6_addr) == 1;
	int fd;

	if (!six && inet_pton(AF_INET, destination, &to.sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 &&
		connect(fd, six ? (const struct sockaddr *)&to6 : (const struct sockaddr *)&to,
			six ? sizeof(to6) : sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
main(int argc, char **argv)
{
	static char payload[PACE_BURST_MAX][PAYLOAD];
	static struct iovec iov[PACE_BURST_MAX];
	struct sched_param param = {0};
	long rate = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int fd;

	if (argc < 3 || argc > 4 || rate < 1 || rate > PACE_RATE_MAX) {
		fprintf(stderr, "usage: lab_stream DESTINATION RATE_HZ [fifo_priority]\n");
		return 2;
	}
	fd = open_socket(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "lab_stream: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	param.sched_priority = argc > 3 ? atoi(argv[3]) : 0;
	if (param.sched_priority > 0 && sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		perror("lab_stream: SCHED_FIFO");
	for (size_t i = 0; i < PACE_BURST_MAX; i++)
		iov[i] = (struct iovec){.iov_base = payload[i], .iov_len = PAYLOAD};
	pace_run(fd, rate, iov, put_numbers, NULL);
	return 0;
}
