/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_ISSUE_PRIV_H
#define CONF_ISSUE_PRIV_H

#include <stdarg.h>

#include "conf.h"

/** Collecting findings. Without memory a finding is still counted, so that nothing gets valid. */

/** Prepare an empty collection. */
void conf_issues_init(struct conf_issues *issues, const char *path);
/** Add one. @param pointer  malloced, taken over; NULL = "" */
void conf_issues_addv(struct conf_issues *issues, enum conf_severity severity, uint32_t line,
	uint32_t column, char *pointer, const char *fmt, va_list ap)
	__attribute__((format(printf, 6, 0)));
void conf_issues_add(struct conf_issues *issues, enum conf_severity severity, uint32_t line,
	uint32_t column, char *pointer, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/**
 * What may stand there and what was probably meant, of the finding that was added last; each may
 * be NULL. Both are copied, and are in its text as well.
 */
void conf_issues_hint(struct conf_issues *issues, const char *allowed, const char *suggestion);
/** Put them in order of position; equal positions keep the order in which they were added. */
void conf_issues_sort(struct conf_issues *issues);

/**
 * Write text for a person to read: control and invisible characters become \uXXXX, bytes that are
 * not UTF-8 become ?, what is over max characters is cut and ends in "...".
 */
void conf_text_print(const char *s, size_t len, size_t max, FILE *to);

#endif
