#!/usr/bin/env python3
"""Compiles every header alone: headers.py ROOT CC [FLAGS...]"""
import os
import subprocess
import sys


def main():
    root, compiler = sys.argv[1], sys.argv[2:]
    failed = count = 0
    for folder in ('compute', 'shaders', 'app', 'ui'):
        for base, _, files in os.walk(os.path.join(root, folder)):
            for name in sorted(files):
                if not name.endswith('.h'):
                    continue
                path = os.path.relpath(os.path.join(base, name), root)
                done = subprocess.run(
                    compiler + ['-std=gnu17', '-Wall', '-Wextra', '-Werror',
                                '-Wno-unused-parameter', '-I', root, '-fsyntax-only',
                                '-x', 'c', '-'],
                    input='#include "%s"\n' % path, text=True, check=False,
                    stderr=subprocess.PIPE)
                count += 1
                if done.returncode:
                    failed += 1
                    print(path + '\n' + done.stderr)
    print('%d headers, %d failed' % (count, failed))
    return 1 if failed or not count else 0


sys.exit(main())
