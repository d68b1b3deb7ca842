#!/usr/bin/env python3
"""wait_for.py TEXT [SECONDS]: waits until a screen reader finds something in the windows of
Taglight whose name holds the text, and says what it found; 30 seconds unless told."""
import subprocess
import sys
import time

import gi

gi.require_version('Atspi', '2.0')
from gi.repository import Atspi  # noqa: E402


def walk(node):
    yield node
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child:
            yield from walk(child)


def find(text):
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        app = desktop.get_child_at_index(index)
        if app and 'taglight' in (app.get_name() or '').lower():
            for node in walk(app):
                if text in (node.get_name() or ''):
                    return '%s: %s' % (node.get_role_name(), node.get_name())
    return None


def main():
    if sys.argv[1] == '--once':
        found = find(sys.argv[2])
        print(found or '', end='')
        return 0 if found else 1
    end = time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 30)
    while time.monotonic() < end:
        # Another process each time: one that runs no main loop is not told of changes.
        once = subprocess.run([sys.executable, sys.argv[0], '--once', sys.argv[1]],
                              capture_output=True, check=False)
        if once.returncode == 0:
            print(once.stdout.decode())
            return 0
        time.sleep(0.3)
    print('nothing says "%s"' % sys.argv[1])
    return 1


sys.exit(main())
