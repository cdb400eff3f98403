/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright (c) 2026 the koi contributors
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/**
 * @file
 * The entry that libFuzzer calls for every input, and replay.c for every file of a corpus. A broken
 * property aborts, by BASE_ASSERT().
 * @return 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
