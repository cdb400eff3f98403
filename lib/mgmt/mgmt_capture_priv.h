/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_CAPTURE_PRIV_H
#define MGMT_CAPTURE_PRIV_H

#include <stdint.h>

struct ctl_frame;
struct mgmt_config;
struct mgmt_session;

/** @file Frames for people: the comments of a pcapng file, and the commands that write it. */

/** Room for the comment of every frame. */
#define MGMT_FRAME_TEXT 192
/** What became of a frame of the control lcore, in words. @return buf @thread any */
const char *mgmt_frame_text(
	const struct mgmt_config *c, const struct ctl_frame *f, char buf[MGMT_FRAME_TEXT]);

/** "capture dump": what the control lcore keeps, to a new file. @thread the session's */
void mgmt_capture_dump(struct mgmt_session *s, const char *path);

#endif
