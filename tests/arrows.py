#!/usr/bin/env python3
"""Checks that dependencies point one way, and a few rules of the house.

arrows.py ROOT checks the tree; arrows.py --self-test proves that it can fail."""
import os
import re
import sys
import tempfile

# Folder (longest match first) -> prefixes of quoted includes, and of system includes that
# are not allowed.
RULES = [
    ('app/store', ['app/store/'], ['gtk', 'adwaita', 'vulkan']),
    ('app', ['app/', 'compute/', 'config.h', 'ui/ui.h'],
     ['gtk', 'adwaita', 'vulkan', 'sqlite3']),
    ('compute/gpu', ['compute/', 'shaders/registry.h'], ['glib', 'gio', 'gtk', 'sqlite3']),
    ('compute', ['compute/', 'shaders/registry.h'],
     ['glib', 'gio', 'gtk', 'sqlite3', 'vulkan']),
    ('shaders', ['shaders/'], ['glib', 'gtk', 'vulkan']),
    ('ui', ['ui/', 'app/', 'config.h'], ['sqlite3', 'vulkan']),
]
MAX_LINES = 1200


def check_file(root, path):
    faults = []
    with open(os.path.join(root, path), encoding='utf-8') as source:
        lines = source.read().split('\n')
    if len(lines) > MAX_LINES:
        faults.append('%s: more than %d lines' % (path, MAX_LINES))
    if not path.endswith(('.c', '.h')):
        return faults
    rule = next((r for r in RULES if path.startswith(r[0] + '/')), None)
    for number, line in enumerate(lines, 1):
        quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        system = re.match(r'\s*#\s*include\s+<([^>]+)>', line)
        if rule and quoted and not quoted.group(1).startswith(tuple(rule[1])):
            faults.append('%s:%d: %s may not include "%s"'
                          % (path, number, rule[0], quoted.group(1)))
        if rule and system and system.group(1).startswith(tuple(rule[2])):
            faults.append('%s:%d: %s may not include <%s>'
                          % (path, number, rule[0], system.group(1)))
    return faults


def check(root):
    faults = []
    for folder in ('compute', 'shaders', 'app', 'ui', 'tests'):
        for base, _, files in os.walk(os.path.join(root, folder)):
            for name in files:
                if name.endswith(('.c', '.h', '.comp', '.glsl', '.py')):
                    path = os.path.relpath(os.path.join(base, name), root)
                    faults += check_file(root, path)
    return faults


def self_test():
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, 'compute/gpu'))
        os.makedirs(os.path.join(root, 'ui'))
        for path, text in (('compute/a.c', '#include <glib.h>\n'),
                           ('compute/gpu/b.c', '#include "app/x.h"\n'),
                           ('ui/c.c', '#include "compute/status.h"\n')):
            with open(os.path.join(root, path), 'w', encoding='utf-8') as out:
                out.write(text)
        return 0 if len(check(root)) == 3 else 1


def main():
    if sys.argv[1] == '--self-test':
        return self_test()
    faults = check(sys.argv[1])
    print('\n'.join(faults) if faults else 'all arrows point one way')
    return 1 if faults else 0


sys.exit(main())
