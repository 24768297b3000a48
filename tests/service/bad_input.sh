#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What administrators give scepctl by mistake: device lists, PKCS#10s, passwords, option 43, settings
# and command lines. Each gets its message and its exit code, and nothing is lost or overwritten.
# Full disks and restores over a running store are in backup.sh.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

LONG=1048576 # octets of a line
PHONE=001A2B3C4D5E

# given FILE FORMAT [ARGUMENT...]: $WORK/FILE as printf writes it.
given() {
    given_file=$WORK/$1
    shift
    # shellcheck disable=SC2059 # the format is the content
    printf "$@" >"$given_file"
}

# refused STATUS TEXT COMMAND...: at the site, with this message and nothing on standard output.
refused() {
    refused_status=$1
    refused_text=$2
    shift 2
    got=0
    ctl site "$@" >"$WORK/told" 2>"$WORK/output" || got=$?
    [ "$got" -eq "$refused_status" ] || fail "exit status $got instead of $refused_status: $*"
    assert_output "$refused_text"
    [ ! -s "$WORK/told" ] || fail "something on standard output: $*"
}

# list_is TEXT: the device list, as MAC/SERIAL/NOTE with spaces between devices.
list_is() {
    ctl site --json device list | jq -r '[.devices[] | [.mac, .serial_number, .note] | join("/")] |
        join(" ")' >"$WORK/list"
    [ "$(cat "$WORK/list")" = "$1" ] || fail "the device list is: $(cat "$WORK/list")"
}

# nothing_imported FILE TEXT: exit status 1, the list as it was.
nothing_imported() {
    ctl site --json device list >"$WORK/before.json" || fail "device list"
    refused 1 "$2" device import "$WORK/$1"
    ctl site --json device list | cmp - "$WORK/before.json" || fail "$1 changed the device list"
}

# line_left_out FILE LINE TEXT: that line alone; the good one before it is imported.
line_left_out() {
    expect 1 ctl site device import "$WORK/$1"
    assert_output "$WORK/$1:$2: $3" '1 device imported, 1 bad line left out.'
    list_is "$PHONE//kept"
}

make_server site
set_setting site servers.domains '["telco.net"]'
start_server site

say "device lists: duplicates within the file, in two notations"
expect 0 ctl site device add --mac "$PHONE" --note kept
GOOD="$PHONE,,,kept\\n"
given twice.csv "${GOOD}00:1a:2b:3c:4d:5e,FCH1,,lost\\n"
line_left_out twice.csv 2 "the MAC $PHONE is on line 1 already"
given number.csv "mac,serial,note\\n$PHONE,FCH1,kept\\n,fch1,lost\\n"
expect 1 ctl site device import "$WORK/number.csv"
assert_output "$WORK/number.csv:3: the serial number FCH1 is on line 2 already"
list_is "$PHONE/FCH1/kept"
given good.csv "$GOOD"
expect 0 ctl site device import "$WORK/good.csv"
assert_output '1 device imported, 0 bad lines left out.' \
    '1 of them was on the list already; what stood there is replaced.'
expect 0 ctl site device import "$WORK/good.csv"
if grep -q replaced "$WORK/output"; then
    fail "the same once more replaces nothing"
fi
list_is "$PHONE//kept"
expect 0 ctl site device add --mac 00-1A-2B-3C-4D-5E --note kept
given taken.csv '000000000001,FCH9\n'
expect 0 ctl site device import "$WORK/taken.csv"
given conflict.csv '000000000002,FCH9,,second\n000000000003\n'
nothing_imported conflict.csv 'none of the 2 devices'
expect 0 ctl site device remove 000000000001

say "device lists: MACs that no device has"
while read -r mac message; do
    given mac.csv "$GOOD%s,,,lost\\n" "$mac"
    line_left_out mac.csv 2 "$message"
    refused 1 "$message" device add --mac "$mac"
    refused 1 "$message" challenge new --mac "$mac"
done <<END
001A2B3C4D5 "001A2B3C4D5" is not a MAC address; write 12 hex digits
001A2B3C4D5E6 "001A2B3C4D5E6" is not a MAC address; write 12 hex digits
001A2B3C4D5G "001A2B3C4D5G" is not a MAC address; write 12 hex digits
00:1A:2B:3C:4D "00:1A:2B:3C:4D" is not a MAC address; write 12 hex digits
01:00:5E:00:00:01 the MAC 01005E000001 is the multicast address of a group; no device has it
ff-ff-ff-ff-ff-ff the MAC FFFFFFFFFFFF is the broadcast address; no device has it
0000.0000.0000 the MAC 000000000000 is all zeros; no device has it
END
list_is "$PHONE//kept"

say "device lists: encodings, line ends, titles"
given bom.csv "\\357\\273\\277mac,note\\r\\n$PHONE,kept\\r\\n"
expect 0 ctl site device import "$WORK/bom.csv"
list_is "$PHONE//kept"
given text.csv "mac,note\\n$PHONE,lost\\n"
for encoding in UTF-16LE UTF-16BE; do
    case $encoding in
    *LE) given utf16.csv '\377\376' ;;
    *) given utf16.csv '\376\377' ;;
    esac
    iconv -f UTF-8 -t "$encoding" "$WORK/text.csv" >>"$WORK/utf16.csv"
    nothing_imported utf16.csv 'line 1: UTF-16 text; the file must be UTF-8'
done
iconv -f UTF-8 -t UTF-16LE "$WORK/text.csv" >"$WORK/bare16.csv"
nothing_imported bare16.csv 'line 1: a NUL octet; the file must be UTF-8 text; nothing is imported'
given semicolon.csv "mac;note\\n$PHONE;lost\\n"
nothing_imported semicolon.csv 'line 1: columns with semicolons between them; allowed are commas'
given title.csv "mac,colour\\n$PHONE,lost\\n"
nothing_imported title.csv 'line 1: unknown column "colour"; allowed are mac, serial'
given untitled.csv "$GOOD"
expect 0 ctl site device import "$WORK/untitled.csv"
for empty in '' '\n\n' 'mac,note\n'; do
    given empty.csv "$empty"
    nothing_imported empty.csv 'empty.csv has no devices; nothing is imported'
done
refused 2 "cannot open $WORK/absent.csv: No such file" device import "$WORK/absent.csv"

say "device lists: a line of 1 MiB, NUL, quoted newlines"
{ echo "$PHONE,,,kept" && head -c "$LONG" /dev/zero | tr '\0' 'x' && echo; } >"$WORK/long.csv"
line_left_out long.csv 2 'longer than 4096 octets'
given nul.csv "${GOOD}000000000001,,,a\\000b\\n"
line_left_out nul.csv 2 'a NUL octet; the file must be UTF-8 text'
given quoted.csv "${GOOD}000000000001,,,\"two\\nlines\"\\n"
expect 1 ctl site device import "$WORK/quoted.csv"
assert_output "$WORK/quoted.csv:2: a quote that is not closed on its line" \
    '1 device imported, 2 bad lines left out.'
list_is "$PHONE//kept"

say "server-cert sign: PKCS#10s that get no certificate, and leave no file"
# new_csr CN: $WORK/bad.csr, in DER bad.der.
new_csr() {
    openssl req -new -key "$WORK/server.key" -out "$WORK/bad.csr" -subj "$1" 2>"$WORK/output" ||
        fail "openssl req"
    openssl req -in "$WORK/bad.csr" -outform DER -out "$WORK/bad.der"
}
openssl genrsa -out "$WORK/server.key" 2048 2>"$WORK/output" || fail "openssl genrsa"
echo precious >"$WORK/precious"
new_csr '/CN=pv.telco.net'
refused 1 'exists already' server-cert sign "$WORK/bad.csr" --out "$WORK/precious"
size=$(stat -c %s "$WORK/bad.der")
cp "$WORK/bad.der" "$WORK/cut.der"
printf '\125' | dd of="$WORK/bad.der" bs=1 seek=$((size - 9)) conv=notrunc status=none
refused 1 "the PKCS#10's own signature does not hold" server-cert sign "$WORK/bad.der" \
    --out "$WORK/none"
truncate -s $((size - 1)) "$WORK/cut.der"
refused 1 'not exactly one DER PKCS#10' server-cert sign "$WORK/cut.der" --out "$WORK/none"
given bad.pem '%s\nAAAA\n' '-----BEGIN CERTIFICATE REQUEST-----'
refused 1 "$WORK/bad.pem: malformed PEM" server-cert sign "$WORK/bad.pem" --out "$WORK/none"
new_csr '/CN=pv.telco.net/CN=second.telco.net'
refused 1 'common name' server-cert sign "$WORK/bad.csr" --out "$WORK/none"
new_csr '/CN=*.telco.net'
refused 1 'a wildcard' server-cert sign "$WORK/bad.csr" --out "$WORK/none"
new_csr '/CN=192.0.2.7'
refused 1 'an IP address' server-cert sign "$WORK/bad.csr" --out "$WORK/none"
new_csr '/CN=pv'
refused 1 'no domain' server-cert sign "$WORK/bad.csr" --out "$WORK/none"
refused 2 "cannot open $WORK/absent: No such file" server-cert sign "$WORK/absent"
[ ! -e "$WORK/none" ] || fail "a file after a refusal"
[ "$(cat "$WORK/precious")" = precious ] || fail "a file was overwritten"
assert_issued site 0

say "phone p12: passwords of no length"
given empty ''
given line '\nsecond line\n'
for password in empty line; do
    refused 2 "the first line of $WORK/$password is empty" phone p12 --cn CP-8841-SEP000000000001 \
        --out "$WORK/none" --password-file "$WORK/$password"
done
refused 2 'the first line of standard input is empty' phone p12 --cn CP-8841-SEP000000000001 \
    --out "$WORK/none" --password-file - </dev/null
# At a terminal somebody presses the return key alone.
got=0
: >"$WORK/output"
# shellcheck disable=SC2094 # it waits for what the other one writes
{ "$TOOLS/await" "$WORK/output" 1 "$LOG_SEC" 'Password of the new file' && echo; } |
    script -qefc "'$BIN/scepctl' -c '$WORK/site/scepd.conf' phone p12 --cn x --out '$WORK/none'" \
        "$WORK/ignored" >"$WORK/output" || got=$?
[ "$got" -eq 2 ] || fail "exit status $got for an empty password at a terminal"
assert_output 'an empty password'
[ ! -e "$WORK/none" ] || fail "a file without a password"
assert_issued site 0

say "phone option43: values that are none, and one that is too long"
refused 2 '3 hexadecimal digits, an odd number; each octet has two' phone option43 --decode 0b0
refused 2 '--decode: ' phone option43 --decode 0b0g
expect 1 ctl site phone option43 --decode 630161
assert_output '99' 'unknown'
expect 1 ctl site phone option43 --decode 0b7f6874
assert_output '127'
expect 1 ctl site phone option43 --decode "63fe$(printf '%0508d' 0)"
assert_output '256 octets; an option has at most 255'
label=$(printf '%058d' 0)
refused 2 'server and challenge have 253 octets together; allowed are at most 207' phone option43 \
    --server "http://$label.$label.$label.$label.example.nl" --fingerprint "$(printf '%064d' 0)"

say "settings"
copy=$WORK/site/other.conf
# settings_refused SED TEXT: scepd.conf with this change.
settings_refused() {
    sed "$1" "$WORK/site/scepd.conf" >"$copy"
    cmp -s "$copy" "$WORK/site/scepd.conf" && fail "nothing is changed by $1"
    expect 2 "$BIN/scepctl" -c "$copy" status
    assert_output "$copy" "$2" '-c FILE names another settings file'
    expect 2 "$BIN/scepd" -t -c "$copy"
    assert_output "$2"
}
settings_refused 's/^http = {/http = /' 'syntax'
settings_refused 's/^http = {/http = { colour = "red";/' 'colour'
settings_refused 's/^    listen = .*/    listen = 3;/' 'listen'
expect 2 "$BIN/scepctl" -c "$WORK/absent.conf" status
assert_output "cannot open $WORK/absent.conf: No such file or directory"
expect 2 "$BIN/scepctl" -c "$WORK" list
assert_output "$WORK: Is a directory"

say "command lines"
while IFS='|' read -r words message; do
    # shellcheck disable=SC2086 # words
    refused 2 "$message" $words
done <<'END'
staus|unknown command "staus"; did you mean "status"?
challenge|"challenge" is not a whole command; allowed are challenge new
challenge lst|unknown command "challenge lst"; did you mean "challenge list"?
list --limits 3|unknown option --limits; did you mean --limit?
list --limit|--limit needs a value
list --limit many|--limit: "many" is not a whole number
list --json=yes|--json takes no value
show|show needs SERIAL|CN|MAC
revoke x --reason bored|--reason: unknown "bored"; allowed are unspecified
fingerprint --hash md5|--hash "md5" is unknown
export --format xml|--format: "xml"; allowed are pem, csv, jsonl
END

say "scepd cannot be reached"
socket=$(ls "$WORK/site/admin.sock")
stop_server site
for command in status list due "log $PHONE" watch "revoke $PHONE" "device list" "challenge new" \
    "pending list" "fingerprint" "export --format csv" "backup $WORK/none" \
    "device import $WORK/good.csv" "server-cert sign $WORK/cut.der"; do
    # shellcheck disable=SC2086 # words
    refused 1 '' $command
done
expect 1 ctl site status
assert_output "cannot reach scepd at $socket" "is it running with $WORK/site/scepd.conf?"
expect 1 "$BIN/scepctl" -s "$WORK/absent.sock" status
assert_output "cannot reach scepd at $WORK/absent.sock: No such file or directory; is it running?"
[ ! -e "$WORK/none" ] || fail "a file although scepd was away"
start_server site
list_is "$PHONE//kept"
