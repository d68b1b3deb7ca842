#!/usr/bin/env python3
"""read_window.py LABEL: what a screen reader finds in the window of Taglight. The bars of a
label must have its name, a value within bounds and their state in words; every button must
have a name."""
import sys

import gi

gi.require_version('Atspi', '2.0')
from gi.repository import Atspi  # noqa: E402


def walk(node):
    yield node
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child:
            yield from walk(child)


def find_application():
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        app = desktop.get_child_at_index(index)
        if app and 'taglight' in (app.get_name() or '').lower():
            return app
    return None


def main():
    app = find_application()
    if not app:
        print('no screen reader would find the window')
        return 1
    nodes = list(walk(app))
    bars = [n for n in nodes if n.get_role() == Atspi.Role.LEVEL_BAR and n.get_name() == sys.argv[1]]
    faults = [] if bars else ['no bar of the label']
    for bar in bars:
        value = bar.get_value_iface()
        if not value or not 0 <= value.get_current_value() <= 100:
            faults.append('a bar without a value')
    buttons = (Atspi.Role.PUSH_BUTTON, Atspi.Role.TOGGLE_BUTTON)
    nameless = [n for n in nodes if n.get_role() in buttons and not n.get_name()
                and Atspi.StateType.SHOWING in n.get_state_set().get_states()]
    faults += ['a button without a name: %s' % n.get_description() for n in nameless]
    print('\n'.join(faults) if faults else '%d bars, %d parts' % (len(bars), len(nodes)))
    return 1 if faults else 0


sys.exit(main())
