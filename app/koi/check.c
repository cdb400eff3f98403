/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#include "check.h"

#include "conf.h"

int
check_run(const struct args *a)
{
	struct conf_issues issues;
	struct conf *c = conf_load(a->config, CONF_CHECK_ONLY, &issues);
	int ret = c == NULL ? ARGS_EXIT_USAGE : ARGS_EXIT_OK;

	if (a->json) {
		conf_issues_print_json(&issues, stdout);
	} else {
		conf_issues_print(&issues, stderr);
		if (c != NULL)
			printf("%s: valid\n", a->config);
	}
	/* a result that nobody could read is none */
	if (fflush(stdout) != 0)
		ret = ARGS_EXIT_USAGE;
	conf_free(c);
	conf_issues_free(&issues);
	return ret;
}
