#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backup while phones enrol, restore into a folder and in place, export; a full disk, damaged files,
# and a restore over something: nothing half done is left, nothing is lost or overwritten.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

# crl_number: of the CRL that the server at ADDRESS gives.
crl_number() {
    curl -sS --fail --max-time 20 --noproxy '*' -o "$WORK/crl.der" "http://$ADDRESS/test.crl" ||
        fail "no CRL"
    openssl crl -inform DER -in "$WORK/crl.der" -noout -crlnumber | sed 's/.*=0x//; s/.*=//'
}

# What is in a folder: owners, modes, names, contents.
state_of() {
    find "$1" ! -type s -printf '%u %g %m %y %l %P\n' | sort
    find "$1" -type f ! -name lock.mdb -exec sha256sum {} + | sort
}

# assert_untouched FOLDER COMMAND...: it fails with 1 and leaves the folder as it was.
assert_untouched() {
    folder=$1
    shift
    state_of "$folder" >"$WORK/before.txt"
    expect 1 "$@"
    state_of "$folder" >"$WORK/after.txt"
    cmp "$WORK/before.txt" "$WORK/after.txt" || fail "$folder has changed: $*"
}

assert_nothing_new() {
    left=$(find "$WORK/place" -mindepth 1)
    [ -z "$left" ] || fail "left behind: $left"
}

serials_of() {
    for cert in "$1"/*.pem "$1"/*/cert.pem; do
        if [ -e "$cert" ] && openssl x509 -in "$cert" -noout 2>"$WORK/ignored"; then
            serial_of "$cert"
        fi
    done
}

make_server site
(umask 077 && echo 'one password for all of them' >"$WORK/static")
set_setting site challenge.static_file "\"$WORK/static\""
set_setting site http.crl_path '"/test.crl"'
issue_for_20_days site
start_server site
CHALLENGE_FILE=$WORK/static
expect 0 enroll --cn CP-9841-SEP000000000001 --out "$WORK/one"
new_challenge site --uses 5
expect 0 enroll --cn CP-9841-SEP000000000002 --out "$WORK/two"
CHALLENGE_FILE=$WORK/static
expect 0 phone bench --phones 40 --connections 4 --challenge-file "$WORK/static" --out "$WORK/before"
mkdir "$WORK/place"

say "a backup while phones enrol"
phone bench --phones 150 --connections 4 --challenge-file "$WORK/static" --first-phone 1001 \
    >"$WORK/bench" 2>&1 &
bench=$!
assert_log_at_least site 60 decision=issue
expect 0 ctl site backup "$WORK/full.tar"
assert_output 'It was read back and is whole.' "  $WORK/site/issuing.key" "  $WORK/site/ra.key" \
    "  $WORK/static" "The CA's key is among them: whoever reads the backup can be this CA" \
    "Not in it: $WORK/site/root.key, the root's key"
if grep -q '^  .*root.key' "$WORK/output"; then
    fail "the root's key is said to be in the backup"
fi
wait "$bench" || fail "the phones were disturbed: $(cat "$WORK/bench")"
[ "$(stat -c %a "$WORK/full.tar")" = 600 ] || fail "others can read the backup"
ctl site export --format jsonl >"$WORK/all"
[ "$(wc -l <"$WORK/all")" -eq 192 ] || fail "$(wc -l <"$WORK/all") certificates instead of 192"
assert_log site event=backup octets=

say "what was there stays: a file of that name, and one at a time"
sum=$(sha256sum <"$WORK/full.tar")
expect 1 ctl site backup "$WORK/full.tar"
assert_output 'exists already'
[ "$sum" = "$(sha256sum <"$WORK/full.tar")" ] || fail "the old backup was overwritten"
expect 1 ctl site backup "$WORK/nowhere/full.tar"
expect 2 ctl site backup
expect 1 "$BIN/scepctl" -c "$WORK/site/scepd.conf" backup "$WORK/place"
expect 0 ctl site --json backup "$WORK/place/json.tar"
assert_output '"has_keys": true' "\"root_key_left_out\": \"$WORK/site/root.key\"" '"path": "store/data.mdb"'
rm "$WORK/place/json.tar"

say "a disk that is full at the store's copy, at the files, at the very end"
size=$(stat -c %s "$WORK/full.tar")
for room in 0 512 30000 $((size / 2)) $((size - 30000)) $((size - 1100)); do
    expect 1 with_room "$room" "$BIN/scepctl" -c "$WORK/site/scepd.conf" backup "$WORK/place/b.tar"
    assert_output 'no backup was made' 'No space left on device'
    assert_nothing_new
done
expect 0 ctl site status
expect 0 ctl site backup "$WORK/place/b.tar"
rm "$WORK/place/b.tar"

say "three formats of export"
expect 0 ctl site export --format csv --out "$WORK/all.csv"
expect 0 ctl site export --format jsonl --out "$WORK/all.jsonl"
expect 0 ctl site export --format pem --out "$WORK/all.pem"
[ "$(wc -l <"$WORK/all.csv")" -eq 193 ] || fail "$(wc -l <"$WORK/all.csv") lines in the CSV file"
[ "$(grep -c '^{"serial":"[0-9A-F]*",.*}$' "$WORK/all.jsonl")" -eq 192 ] || fail "not 192 objects"
openssl crl2pkcs7 -nocrl -certfile "$WORK/all.pem" | openssl pkcs7 -print_certs -noout |
    grep -c '^subject=' >"$WORK/count" || fail "openssl cannot read the export"
[ "$(cat "$WORK/count")" -eq 192 ] || fail "$(cat "$WORK/count") certificates in the PEM file"
grep -q "^\"$(serial_of "$WORK/one/cert.pem")\",\"CP-9841-SEP000000000001\",\"000000000001\"" \
    "$WORK/all.csv" || fail "a phone is not in the CSV file"
expect 1 ctl site export --format csv --out "$WORK/all.csv"
expect 2 ctl site export
expect 2 ctl site export --format xml
# The C library's streams write past what LD_PRELOAD sees: a limit of 20 blocks of 512 octets.
if [ "${SCEPD_SANITIZE:-}" = thread ]; then
    say "skipped: an export to a full disk, because ThreadSanitizer's own files meet the limit first"
else
    # shellcheck disable=SC3045 # dash has it
    expect 1 sh -c 'trap "" XFSZ && ulimit -f 20 && exec "$@"' sh \
        "$BIN/scepctl" -c "$WORK/site/scepd.conf" export --format csv --out "$WORK/place/x.csv"
    assert_output 'File too large'
    assert_nothing_new
fi
ctl site export --format pem | cmp - "$WORK/all.pem" || fail "standard output gets something else"

say "a restore over a running server, and over one that is stopped"
state_of "$WORK/site" | grep -v store >"$WORK/running.txt"
expect 1 ctl site restore "$WORK/full.tar"
assert_output "scepd runs: it answers at $WORK/site/admin.sock" 'nothing was restored'
state_of "$WORK/site" | grep -v store | cmp - "$WORK/running.txt" || fail "something has changed"
expect 0 ctl site revoke CP-9841-SEP000000000002
expect 0 ctl site revoke "$(serials_of "$WORK/before" | head -n 1)"
number=$(crl_number)
stop_server site
assert_untouched "$WORK/site" "$BIN/scepctl" restore "$WORK/full.tar"
assert_output 'store/data.mdb exists already, and nothing is overwritten' \
    'restore --into a new folder, stop scepd, and move from there'
mkdir "$WORK/exists"
assert_untouched "$WORK/exists" "$BIN/scepctl" restore "$WORK/full.tar" --into "$WORK/exists"
assert_output 'name a new folder'

say "what that message says: the database alone, moved from a new folder into the place of the old"
expect 0 "$BIN/scepctl" restore "$WORK/full.tar" --into "$WORK/aside"
mv "$WORK/site/store" "$WORK/site/store.lost"
mv "$WORK/aside/store" "$WORK/site/store"
start_server site
[ $((0x$(crl_number))) -gt $((0x$number)) ] || fail "CRLNumber went back: $number, $(crl_number)"
stop_server site

say "no database at all: numbers of CRLs go on all the same"
rm -r "$WORK/site/store"
start_server site
[ $((0x$(crl_number))) -gt $((0x$number)) ] || fail "CRLNumber went back: $number, $(crl_number)"
stop_server site
rm -r "$WORK/site/store"
mv "$WORK/site/store.lost" "$WORK/site/store"
rm -r "$WORK/aside"

say "damaged and foreign files"
head -c $((size / 2)) "$WORK/full.tar" >"$WORK/cut.tar"
cp "$WORK/full.tar" "$WORK/bad.tar"
printf 'X' | dd of="$WORK/bad.tar" bs=1 seek=5000 conv=notrunc status=none
echo nothing >"$WORK/none.tar"
for file in cut bad none; do
    expect 1 "$BIN/scepctl" restore "$WORK/$file.tar" --into "$WORK/place/x"
    assert_nothing_new
done
expect 2 "$BIN/scepctl" restore "$WORK/absent.tar" --into "$WORK/place/x"
assert_nothing_new
expect 2 "$BIN/scepctl" restore "$WORK/full.tar" --into ""
for room in 0 10000 $((size - 40000)); do
    expect 1 with_room "$room" "$BIN/scepctl" restore "$WORK/full.tar" --into "$WORK/place/x"
    assert_output 'No space left on device' 'nothing was restored'
    assert_nothing_new
done

say "into a folder: everything that was acknowledged before is there"
expect 0 "$BIN/scepctl" restore "$WORK/full.tar" --into "$WORK/copy"
assert_output 'certificates as of' 'min ago' "scepd -c $WORK/copy/scepd.conf"
grep -q '^# Settings of scepd, restored into a folder' "$WORK/copy/scepd.conf" ||
    fail "the static challenge lies elsewhere, so the settings had to be adapted"
sed -i 's/validity_days = [0-9]*/validity_days = 730/; s/window_days = [0-9]*/window_days = 30/' \
    "$WORK/copy/scepd.conf"
start_server copy
ctl copy export --format csv >"$WORK/copy.csv" || fail "export"
serials_of "$WORK/before" >"$WORK/serials"
[ "$(wc -l <"$WORK/serials")" -eq 40 ] || fail "$(wc -l <"$WORK/serials") serial numbers"
while read -r serial; do
    grep -q "^\"$serial\"," "$WORK/copy.csv" || fail "$serial is lost"
done <"$WORK/serials"

say "the CRL's number is beyond all that the other server gave out since"
[ $((0x$(crl_number))) -gt $((0x$number)) ] || fail "CRLNumber went back: $number, $(crl_number)"

say "a phone renews with what it holds, a challenge has its uses left"
expect 0 phone renew --cert "$WORK/one/cert.pem" --cert-key "$WORK/one/key.pem" --new-key \
    --out "$WORK/one"
assert_cert copy "$WORK/one/cert.pem" CP-9841-SEP000000000001
expect 0 ctl copy challenge list
assert_output '4 of 5'
expect 0 "$BIN/scepctl" -c "$WORK/copy/scepd.conf" backup --without-keys "$WORK/public.tar"
assert_output 'It holds no keys' "Not in it: $WORK/copy/issuing.key"
stop_server copy

say "without keys: what is missing is named, and with it the server starts"
tar -tf "$WORK/public.tar" >"$WORK/members"
if grep -E '\.key|static' "$WORK/members"; then
    fail "a key is in a backup without keys"
fi
expect 0 "$BIN/scepctl" restore "$WORK/public.tar" --into "$WORK/public"
assert_output "$WORK/copy/issuing.key (ca.key)" 'challenge.key'
expect 2 "$BIN/scepd" -t -c "$WORK/public/scepd.conf"
for key in issuing.key ra.key challenge.key; do
    cp "$WORK/copy/$key" "$WORK/public/$key"
done
mkdir -p "$WORK/public/other$WORK" "$WORK/public/$(dirname "other$WORK/static")"
cp "$WORK/copy/other$WORK/static" "$WORK/public/other$WORK/static"
expect 0 "$BIN/scepd" -t -c "$WORK/public/scepd.conf"

say "in place, owners and modes too"
mv "$WORK/site" "$WORK/lost"
if [ "$(id -u)" -eq 0 ]; then
    mkdir "$WORK/site" && cp -a "$WORK/lost/." "$WORK/site"
    chown nobody "$WORK/site/root.pem" "$WORK/site/ra"
    chmod 0644 "$WORK/site/root.pem"
    start_server site
    expect 0 ctl site backup "$WORK/owned.tar"
    stop_server site
    rm -r "$WORK/site"
else
    cp "$WORK/full.tar" "$WORK/owned.tar"
fi
expect 0 "$BIN/scepctl" restore "$WORK/owned.tar"
assert_output '1 more was there already, the very same'
if [ "$(id -u)" -eq 0 ]; then
    [ "$(stat -c '%U %a' "$WORK/site/root.pem")" = 'nobody 644' ] || fail "another owner or mode"
    [ "$(stat -c '%U %a' "$WORK/site/ra")" = 'nobody 700' ] || fail "another owner of a folder"
fi
cmp "$WORK/site/scepd.conf" "$WORK/lost/scepd.conf" || fail "other settings"
start_server site
expect 0 enroll --cn CP-9841-SEP0000000000FE --challenge-file "$WORK/static"
