#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The device list of a whole site: ten thousand devices of which one line is broken, while scepd
# serves, and after a kill -9; and what an administrator is told of a phone that is or is not on it.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# devices: so many the list has.
devices() {
    ctl site --json device list --limit 100000 >"$WORK/devices.json" || fail "device list"
    grep -c '"added_at":' "$WORK/devices.json" || true
}

# write_list FILE LINE TEXT: 10,000 devices after a line of titles, CRLF; TEXT stands on LINE.
write_list() {
    awk -v at="$2" -v text="$3" 'BEGIN {
        printf "\357\273\277Serial,MAC,Model,Note\r\n"
        for (line = 2; line <= 10001; line++)
            if (line == at) printf "%s\r\n", text
            else printf "FCH%05d,%012X,CP-8861,\"row %d, by awk\"\r\n", line, line, line
    }' >"$1"
}

make_server site
start_server site
mkdir "$WORK/mics"
"$TOOLS/mic_factory" "$WORK/mics" >"$WORK/mics.log" || fail "mic_factory"

say "10,000 rows, line 7,341 is broken: it is told, the others are there, and a second time, too"
write_list "$WORK/site.csv" 7341 "FCH99999,001A2B3C4D5,CP-8861,x"
for _ in first second; do
    expect 1 ctl site device import "$WORK/site.csv"
    assert_output "$WORK/site.csv:7341: " '"001A2B3C4D5" is not a MAC address' '12 hex digits' \
        '9999 devices imported, 1 bad line left out.'
    [ "$(devices)" -eq 9999 ] || fail "not 9999 devices"
done
assert_log site event=devices_added count=9999

say "the same from standard input, repaired"
write_list "$WORK/site.csv" 7341 "FCH99999,00:1A:2B:3C:4D:5E,CP-9871,reception"
expect 0 ctl site device import - <"$WORK/site.csv"
assert_output '10000 devices imported, 0 bad lines left out.'
[ "$(devices)" -eq 10000 ] || fail "not 10000 devices"

say "scepd refuses one of them: none of the file is there"
printf '000000FFFFFF\n000000FFFFFE,FCH99999\n' >"$WORK/two.csv"
expect 1 ctl site device import "$WORK/two.csv"
assert_output 'the same serial number FCH99999' 'none of the 2 devices'
[ "$(devices)" -eq 10000 ] || fail "something of a refused file is there"

say "the list survives kill -9"
kill_server site
trust_mics site "$(mic_store cisco-2099 crca2099 hasudi)"
set_setting site devices.accept '"listed"'
start_server site
[ "$(devices)" -eq 10000 ] || fail "devices lost"

say "the listed phone gets its certificate; taken off the list, its renewal will fail"
expect 0 ctl site device show FCH99999
assert_output 'reception' 'Certificate:' none
expect 0 ctl site device remove FCH99999
expect 0 ctl site device add --mac 00:1a:2b:3c:4d:5e --model 9871 --note reception
expect 0 phone enroll --mic "$WORK/mics/phone-9871.pem" --mic-key "$WORK/mics/phone-9871.key" \
    --out "$WORK/phone"
expect 0 ctl site device show CP-9871-SEP001A2B3C4D5E
assert_output CP-9871 'reception' 'MIC valid until:' ' MIC' ok
expect 0 ctl site due --days 3650
assert_output CP-9871-SEP001A2B3C4D5E '1 due' '0 of them will fail'
expect 0 ctl site device remove 001A2B3C4D5E
assert_log site event=device_removed mac=001A2B3C4D5E
expect 0 ctl site device show 001A2B3C4D5E
assert_output 'it is not on the device list'
expect 0 ctl site due --days 3650
assert_output '1 of them will fail' 'it is not on the device list'
