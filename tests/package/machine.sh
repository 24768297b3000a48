# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # variables of the harness and of scripts
# A Debian 12 of its own, booted by systemd-nspawn: sourced after harness.sh by scripts that install
# the package. The script and all it starts live in a network of their own, "outside" of the machine,
# so that no port is taken and nothing collides; only apt and debootstrap go on line.
SUITE=bookworm
MACHINE_ADDRESS=192.0.2.2 # RFC 5737: nobody's
OUTSIDE_ADDRESS=192.0.2.1
ONLINE_FD=9 # the network that the script was started in
BOOT_SEC=180

skip() {
    echo "SKIPPED: $*"
    exit "$SKIPPED"
}

# Begins the script again in a network of its own, with a folder for systemd-nspawn's own files that
# nobody else sees. Nothing is left of either when all have ended.
go_outside() {
    [ "$(id -u)" -eq 0 ] || skip "only root can boot a container"
    if [ "${SCEPD_OUTSIDE:-}" != 1 ]; then
        unshare --net --mount true 2>"$WORK/output" || skip "no namespaces: $(cat "$WORK/output")"
        rm -rf "$WORK"
        exec env SCEPD_OUTSIDE=1 unshare --net --mount sh "$0" 9</proc/self/ns/net
    fi
    mkdir -p /run/systemd/nspawn
    mount -t tmpfs tmpfs /run/systemd/nspawn
}

# Runs a command with the network of this machine, not with the test's own.
online() {
    nsenter --net="/proc/$$/fd/$ONLINE_FD" "$@"
}

# A container of this machine's own programs, on a file system in memory: says no early.
probe_container() {
    command -v systemd-nspawn >"$WORK/ignored" || skip "there is no systemd-nspawn"
    [ -x /usr/lib/systemd/systemd ] || skip "there is no systemd to boot"
    timeout 60 systemd-nspawn --quiet --directory=/ --volatile=yes --register=no --keep-unit \
        --private-network --machine="probe-$$" --console=pipe true >"$WORK/output" 2>&1 ||
        skip "this machine cannot run a container: $(tail -n 1 "$WORK/output")"
}

# The Debian archive as this machine knows it: a line for each of its suites.
debian_sources() {
    # shellcheck disable=SC2016 # these are apt's
    apt-get indextargets 'Created-By: Packages' 'Origin: Debian' \
        --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' | grep " $SUITE" | sort -u
}

# make_machine: a small Debian in $WORK/machine that takes packages from where this machine does.
make_machine() {
    debian_sources >"$WORK/sources"
    mirror=$(sed -n "s/^deb \([^ ]*\) $SUITE main.*/\1/p" "$WORK/sources" | head -n 1)
    [ -n "$mirror" ] || fail "apt of this machine has no package lists of $SUITE"
    online debootstrap --variant=minbase --include=systemd-sysv,ca-certificates \
        "$SUITE" "$WORK/machine" "$mirror" >"$WORK/output" 2>&1 || fail "debootstrap"
    cp "$WORK/sources" "$WORK/machine/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::(Check-|http|https|Retries)' \
        >"$WORK/machine/etc/apt/apt.conf.d/90host" || true
    echo machine >"$WORK/machine/etc/hostname"
}

# boot_machine: sets LEADER, the machine's process 1.
boot_machine() {
    if ! (START_SEC=$BOOT_SEC launch_server boot systemd-nspawn --directory="$WORK/machine" --boot --register=no \
        --keep-unit --private-network --notify-ready=yes --link-journal=no --console=pipe \
        --machine="scepd-$$") 2>"$WORK/output"; then
        RUNNING=
        skip "this machine cannot boot a container: $(tail -n 1 "$WORK/boot.run/log")"
    fi
    RUNNING=boot
    PID=$(cat "$WORK/boot.run/pid")
    LEADER=$(child_of "$PID")
    connect_machine
    follow_journal
}

# The machine's journal is the log of a server named "journal", for assert_log and the like.
follow_journal() {
    cat >"$WORK/follow" <<'END'
trap 'kill "$reader"; exit 0' TERM
nsenter --target "$1" --all setpriv --pdeathsig TERM \
    journalctl --quiet --no-pager --follow --lines=all --output=short-monotonic >&2 &
reader=$!
systemd-notify --ready
wait "$reader"
END
    launch_server journal sh "$WORK/follow" "$LEADER"
    # It ends first: a shutdown of the machine waits for what came into it from outside.
    RUNNING="journal boot"
}

connect_machine() {
    ip link set lo up
    ip link add phones type veth peer name lan netns "$LEADER"
    ip address add "$OUTSIDE_ADDRESS/24" dev phones
    ip link set phones up
    nsenter --target "$LEADER" --net ip address add "$MACHINE_ADDRESS/24" dev lan
    nsenter --target "$LEADER" --net ip link set lan up
}

shut_machine_down() {
    stop_server journal
    stop_server boot
}

# inside COMMAND...: as root in the machine.
inside() {
    nsenter --target "$LEADER" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive TERM=dumb "$@"
}

# inside_online COMMAND...: the same with this machine's network, for apt.
inside_online() {
    online nsenter --target "$LEADER" --mount --uts --ipc --pid env -i LC_ALL=C.UTF-8 \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive TERM=dumb "$@"
}

# property UNIT NAME: as systemd knows it.
property() {
    inside systemctl show --property "$2" --value "$1"
}

# journal TEXT...: what the machine's journal has of these, one line an entry.
journal() {
    inside journalctl --sync
    inside journalctl --quiet --no-pager --output=cat "$@"
}
