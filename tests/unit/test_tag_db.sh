#!/bin/sh
# test_tag_db.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT: tagging into a database, in shards,
# resumed, watched; merging, backing up and going back.
taglight=$1
work=$(mktemp -d)
trap 'umount "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache"
fail() { echo "$1"; [ -f "$work/errors" ] && cat "$work/errors"; exit 1; }
query() { python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(*row)' "$@"; }
"$taglight" devices >/dev/null 2>&1 || exit 77
"$3/tests/tools/make_demo_model.sh" "$taglight" "$2" "$3/tests/corpus/text" "$work/demo" \
    >/dev/null || fail "the demo model was not made"
"$taglight" scenes "$work/scenes" --count 12 >/dev/null 2>&1 || fail "no pictures were drawn"
pics=$work/scenes/images
tag() { "$taglight" tag --model "$work/demo" "$@" 2>"$work/errors"; }
said() { grep -q "$1" "$work/errors"; }
everything="SELECT i.hash, l.name, p.model, p.prompt, p.confidence FROM prediction p
    JOIN image i ON i.id = p.image JOIN label l ON l.id = p.label ORDER BY 1, 2"

# What is written to the database is what is printed; nothing is accepted.
tag "$pics" --labels "a, b" --format csv --out "$work/plain.csv" || fail "tag"
tag "$pics" --labels "a, b" --db "$work/a.db" >"$work/out" || fail "tag --db"
[ ! -s "$work/out" ] || fail "tag --db prints results that nobody asked for"
[ "$(query "$work/a.db" "SELECT count(*) FROM prediction")" = 24 ] || fail "24 confidences"
[ "$(query "$work/a.db" "SELECT count(*) FROM decision")" = 0 ] || fail "nobody decided"
query "$work/a.db" "$everything" > "$work/a.txt"
tag "$pics" --labels "a, b" --db "$work/a.db" --format csv --out "$work/again.csv" ||
    fail "tag --db again"
said "^0 images tagged" && said "12 were done before" || fail "what was done is done again"
cmp -s "$work/plain.csv" "$work/again.csv" || fail "the database gives other confidences"

# A new label leaves the old confidences as they are; --again replaces them.
times="SELECT count(*) FROM prediction WHERE time < '2021'"
python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE prediction SET time = ?", ("2020-01-01T00:00:00Z",))
db.commit()' "$work/a.db"
tag "$pics" --labels "a, b, c" --db "$work/a.db" || fail "tag with another label"
said "^12 images tagged" && [ "$(query "$work/a.db" "$times")" = 24 ] ||
    fail "a new label changes old confidences"
tag "$pics" --labels "a, b" --db "$work/a.db" --again || fail "tag --again"
said "^12 images tagged" && [ "$(query "$work/a.db" "$times")" = 0 ] ||
    fail "tag --again does nothing"

# A copy elsewhere is known by its content; a broken image is no error and not done.
mkdir "$work/more"
cp "$pics"/$(ls "$pics" | head -n 1) "$work/more/copy.png"
printf 'cut' > "$work/more/cut.png"
tag "$work/more" --labels "a, b" --db "$work/a.db" || fail "tag of a copy"
said "^0 images tagged, 1 broken" && said "1 were done before" || fail "a copy is done again"
[ "$(query "$work/a.db" "SELECT count(*) FROM image_path WHERE image = 1")" = 2 ] ||
    [ "$(query "$work/a.db" "SELECT count(*) FROM image_path")" = 13 ] ||
    fail "the copy's path is not kept"

# Acceptance is asked for, is the model's, and is said once.
half="SELECT count(*) FROM prediction WHERE confidence >= 0.5"
tag "$pics" --labels "a, b" --db "$work/accept.db" --accept-above 0.5 || fail "accept"
n=$(query "$work/accept.db" "$half")
said "^$n confidences" || fail "the summary of --accept-above"
for i in 1 2; do
    [ "$(query "$work/accept.db" "SELECT count(*), min(by_model), min(threshold) FROM
        current_decision WHERE verdict = 1")" = "$n $([ "$n" = 0 ] && echo None None || echo 1 0.5)" ] ||
        fail "--accept-above accepts others"
    tag "$pics" --labels "a, b" --db "$work/accept.db" --accept-above 0.5 || fail "accept"
    said "^0 confidences" || fail "--accept-above says it twice"
done
tag "$pics" --labels "a, b" --db "$work/accept.db" --accept-above 0 || fail "accept all"
said "^24 confidences" || fail "what was done before is not accepted"

# Shards share out the images by content, and together are the whole.
for i in 1 2 3; do
    tag "$pics" --labels "a, b" --db "$work/shard$i.db" --shard $i/3 || fail "shard $i"
    said "belong to other shards" || fail "a shard takes everything"
    query "$work/shard$i.db" "$everything"
done | sort > "$work/shards.txt"
sort "$work/a.txt" | cmp -s - "$work/shards.txt" || fail "shards differ from the whole"
"$taglight" merge "$work/shard2.db" "$work/shard1.db" "$work/shard3.db" \
    --into "$work/merged.db" 2>"$work/errors" || fail "merge"
said "^12 images, 12 paths, 2 labels, 0 decisions and 24 confidences" || fail "merge counts"
query "$work/merged.db" "$everything" | cmp -s - "$work/a.txt" || fail "merge differs"
"$taglight" merge "$work/shard1.db" --into "$work/merged.db" --json 2>/dev/null |
    python3 -c 'import json, sys
d = json.load(sys.stdin)
sys.exit(d["conflicts"] != [] or any(d["added"].values()))' || fail "merge --json"

# Two people differ: both are kept, the newest holds, the difference is listed.
decide() { python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("INSERT INTO decision (image, label, verdict, by_model, time, event) SELECT i.id,"
           " l.id, ?, 0, ?, hex (randomblob (16)) FROM image i, label l WHERE l.name = ?"
           " ORDER BY i.hash LIMIT 1", (int(sys.argv[2]), sys.argv[3], "a"))
db.commit()' "$@"; }
"$taglight" backup --db "$work/merged.db" --out "$work/anna.db" || fail "backup"
"$taglight" backup --db "$work/merged.db" --out "$work/ben.db" || fail "backup"
decide "$work/anna.db" 1 2026-01-01T00:00:00.000Z
decide "$work/ben.db" -1 2026-01-02T00:00:00.000Z
"$taglight" labels --db "$work/anna.db" colour a "#112233" >/dev/null &&
    "$taglight" labels --db "$work/ben.db" colour a "#445566" >/dev/null || fail "labels colour"
"$taglight" merge "$work/anna.db=Anna Å" "$work/ben.db" --into "$work/both.db" \
    >"$work/out" 2>"$work/errors" || fail "merge of two people"
said "; 2 conflicts$" && grep -q "accepted 2026-01-01.*Anna Å" "$work/out" &&
    grep -q "rejected 2026-01-02.*ben" "$work/out" || fail "the conflict is not listed"
grep -q "^a: colour #112233, not #445566 (ben)$" "$work/out" || fail "colours are not told"
[ "$(query "$work/both.db" "SELECT verdict, author FROM current_decision")" = "-1 ben" ] ||
    fail "the newest does not hold"
[ ! -e "$work/backups/both.db-$(date -u +%F)" ] || fail "nothing needed a backup yet"
"$taglight" merge "$work/ben.db" --into "$work/both.db" --json 2>/dev/null | python3 -c '
import json, sys
told = json.load(sys.stdin)
assert told["added"]["vocabulary"] == 0, told
assert told["differences"] == [{"what": "colour", "of": "a", "kept": "#112233",
                                "other": "#445566", "source": "ben"}], told
' || fail "merge --json of colours"
"$taglight" merge "$work/nowhere.db" --into "$work/both.db" 2>"$work/errors"
[ $? = 1 ] && said nowhere.db || fail "merge of nothing"

# Going back keeps what was there.
"$taglight" restore --db "$work/both.db" --from "$work/anna.db" 2>"$work/errors" ||
    fail "restore"
aside=$(sed -n 's/^what was there is kept as //p' "$work/errors")
[ "$(query "$work/both.db" "SELECT verdict FROM decision")" = 1 ] && [ -f "$aside" ] &&
    [ "$(query "$aside" "SELECT count(*) FROM decision")" = 2 ] || fail "restore lost something"
[ -f "$work/backups/both.db-$(date -u +%F)" ] || fail "no backup was made by itself"
printf 'no database' > "$work/bad"
"$taglight" restore --db "$work/both.db" --from "$work/bad" 2>"$work/errors"
[ $? = 1 ] && said "bad" || fail "restore from rubbish"
[ "$(query "$work/both.db" "SELECT verdict FROM decision")" = 1 ] || fail "restore spoilt it"

# What is misused is said.
for wrong in "--shard 4/3" "--shard 0/3" "--shard 1/3x" "--again --resume"; do
    tag "$pics" --labels a --db "$work/x.db" $wrong
    [ $? = 2 ] || fail "$wrong is misuse"
done
tag "$pics" --labels a --accept-above 0.5
[ $? = 2 ] && [ ! -e "$work/x.db" ] || fail "--accept-above without --db is misuse"

# A full disk: a clear word, and what was said before is there.
mkdir "$work/small"
if mount -t tmpfs -o size=300k tmpfs "$work/small" 2>/dev/null; then
    tag "$pics" --labels "a, b" --db "$work/small/s.db" || fail "a small disk is large enough"
    query "$work/small/s.db" "$everything" > "$work/small.txt"
    dd if=/dev/zero of="$work/small/fill" bs=4096 2>/dev/null
    tag "$pics" --labels "$(seq -s, 1 400)" --db "$work/small/s.db"
    [ $? = 1 ] && said "s.db: the disk is full" || fail "a full disk is no error"
    rm "$work/small/fill"
    query "$work/small/s.db" "$everything" | cmp -s - "$work/small.txt" ||
        fail "a full disk lost something"
else
    echo "a full file system was not tried: it takes the right to mount one"
fi

# Watching: what was there, what comes slowly, what is moved in, in folders that come.
mkdir "$work/in"
cp "$pics/$(ls "$pics" | sed -n 1p)" "$work/in/1.png"
: >"$work/w.db" # an empty file becomes a database
"$taglight" tag --model "$work/demo" --labels "a, b" --db "$work/w.db" --watch "$work/in" \
    --recursive 2>"$work/errors" &
watcher=$!
reach() {
    for i in $(seq 1 200); do
        [ "$(query "$work/w.db" "SELECT count(DISTINCT image) FROM prediction" 2>/dev/null)" = "$1" ] &&
            return
        kill -0 $watcher 2>/dev/null || break
        sleep 0.1
    done
    fail "watching does not come to $1 images"
}
reach 1
slow=$pics/$(ls "$pics" | sed -n 2p)
{ head -c 3000 "$slow"; sleep 0.7; tail -c +3001 "$slow"; } > "$work/in/2.png"
mkdir "$work/in/folder"
cp "$pics/$(ls "$pics" | sed -n 3p)" "$work/in/folder/3.png"
cp "$pics/$(ls "$pics" | sed -n 4p)" "$work/moved.part"
mv "$work/moved.part" "$work/in/folder/4.png"
cp "$pics/$(ls "$pics" | sed -n 5p)" "$work/in/5.txt"
reach 4
mv "$work/in/5.txt" "$work/in/5.png"
reach 5
kill -INT $watcher
wait $watcher || fail "watching does not end well"
said "broken.png" && fail "watching took half a file"
grep -q "[1-9][0-9]* broken" "$work/errors" && fail "watching took half a file"
query "$work/w.db" "$everything" | while read -r row; do
    grep -qxF "$row" "$work/a.txt" || fail "watching gives other confidences"
done || exit 1
exit 0
