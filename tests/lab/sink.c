/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/*
 * lab_sink: which packets of a lab_stream did not arrive, and when?
 *
 *   lab_sink ADDRESS [fifo_priority]
 *
 * Prints {"event":"ready"}, then for each run of missing numbers {"event":"gap"} with how many and
 * CLOCK_REALTIME, in seconds, when the next one was read. On SIGINT or SIGTERM {"event":"summary"}:
 * "overflow" are packets that reached this socket and found no room, so they are in gaps and no
 * router's fault; "late" came after a higher number, and are in a gap too.
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

#define PORT	  9 /* of lab_stream */
#define BATCH	  64
#define ROOM	  (32 << 20)
#define TIMEOUT_S 1 /* a look whether to stop, where nothing comes */

static volatile sig_atomic_t stopping;

static struct {
	uint64_t next, received, missing, late, overflow;
	bool begun;
} seen;

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static int
open_socket(const char *address)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in6 at6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	bool six = inet_pton(AF_INET6, address, &at6.sin6_addr) == 1;
	struct timeval timeout = {.tv_sec = TIMEOUT_S};
	int on = 1, room = ROOM, fd;

	if (!six && inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0)
		return -1;
	if (bind(fd, six ? (const struct sockaddr *)&at6 : (const struct sockaddr *)&at,
		    six ? sizeof(at6) : sizeof(at)) != 0)
		return -1;
	return fd;
}

static void
take(uint64_t number)
{
	struct timespec ts;

	seen.received++;
	if (seen.begun && number < seen.next) {
		seen.late++;
		return;
	}
	if (seen.begun && number != seen.next) {
		clock_gettime(CLOCK_REALTIME, &ts);
		printf("{\"event\":\"gap\",\"at\":%lld.%09ld,\"missing\":%llu}\n",
			(long long)ts.tv_sec, ts.tv_nsec, (unsigned long long)(number - seen.next));
		fflush(stdout);
		seen.missing += number - seen.next;
	}
	seen.begun = true;
	seen.next = number + 1;
}

/* How many this socket had no room for so far, as the kernel tells with each packet. */
static void
overflow(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		uint32_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&n, CMSG_DATA(c), sizeof(n));
		seen.overflow = n;
	}
}

int
main(int argc, char **argv)
{
	static struct mmsghdr msgs[BATCH];
	static struct iovec iov[BATCH];
	static uint64_t number[BATCH];
	static char control[BATCH][CMSG_SPACE(sizeof(uint32_t))];
	struct sigaction act = {.sa_handler = stop}; /* no restart: a call is to return */
	struct sched_param param = {0};
	int fd;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: lab_sink ADDRESS [fifo_priority]\n");
		return 2;
	}
	fd = open_socket(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "lab_sink: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	param.sched_priority = argc > 2 ? atoi(argv[2]) : 0;
	if (param.sched_priority > 0 && sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		perror("lab_sink: SCHED_FIFO");
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	printf("{\"event\":\"ready\"}\n");
	fflush(stdout);
	while (!stopping) {
		int n;

		for (size_t i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){
				.iov_base = &number[i], .iov_len = sizeof(number[i])};
			msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i],
				.msg_iovlen = 1,
				.msg_control = control[i],
				.msg_controllen = sizeof(control[i])};
		}
		n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			overflow(&msgs[i].msg_hdr);
			if (msgs[i].msg_len == sizeof(number[i]))
				take(be64toh(number[i]));
		}
	}
	printf("{\"event\":\"summary\",\"received\":%llu,\"next\":%llu,\"missing\":%llu,\"late\":%llu,"
	       "\"overflow\":%llu}\n",
		(unsigned long long)seen.received, (unsigned long long)seen.next,
		(unsigned long long)seen.missing, (unsigned long long)seen.late,
		(unsigned long long)seen.overflow);
	return 0;
}
