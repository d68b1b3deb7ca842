#!/usr/bin/env python3
"""`taglight check` and `taglight card` as a person runs them: test_check.py TAGLIGHT
FILL_STORE ROOT. Every flaw is planted in a copy of a good sample, and is found once."""
import csv
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(sys.argv[3], 'tests', 'formats'))
# pylint: disable=wrong-import-position
from export_case import SAMPLES, TAGLIGHT, ExportCase, main  # noqa: E402


def exif(orientation, width, height):
    """An APP1 segment."""
    def entry(tag, kind, value):
        packed = struct.pack('<HH', value, 0) if kind == 3 else struct.pack('<I', value)
        return struct.pack('<HHI', tag, kind, 1) + packed
    tiff = b'II*\0' + struct.pack('<IH', 8, 2) + entry(0x112, 3, orientation)
    tiff += entry(0x8769, 4, 38) + bytes(4) + struct.pack('<H', 2)
    tiff += entry(0xa002, 4, width) + entry(0xa003, 4, height) + bytes(4)
    body = b'Exif\0\0' + tiff
    return b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body


class CheckCase(ExportCase):
    def run_command(self, *command, status=0, **more):
        done = subprocess.run([os.path.abspath(TAGLIGHT), *command], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, **more)
        self.said = done.stderr.decode()
        self.assertEqual(done.returncode, status, self.said)
        return done.stdout.decode()

    def check(self, *options, status=0):
        """The report; self.kinds: names of files by kind of finding."""
        text = self.run_command('check', '--json', *options, status=status)
        report = json.loads(text)
        self.kinds = {}
        for finding in report['findings']:
            names = [os.path.basename(path) for path in finding['paths']]
            self.kinds.setdefault(finding['kind'], []).append(sorted(names))
        counted = {'error': 0, 'warning': 0, 'note': 0}
        for finding in report['findings']:
            counted[finding['severity']] += 1
        for severity, count in counted.items():
            self.assertEqual(report[severity + 's'], count)
        return report

    def sample(self, name='landscape.jpg'):
        with open(os.path.join(SAMPLES, name), 'rb') as file:
            return file.read()

    def put(self, name, data):
        path = os.path.join(self.photos, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def turned(self, name, orientation, width, height):
        data = self.sample()
        return self.put(name, data[:2] + exif(orientation, width, height) + data[2:])


# --- Files ---------------------------------------------------------------------------

class Files(CheckCase):
    def test_good(self):
        self.photo('a.jpg')
        self.photo('b.png', 'circle.png')
        report = self.check('--strict', '--only', 'files,duplicates', self.photos)
        self.assertEqual(report['findings'], [])
        self.assertEqual(report['images'], 2)
        self.assertEqual(report['checks'], ['files', 'duplicates'])

    def test_each_flaw(self):
        jpeg, png = self.sample(), self.sample('circle.png')
        self.put('good.jpg', jpeg)
        self.put('cut.jpg', jpeg[:len(jpeg) // 2])
        self.put('cut.png', png[:-12])
        self.put('named.png', jpeg + b'\0')
        self.put('none.jpg', b'')
        self.put('text.jpg', b'no picture at all, however long it may be')
        huge = bytearray(png)
        huge[16:24] = struct.pack('>II', 60000, 60000)
        self.put('huge.png', bytes(huge))
        report = self.check('--only', 'files', self.photos)
        self.assertEqual(self.kinds, {
            'cut-short': [['cut.jpg'], ['cut.png']], 'wrong-suffix': [['named.png']],
            'empty': [['none.jpg']], 'no-image': [['text.jpg']],
            'too-large': [['huge.png']]})
        self.assertEqual((report['errors'], report['warnings']), (5, 1))
        self.check('--only', 'files', '--strict', self.photos, status=3)

    def test_turned(self):
        data = self.sample()
        at = next(i for i in range(len(data))
                  if data[i:i + 2] in (b'\xff\xc0', b'\xff\xc2'))
        height, width = struct.unpack('>HH', data[at + 5:at + 9])
        self.assertNotEqual(width, height)
        self.turned('as-cameras-do.jpg', 6, width, height)
        self.turned('twice.jpg', 6, height, width)
        self.turned('mirror.jpg', 4, width, height)
        self.turned('nine.jpg', 9, width, height)
        self.check('--only', 'files', self.photos)
        self.assertEqual(self.kinds, {'turned-twice': [['twice.jpg']],
                                      'mirrored': [['mirror.jpg']],
                                      'orientation-unknown': [['nine.jpg']]})

    @unittest.skipIf(os.geteuid() == 0, 'root may read anything')
    def test_no_right(self):
        os.chmod(self.photo('a.jpg'), 0)
        self.check('--only', 'files', self.photos)
        self.assertEqual(self.kinds, {'unreadable': [['a.jpg']]})

    def test_names_do_not_drive_the_terminal(self):
        self.put('a\x1b[31m\n.jpg', b'')
        text = self.run_command('check', self.photos)
        self.assertIn('a?[31m?.jpg: the file is empty [empty]', text)
        self.assertNotIn('\x1b', text)

    def test_misuse(self):
        self.run_command('check', status=2)
        self.run_command('check', '--only', 'files,teeth', '.', status=2)
        self.run_command('check', '--db', 'x', '--data', 'y', status=2)
        self.run_command('check', self.path('nowhere'), status=1)
        self.run_command('check', '--db', self.path('none.db'), status=1)


# --- Duplicates, leakage -------------------------------------------------------------

class Copies(CheckCase):
    def near(self, name):
        """The sample with a comment in it: other bytes, the same looks."""
        data = self.sample()
        return self.put(name, data[:2] + b'\xff\xfe\0\x06near' + data[2:])

    def test_groups(self):
        self.photo('a.jpg')
        self.photo('b.jpg')
        self.near('c.jpg')
        self.photo('d.png', 'circle.png')
        self.check('--only', 'duplicates', self.photos)
        self.assertEqual(self.kinds, {'same-content': [['a.jpg', 'b.jpg']],
                                      'near': [['a.jpg', 'b.jpg', 'c.jpg']]})

    def test_leakage(self):
        self.photo('a.jpg')
        self.photo('b.jpg')
        self.near('c.jpg')
        self.photo('d.png', 'circle.png')
        self.photo('e.jpg', 'plasma.jpg')
        self.write(self.path('labels.csv'), 'image,split,boat\na.jpg,train,1\n'
                   'b.jpg,test,1\nc.jpg,train,1\nd.png,test,1\ne.jpg,train,1\n')
        report = self.check('--data', self.path('labels.csv'), '--images', self.photos,
                            '--only', 'leakage')
        self.assertEqual(self.kinds, {'same-in-splits': [['a.jpg', 'b.jpg']],
                                      'near-in-splits': [['a.jpg', 'b.jpg', 'c.jpg']]})
        self.assertIn('2 in train, 1 in test', json.dumps(report))

    def test_no_splits(self):
        report = self.check('--only', 'leakage', self.photo('a.jpg'))
        self.assertEqual(report['passed_over'],
                         ['leakage: the images are in no splits'])

    def test_exports_do_not_leak(self):
        """Near pictures of a database are in one part, whatever the seed."""
        self.photo('a.jpg')
        self.near('c.jpg')
        self.photo('d.png', 'circle.png')
        self.fill(*(self.image(name, hashlib.sha256(name.encode()).hexdigest())
                    for name in ('a.jpg', 'c.jpg', 'd.png')))
        for seed in range(6):
            self.check('--db', self.db, '--only', 'leakage', '--split',
                       'train=.5,test=.5', '--split-seed', str(seed))
            self.assertEqual(self.kinds, {})


# --- Labels --------------------------------------------------------------------------

class Decisions(CheckCase):
    """Forty images. The odd ones are boats, with a confidence of .8 to .9, and accepted
    but for one; of the even ones, with .1 to .2, one is accepted."""

    def setUp(self):
        super().setUp()
        lines = [('label', 'boat'), ('label', 'seldom')]
        for i in range(40):
            name = '%02d.jpg' % i
            boat = i % 2 == 1
            lines += [self.image(name, '%064x' % (i + 1)),
                      self.predict(name, 'boat', str((.8 if boat else .1) + i / 400),
                                   'm#1', 'a photo of a boat'),
                      self.decide(name, 'boat', 'accepted' if boat != (i in (4, 7))
                                  else 'rejected')]
            lines += [self.predict(name, 'boat', '.9' if boat != (i in (4, 7)) else '.1',
                                   'other#2', 'boat')]
        lines += [self.decide('00.jpg', 'seldom', 'accepted')]
        self.fill(*lines)

    def test_odd_ones(self):
        report = self.check('--db', self.db, '--only', 'disagreement', '--model', 'm')
        self.assertEqual(self.kinds, {'accepted-doubtful': [['04.jpg']],
                                      'rejected-doubtful': [['07.jpg']],
                                      'estimate': [[]]})
        ranks = [f['rank'] for f in report['findings'] if 'rank' in f]
        self.assertEqual(ranks, sorted(ranks, reverse=True))

    def test_models(self):
        """Another model agrees with all of it, and a name must be whole."""
        self.check('--db', self.db, '--only', 'disagreement', '--model', 'other')
        self.assertEqual(self.kinds, {})
        report = self.check('--db', self.db, '--only', 'disagreement', '--model',
                            'othe')
        self.assertEqual(report['passed_over'], ['disagreement: no decision has a '
                                                 'confidence of a model beside it'])

    def test_scores(self):
        """The same from a data set with a file of scores."""
        rows, scores = ['image,boat'], ['image,boat']
        for i in range(40):
            boat = i % 2 == 1
            rows.append('%02d.jpg,%d' % (i, boat != (i in (4, 7))))
            scores.append('%02d.jpg,%g' % (i, .8 + i / 400 if boat else .1 + i / 400))
        self.write(self.path('t.csv'), '\n'.join(rows) + '\n')
        self.write(self.path('s.csv'), '\n'.join(scores) + '\n')
        self.check('--data', self.path('t.csv'), '--scores', self.path('s.csv'),
                   '--only', 'disagreement')
        self.assertEqual(self.kinds, {'accepted-doubtful': [['04.jpg']],
                                      'rejected-doubtful': [['07.jpg']],
                                      'estimate': [[]]})
        self.write(self.path('s.csv'), 'image,boat\n00.jpg,7\n')
        self.run_command('check', '--data', self.path('t.csv'), '--scores',
                         self.path('s.csv'), status=1)
        self.assertIn('no confidence', self.said)

    def test_balance(self):
        report = self.check('--db', self.db, '--only', 'balance')
        found = {(f['kind'], f.get('label')) for f in report['findings']}
        self.assertEqual(found, {('few-accepted', 'seldom'), ('few-rejected', 'seldom'),
                                 ('uneven', None), ('no-label', None)})
        boat = report['labels'][0]
        self.assertEqual((boat['name'], boat['accepted'], boat['rejected']),
                         ('boat', 20, 20))

    def test_missing_and_changed(self):
        """The files of this database are not there but one, which is another."""
        self.photo('03.jpg')
        self.check('--db', self.db, '--only', 'files')
        self.assertEqual(self.kinds['changed'], [['03.jpg']])
        self.assertEqual(len(self.kinds['missing']), 39)


# --- The card ------------------------------------------------------------------------

class Cards(CheckCase):
    def setUp(self):
        super().setUp()
        shared = [self.image('a.jpg', 'aa' * 32), self.image('b.jpg', 'bb' * 32),
                  self.image('copy of a.jpg', 'aa' * 32)]
        hostile = 'pipe | \t`tick` <b>\n# head'
        self.fill(*shared, ('label', 'boat'), ('label', hostile),
                  self.decide('a.jpg', 'boat', 'accepted', time='2026-11-01T00:00:00Z'),
                  self.decide('b.jpg', 'boat', 'rejected', time='2026-11-03T00:00:00Z'),
                  self.decide('b.jpg', hostile, 'accepted', 'model', '.9', '.5', 'm#1',
                              'a | prompt', '2026-11-02T00:00:00Z'),
                  self.predict('a.jpg', 'boat', '.9', 'm#1', 'a boat'),
                  self.predict('b.jpg', 'boat', '.7', 'm#1', 'a boat'))

    def make(self, *options):
        self.run_command('card', '--db', self.db, '--out', self.path('card.md'),
                         '--json', self.path('card.json'), *options)
        return self.read('card.md'), json.loads(self.read('card.json'))

    def test_figures(self):
        text, card = self.make()
        counts = [card[name] for name in ('images', 'files', 'accepted', 'rejected',
                                          'by_model')]
        self.assertEqual(counts, [2, 3, 2, 1, 1])
        self.assertEqual(card['first_decision'], '2026-11-01T00:00:00.000Z')
        self.assertEqual(card['last_decision'], '2026-11-03T00:00:00.000Z')
        boat = card['labels'][0]
        self.assertEqual(boat['prompts'], ['a boat'])
        self.assertEqual((boat['precision']['value'], boat['precision']['of']), (.5, 2))
        self.assertEqual(boat['recall']['value'], 1)
        self.assertIsNone(card['labels'][1]['precision'])
        self.assertEqual(card['authors'], [
            {'name': '', 'kind': 'person', 'decisions': 2},
            {'name': 'm#1', 'kind': 'model', 'decisions': 1}])
        self.assertEqual(card['duplicates']['groups_of_same_content'], 1)
        self.assertIn('| 50.0 % (', text)

    def test_threshold(self):
        _, card = self.make('--threshold', '.8')
        boat = card['labels'][0]
        self.assertEqual((boat['precision']['value'], boat['precision']['of']), (1, 1))

    def test_markup_of_others(self):
        """A label is one cell of its row, and no head of its own."""
        text, _ = self.make()
        row = next(line for line in text.split('\n') if 'pipe' in line)
        start = '| pipe \\|  \\`tick\\` \\<b\\> \\# head | a \\| prompt |'
        self.assertEqual(row[:len(start)], start)
        self.assertEqual(row.replace('\\|', '').count('|'), 9)

    def test_the_same_bytes(self):
        first = self.make(), self.read('card.json')
        env = dict(os.environ, LC_ALL='de_DE.UTF-8', TZ='Asia/Tokyo')
        again = self.run_command('card', '--db', self.db, '--out', '-', env=env)
        self.assertEqual(again, first[0][0])
        shutil.copy(self.path('card.json'), self.path('before.json'))
        self.make()
        self.assertEqual(self.read('card.json'), self.read('before.json'))

    def test_manifest(self):
        """Worked out again from what the export command of the card writes."""
        _, card = self.make()
        self.assertIn("taglight export --db 'decisions.db'", card['command'])
        self.run_command(*card['command'].replace("'", '').split()[1:], cwd=self.work)
        hashes = {'a.jpg': 'aa' * 32, 'b.jpg': 'bb' * 32, 'copy of a.jpg': 'aa' * 32}
        lines = set()
        with open(self.path('labels.csv'), encoding='utf-8', newline='') as file:
            for row in csv.DictReader(file):
                label = row['label'].replace('\\', '\\\\').replace('\t', '\\t')
                lines.add('%s\t%s\t%s\n' % (hashes[row['image']],
                                            label.replace('\n', '\\n'), row['state']))
        want = hashlib.sha256(''.join(sorted(lines)).encode()).hexdigest()
        self.assertEqual(len(lines), 3)
        self.assertEqual(card['manifest_sha256'], want)

    def test_splits(self):
        text, card = self.make('--split', 'train=.5,test=.5')
        self.assertEqual(sum(card['splits'].values()), 3)
        self.assertIn('--split train=.5,test=.5 --split-seed 0', text)

    def test_empty(self):
        self.db = self.path('empty.db')
        self.fill(('label', 'boat'))
        text, card = self.make()
        self.assertIsNone(card['first_decision'])
        self.assertIn('| First decision | none |', text)


main()
