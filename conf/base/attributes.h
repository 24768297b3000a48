// SPDX-License-Identifier: Apache-2.0
// The four compiler attributes the project uses (cleanup, format, nonnull, warn_unused_result).
#pragma once

#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NONNULL(...)      __attribute__((nonnull(__VA_ARGS__)))

// Defines cleanup_<fn>(), which calls `fn` on the variable unless it is NULL; for use with CLEANUP.
#define DEFINE_CLEANUP(type, fn)                                                                   \
    static inline void cleanup_##fn(type *variable)                                                \
    {                                                                                              \
        if (*variable != NULL) {                                                                   \
            fn(*variable);                                                                         \
        }                                                                                          \
    }                                                                                              \
    static inline void cleanup_##fn(type *variable)
