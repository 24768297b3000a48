#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The web page in a real browser (headless Chromium) with JavaScript switched off: what it shows, that
# its own policy has nothing against it, and that it can be drawn, narrow and wide.
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../lib/harness.sh"

BROWSER_SEC=120
PHONE=CP-8841-SEP0000000000A1
DRAWN_MIN=20000 # octets of a picture with something on it; an empty one has 5000

command -v chromium >"$WORK/which" || fail "there is no chromium (server/packages)"
export HOME="$WORK/home" XDG_CONFIG_HOME="$WORK/home" XDG_CACHE_HOME="$WORK/home"
mkdir -p "$WORK/home" "$WORK/profile/Default"
# What switches JavaScript off for pages; the browser's own pages need theirs.
echo '{"profile":{"default_content_setting_values":{"javascript":2}}}' \
    >"$WORK/profile/Default/Preferences"

# browse ARGUMENT...: the answer is in $WORK/dom, what the page's console says in $WORK/console.
browse() {
    timeout "$BROWSER_SEC" chromium --headless --no-sandbox --disable-gpu --no-first-run \
        --disable-dev-shm-usage --disable-background-networking --no-proxy-server \
        --user-data-dir="$WORK/profile" --hide-scrollbars --enable-logging=stderr --v=0 "$@" \
        >"$WORK/dom" 2>"$WORK/browser.log" ||
        fail "chromium: $(grep -v dbus "$WORK/browser.log" | tail -n 5)"
    grep ':CONSOLE' "$WORK/browser.log" >"$WORK/console" || true
}

# look PATH TEXT...: the page as the browser understands it has these texts, and nothing to complain.
look() {
    look_path=$1
    shift
    browse --dump-dom "http://$WEB$look_path"
    for text in "$@"; do
        grep -qF -- "$text" "$WORK/dom" || fail "the browser does not see on $look_path: $text"
    done
    [ ! -s "$WORK/console" ] || fail "$look_path: $(cat "$WORK/console")"
}

# draw PATH WIDTH,HEIGHT
draw() {
    rm -f "$WORK/page.png"
    browse --window-size="$2" --screenshot="$WORK/page.png" "http://$WEB$1"
    size=$(wc -c <"$WORK/page.png")
    [ "$size" -gt "$DRAWN_MIN" ] || fail "$1 at $2: a picture of $size octets"
    [ ! -s "$WORK/console" ] || fail "$1: $(cat "$WORK/console")"
}

make_server site
set_setting site web.listen '"127.0.0.1:0"'
set_setting site approval.unauthenticated '"pending"'
start_server site
WEB=$(json_text web "$WORK/status.json")
new_challenge site --uses 3
expect 0 enroll --cn "$PHONE" --out "$WORK/one"
expect 0 enroll --cn '<img src=x onerror=y>' --out "$WORK/hostile"
expect 6 phone enroll --cn CP-8841-SEP0000000000A4 --state "$WORK/wait" --out "$WORK/wait"

say "the test itself: no script runs, and a broken policy is heard of"
cat >"$WORK/probe.html" <<'END'
<!DOCTYPE html><title>probe</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<p id="p" style="color:red">as it came</p>
END
browse --dump-dom "file://$WORK/probe.html"
grep -q 'Content Security Policy' "$WORK/console" || fail "a broken policy is not heard of"
cat >"$WORK/probe.html" <<'END'
<!DOCTYPE html><title>probe</title><p id="p">as it came</p>
<script>document.getElementById("p").textContent = "a script " + "ran";</script>
END
browse --dump-dom "file://$WORK/probe.html"
grep -q 'as it came' "$WORK/dom" || fail "no probe"
! grep -q 'a script ran' "$WORK/dom" || fail "JavaScript is on"

say "all pages, as the browser understands them"
look / '<strong>2</strong> <span>enrolled</span>' 'When certificates end' 'Root CA'
look /due 'Due for renewal'
look /pending CP-8841-SEP0000000000A4
look /certificates "$PHONE" '<bdi>&lt;img src=x onerror=y&gt;</bdi>'
! grep -q '<img' "$WORK/dom" || fail "a name became markup"
look /events "$PHONE" issued
look "/search?q=00-00-00-00-00-A1" "<h1>$PHONE</h1>" 00:00:00:00:00:A1
look "/search?q=nobody" 'Nothing is known of'

say "drawn wide, narrow and dark, with the style sheet"
draw / 1280,1000
draw / 360,2000
draw /certificates 360,900
light=$(cksum <"$WORK/page.png")
browse --blink-settings=preferredColorScheme=0 --window-size=360,900 \
    --screenshot="$WORK/page.png" "http://$WEB/certificates"
[ "$(cksum <"$WORK/page.png")" != "$light" ] || fail "dark looks like light"
