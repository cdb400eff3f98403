/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "pace.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#define NS_PER_S  1000000000LL
#define PERIOD_NS 1000000LL
#define CATCH_UP  4 /* bursts */

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

void
pace_run(int fd, long rate, struct iovec *iov, pace_fill *fill, void *arg)
{
	static struct mmsghdr msgs[PACE_BURST_MAX];
	unsigned long long sent = 0, left_out = 0;
	int64_t due, owed = 0;

	for (size_t i = 0; i < PACE_BURST_MAX; i++)
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	due = clock_ns();
	while (!stopping) {
		struct timespec ts;
		unsigned int n, done;
		int ret;

		due += PERIOD_NS;
		ts = (struct timespec){.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
			continue;
		/* In packets times 1000, so that a rate below 1 kHz is kept as well. */
		owed += rate;
		n = (unsigned int)(owed / 1000);
		owed %= 1000;
		if (clock_ns() - due > CATCH_UP * PERIOD_NS) {
			left_out += n;
			continue;
		}
		fill(arg, iov, n, sent);
		/* What an interface refuses for lack of room is not sent again. */
		ret = sendmmsg(fd, msgs, n, MSG_DONTWAIT);
		done = ret > 0 ? (unsigned int)ret : 0;
		sent += done;
		left_out += n - done;
	}
	printf("{\"sent\":%llu,\"left_out\":%llu}\n", sent, left_out);
}
