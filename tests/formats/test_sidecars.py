#!/usr/bin/env python3
"""Sidecars belong to other programs too: test_sidecars.py TAGLIGHT FILL_STORE ROOT"""
import json
import os
import shutil
import subprocess

from export_case import ROOT, ExportCase, main

with open(os.path.join(ROOT, 'tests', 'corpus', 'xmp', 'others.xmp'),
          encoding='utf-8') as corpus:
    OTHERS = corpus.read()


class Sidecars(ExportCase):
    def setUp(self):
        super().setUp()
        self.photo('quay.jpg')
        self.photo('fog.jpg')
        self.fill(self.image('quay.jpg', 'aa'), self.image('fog.jpg', 'bb'),
                  self.decide('quay.jpg', 'boat', 'accepted'),
                  self.decide('quay.jpg', 'vehicle|red/white boat', 'accepted', 'model'))

    def state(self):
        """What each file is: the inode tells when one was replaced."""
        found = {}
        for name in os.listdir(self.photos):
            info = os.stat(os.path.join(self.photos, name))
            found[name] = (info.st_ino, info.st_mtime_ns)
        return found

    def words(self, name):
        """dc:subject, lr:hierarchicalSubject and digiKam:TagsList, by exiftool."""
        if not shutil.which('exiftool'):
            self.skipTest('exiftool is not installed')
        text = subprocess.run(['exiftool', '-j', '-struct', '-XMP:all', '-G1',
                               os.path.join(self.photos, name)], check=True,
                              stdout=subprocess.PIPE).stdout
        tags = json.loads(text)[0]
        lists = [tags.get(k, []) for k in ('XMP-dc:Subject', 'XMP-lr:HierarchicalSubject',
                                           'XMP-digiKam:TagsList')]
        return [w if isinstance(w, list) else [w] for w in lists]

    def test_exiftool(self):
        self.run_export('xmp', '--machine-root', 'Auto')
        self.assertEqual(self.words('quay.jpg.xmp'),
                         [['boat', 'red/white boat'],
                          ['boat', 'Auto|vehicle|red/white boat'],
                          ['boat', 'Auto/vehicle/red_white boat']])
        self.assertFalse(os.path.exists(self.path('photos', 'fog.jpg.xmp')))

    def test_unchanged_is_not_written(self):
        for form in ('xmp', 'txt', 'labelme'):
            self.run_export(form)
            before = self.state()
            self.run_export(form)
            self.assertEqual(self.state(), before)

    def test_xmp_of_others(self):
        place = self.path('photos', 'quay.jpg.xmp')
        self.write(place, OTHERS)
        os.chmod(place, 0o640)
        self.run_export('xmp')
        text = self.read('photos', 'quay.jpg.xmp')
        self.assertEqual(os.stat(place).st_mode & 0o777, 0o640)
        for part in ('<!-- by hand -->', 'x:xmptk="other 1.0"', 'xmp:Rating="4"',
                     '<lr:own>kept &amp; kept</lr:own>', '<?xpacket begin="\ufeff"',
                     '<?xpacket end="w"?>', '<rdf:li>family</rdf:li>',
                     '<rdf:li xml:lang="en">boat</rdf:li>', '>red/white boat<'):
            self.assertEqual(text.count(part), 1, part)
        # What we take back goes, what was there before us stays.
        self.fill(self.image('quay.jpg', 'aa'),
                  self.decide('quay.jpg', 'boat', 'rejected', time='2026-11-25T00:00:00Z'),
                  self.decide('quay.jpg', 'vehicle|red/white boat', 'cleared',
                              time='2026-11-25T00:00:00Z'))
        self.run_export('xmp')
        text = self.read('photos', 'quay.jpg.xmp')
        self.assertIn('<rdf:li xml:lang="en">boat</rdf:li>', text)
        self.assertNotIn('red/white boat', text)
        # Alike but for the empty lists that are left.
        self.assertIn('<rdf:li>family</rdf:li>', text)

    def test_exiftool_reads_what_was_joined(self):
        self.write(self.path('photos', 'quay.jpg.xmp'), OTHERS)
        self.run_export('xmp')
        self.assertEqual(self.words('quay.jpg.xmp')[0], ['family', 'boat', 'red/white boat'])
        self.assertEqual(self.words('quay.jpg.xmp')[1], ['boat', 'vehicle|red/white boat'])

    def test_broken(self):
        rdf = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" ' \
              'xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description>%s' \
              '</rdf:Description></rdf:RDF>'
        self.fill(self.image('fog.jpg', 'bb'), self.decide('fog.jpg', 'mist', 'accepted'))
        prefix = rdf.replace(' xmlns:dc="http://purl.org/dc/elements/1.1/"', '') % '<dc:a/>'
        for text in ('<x:xmpmeta', 'no xml', prefix, '<a/>', OTHERS[:-60], rdf % '<dc:subject>a'
                     '</dc:subject>', '<!DOCTYPE a [<!ENTITY b SYSTEM "/etc/passwd">]><a>&b;'
                     '</a>'):
            self.write(self.path('photos', 'quay.jpg.xmp'), text)
            self.run_export('xmp', status=1)
            self.assertIn('quay.jpg.xmp', self.said)
            self.assertIn('1 sidecar could not be written', self.said)
            self.assertEqual(self.read('photos', 'quay.jpg.xmp'), text)
            self.assertIn('mist', self.read('photos', 'fog.jpg.xmp'))

    def test_stem(self):
        self.photo('quay.png')
        self.fill(self.image('quay.png', 'cc'), self.decide('quay.png', 'other', 'accepted'))
        self.run_export('xmp', '--xmp-name', 'stem')
        self.assertIn('quay.png', self.said)
        self.assertIn('boat', self.read('photos', 'quay.xmp'))
        self.assertNotIn('other', self.read('photos', 'quay.xmp'))

    def test_txt(self):
        self.write(self.path('photos', 'quay.txt'), 'harbour,  boat\n')
        self.write(self.path('photos', 'fog.txt'), 'untouched')
        self.fill(self.image('fog.jpg', 'bb'), self.image('quay.jpg', 'aa'),
                  self.decide('quay.jpg', 'snow', 'rejected'))
        self.run_export('txt')
        self.assertEqual(self.read('photos', 'quay.txt'),
                         'harbour, boat, vehicle|red/white boat')
        self.assertEqual(self.read('photos', 'fog.txt'), 'untouched')
        self.fill(self.image('quay.jpg', 'aa'),
                  self.decide('quay.jpg', 'vehicle|red/white boat', 'rejected',
                              time='2026-11-25T00:00:00Z'))
        self.run_export('txt')
        self.assertEqual(self.read('photos', 'quay.txt'), 'harbour, boat')

    def test_txt_captioned_with_nothing(self):
        self.fill(self.image('fog.jpg', 'bb'), self.decide('fog.jpg', 'boat', 'rejected'))
        self.run_export('txt')
        self.assertEqual(self.read('photos', 'fog.txt'), '')

    def test_labelme(self):
        shape = {'label': 'hull', 'points': [[0.1, 2.25], [3, 4]], 'shape_type': 'polygon'}
        self.write(self.path('photos', 'quay.json'),
                   json.dumps({'version': '4.5', 'flags': {'mine': False, 'boat': False},
                               'shapes': [shape], 'imageData': 'aGk=', 'extra': {'a': [1]}}))
        self.run_export('labelme')
        got = json.loads(self.read('photos', 'quay.json'))
        self.assertEqual(got, {'version': '4.5', 'shapes': [shape], 'imageData': 'aGk=',
                               'extra': {'a': [1]},
                               'flags': {'mine': False, 'boat': True,
                                         'vehicle|red/white boat': True}})
        self.fill(self.image('quay.jpg', 'aa'),
                  self.decide('quay.jpg', 'vehicle|red/white boat', 'cleared',
                              time='2026-11-25T00:00:00Z'))
        self.run_export('labelme')
        got = json.loads(self.read('photos', 'quay.json'))
        self.assertEqual(got['flags'], {'mine': False, 'boat': True})
        for text in ('[1]', '{"flags": 3}', '{'):
            self.write(self.path('photos', 'quay.json'), text)
            self.run_export('labelme', status=1)
            self.assertEqual(self.read('photos', 'quay.json'), text)

    def test_image_gone(self):
        os.remove(self.path('photos', 'quay.jpg'))
        self.run_export('xmp')
        self.assertIn('quay.jpg', self.said)
        self.assertEqual(os.listdir(self.photos), ['fog.jpg'])

    def test_link_is_followed(self):
        self.write(self.path('elsewhere.xmp'), OTHERS)
        os.symlink(self.path('elsewhere.xmp'), self.path('photos', 'quay.jpg.xmp'))
        self.run_export('xmp')
        self.assertTrue(os.path.islink(self.path('photos', 'quay.jpg.xmp')))
        self.assertIn('red/white boat', self.read('elsewhere.xmp'))

    def test_options(self):
        self.run_export('xmp', '--split', 'train=1', status=2)
        self.run_export('xmp', '--images', 'copy', status=2)
        self.run_export('xmp', '--xmp-name', 'other', status=2)


main()
