#!/bin/sh
# make_demo_model.sh TAGLIGHT FORMULA_CHECKPOINT TOKENIZER_DIR OUT_DIR
# A small CLIP-Decoder with random weights, for trying the program without a download.
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$2" demo "$work/demo.safetensors"
mkdir -p "$(dirname "$4")"
"$1" model import "$work/demo.safetensors" --name "$(basename "$4")" --tokenizer "$3" \
    --set text.heads=4 --to "$(dirname "$4")"
