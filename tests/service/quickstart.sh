#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The newcomer's command, in a copy of the source: once, and once more on the same demo folder.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

mkdir "$WORK/clone"
(cd "$(dirname "$0")/../.." && cp -R CMakeLists.txt README.md conf ca ra server systemd tests "$WORK/clone")

say "from nothing"
expect 0 sh "$WORK/clone/server/quickstart.sh" --once --listen 127.0.0.1:0
assert_output CDC_Root_CA_Fingerprint_1_ 'ua="na"'
root=$(cksum "$WORK/clone/demo/root.pem")

say "the demo folder is kept"
expect 0 sh "$WORK/clone/server/quickstart.sh" --once --listen 127.0.0.1:0
[ "$root" = "$(cksum "$WORK/clone/demo/root.pem")" ] || fail "another root"

say "wrong arguments"
expect 2 sh "$WORK/clone/server/quickstart.sh" --frobnicate
