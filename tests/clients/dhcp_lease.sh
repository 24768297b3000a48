#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Option 43 and 15 on the wire (row 14, row 17, row 20): in a network of their own, Kea, ISC dhcpd and dnsmasq
# give it and the domain to a client that says it is a DP-9871, whether it asks for them or not, and
# to no other; then a phone enrols with what the client was given.
if [ -z "${IN_OWN_NETWORK-}" ]; then
    if unshare --net ip link add name server type veth peer name client; then
        exec env IN_OWN_NETWORK=yes unshare --net sh "$0"
    fi
    echo "SKIPPED: this machine makes no network for the test; clients/dhcp has run the checks"
    exit 77
fi
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/clients/dhcp_servers.sh
. "$(dirname "$0")/dhcp_servers.sh"
# shellcheck disable=SC2034 # read by finish_config
KEA_INTERFACES='"server"'
DOMAIN=example.nl
TRIES=30 # of two seconds, for a server under way

DHCP_PID=
end_dhcp() {
    if [ -n "$DHCP_PID" ]; then
        kill "$DHCP_PID" || true
        wait "$DHCP_PID" 2>/dev/null || true
        DHCP_PID=
    fi
}
end_all() {
    lease_status=$?
    set +e
    end_dhcp 2>/dev/null
    (exit "$lease_status")
    harness_end
}
trap end_all EXIT

# lease VENDOR-CLASS OPTION...: what the client is given is in $WORK/lease afterwards.
lease() {
    vendor_class=$1
    shift
    rm -f "$WORK/lease"
    expect 0 busybox udhcpc --interface=client --foreground --quit --now --tryagain=1 --timeout=2 \
        --retries="$TRIES" --vendorclass="$vendor_class" --script="$WORK/keep_lease" "$@"
    [ -s "$WORK/lease" ] || fail "no lease"
}

# given NAME: the value the client was given; empty when none.
given() {
    sed -n "s/^$1=//p" "$WORK/lease"
}

cat >"$WORK/keep_lease" <<END
#!/bin/sh
[ "\$1" != bound ] || env | grep -E '^(ip|domain|opt43)=' >"$WORK/lease"
END
chmod +x "$WORK/keep_lease"

ip link set lo up
ip link add name server type veth peer name client
ip address add 192.0.2.1/24 dev server
ip link set server up
ip link set client up

make_server site
start_server site
new_challenge site --uses 3
option43() {
    ctl site phone option43 --server "http://$ADDRESS" --challenge-file "$CHALLENGE_FILE" --dot1x \
        --certificate custom --domain "$DOMAIN" "$@" 2>"$WORK/warnings"
}
option_hex=$(option43 | tr A-F a-f)

for kind in isc kea dnsmasq; do
    say "$kind"
    option43 --format "$kind" >"$WORK/$kind.part"
    finish_config "$kind"
    (serve "$kind") >"$WORK/$kind.log" 2>&1 &
    DHCP_PID=$!
    for asking in --request=43 --no-default-options; do
        lease DP-9871 "$asking"
        [ "$(given opt43)" = "$option_hex" ] || fail "$kind, $asking: option 43 is $(given opt43) instead of $option_hex"
        [ "$(given domain)" = "$DOMAIN" ] || fail "$kind, $asking: option 15 is $(given domain)"
    done
    given opt43 >"$WORK/option43.$kind"
    for other in DP-9999 'Cisco AP c1700'; do
        lease "$other" --request=43
        [ -z "$(given opt43)" ] || fail "$kind gives option 43 to $other"
        [ -z "$(given domain)" ] || fail "$kind gives the domain to $other"
    done
    end_dhcp
done

say "a phone enrols with what it was given"
for kind in isc kea dnsmasq; do
    name=CP-9871-SEP001A2B3C4D5E.$DOMAIN
    mkdir "$WORK/phone.$kind"
    expect 0 "$BIN/phone" enroll --option43-file "$WORK/option43.$kind" --cn "$name" \
        --out "$WORK/phone.$kind"
    assert_cert site "$WORK/phone.$kind/cert.pem" "$name"
done
assert_issued site 3
