#!/bin/sh
# test_window.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT [SCREENSHOT]
# Drives the real window under Xvfb with keys only: opens a folder, adds a label, accepts,
# undoes, redoes, decides on all at once, looks at the data, checks the set, filters, looks at a
# picture. The decisions must be in the database, and a screen reader must find the bars with
# names and values.
for tool in Xvfb xdotool python3; do
    command -v $tool >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
work=$(mktemp -d)
trap 'kill $app $server $bus 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
export GSETTINGS_BACKEND=memory GSK_RENDERER=cairo LC_ALL=C.UTF-8
mkdir -p "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"
"$3/tests/tools/make_demo_model.sh" "$1" "$2" "$3/tests/corpus/text" "$work/demo" >/dev/null || exit 1
cp -r "$3/data/samples" "$work/photos"

n=90
while [ -e /tmp/.X$n-lock ]; do n=$((n + 1)); done
Xvfb :$n -screen 0 1100x760x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=:$n
unset WAYLAND_DISPLAY
sleep 1
# What a screen reader reads, where this machine can be asked for it.
reader=no
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3 # that Debian's packages are for
if command -v dbus-daemon >/dev/null && $python -c "
import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi" 2>/dev/null; then
    reader=yes
    dbus-daemon --session --nofork --print-address=3 3>"$work/address" 2>/dev/null &
    bus=$!
    sleep 0.5
    DBUS_SESSION_BUS_ADDRESS=$(head -1 "$work/address")
    export DBUS_SESSION_BUS_ADDRESS
else
    export GTK_A11Y=none
    echo "the screen reader's view is not tested: dbus-daemon or gir1.2-atspi-2.0 is missing"
fi
"$1" --model "$work/demo" --db "$work/decisions.db" "$work/photos" >"$work/log" 2>&1 &
app=$!

# Waits until the query gives the number; 30 seconds at most.
expect() {
    for _ in $(seq 120); do
        got=$(python3 - "$work/decisions.db" "$1" <<'PY'
import sqlite3, sys
try:
    print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])
except sqlite3.Error as error:
    print(error)
PY
)
        [ "$got" = "$2" ] && return 0
        sleep 0.25
    done
    echo "$1: $got, not $2"
    cat "$work/log"
    exit 1
}

keys() {
    xdotool key --delay 60 "$@"
    sleep 0.3
}

window=$(xdotool search --sync --onlyvisible --class taglight 2>/dev/null | head -1)
[ -n "$window" ] || { echo "no window came"; cat "$work/log"; exit 1; }
expect "SELECT count(*) FROM image_path" 4
keys ctrl+l
xdotool type --delay 30 "a red circle"
keys Return
expect "SELECT count(*) FROM label WHERE name = 'a red circle'" 1
expect "SELECT count(*) FROM prediction" 4
# Out of the entry, so that letters are commands.
xdotool mousemove 200 150 click 1
sleep 0.5
accepted="SELECT count(*) FROM current_decision WHERE verdict = 1 AND by_model = 0"
keys a
expect "$accepted" 1
if [ -n "$4" ]; then
    import -window root "$4"
fi
keys ctrl+z
expect "$accepted" 0
expect "SELECT count(*) FROM decision" 2
keys ctrl+shift+z
expect "$accepted" 1
# All at once by the label's own key, and back as one step.
keys ctrl+a 1
expect "$accepted" 4
keys ctrl+z
expect "$accepted" 1
root=$3
# What is known as charts, and what is wrong with the set: a copy is found and selected.
heard() {
    $python "$root/tests/display/wait_for.py" "$1" 60 || { cat "$work/log"; exit 1; }
}
if [ $reader = yes ]; then
    cp "$work/photos/square.png" "$work/photos/zcopy.png"
    expect "SELECT count(*) FROM image_path" 5
    keys ctrl+d
    heard "Labels by what was decided"
    keys alt+6
    heard "Decisions by the hour"
    keys alt+t Escape
    keys ctrl+h
    heard "Looks for broken files"
    keys Return
    heard "Images: 5. Errors: 0"
    sleep 1
    keys Down Return Escape
    sleep 0.5
    keys shift+1
    expect "SELECT count(*) FROM current_decision d JOIN image_path p ON p.image = d.image
            WHERE d.verdict = -1 AND CAST(p.path AS TEXT) LIKE '%zcopy.png'" 1
    keys ctrl+z
    rm "$work/photos/zcopy.png"
    expect "SELECT count(*) FROM current_decision WHERE verdict = -1" 0
fi
# A filter lets one image through; the keys of the label decide on it alone.
keys ctrl+f
xdotool type --delay 30 "name:square"
keys Return
sleep 0.5
xdotool mousemove 100 250 click 1
sleep 0.3
keys shift+1
expect "SELECT count(*) FROM current_decision WHERE verdict = -1" 1
expect "SELECT CAST(p.path AS TEXT) LIKE '%square.png' FROM current_decision d JOIN image_path p
        ON p.image = d.image WHERE d.verdict = -1" 1
# Large, turned, closer, explained, with details; and back.
keys Return ctrl+r plus w alt+Return F11 Escape Escape
if [ $reader = yes ]; then
    $python "$3/tests/display/read_window.py" "a red circle" || exit 1
fi
keys ctrl+w
wait $app
status=$?
app=
grep -E "CRITICAL|WARNING" "$work/log" && exit 1
exit $status
