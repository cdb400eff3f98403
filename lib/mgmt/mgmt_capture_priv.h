/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_CAPTURE_PRIV_H
#define MGMT_CAPTURE_PRIV_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct ctl_frame;
struct mgmt_capture;
struct mgmt_config;
struct mgmt_pcap;
struct mgmt_session;

/**
 * @file
 * Frames for people: the comments of a pcapng file, and the commands that write it. These wait for
 * the disk: their caller does not hold the configuration.
 */

/** Room for the comment of every frame. */
#define MGMT_FRAME_TEXT 192
/** What became of a frame of the control lcore, in words. @return buf @thread any */
const char *mgmt_frame_text(
	const struct mgmt_config *c, const struct ctl_frame *f, char buf[MGMT_FRAME_TEXT]);

/**
 * Append a frame of the control lcore with its text; the configuration is held.
 * @return as mgmt_pcap_put()
 */
int mgmt_capture_put(const struct mgmt_config *c, struct mgmt_pcap *to, const struct ctl_frame *f);

/** "capture dump": what the control lcore keeps, to a new file. @thread the session's */
void mgmt_capture_dump(struct mgmt_session *s, const char *path);

/** @name Live capture, one at a time. @{ */
enum mgmt_capture_scope {
	MGMT_CAPTURE_GROUPS = 0, /**< control frames of interfaces that have groups */
	MGMT_CAPTURE_INTERFACE,	 /**< all frames of an interface */
	MGMT_CAPTURE_ALL,
};
/** Length of a file, unless another is set. */
#define MGMT_CAPTURE_BYTES (UINT64_C(64) << 20)
struct mgmt_capture_limits {
	uint64_t bytes;	  /**< of the file */
	uint64_t packets; /**< 0: no limit */
	uint64_t snap;	  /**< bytes of a frame */
};
struct mgmt_capture_status {
	bool running;
	enum mgmt_capture_scope scope;
	uint16_t if_index;
	struct mgmt_capture_limits limits; /**< of this one; of the next one when none is running */
	uint64_t started_ns;		   /**< CLOCK_REALTIME; 0: there was none yet */
	uint64_t frames, bytes;
	uint64_t lost;	/**< frames that found a ring full */
	int error;	/**< negative errno that ended it, or 0 */
	char ended[64]; /**< why */
	char path[PATH_MAX];
};
struct mgmt_capture *mgmt_capture_new(const struct mgmt_config *config);
/** Ends it. */
void mgmt_capture_free(struct mgmt_capture *c);
/** @thread any; of NULL as if there had been none */
void mgmt_capture_status(struct mgmt_capture *c, struct mgmt_capture_status *out);
/** @name The commands. @thread the session's @{ */
void mgmt_capture_start(
	struct mgmt_session *s, const char *path, enum mgmt_capture_scope scope, uint16_t if_index);
void mgmt_capture_stop(struct mgmt_session *s);
/** @param which  "bytes", "packets" or "snap", of captures that are started from now on */
void mgmt_capture_limit(struct mgmt_session *s, const char *which, uint64_t value);
/** @} @} */

#endif
