#!/bin/sh
# test_import.sh TAGLIGHT SOURCE_ROOT: `taglight import` as a person runs it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache"
fail() { echo "$1"; cat "$work/out" "$work/errors"; exit 1; }
import() { "$taglight" import "$@" >"$work/out" 2>"$work/errors"; }
taglight=$1
samples=$2/data/samples
mkdir -p "$work/photos/day1"
cp "$samples/landscape.jpg" "$work/photos/day1/quay.jpg"
cp "$samples/circle.png" "$samples/square.png" "$work/photos/"
cat >"$work/labels.csv" <<CSV
# from a spreadsheet
image;label;state;source;decided_at
day1/quay.jpg;boat;accepted;human;2026-11-24T10:00:00Z
/home/anna/circle.png;round;accepted;model;2026-11-24T10:00:00Z
square.png;round;rejected;human;2026-11-24T10:00:00+01:00
gone.png;round;accepted;human;2026-11-24T10:00:00Z
CSV
import --list || fail "import --list"
grep -q "^label-studio  *[A-Z]" "$work/out" || fail "the layouts are not listed"
import "$work/labels.csv" --db "$work/a.db" --images "$work/photos" --dry-run || fail "a dry run"
[ ! -e "$work/a.db" ] || fail "a dry run made a database"
grep -q "4 images, 2 found by path, 1 by name, 0 by content, 1 not found" "$work/out" ||
    fail "what was found is not said"
cp "$work/out" "$work/dry"
import "$work/labels.csv" --db "$work/a.db" --images "$work/photos" || fail "a run"
[ "$(grep -v 'dry run' "$work/dry")" = "$(cat "$work/out")" ] || fail "the dry run said otherwise"
import "$work/labels.csv" --db "$work/a.db" --images "$work/photos" --json || fail "again"
python3 -c 'import json,sys
r=json.load(open(sys.argv[1]))
sys.exit(not (r["decisions"]=={"new":0,"changed":0,"same":3,"kept":0} and r["new_images"]==0
              and r["not_found"]=={"count":1,"first":["gone.png"]} and r["layout"]=="csv"))' \
    "$work/out" || fail "twice is not once"
"$taglight" export --db "$work/a.db" --format csv --out "$work/a.csv" || fail "export"
[ "$(cut -d, -f1-4,9 "$work/a.csv")" = "image,label,state,source,decided_at
circle.png,round,accepted,model,2026-11-24T10:00:00.000Z
day1/quay.jpg,boat,accepted,human,2026-11-24T10:00:00.000Z
square.png,round,rejected,human,2026-11-24T09:00:00.000Z" ] || fail "other decisions"
# Another machine's database, whose folder is elsewhere here and a file has another name.
mkdir "$work/here"
cp "$work/photos/day1/quay.jpg" "$work/here/renamed.jpg"
cp "$work/photos/circle.png" "$work/here/"
mv "$work/photos" "$work/away"
import "$work/a.db" --db "$work/b.db" --images "$work/here" || fail "a database"
grep -q "3 images, 0 found by path, 1 by name, 1 by content, 1 not found" "$work/out" ||
    fail "files that moved"
import "$work/a.csv" --db "$work/c.db" --images "$work/here" --match path || fail "--match"
grep -q "1 found by path, 0 by name" "$work/out" || fail "--match path"
import "$work/a.csv" --db "$work/d.db" --images "$work/here" --as proposals --labels round ||
    fail "--as proposals"
grep -q "predictions: 1 new" "$work/out" || fail "proposals are no predictions"
# What is wrong is said with its place, and changes nothing.
printf 'image,label\nx,"y\n' >"$work/bad.csv"
import "$work/bad.csv" --db "$work/e.db" && fail "a broken file was taken"
[ $? = 1 ] && grep -q "bad.csv:2:3: this quote is never closed" "$work/errors" ||
    fail "where it is broken"
[ ! -e "$work/e.db" ] || fail "a broken file made a database"
for wrong in "" "--db $work/e.db" "$work/a.csv" "$work/a.csv --db $work/e.db --match colour" \
    "$work/a.csv --db $work/e.db --format none" "$work/a.csv --db $work/e.db --as truth" \
    "$work/a.csv --db $work/e.db --labels a --labels-file b" \
    "$work/a.csv --db $work/e.db --decided-at noon"; do
    # shellcheck disable=SC2086
    import $wrong
    [ $? = 2 ] || fail "misused: $wrong"
done
[ ! -e "$work/e.db" ] || fail "misuse made a database"
