/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_stream: small UDP packets at a steady rate, in a burst each millisecond; over IPv4 they have
 * 64 bytes on the wire.
 *
 *   lab_stream DESTINATION RATE_HZ [fifo_priority]
 *
 * Each begins with its number, from 0, in network order (lab_sink counts what is missing). A burst
 * that is more than CATCH_UP late is left out: a stream that was stopped must not come back as a
 * flood. Prints {"sent":N,"left_out":N} on SIGINT or SIGTERM.
 */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S  1000000000LL
#define PERIOD_NS 1000000LL
#define CATCH_UP  4 /* bursts */
#define BURST_MAX 1000
#define PORT	  9  /* discard */
#define PAYLOAD	  18 /* with Ethernet, IPv4, UDP and check sequence 64 bytes */

static volatile sig_atomic_t stopping;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static int64_t
clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
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
	static struct mmsghdr msgs[BURST_MAX];
	static char payload[BURST_MAX][PAYLOAD];
	static struct iovec iov[BURST_MAX];
	struct sched_param param = {0};
	unsigned long long sent = 0, left_out = 0;
	long rate = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int64_t due, owed = 0;
	int fd;

	if (argc < 3 || argc > 4 || rate < 1 || rate > BURST_MAX * 1000L) {
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
	for (size_t i = 0; i < BURST_MAX; i++) {
		iov[i] = (struct iovec){.iov_base = payload[i], .iov_len = PAYLOAD};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	due = clock_ns();
	while (!stopping) {
		struct timespec ts;
		int64_t now;
		int n;

		due += PERIOD_NS;
		ts = (struct timespec){.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
			continue;
		/* In packets times 1000, so that a rate below 1 kHz is kept as well. */
		owed += rate;
		now = clock_ns();
		if (now - due > CATCH_UP * PERIOD_NS) {
			left_out += (unsigned long long)(owed / 1000);
			owed %= 1000;
			continue;
		}
		for (int64_t i = 0; i < owed / 1000; i++) {
			uint64_t number = htobe64(sent + (uint64_t)i);

			memcpy(payload[i], &number, sizeof(number));
		}
		/* What an interface refuses for lack of room is not sent again. */
		n = sendmmsg(fd, msgs, (unsigned int)(owed / 1000), MSG_DONTWAIT);
		sent += n > 0 ? (unsigned long long)n : 0;
		left_out += (unsigned long long)(owed / 1000 - (n > 0 ? n : 0));
		owed %= 1000;
	}
	printf("{\"sent\":%llu,\"left_out\":%llu}\n", sent, left_out);
	return 0;
}
