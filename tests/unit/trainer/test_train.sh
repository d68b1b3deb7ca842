#!/bin/sh
# test_train.sh TAGLIGHT: a small model is trained from nothing; the loss falls, a training
# that was killed and stopped ends in the same bits, and the bundle answers.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
run=$(realpath "$1")
cd "$work" || exit 1
fail() { echo "$1"; [ -s errors ] && cat errors; exit 1; }

"$run" devices >/dev/null 2>&1 || exit 77
"$run" scenes world --count 60 --seed 1 --size 64 --split train=0.8,test=0.2 || fail "scenes"
head -24 world/seen.txt > few.txt
echo "a zebra" > more.txt
cat > tiny.json <<'JSON'
{ "layers": [1, 1, 1, 1], "width_factor": 0.125, "decoder_width": 32, "decoder_hidden": 64,
  "label_width": 32, "text_context": 16, "text_width": 32, "text_layers": 1,
  "text_heads": 2, "vocabulary": 1000, "align_width": 16, "image_size": 64 }
JSON
# In a subshell, which it becomes, so that its number is the program's.
start() {
    exec "$run" train --new tiny.json --data world/labels_train.json --labels few.txt --batch 8 \
        --steps 30 --lr 0.002 --max-norm 5 --augment flip,cutout,shape --words more.txt "$@"
}
train() { (start "$@"); }

train --out one 2>errors || fail "a training"
[ -e one.training ] && fail "the folder of the training is left"
for file in model.json model.safetensors vocab.json merges.txt training.csv training.svg; do
    [ -s one/$file ] || fail "there is no $file"
done
grep -q '"zebra</w>"' one/vocab.json || fail "--words"
grep -q '"command" : "taglight train --new tiny.json' one/training.json || fail "the record"
python3 - <<'PY' || fail "the loss does not fall"
import csv
rows = list(csv.DictReader(open('one/training.csv')))
losses = [float(r['loss']) for r in rows]
assert [int(r['step']) for r in rows] == list(range(1, 31))
assert sum(losses[-6:]) < 0.9 * sum(losses[:6]), losses
assert float(rows[-1]['loss_clip']) > 0 and float(rows[0]['gradient_norm']) > 0
PY

# Killed in the middle, then stopped by Ctrl-C, with another number of threads.
start --out two --minutes 0.0001 --jobs 3 2>errors &
process=$!
while [ ! -s two.training/checkpoint.safetensors ]; do
    kill -0 $process 2>/dev/null || fail "the training that was to be killed ended"
    sleep 0.02
done
kill -KILL $process
wait $process 2>/dev/null
[ -e two ] && fail "the training ended before it was killed"
train --out two 2>errors && fail "a stopped training was overwritten"
grep -q -- "--resume" errors || fail "--resume is not named"
train --out two --resume --beta 2 2>errors && fail "other options were taken"
grep -q -- "began with --beta 1, not 2" errors || fail "the other option is not named"
start --out two --resume --minutes 0.0001 2>errors &
process=$!
sleep 0.1
until grep -q "goes on" errors; do kill -0 $process || fail "no resumption"; sleep 0.02; done
kill -INT $process
wait $process
status=$?
if [ -e two ]; then
    [ $status = 0 ] || fail "a training that ended failed"
else
    [ $status = 1 ] && grep -q "stopped and saved" errors || fail "Ctrl-C"
    train --out two --resume 2>errors || fail "the rest of a training"
fi
cmp one/model.safetensors two/model.safetensors || fail "a stop changes the model"
cut -d, -f1-7 one/training.csv > one.csv
cut -d, -f1-7 two/training.csv > two.csv
cmp one.csv two.csv || fail "a stop changes the log"

# The head alone, from pictures that are encoded once; stored with 16 bits. The second time
# they come from the cache.
for name in head again; do
    "$run" train --model ./one --data world/labels_train.json --labels few.txt \
        --scope head --batch 24 --epochs 2 --store f16 --out $name 2>errors || fail "the head"
    grep -q "pictures encoded: 48;" errors || fail "the pictures are not encoded once"
done
[ -s cache/taglight/tokens.db ] || fail "what was encoded is not kept"
cmp head/model.safetensors again/model.safetensors || fail "the cache changes the model"
"$run" train --model ./head --data world/labels_train.json --labels few.txt \
    --scope decoder --batch 24 --steps 2 --out decoder 2>errors || fail "the decoder alone"
"$run" train --model ./one --data world --labels few.txt --scope head+text --val test \
    --labels-per-step 8 --steps 4 --batch 24 --memory 0 --out text 2>errors ||
    fail "head and text"
[ "$(grep -c "^epoch .* on test$" errors)" = 2 ] || fail "the epochs were not measured"
[ "$(grep -c ",[0-9]*[.][0-9][0-9]$" text/training.csv)" = 2 ] || fail "the log of them"
grep -q "mAP [0-9][0-9]*[.][0-9]* on test" errors || fail "no percentage"
"$run" train --model ./one --data world --labels few.txt --val tset --steps 2 --out no \
    2>errors && fail "a split that is not there"
[ "$(stat -c %s head/model.safetensors)" -lt "$(stat -c %s one/model.safetensors)" ] ||
    fail "--store f16"
"$run" evaluate --model ./head --data world/labels_train.json --json > scores.json 2>errors ||
    fail "evaluate"
python3 -c "
import json
part = json.load(open('scores.json'))['results'][0]
assert part['mAP_labels_present'] > 0" || fail "no average precision"
"$run" tag world/images/000001.jpg --model ./head --labels "circle, zebra" 2>errors |
    grep -q zebra || fail "tag"

# The bytes of a bundle's tensors by name.
cat >tensors.py <<'PY'
import json, struct
def tensors(folder):
    data = open(folder + '/model.safetensors', 'rb').read()
    size = struct.unpack('<Q', data[:8])[0]
    header = json.loads(data[8:8 + size])
    return {n: data[8 + size + t['data_offsets'][0]:8 + size + t['data_offsets'][1]]
            for n, t in header.items() if n != '__metadata__'}
PY
export PYTHONPATH=.

# An image encoder alone, by its auxiliary classifier, and a new model around it.
start --out first --alpha 0 --beta 0 --ema 0 2>errors || fail "an image encoder"
"$run" train --new tiny.json --encoder ./first --data world/labels_train.json --labels few.txt \
    --scope head+text --batch 8 --steps 3 --ema 0 --out around 2>errors || fail "around it"
python3 - <<'PY' || fail "the image encoder is another"
import csv
from tensors import tensors
new, first, around = tensors('one'), tensors('first'), tensors('around')
body = [n for n in first if n.startswith('body.')]
assert all(first[n] == around[n] for n in body)
assert not any(n.startswith('auxiliary') for n in first) and set(first) == set(new)
assert first['head.wordvec_proj.weight'] != around['head.wordvec_proj.weight']
losses = [float(r['loss']) for r in csv.DictReader(open('first/training.csv'))]
assert sum(losses[-6:]) < 0.9 * sum(losses[:6]), losses
PY

# A text encoder that was made before, with its tokenizer, which does not know all words.
"$run" train --new tiny.json --text-encoder ./first --data world/labels_train.json \
    --scope head --alpha 0 --batch 8 --steps 3 --ema 0 --out read 2>errors || fail "a text encoder"
python3 - <<'PY' || fail "the text encoder is another"
from tensors import tensors
first, read = tensors('first'), tensors('read')
text = [n for n in first if n.split('.')[0] in ('token_embedding', 'positional_embedding',
                                                'transformer', 'text_projection')]
assert len(text) > 10 and all(first[n] == read[n] for n in text)
assert first['body.conv1.0.weight'] != read['body.conv1.0.weight']
for name in 'vocab.json', 'merges.txt':
    assert open('first/' + name).read() == open('read/' + name).read()
PY
sed 's/"width_factor": 0.125/"width_factor": 0.25/' tiny.json > wide.json
"$run" train --new wide.json --encoder ./first --data world/labels_train.json --labels few.txt \
    --steps 2 --out wide 2>errors && fail "an encoder of another size"
grep -q "not of the sizes of the configuration" errors || fail "the sizes are not named"
"$run" train --model ./one --encoder ./first --data world --out no 2>/dev/null
[ $? = 2 ] || fail "--encoder is for new models"
sed 's/"text_width": *[0-9]*/"text_width": 16/' tiny.json > narrow.json
"$run" train --new narrow.json --text-encoder ./first --data world/labels_train.json \
    --steps 2 --out narrow 2>errors && fail "a text encoder of another size"
grep -q "text encoder is not of the sizes" errors || fail "the text's sizes are not named"

# Word vectors in place of the text encoder: the same in training and in evaluation.
python3 - <<'PY'
import random
words = sorted({w for line in open('few.txt') for w in line.split()})
r = random.Random(3)
with open('vectors.txt', 'w') as out:
    print(len(words) + 1, 32, file=out)
    for w in words + ['unused']:
        print(w, *('%.3f' % r.gauss(0, 1) for _ in range(32)), file=out)
PY
train --word-vectors vectors.txt --alpha 0 --auxiliary 0 --dropout 0 --out words 2>errors ||
    fail "word vectors"
python3 - <<'PY' || fail "word vectors teach nothing, or the text encoder is trained"
import csv, struct, json
losses = [float(r['loss']) for r in csv.DictReader(open('words/training.csv'))]
assert sum(losses[-6:]) < 0.9 * sum(losses[:6]), losses
PY
"$run" evaluate --model ./words --data world/labels_train.json --seen few.txt \
    --word-vectors vectors.txt --json > by-vectors.json 2>errors || fail "evaluate by vectors"
"$run" evaluate --model ./words --data world/labels_train.json --seen few.txt \
    --json > by-text.json 2>errors || fail "evaluate by text"
cmp -s by-vectors.json by-text.json && fail "the vectors change nothing"
grep -v "^circle " vectors.txt > less.txt
train --word-vectors less.txt --alpha 0 --out no 2>errors && fail "a word without a vector"
grep -q "less.txt: 1 words of the labels have no vector: circle" errors || fail "the word"
sed 's/^circle [^ ]*/circle/' vectors.txt > short.txt
train --word-vectors short.txt --alpha 0 --out no 2>errors && fail "a short vector"
grep -q 'short.txt:[0-9]*: "circle" does not have 32 numbers' errors || fail "its line"

# Misuse and broken data.
"$run" train --new tiny.json --out x 2>/dev/null
[ $? = 2 ] || fail "no data is misuse"
train --out one 2>errors && fail "a model was overwritten"
cp -r world broken
for i in 1 2 3; do echo x > broken/images/00000$i.jpg; done
rm broken/images/000004.jpg
"$run" train --new tiny.json --data broken/labels_train.json --labels few.txt --batch 47 --steps 2 \
    --out hurt 2>errors || fail "broken pictures"
[ "$(grep -c "none of its labels is learnt" errors)" = 3 ] || fail "the broken ones"
grep -q "pictures that are not there, left out: 1" errors || fail "the missing one"

# A model that lacks its head gets one; values beyond all numbers stop it with the step.
mkdir parts bad
cp one/model.json one/vocab.json one/merges.txt parts
cp one/model.json one/vocab.json one/merges.txt bad
python3 - <<'PY' || fail "the files of other models"
import json, struct
data = open('one/model.safetensors', 'rb').read()
size = struct.unpack('<Q', data[:8])[0]
header, body = json.loads(data[8:8 + size]), data[8 + size:]

def write(path, names, body):
    text = json.dumps({n: header[n] for n in names}).encode()
    with open(path, 'wb') as out:
        out.write(struct.pack('<Q', len(text)) + text + body)

names = [n for n in header if n != '__metadata__']
begin, end = header['body.conv1.conv.weight']['data_offsets']
write('bad/model.safetensors', names,
      body[:begin] + struct.pack('<f', 3e38) * ((end - begin) // 4) + body[end:])
kept, offset, part = [], 0, b''
for n in names:
    if not n.startswith(('head.', 'align.')):
        a, b = header[n]['data_offsets']
        header[n] = dict(header[n], data_offsets=[offset, offset + b - a])
        kept, offset, part = kept + [n], offset + b - a, part + body[a:b]
write('parts/model.safetensors', kept, part)
PY
"$run" train --model ./parts --data world/labels_train.json --labels few.txt --scope head \
    --batch 4 --steps 2 --out whole 2>errors || fail "a model without a head"
"$run" model info ./whole | grep -q "ML-Decoder, zero-shot, width 768" || fail "the new head"
[ ! -e whole/added.safetensors ] || fail "a file of the training is left"
"$run" train --model ./bad --data world/labels_train.json --labels few.txt --steps 2 \
    --out worse 2>errors && fail "a loss that is no number"
grep -q "step 1" errors || fail "the step is not named"
[ ! -e worse.training ] || fail "a folder without a step is left"

# A disk that is full ends it; what was saved before stays.
(trap '' XFSZ; ulimit -f 200; start --out full --minutes 0.0001 2>errors) && fail "no disk"
grep -q "full.training/checkpoint.safetensors" errors || fail "the file is not named"
exit 0
