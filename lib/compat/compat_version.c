/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_version.h"

#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

/*
 * "DPDK 22.11.11", of the library: the drivers come with it. The numbers by themselves are
 * experimental.
 */
static void
parse(unsigned long part[3])
{
	const char *text = rte_version();
	char *end;

	text += strcspn(text, "0123456789");
	for (unsigned int i = 0; i < 3; i++) {
		part[i] = strtoul(text, &end, 10);
		text = *end == '.' ? end + 1 : "";
	}
}

unsigned int
compat_dpdk_release(void)
{
	unsigned long part[3];

	parse(part);
	return (unsigned int)(part[0] * 100 + part[1]);
}

unsigned int
compat_dpdk_point(void)
{
	unsigned long part[3];

	parse(part);
	return (unsigned int)part[2];
}
