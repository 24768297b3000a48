# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The three DHCP servers: what else their configuration needs, its check, and how they are run in
# the foreground at the interface "server". Sourced by dhcp.sh and dhcp_lease.sh behind harness.sh.
# Programs are copied: profiles of AppArmor go by the path and know nothing of temporary folders.

mkdir "$WORK/dhcp" # leases and such
cp /usr/sbin/dhcpd /usr/sbin/kea-dhcp4 /usr/sbin/dnsmasq "$WORK/dhcp"

# finish_config KIND: $WORK/KIND.part becomes $WORK/KIND.conf.
finish_config() {
    case $1 in
    isc)
        cat "$WORK/isc.part"
        echo "subnet 192.0.2.0 netmask 255.255.255.0 { range 192.0.2.10 192.0.2.90; }"
        ;;
    kea)
        cat <<END
{ "Dhcp4": {
"interfaces-config": { "interfaces": [ $KEA_INTERFACES ] },
"lease-database": { "type": "memfile", "persist": false },
"multi-threading": { "enable-multi-threading": false },
"loggers": [ { "name": "kea-dhcp4", "severity": "WARN", "output_options": [ { "output": "stderr" } ] } ],
"subnet4": [ { "subnet": "192.0.2.0/24", "pools": [ { "pool": "192.0.2.10 - 192.0.2.90" } ] } ],
END
        cat "$WORK/kea.part"
        echo "} }"
        ;;
    dnsmasq)
        cat "$WORK/dnsmasq.part"
        cat <<END
port=0
interface=server
user=root
group=root
dhcp-range=192.0.2.10,192.0.2.90
dhcp-leasefile=$WORK/dhcp/dnsmasq.leases
pid-file=$WORK/dhcp/dnsmasq.pid
log-facility=$WORK/dhcp/dnsmasq.log
END
        ;;
    esac >"$WORK/$1.conf"
}
KEA_INTERFACES= # checked where there are none

kea() {
    KEA_PIDFILE_DIR=$WORK/dhcp KEA_LOCKFILE_DIR=none "$WORK/dhcp/kea-dhcp4" "$@"
}

check() {
    case $1 in
    isc) "$WORK/dhcp/dhcpd" -4 -t -cf "$WORK/isc.conf" ;;
    kea) kea -t "$WORK/kea.conf" ;;
    dnsmasq) "$WORK/dhcp/dnsmasq" --test -C "$WORK/dnsmasq.conf" ;;
    esac
}

# serve KIND: takes the place of the shell that calls it.
serve() {
    case $1 in
    isc)
        : >"$WORK/dhcp/isc.leases"
        exec "$WORK/dhcp/dhcpd" -4 -f -d -cf "$WORK/isc.conf" -lf "$WORK/dhcp/isc.leases" \
            -pf "$WORK/dhcp/isc.pid" server
        ;;
    kea)
        export KEA_PIDFILE_DIR="$WORK/dhcp" KEA_LOCKFILE_DIR=none
        exec "$WORK/dhcp/kea-dhcp4" -c "$WORK/kea.conf"
        ;;
    dnsmasq)
        exec "$WORK/dhcp/dnsmasq" --keep-in-foreground -C "$WORK/dnsmasq.conf"
        ;;
    esac
}
