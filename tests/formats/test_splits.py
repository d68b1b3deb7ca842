#!/usr/bin/env python3
"""Splits that stay, and outputs that are whole: test_splits.py TAGLIGHT FILL_STORE ROOT"""
import csv
import glob
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as xml

from export_case import TAGLIGHT, ExportCase, main

SHARES = 'train=0.6,val=0.2,test=0.2'


def content(number):
    return hashlib.sha256(b'%d' % number).hexdigest()


class Splits(ExportCase):
    def lines(self, numbers):
        lines = []
        for n in numbers:
            name = '%04d.jpg' % n
            lines += [self.image(name, content(n)), self.decide(name, 'boat', 'accepted')]
        return lines

    def splits(self, *options, shares=SHARES, db=None):
        text = self.run_export('csv', '--split', shares, *options, out='-', db=db)
        return {row['image']: row['split'] for row in csv.DictReader(io.StringIO(text))}

    def test_pure(self):
        self.fill(*self.lines(range(600)))
        before = self.splits()
        counts = [sum(s == name for s in before.values()) for name in ('train', 'val', 'test')]
        for count, share in zip(counts, (0.6, 0.2, 0.2)):
            self.assertLess(abs(count - 600 * share), 4 * (600 * share * (1 - share)) ** 0.5)
        # More images, other labels and filters change nothing.
        self.fill(*self.lines(range(550, 900)), ('label', 'aaa'),
                  self.decide('0600.jpg', 'aaa', 'accepted'))
        after = self.splits()
        self.assertEqual({k: after[k] for k in before}, before)
        self.assertEqual(self.splits('--labels', 'aaa'), {'0600.jpg': after['0600.jpg']})
        # Nor does another database, in which they came in another order.
        other = self.path('other.db')
        self.fill(*self.lines(range(899, -1, -1)), db=other)
        self.assertEqual(self.splits(db=other), after)
        self.assertNotEqual(self.splits('--split-seed', '1'), after)
        self.assertEqual(set(self.splits(shares='val=1').values()), {'val'})

    def test_shares_grow_in_place(self):
        """With a larger share of training no image leaves the training set."""
        self.fill(*self.lines(range(300)))
        small, large = self.splits(), self.splits(shares='train=0.8,val=0.1,test=0.1')
        self.assertTrue(all(large[k] == 'train' for k in small if small[k] == 'train'))

    def test_near_duplicates(self):
        """All copies of a picture that were compressed again are in one split."""
        names = []
        for sample in ('landscape.jpg', 'plasma.jpg'):
            path = self.photo(sample, sample)
            for n in range(12):
                name = '%s %d.jpg' % (sample[:-4], n)
                with open(path, 'rb') as file:
                    picture = file.read()
                with open(os.path.join(self.photos, name), 'wb') as file:
                    # Another content of the same looks: a comment after the first marker.
                    file.write(picture[:2] + b'\xff\xfe\x00\x06%04d' % n + picture[2:])
                names.append(name)
        lines = []
        for n, name in enumerate(names):
            lines += [self.image(name, content(n)), self.decide(name, 'boat', 'accepted')]
        self.fill(*lines)
        got = self.splits()
        for kind in ('landscape', 'plasma'):
            self.assertEqual(len({s for k, s in got.items() if k.startswith(kind)}), 1)
        # A split stays when the pictures are gone, and for who exports without them.
        shutil.rmtree(self.photos)
        self.assertEqual(self.splits(), got)

    def test_missing_is_told(self):
        self.fill(*self.lines(range(3)))
        self.splits()
        self.assertIn('"boat" is not in every split', self.said)

    def test_formats(self):
        """Each format with places for splits puts every image where the table says."""
        self.fill(*self.lines(range(24)))
        for n in range(24):
            self.write(os.path.join(self.photos, '%04d.jpg' % n), 'no picture')
        table = self.splits()
        self.assertEqual(set(table.values()), {'train', 'val', 'test'})
        places = {'coco': 'images/%s', 'datumaro': 'images/%s', 'fiftyone': '%s/data',
                  'huggingface': '%s', 'openimages': '%s', 'yolo': '%s/boat'}
        for form, place in places.items():
            out = self.path(form)
            self.run_export(form, '--split', SHARES, '--images', 'link', out=out)
            for name, split in table.items():
                self.assertTrue(os.path.islink(os.path.join(out, place % split, name)), form)
        for split in ('train', 'val', 'test'):
            text = json.loads(self.read('coco', 'annotations', 'labels_%s.json' % split))
            self.assertEqual({i['file_name'] for i in text['images']},
                             {k for k, s in table.items() if s == split})
            self.assertEqual(len(text['annotations']), len(text['images']))
        self.run_export('voc', '--split', SHARES, out=self.path('voc'))
        for split in ('train', 'val', 'test'):
            names = self.read('voc', 'ImageSets', 'Main', split + '.txt').split()
            self.assertEqual({n + '.jpg' for n in names},
                             {k for k, s in table.items() if s == split})
        text = self.run_export('automl', '--split', SHARES, out='-')
        uses = {'TRAIN': 'train', 'VALIDATION': 'val', 'TEST': 'test'}
        self.assertEqual({r[1]: uses[r[0]] for r in csv.reader(io.StringIO(text))}, table)

    def test_misuse(self):
        self.fill(*self.lines(range(2)))
        for shares in ('train=0.5', 'train=0.5,dev=0.5', 'train', 'train=x', 'train=2'):
            self.run_export('csv', '--split', shares, out='-', status=2)


class Whole(ExportCase):
    COUNT = 4000

    def setUp(self):
        super().setUp()
        self.photo('0.jpg')
        lines = []
        for n in range(self.COUNT):
            name = '%d.jpg' % n
            lines += [self.image(name, content(n)), self.decide(name, 'boat', 'accepted'),
                      self.decide(name, 'snow', 'rejected')]
        self.fill(*lines)

    def kill_when(self, pattern, form, out):
        """Ends an export when a file of that name can be seen."""
        process = subprocess.Popen([TAGLIGHT, 'export', '--db', self.db, '--format', form,
                                    '--out', out])
        while not glob.glob(pattern) and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(process.returncode, -signal.SIGKILL, 'it was too fast to be killed')

    def kill_in_between(self, form, out):
        self.kill_when(out + '.*.part', form, out)
        self.assertEqual(len(glob.glob(out + '.*.part')), 1)

    def test_killed(self):
        for form in ('csv', 'coco', 'voc', 'datumaro'):
            with self.subTest(form):
                out = self.path(form)
                self.kill_in_between(form, out)
                self.assertFalse(os.path.exists(out))
                self.run_export(form, out=out)
                self.assertTrue(os.path.exists(out))

    def test_killed_over_an_old_one(self):
        out = self.path('old.csv')
        self.write(out, 'old')
        self.kill_in_between('csv', out)
        self.assertEqual(self.read('old.csv'), 'old')
        self.run_export('csv', out=out)
        self.assertEqual(self.read('old.csv').count('\n'), 2 * self.COUNT + 1)

    def test_killed_among_sidecars(self):
        """Each sidecar is whole, and what a killed export wrote can be taken back."""
        out = self.path('xmp')
        self.kill_when(out + '/*.xmp', 'xmp', out)
        written = glob.glob(out + '/*.xmp')
        self.assertGreater(len(written), 0)
        self.assertLess(len(written), self.COUNT)
        for path in written:
            xml.parse(path)
        lines = []
        for n in range(self.COUNT):
            lines += [self.image('%d.jpg' % n, content(n)),
                      self.decide('%d.jpg' % n, 'boat', 'cleared', time='2026-11-26T00:00:00Z')]
        self.fill(*lines)
        self.run_export('xmp', out=out)
        for path in written:
            with open(path, encoding='utf-8') as file:
                self.assertNotIn('boat', file.read())

    def test_folder_is_there(self):
        out = self.path('there')
        self.write(os.path.join(out, 'precious'), 'x')
        self.run_export('voc', out=out, status=1)
        self.assertEqual(os.listdir(out), ['precious'])
        os.remove(os.path.join(out, 'precious'))
        self.run_export('voc', out=out)
        self.assertIn('labelmap.txt', os.listdir(out))

    def test_failure_leaves_nothing(self):
        """One image of many can be copied."""
        out = self.path('copies')
        self.run_export('coco', '--images', 'copy', out=out, status=1)
        self.assertIn('.jpg', self.said)
        self.assertEqual(glob.glob(out + '*'), [])
        self.run_export('csv', out=self.path('none', 'x.csv'), status=1)
        self.assertIn('none', self.said)
        for form in ('voc', 'xmp'):
            self.run_export(form, out='-', status=1)
        with open(self.path('c'), 'w', encoding='utf-8'):
            pass
        self.run_export('voc', out=self.path('c', 'below'), status=1)

    def test_full_disk(self):
        if not os.access('/dev/full', os.W_OK):
            self.skipTest('there is no /dev/full')
        self.run_export('csv', out='/dev/full', status=1)
        self.assertIn('/dev/full', self.said)


main()
