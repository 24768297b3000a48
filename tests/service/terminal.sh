#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scepctl at a terminal: what bash, zsh and fish complete, colours and progress where somebody looks
# and nowhere else, JSON and exit codes of every command.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

ESCAPE=$(printf '\033')
SERVER=phone.example.nl
export TERM=xterm

# at_terminal WORD...: scepctl's output at a terminal, in $WORK/output.
at_terminal() {
    script -qec "exec '$BIN/scepctl' -c '$WORK/site/scepd.conf' $*" "$WORK/ignored" \
        </dev/null >"$WORK/output" || fail "at a terminal: $*"
}

has_escape() {
    grep -qF "$ESCAPE" "$WORK/output"
}

# --- Completion

mkdir -p "$WORK/complete/functions" "$WORK/complete/some-folder"
touch "$WORK/complete/some-file.pem"
for shell in bash zsh fish; do
    "$BIN/scepctl" completion "$shell" >"$WORK/complete/$shell" || fail "completion $shell"
done
cp "$WORK/complete/zsh" "$WORK/complete/functions/_scepctl"

# What is typed, with a tab for each @, and behind the bar what the shell makes of it.
cat >"$WORK/complete/cases" <<'END'
scepctl sta@|status
scepctl -c x chal@n@--u@|-c x challenge new --uses
scepctl --config=x --json pen@app@|--config=x --json pending approve
scepctl ca@ro@prep@--root-k@|ca rollover prepare --root-key
scepctl export --format js@|export --format jsonl
scepctl revoke x --reason sup@|revoke x --reason superseded
scepctl phone option43 --hash sha5@|phone option43 --hash sha512
scepctl phone option43 --certificate manu@|phone option43 --certificate manufacturing
scepctl init --ca-key rsa:3@|init --ca-key rsa:3072
scepctl init --ca-key=rsa:3@|init --ca-key=rsa:3072
scepctl restore some-fi@|restore some-file.pem
scepctl backup --without-@some-fi@|backup --without-keys some-file.pem
scepctl phone p12 --password-file some-fi@|phone p12 --password-file some-file.pem
scepctl completion fi@|completion fish
scepctl show some-fi@|show some-fi
scepctl status --cn@|status --cn
END

# types: the keys of all cases, as a person would press them.
types() {
    echo 'scepctl() { echo "GOT:$*"; }'
    sed 's/|.*//' "$WORK/complete/cases" | tr '@' '\t'
    echo exit
}

# completes SHELL COMMAND: in a terminal, after a first line on standard input.
completes() {
    { cat && types; } >"$WORK/complete/keys"
    (cd "$WORK/complete" && HOME=$WORK/complete timeout "$START_SEC" \
        script -qec "$2" "$WORK/ignored" <keys) >"$WORK/output" || fail "$1"
    tr -d '\r' <"$WORK/output" | sed -n 's/.*GOT:\([^$].*\)/\1/p' | sed 's/ *$//' >"$WORK/got"
    sed 's/.*|//' "$WORK/complete/cases" | diff -u - "$WORK/got" >&2 || fail "completion in $1"
}

say "bash completes commands, options, choices and files"
bash -n "$WORK/complete/bash" || fail "bash does not read its script"
echo 'source ./bash' | completes bash 'bash --norc --noprofile -i'

say "zsh does"
zsh -n "$WORK/complete/zsh" || fail "zsh does not read its script"
# shellcheck disable=SC2016 # zsh expands it
echo 'fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D' |
    completes zsh 'zsh -f -i'

say "fish does"
fish -n "$WORK/complete/fish" || fail "fish does not read its script"
# fish_offers LINE WORD...: exactly these, in this order.
fish_offers() {
    line=$1
    shift
    # shellcheck disable=SC2016 # fish expands it
    (cd "$WORK/complete" && HOME=$WORK/complete fish --no-config -c \
        'source fish; complete -C "$argv[1]"' "$line") | cut -f 1 >"$WORK/got"
    printf '%s\n' "$@" | diff -u - "$WORK/got" >&2 || fail "fish, after \"$line\""
}
fish_offers 'scepctl chal' challenge
fish_offers 'scepctl -c x challenge ' list new revoke
fish_offers 'scepctl challenge new --u' --uses
fish_offers 'scepctl export --format ' csv jsonl pem
fish_offers 'scepctl init --ca-key rsa:3' rsa:3072
fish_offers 'scepctl restore some-' some-file.pem some-folder/
fish_offers 'scepctl phone try --out ' functions/ some-folder/
fish_offers 'scepctl ca rollover prep' prepare

# --- Colours and progress

make_server site
issue_for_20_days site
set_setting site servers.domains '["telco.net"]'
start_server site
new_challenge site
expect 0 enroll --cn CP-8841-SEP000000000001 --out "$WORK/one"
expect 3 enroll --cn CP-8841-SEP000000000002 --out "$WORK/two"
issue_for_years site

say "colours at a terminal, unless somebody wants none; what is said is the same"
for command in "log 000000000001" due status; do
    # shellcheck disable=SC2086 # words
    at_terminal $command
    has_escape || fail "$command has no colour at a terminal"
    tr -d '\r' <"$WORK/output" | sed "s/$ESCAPE\[[0-9;]*m//g" >"$WORK/colored"
    for none in TERM=dumb NO_COLOR=1; do
        export "${none?}"
        # shellcheck disable=SC2086 # words
        at_terminal $command
        ! has_escape || fail "$command is coloured in spite of $none"
        unset NO_COLOR
        export TERM=xterm
    done
    # Time goes on for status.
    grep -v '^Running for:\|^CRL:' "$WORK/colored" >"$WORK/words"
    tr -d '\r' <"$WORK/output" | grep -v '^Running for:\|^CRL:' | diff -u - "$WORK/words" >&2 ||
        fail "$command says something else in colour"
done

say "what phone try found, too"
at_terminal phone try "$URL" --fingerprint "$FINGERPRINT"
grep -qF "${ESCAPE}[32mok " "$WORK/output" || fail "no colour for what is well"
expect 0 "$BIN/scepctl" phone try "$URL" --fingerprint "$FINGERPRINT"
! has_escape || fail "phone try writes an escape sequence into a file"

VALUE=$(ctl site phone option43 --server "http://$SERVER" 2>"$WORK/ignored")
say "a pipe gets no escape sequence, from any command"
while read -r command; do
    # shellcheck disable=SC2086 # words
    expect 0 ctl site $command
    ! has_escape || fail "$command writes an escape sequence into a file"
    # shellcheck disable=SC2086 # words
    expect 0 ctl site --json $command
    ! has_escape || fail "--json $command writes an escape sequence"
    # shellcheck disable=SC2086 # words
    ctl site --json $command 2>"$WORK/ignored" | jq -e . >"$WORK/output" ||
        fail "--json $command is not JSON"
done <<END
status
list
show 000000000001
log 000000000001
due
challenge list
challenge new
device add --mac 001A2B3C4D5E
device list
device show 001A2B3C4D5E
pending list
ca rollover status
fingerprint
phone option43 --server http://$SERVER
phone option43 --decode $VALUE
phone cfgxml --server http://$SERVER
radius freeradius --server http://$SERVER
export --format jsonl
completion bash
END

say "and what changes something answers in JSON, too"
# is_json WORD...: one JSON text on standard output.
is_json() {
    "$BIN/scepctl" -c "$WORK/site/scepd.conf" --json "$@" 2>"$WORK/ignored" |
        jq -e . >"$WORK/output" || fail "--json $* is not JSON"
}
(umask 077 && echo extract-me >"$WORK/password")
openssl req -new -newkey rsa:2048 -nodes -keyout "$WORK/server.key" -out "$WORK/server.csr" \
    -subj /CN=pv.telco.net 2>"$WORK/output" || fail "openssl req"
mkdir "$WORK/mics"
"$TOOLS/mic_factory" "$WORK/mics" >"$WORK/mics.log" || fail "mic_factory"
is_json init "$WORK/other" --listen 127.0.0.1:0
is_json mic check "$WORK/mics/phone-9871.pem"
is_json server-cert sign "$WORK/server.csr" --out "$WORK/server.pem"
is_json server-cert nginx --cn pv.telco.net --mic "$WORK/mics/crca2099.pem"
is_json phone p12 --cn CP-8841-SEP000000000003 --out "$WORK/phone.p12" \
    --password-file "$WORK/password"
is_json phone try "$URL" --fingerprint "$FINGERPRINT"
is_json device import - <<END
000000000005,FCH5
END
is_json device remove 000000000005
is_json challenge revoke "$CHALLENGE_ID"
is_json revoke CP-8841-SEP000000000003
is_json backup "$WORK/json.tar"
is_json restore "$WORK/json.tar" --into "$WORK/restored"

say "progress at a terminal, on the error stream only"
at_terminal "export --format csv --out '$WORK/all.csv'"
assert_output 'Exporting [###' '100 %'
at_terminal "export --format csv"
if grep -q 'Exporting' "$WORK/output"; then
    fail "progress in the midst of the export"
fi
at_terminal "backup '$WORK/one.tar' 2>'$WORK/errors'"
[ ! -s "$WORK/errors" ] || fail "progress in a file: $(cat "$WORK/errors")"
at_terminal "backup '$WORK/two.tar' >'$WORK/told'"
assert_output 'Copying the store [' 'KiB'
if grep -q 'Copying' "$WORK/told"; then
    fail "progress on standard output"
fi

say "each command has its help, and the first one says what exit codes mean"
expect 0 "$BIN/scepctl" -h
assert_output 'exit status:' '  0  done' '  1  refused, failed' '  2  the command line'
sed -n '/^commands:/,/^scepctl COMMAND/s/^  \([a-z].*\)/\1/p' "$WORK/output" >"$WORK/commands"
[ "$(wc -l <"$WORK/commands")" -gt 30 ] || fail "commands of the help"
while read -r command; do
    words=$(echo "$command" | sed 's/ \[\{0,1\}[A-Z].*//; s/ bash|.*//')
    # shellcheck disable=SC2086 # words
    expect 0 "$BIN/scepctl" $words -h
    assert_output "  $command"
done <"$WORK/commands"

say "secrets are where they were asked for and nowhere else"
ctl site --json challenge new >"$WORK/challenge.json" || fail "challenge new"
secret=$(json_text secret "$WORK/challenge.json")
[ "${#secret}" -ge 8 ] || fail "no challenge"
while read -r command; do
    # shellcheck disable=SC2086 # words
    expect 0 ctl site $command
    if grep -qF -- "$secret" "$WORK/output"; then
        fail "$command shows a challenge"
    fi
    if grep -q 'PRIVATE KEY' "$WORK/output"; then
        fail "$command shows a private key"
    fi
done <<END
challenge list
--json challenge list
--json status
--json list
--json show 000000000001
--json log 000000000001
--json device show 000000000001
export --format jsonl
export --format pem
END
