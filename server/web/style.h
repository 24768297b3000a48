// SPDX-License-Identifier: Apache-2.0
// The style sheet style.css, which the build makes into octets of the program (embed.cmake).
#pragma once

#include <stddef.h>
#include <stdint.h>

extern const uint8_t style_css[];
extern const size_t style_css_len;
