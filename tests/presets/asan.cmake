# SPDX-License-Identifier: Apache-2.0
# AddressSanitizer with leak check, and UndefinedBehaviorSanitizer.
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(SCEPD_WERROR ON CACHE BOOL "")
set(SCEPD_SANITIZE address,undefined CACHE STRING "")
