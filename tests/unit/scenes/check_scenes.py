#!/usr/bin/env python3
"""Reads what `taglight scenes` wrote with a grammar of its own: check_scenes.py FOLDER
prints a checksum of the label files, or what is wrong with them."""
import collections
import csv
import hashlib
import itertools
import json
import os
import sys

COUNTS = {2: 'two', 3: 'three'}


def plural(shape):
    return {'fish': 'fish', 'cross': 'crosses'}.get(shape, shape + 's')


def words(*parts):
    return ' '.join(p for p in parts if p)


def truth(scene):
    """Every label that is true of the scene, from its description."""
    labels = {scene['background'], scene['condition']}
    shapes = collections.Counter()
    for o in scene['objects']:
        shape, colour, pattern = o['shape'], o['colour'], o['pattern']
        labels |= {shape, 'something ' + colour, words(colour, shape),
                   words(o['size'], shape), words(pattern, shape)}
        if pattern:
            labels |= {'something ' + pattern, words(pattern, colour, shape)}
        shapes[shape] += 1
    labels |= {words(COUNTS[n], plural(s)) for s, n in shapes.items() if n in COUNTS}
    return labels - {''}


def everything(scenes):
    """Every label that the words of these scenes can make."""
    objects = [o for s in scenes for o in s['objects']]
    shapes, colours, patterns, sizes = (
        {o[key] for o in objects} - {''}
        for key in ('shape', 'colour', 'pattern', 'size'))
    labels = {s[key] for s in scenes for key in ('background', 'condition')} - {''}
    labels |= shapes | {'something ' + w for w in colours | patterns}
    for one in (colours, patterns, sizes):
        labels |= {words(*pair) for pair in itertools.product(one, shapes)}
    labels |= {words(*three) for three in itertools.product(patterns, colours, shapes)}
    labels |= {words(n, plural(shape))
               for n, shape in itertools.product(COUNTS.values(), shapes)}
    return labels


def read_lines(folder, name):
    with open(os.path.join(folder, name), encoding='ascii') as source:
        return source.read().splitlines()


def read_csv(folder, name):
    rows = list(csv.reader(read_lines(folder, name)))
    return {row[0]: {k for k, value in zip(rows[0][1:], row[1:]) if value == '1'}
            for row in rows[1:] if set(row[1:]) <= {'0', '1'}}, rows[0][1:]


def read_coco(folder, name):
    coco = json.loads('\n'.join(read_lines(folder, name)))
    names = {c['id']: c['name'] for c in coco['categories']}
    files = {i['id']: i['file_name'] for i in coco['images']}
    labels = {f: set() for f in files.values()}
    for number, a in enumerate(coco['annotations'], 1):
        assert a['id'] == number, 'ids of annotations have gaps'
        labels[files[a['image_id']]].add(names[a['category_id']])
    return labels, [names[k] for k in sorted(names)]


def check_words(vocabulary, seen, unseen, scenes):
    assert set(vocabulary) == everything(scenes), 'the vocabulary is another'
    assert len(vocabulary) == len(set(vocabulary)), 'a label stands twice'
    assert [v for v in vocabulary if v in set(seen)] == seen, 'order of seen.txt'
    assert not set(seen) & set(unseen) and set(seen) | set(unseen) == set(vocabulary)
    known = {w for label in seen for w in label.split()}
    assert all(w in known for label in unseen for w in label.split()), 'a word is new'
    shapes = {o['shape'] for s in scenes for o in s['objects']}
    colours = {o['colour'] for s in scenes for o in s['objects']}
    for shape in shapes:
        held = sum(words(c, shape) in unseen for c in colours)
        assert 2 * held == len(colours), 'not half of the colours of a %s' % shape


def check_scene(scene, unseen):
    labels = truth(scene)
    assert all(o['seen'] >= 60 for o in scene['objects']), 'something is hidden'
    if scene['split'] in ('train', 'val'):
        assert not labels & unseen, 'held out but shown: %s' % (labels & unseen)
        for o in scene['objects']:
            parts = {words(o[k], o['shape']) for k in ('colour', 'pattern', 'size')}
            assert not parts & unseen, 'a held-out object'
    return labels


def main(folder):
    scenes = [json.loads(line) for line in read_lines(folder, 'scenes.jsonl')]
    vocabulary, seen, unseen = (read_lines(folder, name + '.txt')
                                for name in ('vocabulary', 'seen', 'unseen'))
    check_words(vocabulary, seen, unseen, scenes)
    want = {s['file_name']: check_scene(s, set(unseen)) for s in scenes}
    splits = {s['split'] for s in scenes} - {''}
    for split in [''] + sorted(splits):
        part = {s['file_name']: want[s['file_name']] for s in scenes
                if not split or s['split'] == split}
        name = 'labels_' + split if split else 'labels'
        assert read_csv(folder, name + '.csv') == (part, vocabulary), name + '.csv'
        assert read_coco(folder, name + '.json') == (part, vocabulary), name + '.json'
    shown = set().union(*(want[s['file_name']] for s in scenes if s['split'] == 'test'))
    assert not splits or len(shown & set(unseen)) > len(unseen) / 2, 'test shows little'
    assert sorted(os.listdir(os.path.join(folder, 'images'))) == \
        sorted(os.path.basename(f) for f in want), 'other pictures than labels'
    total = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        if name != 'images':
            with open(os.path.join(folder, name), 'rb') as source:
                total.update(source.read())
    print(total.hexdigest()[:16])


main(sys.argv[1])
