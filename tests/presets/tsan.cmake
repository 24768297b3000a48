# SPDX-License-Identifier: Apache-2.0
# ThreadSanitizer. It needs no suppressions: what it sees of the libraries, their locks, is enough.
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(SCEPD_WERROR ON CACHE BOOL "")
set(SCEPD_SANITIZE thread CACHE STRING "")
