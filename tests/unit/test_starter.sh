#!/bin/sh
# test_starter.sh TAGLIGHT SOURCE_ROOT: the model that comes with the program knows drawn scenes,
# is used without being asked for, and says what it knows.
taglight=$(realpath "$1")
starter=$2/data/models/starter
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
fail() { echo "$1"; cat "$work/errors"; exit 1; }
"$taglight" devices >/dev/null 2>&1 || exit 77
cd "$work" || exit 1
"$taglight" scenes fresh --count 200 --seed 20261 2>errors || fail "no pictures were drawn"

# Found beside the program in the build folder, as beside an installed one.
"$taglight" tag fresh/images/000001.jpg --labels "red circle, night sky" --format csv --out one.csv \
    2>errors || fail "tag without --model"
grep -q "^starter: .*drawn scenes.*photographs" errors || fail "it does not say what it knows"
[ "$(wc -l <one.csv)" = 3 ] || fail "not two confidences"
"$taglight" tag fresh/images/000001.jpg --labels "night sky" --model "$starter" --format csv \
    --out asked.csv 2>errors || fail "tag with --model"
grep -q "drawn scenes" errors && fail "it was asked for and need not say what it knows"

"$taglight" evaluate --model "$starter" --data fresh --seen fresh/seen.txt \
    --unseen fresh/unseen.txt --json >found.json 2>errors || fail "evaluate"
python3 - "$starter" <<'PY' || fail "it is not what docs/models.md says"
import json, os, sys
parts = {p['name']: p for p in json.load(open('found.json'))['results']}
print({n: p['mAP_labels_present'] for n, p in parts.items()})
assert parts['GZSL']['mAP_labels_present'] > 82
assert parts['ZSL']['mAP_labels_present'] > 75
assert sum(os.path.getsize(os.path.join(sys.argv[1], n)) for n in os.listdir(sys.argv[1])) < 12e6
record = json.load(open(os.path.join(sys.argv[1], 'training.json')))
assert record['command'].startswith('taglight train '), record
PY
