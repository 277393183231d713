/* CRC-32C (Castagnoli), the checksum of Google Cloud Storage. */
#pragma once

#include "base/slice.h"

#include <stdint.h>

uint32_t ck_crc32c(struct ck_slice data);
