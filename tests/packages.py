#!/usr/bin/env python3
"""packages.py ROOT: the Flatpak manifest can be read, names this program, asks for no more
than it says, and what it builds from is there; the icons are pictures of their sizes, and the
help is whole."""
import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

ID = 'io.github.taglight.Taglight'
ALLOWED = {'--device=dri', '--socket=wayland', '--socket=fallback-x11', '--share=ipc',
           '--filesystem=xdg-pictures:ro'}


def check_sources(data, module):
    faults = []
    for source in module['sources']:
        path = os.path.join(data, source.get('path', ''))
        if 'path' in source and not os.path.exists(path):
            faults.append('%s: %s is not there' % (module['name'], source['path']))
        if 'url' in source and not re.fullmatch('[0-9a-f]{64}', source.get('sha256', '')):
            faults.append('%s: %s has no checksum' % (module['name'], source['url']))
        if 'path' not in source and 'url' not in source:
            faults.append('%s: a source that is neither a path nor a file' % module['name'])
    return faults


def check_manifest(root, manifest):
    data = os.path.join(root, 'data')
    faults = []
    if manifest['app-id'] != ID or manifest['command'] != 'taglight':
        faults.append('it is about another program')
    if manifest['runtime'] != 'org.gnome.Platform' or manifest['sdk'] != 'org.gnome.Sdk':
        faults.append('it is about another runtime')
    rights = set(manifest['finish-args'])
    faults += ['%s is not needed' % right for right in sorted(rights - ALLOWED)]
    for module in manifest['modules']:
        faults += check_sources(data, module)
    last = manifest['modules'][-1]
    options = open(os.path.join(root, 'meson_options.txt'), encoding='utf-8').read()
    for option in last['config-opts']:
        name = re.match(r'-D(\w+)=', option)
        if name and "option('%s'" % name.group(1) not in options:
            faults.append('%s is no option of this build' % option)
    if not os.path.exists(os.path.join(data, last['sources'][0]['path'], 'meson.build')):
        faults.append('its source is not this folder')
    return faults


def check_icons(root):
    faults = []
    for name, size in (('.svg', '128'), ('-symbolic.svg', '16')):
        svg = ElementTree.parse(os.path.join(root, 'data', ID + name)).getroot()
        if svg.get('width') != size or svg.get('height') != size:
            faults.append('%s%s is not of %s pixels' % (ID, name, size))
    return faults


def check_help(root):
    """Pages that are well-formed, are called as their files, and whose links lead somewhere."""
    folder = os.path.join(root, 'help', 'C')
    names = {name[:-5] for name in os.listdir(folder) if name.endswith('.page')}
    faults = [] if 'index' in names else ['the help has no index']
    for name in sorted(names):
        page = ElementTree.parse(os.path.join(folder, name + '.page')).getroot()
        if page.get('id') != name:
            faults.append('%s.page is called %s' % (name, page.get('id')))
        faults += ['%s.page leads to %s, which is not there' % (name, node.get('xref'))
                   for node in page.iter('{http://projectmallard.org/1.0/}link')
                   if node.get('xref') and node.get('xref').split('#')[0] not in names]
    return faults


def main():
    root = sys.argv[1]
    path = os.path.join(root, 'data', ID + '.yml')
    faults = check_icons(root) + check_help(root)
    try:
        import yaml
    except ImportError:
        print('\n'.join(faults) or 'skipped: python3-yaml is missing')
        return 1 if faults else 77
    with open(path, encoding='utf-8') as file:
        faults += check_manifest(root, yaml.safe_load(file))
    if shutil.which('flatpak-builder'):
        run = subprocess.run(['flatpak-builder', '--show-manifest', path],
                             capture_output=True, text=True)
        faults += [run.stderr] if run.returncode else []
    else:
        print('flatpak-builder is not installed: it was not asked about the manifest')
    print('\n'.join(faults) if faults else 'the packages are in order')
    return 1 if faults else 0


sys.exit(main())
