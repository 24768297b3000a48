// SPDX-License-Identifier: Apache-2.0
// A store in a temporary folder that is filled with numbered certificates. Everything about a
// certificate follows from its number and from how many there are in all, so a look-up can be made
// without remembering any. A call that fails ends the program.
#pragma once

#include "ra/store/writer.h"

#define SCALE_MIB               ((uint64_t)1 << 20)
#define SCALE_PENDING           1000 // requests that wait, at every size
#define SCALE_CERTIFICATES_EACH 4    // of a device, about; the newest is its present one
#define SCALE_SPACING_SEC       60   // between the ends of two devices' present certificates
#define SCALE_FIRST_END         ((int64_t)1831536000) // when that of device 0 ends

struct scale_store {
    char directory[64];
    struct store *store;
    struct writer *writer;
    uint32_t filled; // certificates
};

void scale_open(uint32_t map_mib, struct scale_store *ret_scale);
// Deletes it, too.
void scale_remove(struct scale_store *scale);
// Issues certificates up to `total` and prints how fast that went.
void scale_fill(struct scale_store *scale, uint32_t total);
void scale_fill_pending(struct scale_store *scale);

void scale_hash(const char *what, uint32_t number, uint8_t ret_hash[SHA256_LEN]);
void scale_serial(uint32_t number, uint8_t ret_serial[SERIAL_LEN]);
// The device of certificate `number`: 0 to total / SCALE_CERTIFICATES_EACH - 1.
uint32_t scale_device(uint32_t number, uint32_t total);
void scale_device_name(uint32_t device, char ret_name[13]);

double scale_seconds(void);
_Noreturn void scale_fail(const char *what, const struct err *err);
