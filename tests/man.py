#!/usr/bin/env python3
"""man.py TAGLIGHT PAGE: every command that `taglight --help` lists, and every option that
its --help prints, stands in the manual page, below the command; and nothing else does."""
import re
import subprocess
import sys

PARTS = {'model': ['import', 'list', 'info', 'forward']}  # commands that have commands


def help_of(taglight, *words):
    run = subprocess.run([taglight, *words, '--help'], check=True, capture_output=True,
                         text=True, env={'LC_ALL': 'C.UTF-8', 'PATH': '/usr/bin:/bin'})
    return run.stdout


def options_of(text):
    """Of what --help prints: {'--labels': '-l'}, '' where there is no letter."""
    found = {}
    for line in text.splitlines():
        option = re.match(r'\s+(?:(-\w), )?(--[\w-]+)', line)
        if option and option.group(2) != '--help':
            found[option.group(2)] = option.group(1) or ''
    return found


def sections_of(page):
    """Of the manual page: {'tag': {'--labels': '-l'}}."""
    sections = {}
    for part in page.replace('\\-', '-').split('\n.SS ')[1:]:
        name, _, rest = part.partition('\n')
        rest = rest.split('\n.SH ')[0]
        heads = re.findall(r'^\\fB(?:(-\w)\\fR, \\fB)?(--[\w-]+)\\fR', rest, re.M)
        sections[name] = {long: short for short, long in heads}
    return sections


def main():
    taglight, page = sys.argv[1], open(sys.argv[2], encoding='utf-8').read()
    names = re.findall(r'^  ([a-z-]+) +\S', help_of(taglight), re.M)
    commands = []
    for name in names:
        commands += [[name, part] for part in PARTS.get(name, [])] or [[name]]
    sections, faults = sections_of(page), []
    for words in commands:
        name = ' '.join(words)
        told, real = sections.pop(name, None), options_of(help_of(taglight, *words))
        if told is None:
            faults.append('%s has no section' % name)
        elif told != real:
            faults += ['%s: %s%s' % (name, option, ' is not there' if option not in told else
                                     ' is no option' if option not in real
                                     else ' has another letter')
                       for option in sorted({*told, *real})
                       if told.get(option) != real.get(option)]
    faults += ['%s is no command' % name for name in sections]
    print('\n'.join(faults) if faults else '%d commands' % len(commands))
    return 1 if faults or len(commands) < 10 else 0


sys.exit(main())
