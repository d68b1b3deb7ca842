#!/bin/sh
# test_look.sh TAGLIGHT FILL_STORE SOURCE_ROOT: the command looks at a database, writes whole
# files or none, and says what it was used wrongly for.
set -e
taglight=$(readlink -f "$1")
fill_store=$(readlink -f "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset LANGUAGE
export LC_ALL=C.UTF-8
t=$(printf '\t')
{
    for i in 1 2 3 4; do
        echo "image${t}/p/$i.jpg${t}hash$i${t}640${t}480"
        echo "predict${t}/p/$i.jpg${t}boat${t}0.$((10 - i))${t}m#1${t}p"
    done
    echo "decide${t}/p/1.jpg${t}boat${t}accepted${t}human${t}-${t}-${t}${t}${t}2026-11-01T10:00:00Z"
    echo "decide${t}/p/2.jpg${t}boat${t}rejected${t}human${t}-${t}-${t}${t}${t}2026-11-01T11:00:00Z"
} | "$fill_store" d.db
fail() { echo "$*"; exit 1; }
expect() { # expect STATUS ARGUMENTS
    want=$1
    shift
    got=0
    "$taglight" look "$@" >out 2>&1 || got=$?
    [ "$got" = "$want" ] || { cat out; fail "look $*: $got, not $want"; }
}
expect 0 counts --db d.db
grep -q '^boat  *1  *1  *2  *0$' out || { cat out; fail "counts"; }
expect 0 precision --db d.db --label boat --csv - 
[ "$(sed -n 2p out | tr -d '\r' | cut -d, -f1-3)" = "0.9,1,1" ] || { cat out; fail "precision"; }
expect 0 progress --db d.db --csv p.csv --svg p.svg
[ ! -s out ] || fail "a table was printed beside the files"
head -1 p.csv | tr -d '\r' | grep -qx 'time,here' || { cat p.csv; fail "progress"; }
grep -q '^2026-11-01T11,1' p.csv || { cat p.csv; fail "hours"; }
grep -q '</svg>' p.svg || fail "svg"
# The same bytes in another language.
LC_ALL=de_DE.UTF-8 LANGUAGE=de "$taglight" look progress --db d.db --csv g.csv
cmp p.csv g.csv
expect 1 calibration --db d.db --label dog
grep -q 'no label "dog"' out || { cat out; fail "unknown label"; }
expect 1 counts --db missing.db
expect 1 counts --db d.db --svg no/such/folder.svg
expect 2 counts
expect 2 count --db d.db
expect 2 --db d.db
expect 2 histogram --db d.db
expect 2 counts --db d.db --label boat
expect 2 counts --db d.db --threshold 2
expect 2 counts --db d.db --csv a --svg a
[ ! -e missing.db ] || fail "a database was made"
