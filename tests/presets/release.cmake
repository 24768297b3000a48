# SPDX-License-Identifier: Apache-2.0
# What is shipped, with the static checks: cmake -C tests/presets/release.cmake -S . -B build/release
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(SCEPD_WERROR ON CACHE BOOL "")
set(SCEPD_STATIC_CHECKS ON CACHE BOOL "")
