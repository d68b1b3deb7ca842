#!/usr/bin/env python3
"""test_kill.py TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT DECIDE

Kills the program at random moments of deciding, tagging, exporting, migrating, merging and
going back. Afterwards the database is whole, everything that was acknowledged is there, and
the work can be finished as if nothing had been."""
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

TAGLIGHT, FORMULA, ROOT, DECIDE = sys.argv[1:]
SEED = int(os.environ.get('TAGLIGHT_KILL_SEED', time.time_ns() % 1000000))
RANDOM = random.Random(SEED)
WORK = tempfile.mkdtemp(prefix='taglight-kill-')
os.environ['XDG_CACHE_HOME'] = os.path.join(WORK, 'cache')
killed = {}


def path(name):
    return os.path.join(WORK, name)


def require(what, text):
    if not what:
        print('seed %d: %s' % (SEED, text))
        sys.exit(1)


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    require(not check or done.returncode == 0, '%s: %s' % (command[:3], done.stdout))
    return done


def run_killed(kind, longest, *command):
    """Kills a command after a random part of `longest` seconds; counts it if it still ran."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        process.wait(RANDOM.uniform(0, longest))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        killed[kind] = killed.get(kind, 0) + 1
    process.wait()


def seconds(*command):
    start = time.monotonic()
    run(*command)
    return time.monotonic() - start


def rows(name, sql):
    db = sqlite3.connect(path(name))
    found = db.execute(sql).fetchall()
    db.close()
    return found


def require_whole(name):
    require(rows(name, 'PRAGMA quick_check') == [('ok',)], '%s is damaged' % name)


def remove(name):
    for suffix in ('', '-wal', '-shm'):
        if os.path.exists(path(name) + suffix):
            os.remove(path(name) + suffix)


def copy(source, target):
    remove(target)
    shutil.copy(path(source), path(target))


def deciding():
    said = {}
    for _ in range(12):
        process = subprocess.Popen([DECIDE, path('decided.db')], stdout=subprocess.PIPE,
                                   text=True)
        line = process.stdout.readline()
        time.sleep(RANDOM.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        for line in [line] + process.stdout.readlines():
            if line.endswith('\n'):
                image, verdict = line.split()
                said.setdefault(image, []).append(int(verdict))
        process.wait()
    killed['deciding'] = 12
    require_whole('decided.db')
    kept = {}
    for image, verdict in rows('decided.db', 'SELECT i.hash, d.verdict FROM decision d JOIN'
                               ' image i ON i.id = d.image ORDER BY d.id'):
        kept.setdefault(image, []).append(verdict)
    require(sum(map(len, said.values())) > 12, 'next to nothing was decided')
    for image, verdicts in said.items():
        # What was written and killed before it could be said may stand between.
        left = iter(kept.get(image, []))
        require(all(v in left for v in verdicts), 'a decision about %s is lost' % image)


def tagging():
    run(os.path.join(ROOT, 'tests/tools/make_demo_model.sh'), TAGLIGHT, FORMULA,
        os.path.join(ROOT, 'tests/corpus/text'), path('demo'))
    run(TAGLIGHT, 'scenes', path('scenes'), '--count', '40')
    for number in range(3):  # three commits or more: 3 x 40 images
        shutil.copytree(path('scenes/images'), path('pics/%d' % number))
    for folder in os.listdir(path('pics')):
        for name in os.listdir(path('pics/' + folder)):
            with open(path('pics/%s/%s' % (folder, name)), 'ab') as file:
                file.write(folder.encode())
    command = [TAGLIGHT, 'tag', '--recursive', '--model', path('demo'), '--labels', 'a, b',
               path('pics')]
    said = ('SELECT i.hash, l.name, p.confidence FROM prediction p JOIN image i ON'
            ' i.id = p.image JOIN label l ON l.id = p.label ORDER BY 1, 2')
    # Tokens come from the cache of the same pictures, so that writing is what takes time.
    whole = seconds(*command, '--db', path('whole.db'))
    whole = seconds(*command, '--db', path('whole.db'), '--again')
    before = 0
    for _ in range(10):
        run_killed('tagging', whole, *command, '--db', path('tagged.db'))
        if not os.path.exists(path('tagged.db')):
            continue
        require_whole('tagged.db')
        if not rows('tagged.db', "SELECT 1 FROM sqlite_schema WHERE name = 'prediction'"):
            continue
        counts = rows('tagged.db', 'SELECT count(*) FROM prediction GROUP BY image')
        require(all(count == (2,) for count in counts), 'an image is half done')
        require(len(counts) >= before, 'what was done is gone')
        before = len(counts)
        if before == len(rows('whole.db', 'SELECT DISTINCT image FROM prediction')):
            remove('tagged.db')
            before = 0
    run(*command, '--db', path('tagged.db'))
    require(rows('tagged.db', said) == rows('whole.db', said), 'the rest is not the same')


def make_large(name, author):
    """A database as the program makes it, with 20,000 decisions."""
    run(TAGLIGHT, 'merge', path('decided.db'), '--into', path(name))
    db = sqlite3.connect(path(name))
    db.execute("INSERT OR IGNORE INTO label (name) VALUES ('dog')")
    db.executemany('INSERT INTO image (hash, bytes, width, height) VALUES (?, 1, 1, 1)',
                   [('%s%d' % (author, i),) for i in range(20000)])
    db.execute('INSERT INTO image_path (path, image, bytes, mtime)'
               ' SELECT CAST (hash AS BLOB), id, 1, 1 FROM image'
               ' WHERE id NOT IN (SELECT image FROM image_path)')
    db.execute("INSERT INTO decision (image, label, verdict, by_model, time, author, event)"
               " SELECT i.id, l.id, 1, 0, '2026-01-01T00:00:00.000Z', ?, i.hash FROM image i,"
               " label l WHERE l.name = 'dog' AND i.bytes = 1 AND i.hash LIKE ? || '%'",
               (author, author))
    db.commit()
    db.close()


def exporting():
    command = [TAGLIGHT, 'export', '--db', path('anna.db'), '--format', 'csv', '--out',
               path('out.csv')]
    whole = seconds(*command)
    with open(path('out.csv'), encoding='utf-8') as file:
        want = file.read()
    for _ in range(8):
        if RANDOM.random() < 0.5:
            os.remove(path('out.csv'))
        run_killed('exporting', whole, *command)
        if os.path.exists(path('out.csv')):
            with open(path('out.csv'), encoding='utf-8') as file:
                require(file.read() == want, 'a half-written file has its name')
        else:
            with open(path('out.csv'), 'w', encoding='utf-8') as file:
                file.write(want)
    require_whole('anna.db')


def migrating():
    with open(os.path.join(ROOT, 'tests/corpus/store/v1.sql'), encoding='utf-8') as file:
        script = file.read()
    db = sqlite3.connect(path('old.db'))
    db.executescript(script)
    db.executemany("INSERT INTO image (hash, bytes, width, height) VALUES (?, 1, 1, 1)",
                   [('h%d' % i,) for i in range(20000)])
    db.execute('INSERT INTO image_path SELECT CAST (hash AS BLOB), id, 1, 1 FROM image'
               " WHERE hash LIKE 'h%'")
    db.execute('INSERT INTO decision (image, label, verdict, by_model)'
               " SELECT id, 1, 1, 0 FROM image WHERE hash LIKE 'h%'")
    db.commit()
    db.close()
    command = [TAGLIGHT, 'export', '--db', path('moved.db'), '--format', 'csv', '--out',
               path('moved.csv')]
    copy('old.db', 'moved.db')
    whole = seconds(*command)
    with open(path('moved.csv'), encoding='utf-8') as file:
        want = file.read()
    for _ in range(8):
        copy('old.db', 'moved.db')
        run_killed('migrating', whole, *command)
        require_whole('moved.db')
        require(rows('moved.db', 'SELECT count(*) FROM decision') == [(20002,)],
                'a migration lost decisions')
        run(*command)
        with open(path('moved.csv'), encoding='utf-8') as file:
            require(file.read() == want, 'a migration ends otherwise')


def merging():
    count = 'SELECT count(*) FROM decision'
    command = [TAGLIGHT, 'merge', path('anna.db'), path('ben.db'), '--into',
               path('into.db')]
    copy('decided.db', 'into.db')
    whole = seconds(*command)
    want, begin = rows('into.db', count), rows('decided.db', count)
    for _ in range(8):
        copy('decided.db', 'into.db')
        run_killed('merging', whole, *command)
        require_whole('into.db')
        require(rows('into.db', count) in (begin, want), 'a merge is half done')
        run(*command)
        require(rows('into.db', count) == want, 'a merge ends otherwise')


def going_back():
    count = 'SELECT count(*) FROM decision'
    command = [TAGLIGHT, 'restore', '--db', path('back.db'), '--from', path('anna.db')]
    copy('decided.db', 'back.db')
    whole = seconds(*command)
    states = rows('anna.db', count), rows('decided.db', count)
    for _ in range(8):
        copy('decided.db', 'back.db')
        run_killed('going back', whole, *command)
        require_whole('back.db')
        require(rows('back.db', count) in states, 'going back is half done')


def main():
    if subprocess.run([TAGLIGHT, 'devices'], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        return 77
    try:
        deciding()
        tagging()
        make_large('anna.db', 'anna')
        make_large('ben.db', 'ben')
        exporting()
        migrating()
        merging()
        going_back()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print('killed:', killed)
    # The moments are random, but not one in six may have come too late.
    require(all(killed.get(kind, 0) > 0 for kind in
                ('tagging', 'exporting', 'migrating', 'merging', 'going back')),
            'nothing was killed in time: %s' % killed)
    return 0


sys.exit(main())
