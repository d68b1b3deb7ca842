#!/bin/sh
# test_window.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT [SCREENSHOT]
# Drives the real window under Xvfb with keys only: opens a folder, adds a label, accepts,
# undoes; the decisions must be in the database.
for tool in Xvfb xdotool python3; do
    command -v $tool >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
work=$(mktemp -d)
trap 'kill $app $server 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
export GSETTINGS_BACKEND=memory GTK_A11Y=none GSK_RENDERER=cairo NO_AT_BRIDGE=1
mkdir -p "$XDG_DATA_HOME" "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"
"$3/tests/tools/make_demo_model.sh" "$1" "$2" "$3/tests/corpus/text" "$work/demo" >/dev/null || exit 1

n=90
while [ -e /tmp/.X$n-lock ]; do n=$((n + 1)); done
Xvfb :$n -screen 0 1100x760x24 >/dev/null 2>&1 &
server=$!
export DISPLAY=:$n
unset WAYLAND_DISPLAY
sleep 1
"$1" --model "$work/demo" --db "$work/decisions.db" "$3/data/samples" >"$work/log" 2>&1 &
app=$!

# Waits until the query gives the number; 30 seconds at most.
expect() {
    for _ in $(seq 60); do
        got=$(python3 - "$work/decisions.db" "$1" <<'PY'
import sqlite3, sys
try:
    print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])
except sqlite3.Error as error:
    print(error)
PY
)
        [ "$got" = "$2" ] && return 0
        sleep 0.5
    done
    echo "$1: $got, not $2"
    cat "$work/log"
    exit 1
}

window=$(xdotool search --sync --onlyvisible --class taglight 2>/dev/null | head -1)
[ -n "$window" ] || { echo "no window came"; cat "$work/log"; exit 1; }
expect "SELECT count(*) FROM image_path" 4
xdotool key ctrl+l
xdotool type --delay 30 "a red circle"
xdotool key Return
expect "SELECT count(*) FROM label WHERE name = 'a red circle'" 1
sleep 3
# Out of the entry, so that letters are commands.
xdotool mousemove 200 150 click 1
sleep 1
xdotool key a
expect "SELECT count(*) FROM current_decision WHERE verdict = 1 AND by_model = 0" 1
if [ -n "$4" ]; then
    import -window root "$4"
fi
xdotool key ctrl+z
expect "SELECT count(*) FROM current_decision WHERE verdict = 1" 0
expect "SELECT count(*) FROM decision" 2
xdotool key ctrl+w
wait $app
status=$?
app=
grep -E "CRITICAL|WARNING" "$work/log" && exit 1
exit $status
