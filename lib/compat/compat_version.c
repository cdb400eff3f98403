/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "compat_version.h"

#include <stdlib.h>
#include <string.h>

#include <rte_version.h>

unsigned int
compat_dpdk_release(void)
{
	/* "DPDK 22.11.11", of the library: the drivers come with it. The numbers by themselves are
	 * experimental. */
	const char *text = rte_version();
	unsigned long year, month = 0;
	char *end;

	text += strcspn(text, "0123456789");
	year = strtoul(text, &end, 10);
	if (*end == '.')
		month = strtoul(end + 1, NULL, 10);
	return (unsigned int)(year * 100 + month);
}
