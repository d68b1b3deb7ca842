#!/bin/sh
# test_window.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT [SCREENSHOT]
# Drives the real window under Xvfb with keys only: opens a folder, adds a label, accepts,
# undoes, redoes, decides on all at once, looks at the data, checks the set, filters, tags a folder,
# looks at a picture. The decisions must be in the database, and a screen reader must find the bars
# with names and values.
for tool in Xvfb xdotool python3; do
    command -v $tool >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
work=$(mktemp -d)
source=$3
trap 'kill $app $server $bus 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
export GSETTINGS_BACKEND=memory GSK_RENDERER=cairo LC_ALL=C.UTF-8
mkdir -p "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"
"$3/tests/tools/make_demo_model.sh" "$1" "$2" "$3/tests/corpus/text" "$work/demo" >/dev/null || exit 1
# It says what it knows, with a name and words that are no markup.
python3 - "$work/demo/model.json" <<'PY'
import json, sys
model = json.load(open(sys.argv[1]))
model['about'] = 'It <knows> shapes & nothing else. Photographs are foreign to it.'
json.dump(model, open(sys.argv[1], 'w'))
PY
cp -r "$3/data/samples" "$work/photos"

# The server takes a free display by itself: two tests that look for one would take the same.
Xvfb -displayfd 3 -screen 0 1100x760x24 3>"$work/display" >/dev/null 2>&1 &
server=$!
for _ in $(seq 40); do
    [ -s "$work/display" ] && break
    sleep 0.25
done
DISPLAY=:$(cat "$work/display")
export DISPLAY
unset WAYLAND_DISPLAY
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
"$1" --model "$work/demo" --db "$work/decisions.db" \
    --labels "night, dusk := a photo of {} | the sky, night" "$work/photos" >"$work/log" 2>&1 &
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

# libatspi itself may fall over objects that go while it reads them: status 139.
see() {
    for _ in 1 2 3; do
        $python "$source/tests/display/read_window.py" "$@"
        status=$?
        [ $status = 139 ] || break
    done
    [ $status = 0 ] || { echo "see $*: $status"; cat "$work/log"; exit 1; }
}

window=$(xdotool search --sync --onlyvisible --class taglight 2>/dev/null | head -1)
[ -n "$window" ] || { echo "no window came"; cat "$work/log"; exit 1; }
expect "SELECT count(*) FROM image_path" 4
# The labels that were named; a wording is asked and not kept.
expect "SELECT group_concat(name || coalesce(prompt, '')) FROM label" "night,dusk"
expect "SELECT count(DISTINCT prompt) FROM prediction WHERE prompt LIKE '%the sky%'" 1
expect "SELECT count(*) FROM prediction" 8
keys ctrl+l
xdotool type --delay 30 "a red circle"
keys Return
expect "SELECT count(*) FROM label WHERE name = 'a red circle'" 1
expect "SELECT count(*) FROM prediction" 12
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
keys ctrl+a 3
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
keys shift+3
expect "SELECT count(*) FROM current_decision WHERE verdict = -1" 1
expect "SELECT CAST(p.path AS TEXT) LIKE '%square.png' FROM current_decision d JOIN image_path p
        ON p.image = d.image WHERE d.verdict = -1" 1
# A whole folder into the database, beside what the window shows: proposals, no decisions.
query() { python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20)
db.execute(sys.argv[2])
db.commit()' "$work/decisions.db" "$1"; }
query "DELETE FROM prediction"
keys ctrl+t
sleep 0.5
keys alt+t
expect "SELECT count(*) FROM prediction" 12
expect "SELECT count(*) FROM decision WHERE by_model = 1" 0
sleep 0.5
[ -n "$4" ] && import -window root "${4%.png}-batch.png"
keys Escape
xdotool windowfocus "$window"
sleep 0.3
# Large, turned, closer, explained, with details; and back.
keys Return ctrl+r plus w alt+Return F11 Escape Escape
if [ $reader = yes ]; then
    see read "a red circle" "It <knows> shapes & nothing else."
    see press "How to Go On"
    see wait "It <knows> shapes & nothing else. Photographs are foreign to it."
    keys Escape
    see press "Close the notice"
    # Two wordings; the second one is kept.
    see press "More for “a red circle”"
    see press "Compare Wordings…"
    see wait "Second wording"
    xdotool type --delay 30 "a disc | a {}"
    keys Return
    see wait "Too few decisions to compare: it takes two of each kind
Rests on 1 accepted and 1 rejected images of this folder; 4 were asked about"
    see press "Use this wording: Second wording"
    expect "SELECT prompt FROM label WHERE name = 'a red circle'" "a disc | a {}"
    # The list of labels: a search, a new name, and the decisions follow.
    keys ctrl+shift+l
    see wait "Search labels" "a red circle" "Save the Label"
    xdotool type --delay 30 "red"
    sleep 0.5
    keys Down Down
    see wait "2 decisions; they follow when the label is renamed or merged"
    see press "New Label"
    see wait "A new label"
    xdotool type --delay 30 "a boat"
    keys Return
    expect "SELECT count(*) FROM label WHERE name = 'a boat'" 1
    see wait "“a boat” is saved"
    keys Escape
fi
keys ctrl+w
timeout 60 tail --pid=$app -f /dev/null || { echo "the window does not close"; exit 1; }
wait $app
status=$?
app=
grep -E "CRITICAL|WARNING" "$work/log" && exit 1
exit $status
