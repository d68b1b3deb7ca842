#!/usr/bin/env python3
"""What a screen reader finds in the windows of Taglight, and what it can do there.

read_window.py read LABEL [TEXT…]   the bars of the label must have its name, a value within
                                    bounds and their state in words; every button must have a
                                    name; and every TEXT must be there
read_window.py press NAME           presses the button of that name
read_window.py wait TEXT…           waits until every TEXT is there
"""
import sys
import time

import gi

gi.require_version('Atspi', '2.0')
from gi.repository import Atspi, GLib  # noqa: E402

WAIT_S = 10
BUTTONS = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON)


def walk(node):
    yield node
    try:
        count = node.get_child_count()
    except GLib.Error:
        return  # it went while it was read
    for index in range(count):
        try:
            child = node.get_child_at_index(index)
        except GLib.Error:
            continue
        if child:
            yield from walk(child)


def find_application():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        app = desktop.get_child_at_index(index)
        if app and 'taglight' in (app.get_name() or '').lower():
            return app
    return None


def name_of(node):
    try:
        return node.get_name() or ''
    except GLib.Error:
        return ''


def is_called(node, name):
    """GTK 4.8 gives a button with a mnemonic its text twice, "_Open Open"."""
    full = name_of(node)
    first = full[:len(full) - len(name)].rstrip()
    return full == name or (full.endswith(' ' + name) and first.replace('_', '') == name)


def wait_for(app, name, good=lambda node: True):
    """The last one of that name: windows that came later are walked later."""
    end = time.monotonic() + WAIT_S
    while True:
        app.clear_cache()
        found = [n for n in walk(app) if is_called(n, name) and good(n)]
        if found:
            return found[-1]
        if time.monotonic() > end:
            print('not there: %s' % name)
            sys.exit(1)
        time.sleep(0.2)


def can_press(node):
    try:
        return node.get_role() in BUTTONS and node.get_n_actions() > 0
    except GLib.Error:
        return False


def read(app, label, texts):
    nodes = list(walk(app))
    bars = [n for n in nodes if n.get_role() == Atspi.Role.LEVEL_BAR and name_of(n) == label]
    faults = [] if bars else ['no bar of the label']
    for bar in bars:
        value = bar.get_value_iface()
        if not value or not 0 <= value.get_current_value() <= 100:
            faults.append('a bar without a value')
    nameless = [n for n in nodes if n.get_role() in BUTTONS and not name_of(n)]
    faults += ['a button without a name: %s' % n.get_description() for n in nameless]
    names = {name_of(n) for n in nodes}
    faults += ['not there: %s' % t for t in texts if t not in names]
    print('\n'.join(faults) if faults else '%d bars, %d parts' % (len(bars), len(nodes)))
    return 1 if faults else 0


def main():
    app = find_application()
    if not app:
        print('no screen reader would find the window')
        return 1
    if sys.argv[1] == 'read':
        return read(app, sys.argv[2], sys.argv[3:])
    if sys.argv[1] == 'press':
        return 0 if wait_for(app, sys.argv[2], can_press).do_action(0) else 1
    for text in sys.argv[2:]:
        wait_for(app, text)
    return 0


sys.exit(main())
