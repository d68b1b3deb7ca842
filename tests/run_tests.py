#!/usr/bin/env python3
"""Builds and runs every test: the ordinary build, then one under ASan and UBSan.

Prints what failed with the end of its output, and last the line `N passed, N failed`."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILDS = [
    # (folder, meson options, suites; none means all)
    ('build-test', ['--buildtype=debugoptimized'], []),
    ('build-sanitize', ['--buildtype=debugoptimized', '-Dgui=disabled',
                        '-Db_sanitize=address,undefined', '-Db_lundef=false'],
     ['unit', 'store', 'image', 'fuzz']),
]


def build(folder, options):
    path = os.path.join(ROOT, folder)
    if not os.path.exists(os.path.join(path, 'build.ninja')):
        done = subprocess.run(['meson', 'setup', path, ROOT] + options,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(done.stdout)
            return False
    done = subprocess.run(['ninja', '-C', path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout[-8000:])
    return done.returncode == 0


def run(folder, suites):
    path = os.path.join(ROOT, folder)
    log = os.path.join(path, 'meson-logs', 'testlog.json')
    if os.path.exists(log):
        os.remove(log)
    env = dict(os.environ, ASAN_OPTIONS='detect_leaks=0:abort_on_error=0',
               UBSAN_OPTIONS='halt_on_error=1:print_stacktrace=1')
    command = ['meson', 'test', '-C', path, '--no-rebuild', '--num-processes', '1']
    for suite in suites:
        command += ['--suite', suite]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env,
                   check=False)
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    with open(log, encoding='utf-8') as lines:
        for line in lines:
            test = json.loads(line)
            if test['result'] == 'OK' or test['result'] == 'EXPECTEDFAIL':
                counts['passed'] += 1
            elif test['result'] == 'SKIP':
                counts['skipped'] += 1
                print('skipped: %s (%s)' % (test['name'], folder))
            else:
                counts['failed'] += 1
                output = test.get('stdout', '') + test.get('stderr', '')
                print('FAILED: %s (%s, %s)\n%s' % (test['name'], folder, test['result'],
                                                   output[-3000:]))
    return counts


def main():
    total = {'passed': 0, 'failed': 0, 'skipped': 0}
    for folder, options, suites in BUILDS:
        print('== %s' % folder, flush=True)
        if not build(folder, options):
            print('the build failed')
            total['failed'] += 1
            continue
        for name, count in run(folder, suites).items():
            total[name] += count
    if total['skipped']:
        print('%d skipped' % total['skipped'])
    print('%d passed, %d failed' % (total['passed'], total['failed']))
    return 1 if total['failed'] or not total['passed'] else 0


sys.exit(main())
