#!/bin/sh
# test_workspace.sh TEST_WORKSPACE TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$4/tests/tools/make_demo_model.sh" "$2" "$3" "$4/tests/corpus/text" "$work/demo" >/dev/null \
    || exit 1
cp -r "$4/data/samples" "$work/photos"
XDG_CACHE_HOME="$work/cache" "$1" "$work/demo" "$work/photos" "$work/decisions.db" || exit
ls "$work"/backups/decisions.db-* >/dev/null || exit 1 # the day's, made by itself
python3 - "$work/decisions.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
said = db.execute("SELECT p.model, p.prompt, p.confidence FROM prediction p JOIN"
                  " label l ON l.id = p.label WHERE l.hidden = 0").fetchall()
assert len(said) == 4 * 3, said
assert all(m.startswith("demo#") and len(m) == 13 and p.startswith("a photo of ") and 0 < c < 1
           for m, p, c in said), said
model, prompt, confidence = db.execute("SELECT model, prompt, confidence FROM decision").fetchone()
assert (model, prompt, confidence) in said, (model, prompt, confidence)
PY
