#!/bin/sh
# results.sh TAGLIGHT ENCODER TEXT CONFIG OUT: the measurements of docs/results.md. Draws a world
# to learn from and one to be asked about, trains zero-shot heads on the image encoder of the
# bundle ENCODER, which none of them changes, and prints the tables. TEXT is a bundle whose text
# encoder has learnt before. What is in OUT already is not made again. VARIANTS and SEEDS choose
# less than all.
set -e
run=$(realpath "$1")
encoder=$(realpath "$2")
text=$(realpath "$3")
config=$(realpath "$4")
mkdir -p "$5"
cd "$5"
steps=${STEPS:-1000}

[ -d learn ] || "$run" scenes learn --count "${PICTURES:-30000}" --seed 11
[ -d ask ] || "$run" scenes ask --count 2000 --seed 12
# Word vectors know nothing but which words are the same: 300 normal numbers a word.
[ -f vectors.txt ] || python3 - <<'PY'
import random
words = sorted({w for line in open('learn/vocabulary.txt') for w in line.split()})
r = random.Random(1)
with open('vectors.txt', 'w') as out:
    for word in words:
        print(word, *('%.4f' % r.gauss(0, 1) for _ in range(300)), file=out)
PY
sed 's/"label_width": *[0-9]*/"label_width": 300/' "$config" > words.json
cp "$config" text.json

# train NAME CONFIG SEED OPTIONS…: the same pictures, steps and rates for all.
train() {
    name=$1 sizes=$2 seed=$3
    shift 3
    [ -d "$name" ] || "$run" train --new "$sizes" --encoder "$encoder" --data learn/labels.json \
        --labels learn/seen.txt --batch 64 --steps "$steps" --labels-per-step 64 --lr 3e-3 \
        --warmup .1 --gamma-negative 0 --clip 0 --ema 0 --dropout 0 --memory 8000 \
        --seed "$seed" --out "$name" "$@" 2>"$name.log"
    [ -s "$name.json" ] || "$run" evaluate --model "./$name" --data ask/labels.json \
        --seen ask/seen.txt --unseen ask/unseen.txt --json $asked > "$name.json" 2>>"$name.log"
}

for seed in ${SEEDS:-1 2 3}; do
    for variant in ${VARIANTS:-ml-decoder clip-decoder pretrained-text labels-alone more-captions \
                      frozen-text bare-label pretrained-alone pretrained-frozen}; do
        asked=
        case $variant in
        ml-decoder) asked="--word-vectors vectors.txt"
            train ml-decoder-$seed words.json $seed --scope head --alpha 0 \
                --word-vectors vectors.txt ;;
        clip-decoder) train clip-decoder-$seed text.json $seed --scope head+text --alpha 1 ;;
        labels-alone) train labels-alone-$seed text.json $seed --scope head+text --alpha 0 ;;
        more-captions) train more-captions-$seed text.json $seed --scope head+text --alpha 5 ;;
        frozen-text) train frozen-text-$seed text.json $seed --scope head --alpha 0 ;;
        pretrained-text) train pretrained-text-$seed text.json $seed --scope head+text --alpha 1 \
                --text-encoder "$text" ;;
        pretrained-alone) train pretrained-alone-$seed text.json $seed --scope head+text \
                --alpha 0 --text-encoder "$text" ;;
        pretrained-frozen) train pretrained-frozen-$seed text.json $seed --scope head --alpha 0 \
                --text-encoder "$text" ;;
        bare-label) train bare-label-$seed text.json $seed --scope head+text --alpha 1 \
            --prompt %s ;;
        esac
    done
done

python3 - <<'PY'
import glob, json, re, statistics
rows = {}
for path in sorted(glob.glob('*-[0-9].json')):
    parts = {r['name']: r for r in json.load(open(path))['results']}
    rows.setdefault(re.sub(r'-\d+\.json$', '', path), []).append(
        [parts[p][m] if m == 'mAP' else parts[p][m]['F1'] for p in ('ZSL', 'GZSL')
         for m in ('mAP', 'top3', 'top5')])
print('| | seeds | ZSL mAP | F1@3 | F1@5 | GZSL mAP | F1@3 | F1@5 |')
print('|---|---|---|---|---|---|---|---|')
for name, runs in rows.items():
    cells = ['%.1f ± %.1f' % (statistics.mean(c), statistics.stdev(c) if len(c) > 1 else 0)
             for c in zip(*runs)]
    print('| %s | %d | %s |' % (name, len(runs), ' | '.join(cells)))
PY
