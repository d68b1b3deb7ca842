#!/bin/sh
# test_commands.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT: commands as a person runs them.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache"
fail() { echo "$1"; exit 1; }
"$1" devices >/dev/null 2>&1 || exit 77
"$1" devices --json | python3 -m json.tool >/dev/null || fail "devices --json is no JSON"
"$3/tests/tools/make_demo_model.sh" "$1" "$2" "$3/tests/corpus/text" "$work/demo" >/dev/null ||
    fail "the demo model was not made"
"$1" model info "$work/demo" --json | python3 -m json.tool >/dev/null || fail "model info"
printf 'not an image' > "$work/broken.jpg"
"$1" tag "$3/data/samples" "$work/broken.jpg" --model "$work/demo" --labels "a, b" \
    --format csv --out "$work/out.csv" 2>"$work/errors" || fail "tag failed"
[ "$(wc -l < "$work/out.csv")" = 10 ] || fail "tag wrote other rows than 4 x 2 and an error"
grep -q "broken.jpg,,,..*" "$work/out.csv" || fail "csv has no row for the broken image"
[ ! -e "$work/out.csv.part" ] || fail "tag left its temporary file"
grep -q "broken.jpg" "$work/errors" || fail "tag is silent on the broken image"
grep -q "4 images tagged, 1 broken" "$work/errors" || fail "the summary is wrong"
tag_again() {
    "$1" tag "$3/data/samples" "$work/broken.jpg" --model "$work/demo" --labels "a, b" \
        --format csv --out "$work/again.csv" $4 2>"$work/errors" || fail "tag failed again"
    cmp -s "$work/out.csv" "$work/again.csv" || fail "tag $4 gives other numbers"
}
tag_again "$1" "$2" "$3" ""
grep -q "4 of them were encoded before" "$work/errors" || fail "tag used no cache"
tag_again "$1" "$2" "$3" --no-cache
grep -q "encoded before" "$work/errors" && fail "tag --no-cache used the cache"
printf '\357\273\277cat\r\n' > "$work/labels.txt"
"$1" tag "$3/data/samples/circle.png" --model "$work/demo" --labels-file "$work/labels.txt" \
    --format csv | grep -q ',cat,' || fail "a labels file of Windows"
"$1" tag "$3/data/samples/circle.png" --model "$work/demo" --out "$work/long" \
    --labels "$(printf 'very long %.0s' $(seq 99))" 2>&1 | grep -q "too long" ||
    fail "no word of a label that is cut"
"$1" tag "$3/data/samples" --model "$work/demo" --labels "a, b" --format jsonl --top 1 |
    python3 -c 'import json,sys
rows=[json.loads(l) for l in sys.stdin]
sys.exit(not (len(rows)==4 and all(len(r["labels"])==1 for r in rows)))' || fail "jsonl"
"$1" tag "$3/data/samples" --model "$work/demo" --labels a --precision f32 >/dev/null 2>&1 ||
    fail "tag --precision f32"
"$1" tag "$3/data/samples" --model "$work/demo" --labels a --precision f8 2>"$work/errors"
[ $? = 2 ] && grep -q f8 "$work/errors" || fail "an unknown precision is misuse"
# Results stay in the order of the paths whatever the number of decoders.
mkdir "$work/many"
for i in $(seq 1 12); do
    cp "$3/data/samples/landscape.jpg" "$work/many/$i.jpg"
done
printf 'cut' > "$work/many/7.jpg"
for jobs in 1 4; do
    "$1" tag "$work/many" --model "$work/demo" --labels "a, b" --format csv --jobs $jobs \
        --stats --out "$work/jobs$jobs.csv" 2>"$work/errors" || fail "tag --jobs $jobs"
    grep -q "11 images tagged, 1 broken" "$work/errors" || fail "tag --jobs: summary"
    tail -n 1 "$work/errors" | grep -q "images a second" || fail "tag --stats"
done
cmp -s "$work/jobs1.csv" "$work/jobs4.csv" || fail "decoders change the results"
tail -n +2 "$work/jobs4.csv" | cut -d, -f1 | uniq | sed 's/.*\///;s/.jpg//' | tr '\n' ' ' |
    grep -qx "1 2 3 4 5 6 7 8 9 10 11 12 " || fail "results are not in order"
# A name that is not UTF-8 survives, and a point is a point in every locale.
name=$(printf '\377name.jpg')
cp "$3/data/samples/landscape.jpg" "$work/$name"
"$1" tag "$work/$name" --model "$work/demo" --labels a --format jsonl |
    python3 -c 'import base64,json,os,sys
row=json.loads(sys.stdin.read())
path=base64.b64decode(row["path_base64"])
sys.exit(not (os.path.exists(path) and b"\xff" in path and 0<row["labels"]["a"]<1))' ||
    fail "jsonl lost a name that is not UTF-8"
# Outputs that cannot be written.
if [ -w /dev/full ]; then
    "$1" tag "$work/many" --model "$work/demo" --labels a >/dev/full 2>"$work/errors"
    [ $? = 1 ] && grep -q "standard output" "$work/errors" || fail "a full disk is no error"
fi
{ "$1" tag "$work/many" --model "$work/demo" --labels a 2>"$work/errors"
  echo $? > "$work/status"; } | true
[ "$(cat "$work/status")" = 1 ] || fail "a broken pipe is no error"
"$1" tag "$work/many" --model "$work/demo" --labels a --out "$work/none/x" 2>"$work/errors"
[ $? = 1 ] && grep -q "none/x" "$work/errors" || fail "tag into a missing folder"
# Ctrl-C ends early, keeps whole rows and says so.
for i in $(seq 13 400); do
    ln "$work/many/1.jpg" "$work/many/$i.jpg"
done
"$1" tag "$work/many" --model "$work/demo" --labels "a, b" --format csv \
    --out "$work/stopped.csv" 2>"$work/errors" &
for i in $(seq 1 200); do
    [ "$(stat -c %s "$work/stopped.csv.part" 2>/dev/null || echo 0)" -gt 100 ] && break
    sleep 0.05
done
kill -TERM $!
wait $!
[ $? = 1 ] && grep -q "^stopped after [0-9]* of 400" "$work/errors" || fail "tag does not stop"
[ ! -e "$work/stopped.csv.part" ] && [ "$(tail -n 1 "$work/stopped.csv" | tr -cd , | wc -c)" = 3 ] ||
    fail "a stopped tag leaves no whole file"
"$1" tag --model "$work/demo" --labels a >/dev/null 2>&1
[ $? = 2 ] || fail "tag without a path is misuse"
"$1" tag "$work/nowhere" --model "$work/demo" --labels a >/dev/null 2>"$work/errors"
[ $? = 1 ] && grep -q nowhere "$work/errors" || fail "a missing folder is an error"
"$1" taag 2>"$work/errors"
[ $? = 2 ] && grep -q taag "$work/errors" || fail "a mistyped command is misuse"
"$1" model info "$3/tests/corpus/weights/hostile/pkl_system_zip.pth" 2>"$work/errors"
[ $? = 1 ] && [ "$(wc -l < "$work/errors")" = 1 ] || fail "a hostile file gets one line"
[ ! -e /tmp/PWNED_BY_PICKLE ] || fail "a pickle was run"
"$1" export --db "$work/none.db" --format csv --out - 2>/dev/null
[ $? = 1 ] && [ ! -e "$work/none.db" ] || fail "export made a database"
python3 - "$work/old.db" "$3/tests/corpus/store/v1.sql" <<'PY'
import sqlite3, sys
sqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2]).read())
PY
"$1" export --db "$work/old.db" --format csv --out - > "$work/csv" || fail "export of an old database"
[ "$(cut -d, -f1-4 "$work/csv")" = "image,label,state,source
x/1.jpg,cat,accepted,human
x/2.jpg,dog,rejected,human
y/copy.jpg,dog,rejected,human" ] || fail "the exported rows are others"
"$1" export --db "$work/old.db" --format csv --absolute --out - | grep -q '^/y/copy.jpg,dog' ||
    fail "export --absolute"
"$1" export --db "$work/old.db" --format coco --root /x --out "$work/coco.json" &&
    python3 -c 'import json,sys
d=json.load(open(sys.argv[1]))
sys.exit([i["file_name"] for i in d["images"]] != ["1.jpg", "2.jpg", "/y/copy.jpg"])' \
    "$work/coco.json" || fail "export --root"
"$1" export --db "$work/old.db" --format coco --out /dev/full 2>/dev/null
[ $? = 1 ] && [ -c /dev/full ] || fail "a full disk is an error, and the device stays"
printf 'a photo of a cat\n' | "$1" tokenize --model "$3/tests/corpus/text" --pad |
    grep -qE '^1112( [0-9]+){76}$' || fail "tokenize --pad"
