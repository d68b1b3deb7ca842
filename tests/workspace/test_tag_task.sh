#!/bin/sh
# test_tag_task.sh TEST_TAG_TASK TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$4/tests/tools/make_demo_model.sh" "$2" "$3" "$4/tests/corpus/text" "$work/demo" >/dev/null \
    || exit 1
XDG_CACHE_HOME="$work/cache" "$1" "$work/demo" "$4/data/samples" "$work/decisions.db"
