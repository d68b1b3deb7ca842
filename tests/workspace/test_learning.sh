#!/bin/sh
# test_learning.sh TEST_LEARNING TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$4/tests/tools/make_demo_model.sh" "$2" "$3" "$4/tests/corpus/text" "$work/demo" >/dev/null \
    || exit 1
cp -r "$4/data/samples" "$work/photos"
mkdir "$work/models"
XDG_CACHE_HOME="$work/cache" "$1" "$work/demo" "$work/photos" "$work/decisions.db" \
    "$work/models"
