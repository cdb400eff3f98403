/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
/* Packets at a steady rate, in a burst each millisecond, until SIGINT or SIGTERM. */
#ifndef LAB_PACE_H
#define LAB_PACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PACE_BURST_MAX 1000
#define PACE_RATE_MAX  (PACE_BURST_MAX * 1000L)

/* Makes the next n packets ready, the first of which is number (from 0). */
typedef void pace_fill(void *arg, struct iovec *iov, size_t n, uint64_t number);

/* Sends rate packets a second to a connected or bound socket, from PACE_BURST_MAX places. A burst
 * that is late by more than some is left out: what was stopped must not come back as a flood.
 * Prints {"sent":N,"left_out":N} at the end. */
void pace_run(int fd, long rate, struct iovec *iov, pace_fill *fill, void *arg);

#endif
