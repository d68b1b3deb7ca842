#!/bin/sh
# test_words.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT: the commands labels, find and trust,
# and what labels ask the model.
taglight=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
fail() { echo "$1"; [ -f "$work/errors" ] && cat "$work/errors"; exit 1; }
"$taglight" devices >/dev/null 2>&1 || exit 77
"$3/tests/tools/make_demo_model.sh" "$taglight" "$2" "$3/tests/corpus/text" "$work/demo" \
    >/dev/null || fail "the demo model was not made"
"$taglight" scenes "$work/scenes" --count 10 >/dev/null 2>&1 || fail "no pictures were drawn"
pics=$work/scenes/images
set -- "$pics"/*
tag() { "$taglight" tag "$pics" --model "$work/demo" "$@" 2>"$work/errors"; }
labels() { "$taglight" labels --db "$work/a.db" "$@" >"$work/out" 2>"$work/errors"; }
find() { "$taglight" find --db "$work/a.db" "$@" 2>"$work/errors"; }
trust() { "$taglight" trust --db "$work/a.db" --model demo "$@" >"$work/out" 2>"$work/errors"; }
said() { grep -q "$1" "$work/errors"; }
told() { grep -q "$1" "$work/out" || fail "no \"$1\" in: $(cat "$work/out")"; }
found() { want=$1; shift; got=$(find "$@" | wc -l)
    [ "$got" = "$want" ] || fail "find $*: $got, not $want"; }
# The confidences of a label of a CSV file, one a line.
column() { awk -F, -v label="$2" '$2 == label { print $3 }' "$1"; }

# A sum has other confidences than its words, and the words have theirs as ever.
tag --labels "boat, night" --format csv --out "$work/plain.csv" || fail "tag"
tag --labels "night, boat + night, x := boat, y := the boat | a {}, boat" --no-cache \
    --format csv --out "$work/sums.csv" || fail "tag with sums"
for label in boat night; do
    column "$work/plain.csv" $label >"$work/1"
    column "$work/sums.csv" $label >"$work/2"
    [ -s "$work/1" ] && cmp -s "$work/1" "$work/2" || fail "$label has other confidences"
done
column "$work/plain.csv" boat >"$work/1"
column "$work/sums.csv" x >"$work/2"
cmp -s "$work/1" "$work/2" || fail "x does not ask for a boat"
column "$work/sums.csv" "boat + night" >"$work/2"
[ -s "$work/2" ] && ! cmp -s "$work/1" "$work/2" || fail "a sum is like its first word"
tag --labels "boat - boat" && fail "nothing was asked"
said "cancel each other out" || fail "no reason is told"
tag --labels 'a, "boat' && fail "an open quote"
said "column 1: this quote is not closed" || fail "no place is told"

# The vocabulary: decisions follow names, what follows from a decision is decided too.
tag --labels "boat, quay" --db "$work/a.db" || fail "tag --db"
labels add vehicle car && labels parent boat vehicle && labels group kind boat car ||
    fail "labels"
labels parent vehicle boat && fail "a circle"
said "above and below itself" || fail "no reason is told"
labels accept boat "$1" "$2" "$3" "$4" && labels reject boat "$5" "$6" "$7" ||
    fail "labels accept"
labels accept car "$4" || fail "labels accept car"
told "boat rejected, because of car"
labels rename boat ship || fail "labels rename"
told "^7 decisions count for ship now"
found 3 accepted:ship
found 3 accepted:boat
found 4 accepted:vehicle
found 4 rejected:ship
labels merge quay ship || fail "labels merge"
labels list && told "synonyms: boat, quay"
labels split quay || fail "labels split"
labels prompt ship "a photo of {} - 2:harbour" || fail "labels prompt"
labels prompt ship 'a + "b' && fail "a prompt that cannot be read"
labels nonsense && fail "labels takes any word"
labels export "$work/v.json" || fail "labels export"
"$taglight" labels --db "$work/b.db" import "$work/v.json" >/dev/null || fail "labels import"
"$taglight" labels --db "$work/b.db" export >"$work/again.json" || fail "labels export"
cmp -s "$work/v.json" "$work/again.json" || fail "a vocabulary comes back as another"

# The prompt that is kept is asked; one may ask otherwise for once.
tag --labels ship --db "$work/a.db" --format csv --out "$work/kept.csv" || fail "tag kept"
tag --labels "ship := a photo of {} - 2:harbour" --format csv --out "$work/once.csv" ||
    fail "tag once"
cmp -s "$work/kept.csv" "$work/once.csv" || fail "the prompt that is kept is not asked"

# Finding.
found 10
found 3 "accepted:ship not accepted:car"
found 7 decided:ship
found 10 --model demo "ship>0 or ship<=0"
found 0 --model demo "ship>0 ship<=0"
found 2 --limit 2 "sort:name"
found 1 "name:$(basename "$1")"
found 7 by:person
found 0 --save mine "folder:images undecided:ship accepted:car"
found 0 --saved mine
find "shp>.5" >/dev/null && fail "find takes any label"
said 'column 1: there is no label "shp"' || fail "no place is told"
find --model other "ship>.5" && fail "find takes any model"
said "these have: demo#" || fail "no model is told"
find --json --model demo "accepted:ship sort:ship" >"$work/out" || fail "find --json"
python3 - "$work/out" <<'END' || fail "find --json"
import json, sys
rows = json.load(open(sys.argv[1]))
values = [row['confidence']['ship'] for row in rows]
assert len(rows) == 3 and values == sorted(values, reverse=True), rows
END
find --model "$work/demo" --similar "$2" >"$work/out" || fail "find --similar"
[ "$(wc -l <"$work/out")" = 10 ] || fail "find --similar leaves images out"
[ "$(head -n 1 "$work/out")" = "$(printf '1.0000\t%s' "$2")" ] || fail "a picture is not most
    like itself"

# Trust.
trust --at .5 || fail "trust"
told "^ship: 3 accepted, 4 rejected; told apart"
told 'as good as\|better than\|worse than'
trust --json --label ship --precision .3 --set || fail "trust --json"
python3 - "$work/out" <<'END' || fail "trust --json"
import json, sys
ship, = json.load(open(sys.argv[1]))['labels']
assert (ship['accepted'], ship['rejected']) == (3, 4), ship
assert len(ship['other_wordings']) == 1 and 0 <= ship['area'] <= 1, ship
wished = ship['wished']
assert wished['decided'] >= 1 and wished['precision'][0] < wished['precision'][1], ship
assert (ship['threshold'] is not None) == wished['holds'], ship
END
# Two wordings that were never asked before, on what was decided.
compare() { "$taglight" trust --db "$work/a.db" --model "$work/demo" --label ship "$@" \
    >"$work/out" 2>"$work/errors"; }
compare --compare "a boat" --compare "a {} | the {}" || fail "trust --compare"
told "^ship: 3 accepted, 4 rejected"
told '"a boat": told apart 0\.[0-9]* (.*), average precision'
told "better"
compare --compare "a boat" --compare "a boat" --json || fail "trust --compare --json"
python3 - "$work/out" <<'END' || fail "trust --compare --json"
import json, sys
said = json.load(open(sys.argv[1]))
assert said['difference'] == 0 and said['better'] == 0, said
one, other = said['wordings']
assert one['area'] == other['area'] and 0 < one['average_precision'] <= 1, said
END
compare --compare "a boat" && fail "one wording is compared"
compare --compare "a boat" --compare '"boat' && fail "an open quote"
said "not closed" || fail "no place is told"
mv "$2" "$work/away.png"
compare --compare "a boat" --compare "a ship" || fail "trust --compare with a file missing"
told "^ship: 2 accepted, 4 rejected"
said "1 decided images could not be read" || fail "nothing is said of the missing file"
mv "$work/away.png" "$2"
trust --label nothing && fail "trust takes any label"
trust --precision 2 && fail "a precision of 2"
exit 0
