#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The web page's port: pages of a real fleet, figures that promtool has nothing against, /healthz
# through a full disk and back; and the last two on the administrator's socket.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

PENDING=6
PHONE=CP-8841-SEP0000000000A1
WELL_SEC=40 # a write is tried every 10 s at most
CA_SEC=6    # for longer than 5 s nobody believes that the CA answers

# get PATH: into $WORK/output, with its head in $WORK/head.
get() {
    curl -sS --max-time 60 --noproxy '*' -D "$WORK/head" -o "$WORK/output" "http://$WEB$1"
}

# page STATUS PATH TEXT...: has this status and all of these texts.
page() {
    page_status=$1
    page_path=$2
    shift 2
    get "$page_path" || fail "no answer to $page_path"
    grep -q "^HTTP/1.1 $page_status" "$WORK/head" || fail "$page_path: $(head -n 1 "$WORK/head")"
    assert_output "$@"
}

# figures TEXT...: lines of /metrics.
figures() {
    get /metrics
    for line in "$@"; do
        grep -qxF -- "$line" "$WORK/output" || fail "no figure: $line"
    done
}

admin_get() {
    curl -sS --max-time 60 --unix-socket "$WORK/site/admin.sock" "http://scepd$1"
}

make_server site
set_setting site web.listen '"127.0.0.1:0"'
set_setting site approval.unauthenticated '"pending"'
mkdir "$WORK/faults"
start_server site LD_PRELOAD="$TOOLS/commit_faults.so" COMMIT_FAULTS="$WORK/faults" \
    ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
WEB=$(json_text web "$WORK/status.json")
[ -n "$WEB" ] || fail "status does not say where the web page is"
assert_log site event=ready "web=$WEB"

say "the disk is full: /healthz says so; then there is room again"
touch "$WORK/faults/full"
page 503 /healthz 'the store takes no writes'
rm "$WORK/faults/full"
curl -sS --fail --noproxy '*' --retry "$WELL_SEC" --retry-delay 1 --retry-max-time "$WELL_SEC" \
    -o "$WORK/output" "http://$WEB/healthz" 2>"$WORK/retries" || fail "it does not get well"
[ "$(cat "$WORK/output")" = ok ] || fail "/healthz is not ok"
[ "$(admin_get /healthz)" = ok ] || fail "/healthz is not ok on the socket"

# The CA is scepd's only child.
say "the CA is stopped: /healthz and status say so within seconds; then it goes on"
ca_pid=$(tr -d " " <"/proc/$PID/task/$PID/children")
[ -n "$ca_pid" ] || fail "no scepd-ca"
kill -STOP "$ca_pid"
"$TOOLS/await" "$WORK/site.run/log" 1 "$CA_SEC" event=ca_silent 2>"$WORK/await" || true
page 503 /healthz 'the CA (scepd-ca) does not answer'
ctl site --json status >"$WORK/status.json" || fail "no status"
grep -q '"ca_answering": false' "$WORK/status.json" || fail "status says that the CA answers"
page 200 / 'the CA (scepd-ca) does not answer.'
kill -CONT "$ca_pid"
curl -sS --fail --noproxy '*' --retry "$WELL_SEC" --retry-delay 1 --retry-max-time "$WELL_SEC" \
    -o "$WORK/output" "http://$WEB/healthz" 2>"$WORK/retries" || fail "the CA is not found again"

say "an empty fleet"
page 200 / '<strong>0</strong> <span>enrolled</span>' 'Nothing needs your attention.' ' KiB of at most'
page 200 /due 'No phone is due in that time.'
page 200 /pending 'No request waits.'
page 200 /certificates 'No certificate was issued yet.'

say "phones enrol, are refused, wait"
new_challenge site --uses 2
expect 0 enroll --cn "$PHONE" --out "$WORK/one"
expect 0 enroll --cn CP-8841-SEP0000000000A2 --out "$WORK/two"
expect 3 enroll --cn CP-8841-SEP0000000000A3
expect "$PENDING" phone enroll --cn CP-8841-SEP0000000000A4 --state "$WORK/wait" --out "$WORK/wait"
page 200 / '<strong>2</strong> <span>enrolled</span>' '<strong>1</strong> <span>refused in a day</span>' \
    '1 request waits' 'Root CA'
page 200 /pending CP-8841-SEP0000000000A4 'scepctl pending approve'
page 200 /certificates "$PHONE" CP-8841-SEP0000000000A2
page 200 /events "$PHONE" refused pending issued
page 200 "/due?days=3650" "$PHONE"

say "one phone's story, by MAC, name and serial number; also of one that was only refused"
serial=$(serial_of "$WORK/one/cert.pem")
for asked in 00:00:00:00:00:a1 SEP0000000000A1 "$PHONE"; do
    page 303 "/search?q=$asked"
    grep -qi '^location: /device/0000000000A1' "$WORK/head" || fail "$asked leads elsewhere"
done
page 303 "/search?q=$serial"
grep -qi "^location: /device/0000000000A1#$serial" "$WORK/head" || fail "the serial number does not"
page 200 /device/0000000000A1 "<h1>$PHONE</h1>" "$serial" challenge 'newest first'
page 200 /device/CP-8841-SEP0000000000A3 refused 'used challenge'
page 303 "/search?q=0x$serial"
grep -qi "^location: /device/0000000000A1#$serial" "$WORK/head" || fail "0x and the serial number"
page 200 "/search?q=SEP0000000000a" 'What begins like that' 00:00:00:00:00:A1 00:00:00:00:00:A2
page 404 "/search?q=SEP0000000000FF" 'Nothing is known of'
expect 0 ctl site revoke "$PHONE"
page 200 /device/0000000000A1 '<span class="state revoked">revoked</span>'

say "what is in a name"
hostile='<b onclick=x>"&'
new_challenge site
expect 0 enroll --cn "$hostile" --out "$WORK/hostile"
page 200 /certificates '&lt;b onclick=x&gt;&quot;&amp;' '/device/%3Cb%20onclick%3Dx%3E%22%26'
! grep -q '<b onclick' "$WORK/output" || fail "a name became markup"
page 200 '/device/%3Cb%20onclick%3Dx%3E%22%26' '<h1>&lt;b onclick=x&gt;&quot;&amp;</h1>'

say "only reading, only by our own name, and with the policy"
page 200 /
for header in "content-security-policy: default-src 'none'; style-src 'self'" \
    'x-content-type-options: nosniff' 'referrer-policy: no-referrer' 'cache-control: no-store'; do
    grep -qi "^$header" "$WORK/head" || fail "no header $header"
done
for method in POST PUT DELETE; do
    status=$(curl -sS --noproxy '*' -o "$WORK/output" -w '%{http_code}' -X "$method" "http://$WEB/")
    [ "$status" = 405 ] || fail "$method gets $status"
done
status=$(curl -sS --noproxy '*' -o "$WORK/output" -w '%{http_code}' -H 'Host: evil.example' \
    "http://$WEB/")
[ "$status" = 421 ] || fail "a foreign Host gets $status"

say "figures, which promtool has nothing against"
figures 'scepd_requests_total{operation="PKIOperation",result="issue"} 3' \
    'scepd_requests_total{operation="PKIOperation",result="pending"} 1' \
    'scepd_requests_total{operation="PKIOperation",result="refuse"} 1' \
    'scepd_refusals_total{reason="used_challenge"} 1' \
    'scepd_certificates{state="ok"} 2' 'scepd_certificates{state="revoked"} 1' \
    'scepd_pending_requests 1' 'scepd_ca_up 1' 'scepd_crl_entries 1' \
    'scepd_request_duration_seconds_count{operation="PKIOperation"} 5' \
    'scepd_message_digests_total{digest="SHA256"} 5'
expect 0 promtool check metrics <"$WORK/output"
[ ! -s "$WORK/output" ] || fail "promtool complains"
echo 'scepd_wrong_total{x="} 1' >"$WORK/wrong" # the check itself can say no
expect 1 promtool check metrics <"$WORK/wrong"
admin_get /metrics >"$WORK/metrics" || fail "no figures on the socket"
expect 0 promtool check metrics <"$WORK/metrics"

say "the same as JSON"
admin_get /v1/fleet >"$WORK/fleet.json"
grep -q '"enrolled":3' "$WORK/fleet.json" || fail "/v1/fleet: $(cat "$WORK/fleet.json")"

say "without the setting there is no page"
sed -i '/^web = {/,/^};/s|^    listen = .*||' "$WORK/site/scepd.conf"
reload_server site
assert_log site event=restart_needed web.listen
stop_server site
start_server site
grep -q '"web": null' "$WORK/status.json" || fail "there is a web page"
