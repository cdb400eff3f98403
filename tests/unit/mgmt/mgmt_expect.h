/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef MGMT_EXPECT_H
#define MGMT_EXPECT_H

#include <stdio.h>

#include <jansson.h>

/** @file Comparing what management shows, word for word. */

/** The text made of a view is this; the view is freed. */
void expect_text(json_t *view, void (*print)(FILE *, const json_t *), const char *want);

#define EXPECT(name, args, want) \
	expect_text(mgmt_view_##name(&fake.config, &(args)), mgmt_text_##name, want)

#endif
