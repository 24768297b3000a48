#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of the package on a Debian 12: installed with apt, set up, served from, restarted under
# load, rolled over, upgraded, removed, purged; and what each of its two users cannot do.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"
# shellcheck source=tests/package/machine.sh
. "$(dirname "$0")/machine.sh"

LOAD_PHONES=800
ANSWER_SEC=20 # of the web page
LOAD_SEC=300  # until the first of these has its certificate, and until all have

make_package() {
    say "cpack makes one package"
    mkdir "$WORK/made"
    expect 0 cpack -G DEB -B "$WORK/made" --config "$BIN/../CPackConfig.cmake"
    PACKAGE=$(basename "$WORK"/made/scepd_*_amd64.deb)
    [ -s "$WORK/made/$PACKAGE" ] || fail "no package scepd_VERSION_amd64.deb"
    dpkg-deb --contents "$WORK/made/$PACKAGE" >"$WORK/contents"
    for path in usr/sbin/scepd usr/sbin/scepd-ca usr/bin/scepctl usr/share/man/man8/scepd.8.gz \
        usr/share/man/man8/scepctl.8.gz usr/share/man/man5/scepd.conf.5.gz \
        usr/share/doc/scepd/copyright usr/share/doc/scepd/changelog.gz \
        usr/share/doc/scepd/README.md usr/share/doc/scepd/examples/scepd.conf \
        usr/share/doc/scepd/examples/mic-cisco.conf usr/lib/systemd/system/scepd-web.socket \
        usr/share/man/man7/scepd-wire.7.gz usr/share/doc/scepd/guides/new-site.md \
        usr/share/bash-completion/completions/scepctl usr/share/zsh/vendor-completions/_scepctl \
        usr/share/fish/vendor_completions.d/scepctl.fish \
        usr/lib/sysusers.d/scepd.conf usr/lib/tmpfiles.d/scepd.conf; do
        grep -q " \./$path\$" "$WORK/contents" || fail "without $path"
    done
}

install_package() {
    cp "$WORK/made/$PACKAGE" "$WORK/machine/root/"
    expect 0 inside_online apt-get install -y --no-install-recommends "$@" "/root/$PACKAGE"
}

is_active() {
    inside systemctl is-active --quiet "$1"
}

first_install() {
    say "apt installs it; before scepctl init nothing runs, and nothing fails of it"
    expect 0 inside_online apt-get update
    install_package
    assert_output "scepctl init"
    for unit in scepd.socket scepd-ca.socket scepd.service; do
        inside systemctl is-enabled --quiet "$unit" || fail "$unit is not enabled"
        ! is_active "$unit" || fail "$unit runs without a configuration"
    done
    ! inside systemctl is-enabled --quiet scepd-web.socket || fail "the web page is on by itself"
    expect 0 inside systemctl start scepd
    expect 0 inside systemctl --failed --plain --no-legend
    [ ! -s "$WORK/output" ] || fail "units failed: $(cat "$WORK/output")"
}

# owns PATH OWNER MODE: as stat shows them in the machine.
owns() {
    expect 0 inside stat --format '%U:%G %a' "$1"
    assert_output "$2 $3"
}

set_up() {
    say "scepctl init, systemctl start scepd"
    expect 0 inside scepctl init
    expect 0 inside systemctl start scepd
    owns /etc/scepd root:root 755
    owns /etc/scepd/scepd.conf root:root 644
    owns /etc/scepd/issuing.key root:root 600
    owns /etc/scepd/ra.key root:root 600
    owns /etc/scepd/challenge.key root:root 600
    owns /etc/scepd/generations root:scepd-ca 755
    owns /var/lib/scepd scepd:scepd 700
    owns /run/scepd scepd:scepd 700
    owns /run/scepd-ca/ca.sock scepd-ca:scepd 660
    CONFIG=$WORK/machine/etc/scepd
    ISSUING=$CONFIG/issuing.pem
    URL="http://$MACHINE_ADDRESS/cgi-bin/pkiclient.exe"
    FINGERPRINT=$(openssl x509 -in "$CONFIG/root.pem" -noout -fingerprint -sha256 |
        sed 's/.*=//; s/://g')
}

# machine_challenge [OPTION...]: like new_challenge, in the machine.
machine_challenge() {
    CHALLENGE_FILE=$WORK/challenge
    (umask 077 && inside scepctl --json challenge new "$@" >"$WORK/challenge.json") ||
        fail "scepctl challenge new $*"
    (umask 077 && json_text secret "$WORK/challenge.json" >"$CHALLENGE_FILE")
}

# enroll_as CN FOLDER: with a new challenge; the certificate is checked.
enroll_as() {
    machine_challenge --cn "$1"
    mkdir -p "$2"
    expect 0 enroll --cn "$1" --out "$2"
    openssl verify -CAfile "$CONFIG/root.pem" -untrusted "$ISSUING" \
        "$2/cert.pem" >"$WORK/output" 2>&1 || fail "$(cat "$WORK/output")"
}

assert_journal() {
    [ "$(journal "$@" | wc -l)" -ge 1 ] || fail "not in the journal: $*"
}

first_phone() {
    say "a phone enrols from outside over port 80; the journal knows it by its fields"
    enroll_as CP-9841-SEP0011223344AA "$WORK/first"
    assert_journal SCEPD_CN=CP-9841-SEP0011223344AA SCEPD_DECISION=issue \
        "SCEPD_SERIAL=$(serial_of "$WORK/first/cert.pem" | tr A-F a-f)"
    assert_journal SCEPD_MAC=0011223344AA
    journal SCEPD_MAC=0011223344AA | grep -qF "peer=$OUTSIDE_ADDRESS" ||
        fail "the journal does not say where the phone is"
}

# How many lines of the journal have this.
logged() {
    grep -cF -- "$1" "$WORK/journal.run/log" || true
}

# systemctl reload, and until the new settings count.
reload() {
    reloads=$(logged event=reloaded)
    expect 0 inside systemctl reload scepd
    assert_log_at_least journal $((reloads + 1)) event=reloaded
}

check_reload() {
    say "systemctl reload takes new settings; the watchdog watches"
    machine_challenge
    expect 3 enroll --digest sha1
    sed -i 's/^    #sha1 = false;/    sha1 = true;/' "$CONFIG/scepd.conf"
    reload
    expect 0 enroll --digest sha1
    for unit in scepd scepd-ca; do
        [ "$(property "$unit" WatchdogUSec)" = 1min ] || fail "$unit has no watchdog"
        [ "$(property "$unit" WatchdogTimestampMonotonic)" -gt 0 ] || fail "$unit: nothing feeds it"
        [ "$(property "$unit" User)" = "$unit" ] || fail "$unit does not run as $unit"
    done
}

# probe UNIT SCRIPT: bash runs SCRIPT with all that UNIT's file says, except which program runs.
probe() {
    sed -e '/^ExecStart=\|^Type=\|^Restart\|^WatchdogSec=\|^NotifyAccess=\|^RuntimeDirectory/d' \
        -e '/^Requires=\|^After=/d' \
        -e 's|^\[Service\]|&\nType=oneshot\nStandardOutput=journal\nExecStart=/usr/bin/bash /usr/lib/probe|' \
        -e 's|^ExecPaths=.*|& /usr/bin/bash|' \
        "$WORK/machine/usr/lib/systemd/system/$1.service" \
        >"$WORK/machine/etc/systemd/system/probe.service"
    # shellcheck disable=SC2016 # of the other shell
    {
        echo 'cannot() { if ( eval "$1" ) 2>/dev/null; then echo "can: $1"; exit 1; fi; }'
        echo 'can() { ( eval "$1" ) || { echo "cannot: $1"; exit 1; }; }'
        echo "$2"
    } >"$WORK/machine/usr/lib/probe"
    inside systemctl daemon-reload
    inside systemctl start probe.service ||
        fail "in the sandbox of $1: $(journal --unit probe.service | tail -n 5)"
}

check_confinement() {
    say "neither user can do what is not its business"
    key=/etc/scepd/issuing.key
    handed=/run/credentials/scepd-ca.service/issuing.key
    inside test -r "$handed" || fail "the key was not handed to scepd-ca"
    for path in "$key" "$handed" /etc/scepd/root.key; do
        expect 1 inside runuser -u scepd -- cat "$path"
        assert_output "Permission denied"
    done
    expect 1 inside runuser -u scepd-ca -- cat /etc/scepd/ra.key
    expect 1 inside runuser -u scepd-ca -- test -e /var/lib/scepd/store
    inside bash -c ": </dev/tcp/$MACHINE_ADDRESS/80" || fail "the probe of connections is broken"
    probe scepd "
        can 'read -r line <\$CREDENTIALS_DIRECTORY/ra.key'
        can ': >/var/lib/scepd/probe'
        cannot ': </dev/tcp/$MACHINE_ADDRESS/80'
        cannot ': </dev/tcp/127.0.0.1/80'
        cannot ': </dev/udp/$OUTSIDE_ADDRESS/53'
        cannot 'read -r line <$key'
        cannot 'read -r line <$handed'
        cannot 'read -r line </proc/1/status'
        cannot ': >/etc/scepd/probe'
        cannot '/usr/bin/id'
        cannot 'ulimit -c 1'"
    probe scepd-ca "
        can 'read -r line <\$CREDENTIALS_DIRECTORY/issuing.key'
        cannot ': </dev/tcp/$MACHINE_ADDRESS/80'
        cannot ': </dev/udp/$OUTSIDE_ADDRESS/53'
        cannot 'read -r line </run/credentials/scepd.service/ra.key'
        cannot 'cd /var/lib/scepd'
        cannot 'read -r line </proc/1/status'
        cannot ': >/etc/scepd/generations/probe'
        cannot ': >/tmp/../run/probe'
        cannot '/usr/bin/id'"
    inside rm -f /etc/systemd/system/probe.service /usr/lib/probe /var/lib/scepd/probe
    inside systemctl daemon-reload
}

# Serial numbers that scepd knows.
known_serials() {
    inside scepctl --json list --limit 10000 >"$WORK/list.json" || fail "scepctl list"
    sed -n 's/.*"serial": "\([0-9A-Fa-f]*\)".*/\1/p' "$WORK/list.json" | tr a-f A-F | sort -u \
        >"$WORK/known"
}

restart_under_load() {
    say "systemctl restart under load: every certificate that a phone got is known"
    machine_challenge --uses $((2 * LOAD_PHONES))
    issued=$(logged decision=issue)
    timeout "$LOAD_SEC" "$BIN/phone" bench --server "$URL" --fingerprint "$FINGERPRINT" \
        --challenge-file "$CHALLENGE_FILE" --phones "$LOAD_PHONES" --connections 8 \
        --out "$WORK/load" >"$WORK/bench" 2>&1 &
    bench=$!
    "$TOOLS/await" "$WORK/journal.run/log" $((issued + 50)) "$LOAD_SEC" decision=issue ||
        fail "no phone gets a certificate"
    expect 0 inside systemctl restart scepd
    expect 0 inside systemctl restart scepd scepd-ca
    kill -0 "$bench" 2>"$WORK/ignored" || fail "the load was over before the restarts were"
    wait "$bench" || true # phones whose connection ended ask again below
    known_serials
    for cert in "$WORK"/load/cert-*.pem; do
        serial_of "$cert"
    done | sort >"$WORK/got"
    got=$(wc -l <"$WORK/got")
    say "$got of $LOAD_PHONES got theirs at the first try: $(tail -n 1 "$WORK/bench")"
    [ "$got" -gt 0 ] || fail "no phone got a certificate"
    lost=$(comm -23 "$WORK/got" "$WORK/known" | wc -l)
    [ "$lost" -eq 0 ] || fail "$lost certificates that phones have are not known"
}

retry_after_load() {
    say "phones that were interrupted ask again"
    index=0
    tried=0
    while [ "$index" -lt "$LOAD_PHONES" ] && [ "$tried" -lt 10 ]; do
        if [ ! -e "$WORK/load/cert-$index.pem" ]; then
            expect 0 enroll --cn "$(printf 'CP-9841-SEP%012dX' $((index + 1)))"
            tried=$((tried + 1))
        fi
        index=$((index + 1))
    done
}

# curl asks from within the machine, where the page is to be seen.
look_at_web() {
    nsenter --target "$LEADER" --net curl --silent --show-error --fail \
        --max-time "$ANSWER_SEC" "http://127.0.0.1:9180$1"
}

web_page() {
    say "the web page is there when somebody enables it, on this machine only"
    expect 7 look_at_web /healthz
    expect 0 inside systemctl enable scepd-web.socket
    expect 0 inside systemctl restart scepd
    expect 0 look_at_web /healthz
    expect 0 look_at_web /metrics
    expect 7 curl --silent --max-time "$ANSWER_SEC" "http://$MACHINE_ADDRESS:9180/healthz"
}

kill_the_ca() {
    say "kill -9 of scepd-ca: it comes back, and scepd goes on"
    inside systemctl reset-failed
    before=$(property scepd MainPID)
    old=$(property scepd-ca MainPID)
    expect 0 inside systemctl kill --signal=KILL --kill-whom=main scepd-ca
    enroll_as CP-9841-SEP0011223344BB "$WORK/second"
    [ "$(property scepd MainPID)" = "$before" ] || fail "scepd was started again, too"
    new=$(property scepd-ca MainPID)
    [ "$new" -gt 0 ] || fail "scepd-ca is not back"
    [ "$new" != "$old" ] || fail "scepd-ca was not killed"
}

roll_over() {
    say "a rollover of the CA in this layout"
    expect 0 inside scepctl ca rollover prepare --root-key /etc/scepd/root.key
    reload
    key=/etc/scepd/generations/next/ca.key
    owns "$key" root:scepd-ca 640
    expect 0 inside runuser -u scepd-ca -- test -r "$key"
    expect 1 inside runuser -u scepd -- test -r "$key"
    cp "$CONFIG/generations/next/ca.pem" "$WORK/next.pem"
    expect 0 inside scepctl ca rollover activate
    reload
    ISSUING=$WORK/next.pem
    enroll_as CP-9841-SEP0011223344CC "$WORK/third"
}

upgrade() {
    say "an upgrade restarts both services"
    before=$(property scepd MainPID)
    ca_before=$(property scepd-ca MainPID)
    install_package --reinstall
    for unit in scepd.socket scepd-ca.socket scepd.service; do
        is_active "$unit" || fail "$unit does not run after an upgrade"
    done
    [ "$(property scepd MainPID)" != "$before" ] || fail "the old scepd runs"
    [ "$(property scepd-ca MainPID)" != "$ca_before" ] || fail "the old scepd-ca runs"
    enroll_as CP-9841-SEP0011223344DD "$WORK/fourth"
}

remove_and_return() {
    say "apt-get remove keeps the state; installed again, the same CA serves"
    known_serials
    cp "$WORK/known" "$WORK/known-before"
    expect 0 inside_online apt-get remove -y scepd
    [ -z "$(inside sh -c 'grep -ls scepd /proc/[0-9]*/comm' || true)" ] || fail "something runs on"
    inside test -e /etc/scepd/issuing.key || fail "the CA's key is gone"
    inside test -d /var/lib/scepd/store || fail "the database is gone"
    expect 4 enroll --cn CP-9841-SEP0011223344EE
    install_package
    is_active scepd.service || fail "scepd does not run after its return"
    known_serials
    cmp -s "$WORK/known" "$WORK/known-before" || fail "not all certificates are known any more"
    enroll_as CP-9841-SEP0011223344EE "$WORK/fifth"
}

purge() {
    say "apt-get purge removes all of it"
    expect 0 inside_online apt-get purge -y scepd
    for path in /etc/scepd /var/lib/scepd /run/scepd /run/scepd-ca /usr/sbin/scepd; do
        ! inside test -e "$path" || fail "$path is still there"
    done
    expect 0 inside find /etc/systemd/system /var/lib/systemd/deb-systemd-helper-enabled -name '*scepd*'
    [ ! -s "$WORK/output" ] || fail "left: $(cat "$WORK/output")"
}

go_outside
probe_container
make_package
say "a Debian $SUITE is made and booted"
make_machine
boot_machine
first_install
set_up
first_phone
check_reload
check_confinement
restart_under_load
retry_after_load
web_page
kill_the_ca
roll_over
upgrade
remove_and_return
purge
shut_machine_down
