#!/usr/bin/env python3
"""What each format writes: test_exports.py TAGLIGHT FILL_STORE ROOT [--accept]

The files in tests/corpus/exports are what the formats wrote when a person last looked at
them; --accept writes them anew. Beyond them every format is read by a parser that is not
ours."""
import ast
import csv
import io
import json
import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as xml

from export_case import FILES, FOLDERS, ROOT, SIDECARS, TAGLIGHT, ExportCase, main

GOLDEN = os.path.join(ROOT, 'tests', 'corpus', 'exports')
ACCEPT = '--accept' in sys.argv

# Text that files of these formats must survive.
HOSTILE = ['say "hi", then', 'two\nlines', 'a\ttab\r', '<b>&amp;</b>', "it's; 100 % \\n",
           'naïve 日本語 🚤', 'שלום ‮rtl', ' blank ', '.hidden', '../up', 'a/b', 'x' * 4000,
           'bell\x07']


class SmallSet(ExportCase):
    """Three images: one with all kinds of labels, one with none, one with a rejection."""

    def setUp(self):
        super().setUp()
        self.photo('day1/fog.jpg', 'plasma.jpg')
        self.photo('day1/quay.jpg')
        self.photo('day1/quay.png', 'circle.png')
        self.fill(('label', 'boat'), ('label', 'calm water'), ('label', 'snow'),
                  self.image('day1/quay.jpg', 'aa'), self.image('day1/fog.jpg', 'bb'),
                  self.image('day1/quay.png', 'cc', '640', '480'),
                  self.decide('day1/quay.jpg', 'boat', 'accepted', 'model', '0.931', '0.62',
                              'clipdec-l-v1', 'a photo of a boat', '2026-11-24T10:02:11Z'),
                  self.decide('day1/quay.jpg', 'calm water', 'accepted'),
                  self.decide('day1/quay.jpg', 'snow', 'rejected', 'human', '0.21', '0.55',
                              'clipdec-l-v1', 'a photo of snow'),
                  self.decide('day1/quay.png', 'boat', 'rejected'),
                  self.predict('day1/fog.jpg', 'calm water', '0.4'),
                  self.predict('day1/quay.jpg', 'calm water', '0.7', 'clipdec-l-v1', 'calm'))


# --- Bytes ---------------------------------------------------------------------------

class Golden(SmallSet):
    def tree(self, path):
        """Texts by path below; a link is its target's name."""
        found = {}
        for base, _, names in os.walk(path):
            for name in names:
                place = os.path.join(base, name)
                with open(place, 'rb') as file:
                    found[os.path.relpath(place, path)] = file.read()
        return found

    def compare(self, form, tree):
        tree = {name: re.sub(rb'"year": \d+|"date_created": "[0-9-]+"', b'"date": 0',
                             text.replace(self.work.encode(), b'/WORK'))
                for name, text in tree.items()}
        folder = os.path.join(GOLDEN, form)
        for name, text in tree.items() if ACCEPT else ():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), 'wb') as file:
                file.write(text)
        self.assertEqual(self.tree(folder), tree)

    def test_files(self):
        for form in FILES:
            with self.subTest(form):
                self.run_export(form, out=self.path('file'))
                with open(self.path('file'), 'rb') as file:
                    text = file.read()
                self.compare(form, {'export': text})
                self.assertEqual(self.run_export(form, out='-').encode(), text)

    def test_folders(self):
        for form in FOLDERS:
            with self.subTest(form):
                self.run_export(form, out=self.path(form))
                self.compare(form, self.tree(self.path(form)))

    def test_sidecars(self):
        for form in SIDECARS:
            with self.subTest(form):
                self.run_export(form, out=self.path(form))
                self.compare(form, self.tree(self.path(form)))

    def test_again(self):
        """Ids stay when images and labels come before what was there."""
        self.run_export('coco', out=self.path('before'))
        self.fill(('label', 'aaa'), self.image('day0/first.jpg', '00'))
        self.run_export('coco', out=self.path('after'))
        before, after = (json.loads(self.read(n)) for n in ('before', 'after'))
        for part in ('images', 'categories', 'annotations'):
            key = 'file_name' if part == 'images' else 'name'
            ids = {e['id']: e.get(key, '').split('/')[-1] for e in after[part]}
            for entry in before[part]:
                self.assertEqual(ids[entry['id']], entry.get(key, '').split('/')[-1])


# --- Meaning -------------------------------------------------------------------------

class Readers(SmallSet):
    def test_coco_boxes(self):
        self.run_export('coco', '--bbox', out=self.path('c.json'))
        text = json.loads(self.read('c.json'))
        images = {i['id']: i for i in text['images']}
        categories = {c['id']: c['name'] for c in text['categories']}
        self.assertEqual({i['file_name'] for i in images.values()},
                         {'fog.jpg', 'quay.jpg', 'quay.png'})
        self.assertEqual(sorted(categories.values()), ['boat', 'calm water', 'snow'])
        self.assertEqual([a['id'] for a in text['annotations']], [1, 2])
        for a in text['annotations']:
            image = images[a['image_id']]
            self.assertIn(categories[a['category_id']], ('boat', 'calm water'))
            self.assertEqual(a['bbox'], [0, 0, image['width'], image['height']])
            self.assertEqual(a['area'], image['width'] * image['height'])
            self.assertEqual((a['segmentation'], a['iscrowd']), ([], 0))

    def test_pycocotools(self):
        try:
            from pycocotools.coco import COCO
        except ImportError:
            self.skipTest('pycocotools is not installed')
        self.run_export('coco', '--bbox', out=self.path('c.json'))
        coco = COCO(self.path('c.json'))
        boat = coco.getCatIds(catNms=['boat'])
        self.assertEqual([i['file_name'] for i in coco.loadImgs(coco.getImgIds(catIds=boat))],
                         ['quay.jpg'])
        self.assertEqual(coco.loadAnns(coco.getAnnIds(catIds=boat))[0]['bbox'],
                         [0, 0, 4000, 3000])

    def test_no_box_without_size(self):
        self.fill(self.image('day1/new.jpg', 'dd', '0', '0'),
                  self.decide('day1/new.jpg', 'boat', 'accepted'))
        self.run_export('coco', '--bbox', out=self.path('c.json'))
        self.assertIn('new.jpg', self.said)
        self.assertEqual(len(json.loads(self.read('c.json'))['annotations']), 2)
        self.run_export('coco', out=self.path('c.json'))
        self.assertEqual(len(json.loads(self.read('c.json'))['annotations']), 3)

    def array(self, *parts):
        """Shape and values of an .npy file."""
        with open(self.path(*parts), 'rb') as file:
            raw = file.read()
        self.assertEqual(raw[:8], b'\x93NUMPY\x01\x00')
        size, = struct.unpack('<H', raw[8:10])
        self.assertEqual((size + 10) % 64, 0)
        header = ast.literal_eval(raw[10:10 + size].decode())
        self.assertIs(header['fortran_order'], False)
        kind = {'<f4': 'f', '|i1': 'b'}[header['descr']]
        rows, columns = header['shape']
        return header['shape'], struct.unpack('<%d%s' % (rows * columns, kind),
                                              raw[10 + size:])

    def test_cleanlab(self):
        self.run_export('cleanlab', out=self.path('c'))
        shape, scores = self.array('c', 'pred_probs.npy')
        self.assertEqual(shape, (3, 3))
        self.assertEqual([round(x, 6) if x == x else None for x in scores],
                         [None, 0.4, None, 0.931, 0.7, 0.21, None, None, None])
        self.assertEqual(self.array('c', 'given.npy'),
                         ((3, 3), (-1, -1, -1, 1, 1, 0, 0, -1, -1)))
        self.assertIn('NaN', self.said)
        lines = [json.loads(line) for line in self.read('c', 'labels.jsonl').splitlines()]
        self.assertEqual([line['labels'] for line in lines], [[], [0, 1], []])

    def test_numpy(self):
        try:
            import numpy
        except ImportError:
            self.skipTest('numpy is not installed')
        self.run_export('cleanlab', out=self.path('c'))
        self.assertEqual(numpy.load(self.path('c', 'given.npy')).sum(), -3)
        self.assertEqual(numpy.load(self.path('c', 'pred_probs.npy')).dtype, numpy.float32)

    def test_class_folders(self):
        self.run_export('yolo', status=2, out=self.path('y'))
        self.photo('day2/quay.jpg', 'plasma.jpg')
        self.fill(self.image('day2/quay.jpg', 'dd'),
                  self.decide('day2/quay.jpg', 'boat', 'accepted'))
        self.run_export('yolo', '--images', 'copy', out=self.path('y'))
        found = sorted(os.path.relpath(os.path.join(b, n), self.path('y'))
                       for b, _, names in os.walk(self.path('y')) for n in names)
        self.assertEqual(found, ['train/boat/quay.jpg', 'train/boat/quay~4.jpg',
                                 'train/calm water/quay.jpg'])
        self.assertIn('several folders: 1', self.said)
        self.assertIn('no place: 2', self.said)

    def test_images(self):
        for form, place in (('coco', 'images/default'), ('datumaro', 'images/default'),
                            ('fiftyone', 'data'), ('huggingface', '.'),
                            ('openimages', 'train'), ('voc', 'JPEGImages')):
            for how in ('copy', 'link'):
                with self.subTest(form=form, how=how):
                    out = self.path('%s-%s' % (form, how))
                    self.run_export(form, '--images', how, out=out)
                    for name in ('fog.jpg', 'quay.jpg', 'quay.png'):
                        copy = os.path.join(out, place, name)
                        with open(copy, 'rb') as a, \
                                open(self.path('photos', 'day1', name), 'rb') as b:
                            self.assertEqual(a.read(), b.read())
                        self.assertEqual(os.path.islink(copy), how == 'link')


class Choices(SmallSet):
    def rows(self, *options):
        text = self.run_export('csv', *options, out='-')
        return [row[:4] for row in list(csv.reader(io.StringIO(text)))[1:]]

    def test_states(self):
        self.assertEqual(len(self.rows()), 4)
        self.assertEqual(self.rows('--states', 'undecided'),
                         [['fog.jpg', 'calm water', 'undecided', 'model']])
        self.assertEqual([r[2] for r in self.rows('--states', 'rejected')], ['rejected'] * 2)
        self.run_export('coco', '--states', 'rejected', out='-', status=2)
        self.run_export('coco', '--states', 'maybe', out='-', status=2)

    def test_own_reader(self):
        """`taglight evaluate` reads its own long CSV, what is undecided too."""
        self.write(self.path('scores.csv'), 'image,boat\nquay.jpg,0.9\nquay.png,0.1\n')
        self.run_export('csv', '--states', 'accepted,rejected,undecided',
                        out=self.path('all.csv'))
        done = subprocess.run([TAGLIGHT, 'evaluate', '--scores', self.path('scores.csv'),
                               '--truth', self.path('all.csv'), '--json'],
                              stdout=subprocess.PIPE, check=True)
        result = json.loads(done.stdout)['results'][0]
        self.assertAlmostEqual(result['mAP_labels_present'], 100, 4)

    def test_undecided_become_positives_only_when_asked(self):
        self.run_export('onehot', '--states', 'accepted,undecided', out='-', status=2)
        text = self.run_export('onehot', '--states', 'accepted,undecided', '--min-score',
                               '0.3', out='-')
        self.assertIn('fog.jpg,0,1,0\n', text)
        text = self.run_export('onehot', '--states', 'accepted,undecided', '--min-score',
                               '0.5', out='-')
        self.assertIn('fog.jpg,0,0,0\n', text)

    def test_source_and_score(self):
        self.assertEqual([r[1] for r in self.rows('--source', 'model')], ['boat'])
        self.assertEqual(len(self.rows('--source', 'human')), 3)
        self.assertEqual(len(self.rows('--source', 'any')), 4)
        # A person's word stands whatever the score was.
        self.assertEqual([r[1] for r in self.rows('--min-score', '0.95')],
                         ['calm water', 'snow', 'boat'])

    def test_labels(self):
        self.assertEqual([r[1] for r in self.rows('--labels', 'snow, calm water')],
                         ['calm water', 'snow'])
        self.write(self.path('labels.txt'), '\ufeffsnow\r\n')
        self.assertEqual([r[1] for r in self.rows('--labels-file', self.path('labels.txt'))],
                         ['snow'])
        self.run_export('csv', '--labels', 'snaw', out='-', status=1)
        self.assertIn('snaw', self.said)

    def test_times(self):
        self.assertEqual(len(self.rows('--since', '2026-11-24')), 4)
        self.assertEqual(len(self.rows('--until', '2026-11-24')), 4)
        self.assertEqual(len(self.rows('--until', '2026-11-23')), 0)
        self.assertEqual([r[1] for r in self.rows('--until', '2026-11-24T10:02:12Z')],
                         ['boat'])
        self.assertEqual(len(self.rows('--since', '2026-11-24T12:02:12+02:00')), 3)
        self.run_export('csv', '--since', 'yesterday', out='-', status=2)

    def test_paths(self):
        self.fill(self.image('day2/a.jpg', 'dd'), self.decide('day2/a.jpg', 'boat', 'accepted'))
        self.assertEqual(self.rows()[0][0], 'day1/quay.jpg')
        under = os.path.join(self.photos, 'day2')
        self.assertEqual([r[0] for r in self.rows('--under', under)], ['day2/a.jpg'])
        self.assertEqual([r[0] for r in self.rows('--under', under, '--absolute')],
                         [under + '/a.jpg'])
        self.assertEqual([r[0] for r in self.rows('--under', under, '--root', under)],
                         ['a.jpg'])
        self.assertEqual([r[0] for r in self.rows('--under', under, '--prefix', 'gs://b/')],
                         ['gs://b/day2/a.jpg'])
        self.run_export('datumaro', '--prefix', 'x', out=self.path('d'), status=2)

    def test_byte_order_mark(self):
        self.assertTrue(self.run_export('csv', '--bom', out='-').startswith('\ufeffimage,'))
        self.run_export('cvat', '--bom', out='-', status=2)

    def test_subset(self):
        self.run_export('coco', '--subset', 'val2026', out=self.path('c'))
        self.assertTrue(os.path.exists(self.path('c', 'annotations', 'labels_val2026.json')))
        self.run_export('coco', '--subset', '../x', out=self.path('d'), status=2)


# --- Hostile names -------------------------------------------------------------------

class Hostile(ExportCase):
    """Every label is on one image and rejected on another; images have such names too."""

    def setUp(self):
        super().setUp()
        self.names = ['%d %s.jpg' % (i, t.replace('/', '_')[:60])
                      for i, t in enumerate(HOSTILE)]
        lines = [('label', t) for t in HOSTILE] + [('label', 'never')]
        for i, name in enumerate(self.names):
            self.photo(name)
            lines += [self.image(name, 'h%d' % i),
                      self.decide(name, HOSTILE[i], 'accepted'),
                      self.decide(name, 'never', 'rejected')]
        self.photo(b'n \xff.jpg')
        lines += [self.image(b'n \xff.jpg', 'hx'), self.decide(b'n \xff.jpg', 'x' * 4000,
                                                               'accepted')]
        self.fill(*lines)
        self.pairs = set(zip(self.names, HOSTILE)) | {('n \ufffd.jpg', 'x' * 4000)}

    def export(self, form, *options):
        self.run_export(form, *options, out=self.path('out'))
        self.assertIn('is not UTF-8', self.said)
        return self.path('out')

    def test_csv(self):
        with open(self.export('csv'), encoding='utf-8', newline='') as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({(r['image'], r['label']) for r in rows
                          if r['state'] == 'accepted'}, self.pairs)
        self.assertEqual({r['label'] for r in rows if r['state'] == 'rejected'}, {'never'})

    def test_onehot(self):
        with open(self.export('onehot'), encoding='utf-8', newline='') as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({(r['filename'], label) for r in rows for label in r
                          if r[label] == '1'}, self.pairs)

    def test_automl(self):
        with open(self.export('automl'), encoding='utf-8', newline='') as file:
            rows = list(csv.reader(file))
        self.assertEqual({(r[1], label) for r in rows for label in r[2:]}, self.pairs)

    def test_coco(self):
        with open(self.export('coco'), encoding='utf-8') as file:
            text = json.load(file)
        names = {i['id']: i['file_name'] for i in text['images']}
        labels = {c['id']: c['name'] for c in text['categories']}
        self.assertEqual({(names[a['image_id']], labels[a['category_id']])
                          for a in text['annotations']}, self.pairs)

    def test_label_studio(self):
        with open(self.export('label-studio'), encoding='utf-8') as file:
            tasks = json.load(file)
        self.assertEqual({(t['data']['image'], c) for t in tasks for p in t['predictions']
                          for r in p['result'] for c in r['value']['choices']}, self.pairs)

    def test_cvat(self):
        root = xml.parse(self.export('cvat')).getroot()
        self.assertEqual(root.findtext('version'), '1.1')
        got = {(i.get('name'), t.get('label')) for i in root.iter('image')
               for t in i.iter('tag')}
        # XML 1.0 has no room for a bell.
        self.assertEqual(got, {(n.replace('\x07', '\ufffd'), t.replace('\x07', '\ufffd'))
                               for n, t in self.pairs})

    def test_datumaro(self):
        self.export('datumaro')
        text = json.loads(self.read('out', 'annotations', 'default.json'))
        labels = [c['name'] for c in text['categories']['label']['labels']]
        self.assertEqual({(i['image']['path'], labels[a['label_id']])
                          for i in text['items'] for a in i['annotations']}, self.pairs)

    def test_fiftyone(self):
        self.export('fiftyone')
        text = json.loads(self.read('out', 'labels.json'))
        self.assertEqual({(k + '.jpg', text['classes'][c['label']])
                          for k, v in text['labels'].items() for c in v}, self.pairs)

    def test_huggingface(self):
        self.export('huggingface')
        rows = [json.loads(line) for line in self.read('out', 'metadata.jsonl').split('\n')
                if line]
        self.assertEqual({(r['file_name'], label) for r in rows for label in r['labels']},
                         self.pairs)
        self.assertEqual({len(r['labels']) - len(r['scores']) for r in rows}, {0})

    def test_openimages(self):
        self.export('openimages')
        text = self.read('out', 'train-annotations-human-imagelabels.csv')
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual({(r['ImageID'] + '.jpg', r['LabelName']) for r in rows
                          if r['Confidence'] == '1'}, self.pairs)
        self.assertEqual({r['LabelName'] for r in rows if r['Confidence'] == '0'}, {'never'})

    def test_voc(self):
        self.export('voc', '--images', 'link')
        folder = self.path('out', 'ImageSets', 'Main')
        names = sorted(os.listdir(folder))
        self.assertEqual(len(names), len(HOSTILE) + 2)
        # Two image names hold line ends, which a list cannot.
        images = self.read('out', 'ImageSets', 'Main', 'train.txt').splitlines()
        self.assertEqual(len(images), len(HOSTILE) + 1 - 2)
        self.assertIn('line end', self.said)
        never = self.read('out', 'ImageSets', 'Main', 'never_train.txt').split('\n')[:-1]
        self.assertEqual({line.rsplit(' ', 1)[1] for line in never}, {'-1', '0'})
        self.assertEqual(sum(line.endswith(' 0') for line in never), 1)
        apostrophe = [n for n in names if n.startswith("it's")][0]
        self.assertIn(" 1\n", self.read('out', 'ImageSets', 'Main', apostrophe))

    def test_yolo(self):
        self.export('yolo', '--images', 'link')
        folders = os.listdir(self.path('out', 'train'))
        self.assertEqual(len(folders), len(HOSTILE))
        self.assertTrue(all(len(f.encode()) < 256 for f in folders))
        self.assertNotIn('never', folders)
        self.assertFalse(os.path.exists(self.path('up')))

    def test_cleanlab(self):
        self.export('cleanlab')
        classes = json.loads(self.read('out', 'classes.json'))
        rows = [json.loads(line) for line in self.read('out', 'labels.jsonl').split('\n')
                if line]
        self.assertEqual({(r['image'], classes[i]) for r in rows for i in r['labels']},
                         self.pairs)

    def test_labelme(self):
        self.export('labelme')
        got = set()
        for name in os.listdir(os.fsencode(self.path('out'))):
            with open(os.path.join(os.fsencode(self.path('out')), name), 'rb') as file:
                text = json.load(file)
            image = os.path.basename(text['imagePath'])
            got |= {(image, f) for f, value in text['flags'].items() if value}
            self.assertIs(text['flags'].get('never', False), False)
            self.assertEqual(text['shapes'], [])
        self.assertEqual(got, self.pairs)

    def test_txt(self):
        self.export('txt')
        for i, label in enumerate(HOSTILE):
            text = self.read('out', self.names[i][:-4] + '.txt')
            want = re.sub('[,\r\n\t]', ' ', label).strip()
            self.assertEqual(text, want)
        self.assertIn('commas', self.said)

    def test_xmp(self):
        self.export('xmp')
        space = {'dc': 'http://purl.org/dc/elements/1.1/',
                 'rdf': 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'}
        for i, label in enumerate(HOSTILE):
            root = xml.parse(self.path('out', self.names[i] + '.xmp')).getroot()
            words = [li.text for li in root.findall('.//dc:subject/rdf:Bag/rdf:li', space)]
            self.assertEqual(words, [label.strip().replace('\x07', '\ufffd')])

    def test_path_out_of_the_folder(self):
        self.fill(('image', self.photos + '/../../up.jpg', 'hy', '1', '1'))
        for form in ('coco', 'huggingface', 'voc'):
            self.run_export(form, '--images', 'link', '--root', self.photos,
                            out=self.path(form), status=1)
            self.assertIn('..', self.said)
            self.assertEqual([n for n in os.listdir(self.work) if n.startswith(form)], [])
        self.run_export('xmp', '--root', self.photos, out=self.path('xmp'), status=1)
        self.assertFalse(os.path.exists(os.path.join(os.path.dirname(self.work),
                                                     'up.jpg.xmp')))


main()
