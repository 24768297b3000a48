#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checking settings, starting, reloading, ending: what an administrator and systemd see.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

notified() {
    "$TOOLS/await" "$WORK/site.run/notify" "$2" "$LOG_SEC" "$1" || fail "scepd did not notify $1"
}

check_settings() {
    say "scepd -t accepts what scepctl init made"
    expect 0 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"

    say "scepd -t reports every problem of a bad file at once; row 12: also a life of 15 days"
    cp "$WORK/site/scepd.conf" "$WORK/good.conf"
    set_setting site http.queue '"many"'
    set_setting site phone.validity_days 15
    set_setting site ra.certificate '"absent.pem"'
    sed -i 's/^    #sha1 = false;/    shal = false;/' "$WORK/site/scepd.conf"
    expect 2 "$BIN/scepd" -t -c "$WORK/site/scepd.conf"
    assert_output http.queue phone.validity_days ra.certificate absent.pem algorithms.shal
    for setting in queue validity_days shal; do
        line=$(grep -n "^    $setting = " "$WORK/site/scepd.conf" | cut -d: -f1)
        assert_output "scepd.conf:$line:"
    done
    expect 2 "$BIN/scepd" -c "$WORK/site/scepd.conf"
    assert_output http.queue phone.validity_days ra.certificate algorithms.shal
    mv "$WORK/site/scepd.conf" "$WORK/bad.conf"
    cp "$WORK/good.conf" "$WORK/site/scepd.conf"

    say "a settings file that is not there is an error, and so is a wrong command line"
    expect 2 "$BIN/scepd" -t -c "$WORK/absent.conf"
    assert_output absent.conf
    expect 2 "$BIN/scepd" --no-such-option
}

check_init() {
    say "scepctl init keeps private files private and overwrites nothing"
    for file in root.key issuing.key ra.key challenge.key; do
        mode=$(stat -c %a "$WORK/site/$file")
        [ "$mode" = 600 ] || fail "$file has mode $mode"
    done
    before=$(cksum "$WORK"/site/*.key "$WORK"/site/*.pem)
    expect 1 "$BIN/scepctl" init "$WORK/site" --listen 127.0.0.1:0
    [ "$before" = "$(cksum "$WORK"/site/*.key "$WORK"/site/*.pem)" ] || fail "init changed files"
    grep -qF "$FINGERPRINT" "$WORK/site.init" || fail "init did not print the root's SHA-256"
    rm "$WORK/site/root.key" # it can go offline at once
}

check_reload() {
    say "SIGHUP takes new settings"
    new_challenge site
    expect 3 enroll --cipher des3 --digest sha1
    assert_output badAlg
    set_setting site algorithms.sha1 true
    kill -HUP "$PID"
    notified RELOADING=1 1
    notified READY=1 2
    expect 0 enroll --cipher des3 --digest sha1

    say "SIGHUP with a bad file leaves the old settings"
    cp "$WORK/site/scepd.conf" "$WORK/good.conf"
    set_setting site algorithms.sha1 '"perhaps"'
    set_setting site phone.validity_days 3
    kill -HUP "$PID"
    notified READY=1 3
    assert_log site algorithms.sha1
    assert_log site phone.validity_days
    cp "$WORK/good.conf" "$WORK/site/scepd.conf"
    new_challenge site
    expect 0 enroll --cipher des3 --digest sha1
}

make_server site
check_init
check_settings

start_server site WATCHDOG_USEC=2000000
say "the watchdog is fed"
notified WATCHDOG=1 2
check_reload

say "a second scepd on the same files does not start, and does not disturb the first"
expect 1 "$BIN/scepd" -c "$WORK/site/scepd.conf"
new_challenge site
expect 0 enroll

say "SIGTERM ends scepd and scepd-ca with exit status 0"
stop_server site
notified STOPPING=1 1

say "SIGINT does so, too, and a restart knows what was issued"
start_server site
assert_issued site 3
end_server site INT "exit 0"
