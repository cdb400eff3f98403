/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef CONF_PASS_PRIV_H
#define CONF_PASS_PRIV_H

#include "conf.h"

/**
 * The key of a passphrase, with the reason when there is none. The reason never repeats it.
 * @return as auth_key_from_pass()
 */
int conf_pass_key(const char *pass, uint8_t key[AUTH_KEY_LEN], char *err, size_t err_len);

#endif
