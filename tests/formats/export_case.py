"""A folder with images and a database, and `taglight export` run on it."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

TAGLIGHT, FILL_STORE, ROOT = sys.argv[1:4]
SAMPLES = os.path.join(ROOT, 'data', 'samples')

FILES = ['csv', 'onehot', 'coco', 'automl', 'label-studio', 'cvat']
FOLDERS = ['datumaro', 'fiftyone', 'huggingface', 'openimages', 'voc', 'cleanlab']
SIDECARS = ['txt', 'labelme', 'xmp']


def escape(text):
    """A field of fill_store: text, or bytes of a path, with C's octal escapes."""
    raw = text.encode() if isinstance(text, str) else text
    return b''.join(b'\\%03o' % b if b < 32 or b > 126 or b == 92 else bytes([b])
                    for b in raw)


class ExportCase(unittest.TestCase):
    def setUp(self):
        self.work = tempfile.mkdtemp(prefix='taglight-export-')
        self.addCleanup(shutil.rmtree, self.work)
        self.photos = os.path.join(self.work, 'photos')
        self.db = os.path.join(self.work, 'decisions.db')

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def photo(self, name, sample='landscape.jpg'):
        """A file below photos/; its path."""
        path = os.path.join(os.fsencode(self.photos), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(os.path.join(SAMPLES, sample), path)
        return path

    def fill(self, *lines, db=None):
        """Adds lines of fields to the database."""
        text = b''.join(b'\t'.join(escape(f) for f in line) + b'\n' for line in lines)
        subprocess.run([FILL_STORE, db or self.db], input=text, check=True)

    def image(self, name, content, width='4000', height='3000'):
        path = os.path.join(os.fsencode(self.photos), os.fsencode(name))
        return ('image', path, content, width, height)

    def decide(self, name, label, state, source='human', score='-', threshold='-',
               model='', prompt='', time='2026-11-24T10:02:14Z'):
        path = os.path.join(os.fsencode(self.photos), os.fsencode(name))
        return ('decide', path, label, state, source, score, threshold, model, prompt, time)

    def predict(self, name, label, score, model='m', prompt='p'):
        path = os.path.join(os.fsencode(self.photos), os.fsencode(name))
        return ('predict', path, label, score, model, prompt)

    def run_export(self, form, *options, out=None, status=0, db=None):
        """Standard output; what was said on standard error is in self.said."""
        command = [TAGLIGHT, 'export', '--db', db or self.db, '--format', form]
        command += ['--out', out] if out else []
        done = subprocess.run(command + list(options), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        self.said = done.stderr.decode()
        self.assertEqual(done.returncode, status, self.said)
        return done.stdout.decode()

    def read(self, *parts):
        with open(self.path(*parts), encoding='utf-8', newline='') as file:
            return file.read()

    def write(self, path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8', newline='') as file:
            file.write(text)


def main():
    unittest.main(argv=sys.argv[:1], verbosity=1)
