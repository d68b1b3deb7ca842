#!/bin/sh
# test_scenes.sh TAGLIGHT CHECK_SCENES: drawn pictures and their labels, as files.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$1"; exit 1; }
draw() { "$taglight" scenes "$@" 2>"$work/errors"; }
taglight=$1

# The label files are as they were on the day this was written, and say what is drawn.
split="--count 600 --seed 5 --size 32 --split train=0.4,val=0.2,test=0.4"
# shellcheck disable=SC2086
draw "$work/one" $split --jobs 1 || fail "scenes: $(cat "$work/errors")"
sum=$(python3 "$2" "$work/one") || fail "the labels are wrong"
[ "$sum" = c4cd9832f4fca176 ] || fail "the label files are others: $sum"

# The same bytes from any number of threads, into an empty folder that is there already.
mkdir "$work/three"
# shellcheck disable=SC2086
draw "$work/three" $split --jobs 3 || fail "scenes --jobs 3"
diff -r "$work/one" "$work/three" || fail "three threads draw something else"
draw "$work/big" --count 40 --seed 5 --size 48 || fail "scenes without a split"
draw "$work/small" --count 40 --seed 5 --size 32 || fail "scenes without a split"
cmp "$work/big/scenes.jsonl" "$work/small/scenes.jsonl" ||
    fail "the size changes scenes"
draw "$work/seen" --count 300 --seed 6 --size 32 --held-out || fail "scenes --held-out"
python3 - "$work/seen" <<'PY' || fail "--held-out shows what is held out"
import json, sys
unseen = set(open(sys.argv[1] + '/unseen.txt').read().splitlines())
coco = json.load(open(sys.argv[1] + '/labels.json'))
names = {c['id']: c['name'] for c in coco['categories']}
sys.exit(any(names[a['category_id']] in unseen for a in coco['annotations']))
PY

# What goes wrong is said, and never looks like a finished set.
draw "$work/one" --count 5
[ $? = 1 ] && grep -q "not an empty folder" "$work/errors" || fail "a full folder"
draw "$work/nowhere/at/all" --count 5
[ $? = 1 ] && grep -q nowhere "$work/errors" || fail "a missing parent"
(trap '' XFSZ; ulimit -f 1; draw "$work/full" --count 50)
[ $? = 1 ] && grep -q "too large" "$work/errors" || fail "a full disk"
[ -z "$(find "$work" -name 'full*')" ] || fail "a full disk leaves something behind"
"$taglight" scenes "$work/cut" --count 1000000 --size 32 2>/dev/null &
pid=$!
until [ -e "$work/cut.$pid.part/images/000009.jpg" ]; do
    kill -0 $pid || fail "the run to be killed has ended"
    sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null
[ ! -e "$work/cut" ] || fail "a killed run looks complete"
for wrong in "" "--count 0" "--count 5 --size 5" "--count 5 --split train=0.5" \
    "--count 5 --split train=0.5,dev=0.5" "--count 5 --split train=1 --held-out" \
    "--count 5 --split test=1,test=1" "--count 5 --jobs 0" "--count 5 --seed -1"; do
    # shellcheck disable=SC2086
    draw "$work/wrong" $wrong
    [ $? = 2 ] && [ ! -e "$work/wrong" ] || fail "misuse: scenes $wrong"
done
