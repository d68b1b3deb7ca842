#!/bin/sh
# test_evaluate.sh TAGLIGHT SOURCE_ROOT FORMULA_CHECKPOINT: published figures through the
# command line, from wide and from long files; then a model, where there is a device.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache" XDG_CONFIG_HOME="$work/config"
fail() { echo "$1"; [ -s "$work/errors" ] && cat "$work/errors"; exit 1; }
corpus="$2/tests/corpus/metrics"

python3 - "$1" "$corpus" "$work" <<'PY' || fail "the figures are others"
import array, csv, json, struct, subprocess, sys
program, corpus, work = sys.argv[1:]
with open(corpus + '/cases.safetensors', 'rb') as f:
    size = struct.unpack('<Q', f.read(8))[0]
    header = json.loads(f.read(size))
    data = f.read()

def tensor(name):
    begin, end = header[name]['data_offsets']
    values = array.array('f', data[begin:end])
    n, c = header[name]['shape']
    return [values[i * c:(i + 1) * c] for i in range(n)]

def write(path, rows):
    with open(path, 'w', newline='') as f:
        csv.writer(f).writerows(rows)

def run(scores, truth, threshold):
    return json.loads(subprocess.run(
        [program, 'evaluate', '--json', '--scores', scores, '--truth', truth,
         '--threshold', threshold], check=True, stdout=subprocess.PIPE).stdout)

def near(got, want, tolerance, what):
    if got is None or want is None:
        assert got is want, what
    else:
        assert abs(got - want) <= tolerance, (what, got, want)

checked = 0
for case in json.load(open(corpus + '/expected.json')):
    scores = tensor('c%d.scores' % case['case'])
    truth = tensor('c%d.targets' % case['case'])
    labels = ['label %d' % k for k in range(case['C'])]
    names = ['%d, a.jpg' % i for i in range(case['N'])]
    write(work + '/sw.csv', [['image'] + labels]
          + [[n] + [repr(v) for v in row] for n, row in zip(names, scores)])
    write(work + '/tw.csv', [['image'] + labels]
          + [[n] + [int(v) for v in row] for n, row in zip(names, truth)])
    write(work + '/sl.csv', [['path', 'label', 'confidence']]
          + [[n, l, repr(v)] for n, row in zip(names, scores) for l, v in zip(labels, row)])
    write(work + '/tl.csv', [['image', 'label', 'state', 'source', 'score']]
          + [[n, l, 'accepted' if v else 'rejected', 'human', '']
             for n, row in zip(names, truth) for l, v in zip(labels, row)])
    for threshold in '0.5', '0.75':
        for s, t in ('sw', 'tw'), ('sl', 'tl'), ('sw', 'tl'), ('sl', 'tw'):
            got = run('%s/%s.csv' % (work, s), '%s/%s.csv' % (work, t), threshold)
            assert got['images'] == case['N'], got['images']
            part = got['results'][0]
            for k, row in enumerate(part['per_class']):
                assert row['label'] == labels[k]
                near(row['AP'], case['ap_ties_low_index_first'][k], 1e-6, 'AP')
            near(part['mAP'], case['mAP_ties_low_index_first'], 1e-4, 'mAP')
            near(part['mAP_sklearn_all_labels'], case['mAP_sklearn_all_classes'], 1e-4, '')
            near(part['mAP_sklearn_labels_present'],
                 case['mAP_sklearn_nonempty_classes'], 1e-4, 'mAP present')
            for top in 'top3', 'top5':
                want = case[top.replace('top', 'topk')]['clean']
                for key in want:
                    near(part[top][key], want[key], 1e-4, top + key)
            want = case['thr' + threshold]
            for key in 'CP', 'CR', 'CF1', 'CF1_harmonic', 'OP', 'OR', 'OF1':
                near(part['threshold'][key], want[key], 1e-4, key)
            checked += 1
print(checked, 'runs agree')
sys.exit(checked == 0)
PY

printf 'image,cat,dog,cow\na.jpg,0.9,0.2,0.4\nb.jpg,0.3,0.8,0.1\nz.jpg,1,1,1\n' > "$work/s.csv"
printf 'image,label,state\na.jpg,cat,accepted\nb.jpg,dog,accepted\nb.jpg,cow,rejected\n' > "$work/t.csv"
printf 'dog\n' > "$work/seen"
printf 'cat\ncow\n' > "$work/unseen"
"$1" evaluate --scores "$work/s.csv" --truth "$work/t.csv" --seen "$work/seen" \
    --unseen "$work/unseen" --threshold 0.5 --per-class > "$work/out" || fail "groups"
grep -q "^ZSL: 2 labels, 1 positive pairs, 3 negative, 0 unknown" "$work/out" || fail "ZSL"
grep -q "^GZSL: 3 labels, 2 positive pairs, 4 negative, 0 unknown" "$work/out" || fail "GZSL"
grep -q "count as negative" "$work/out" || fail "what is not listed is not said"
grep -q "left out: 1 images with scores but no truth: z.jpg" "$work/out" || fail "z.jpg"
"$1" evaluate --scores "$work/s.csv" --truth "$work/t.csv" --unlisted unknown |
    grep -q "^all: 3 labels, 2 positive pairs, 1 negative, 3 unknown" || fail "--unlisted"
printf 'image,cat\na.jpg,0.5\nb.jpg,x\n' > "$work/bad.csv"
"$1" evaluate --scores "$work/bad.csv" --truth "$work/t.csv" >/dev/null 2>"$work/errors"
[ $? = 1 ] && grep -q "bad.csv:3:7: this is not a number" "$work/errors" || fail "a bad cell"
"$1" evaluate --scores "$work/s.csv" >/dev/null 2>&1
[ $? = 2 ] || fail "scores without a truth is misuse"
: > "$work/errors"

"$1" devices >/dev/null 2>&1 || exit 77
"$2/tests/tools/make_demo_model.sh" "$1" "$3" "$2/tests/corpus/text" "$work/demo" >/dev/null ||
    fail "the demo model was not made"
printf 'filename,round,flat\ncircle.png,1,0\nsquare.png,0,1\nnowhere.png,1,1\n' > "$work/d.csv"
"$1" evaluate --model "$work/demo" --data "$work/d.csv" --images "$2/data/samples" \
    --scores-out "$work/m.csv" --json > "$work/a.json" 2>"$work/errors" || fail "a model"
grep -q "2 images scored, 1 broken" "$work/errors" || fail "the broken image is not counted"
grep -q nowhere.png "$work/errors" || fail "the broken image is not named"
: > "$work/errors"
[ "$(head -1 "$work/m.csv")" = "image,round,flat" ] || fail "--scores-out"
"$1" evaluate --scores "$work/m.csv" --truth "$work/d.csv" --json > "$work/b.json" &&
    cmp -s "$work/a.json" "$work/b.json" || fail "the scores that were written say otherwise"
"$1" tag "$2/data/samples" --model "$work/demo" --labels "round, flat" --format csv \
    --out "$work/tag.csv" 2>/dev/null || fail "tag"
"$1" evaluate --scores "$work/tag.csv" --truth "$work/d.csv" |
    grep -q "2 images were matched by the last part" || fail "paths of tag"
