#!/usr/bin/env python3
"""Turns SPIR-V files into one C file: embed.py OUT.c NAME=FILE.spv ..."""
import struct
import sys


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def main():
    entries = sorted(arg.split('=', 1) for arg in sys.argv[2:])
    with open(sys.argv[1], 'w', encoding='utf-8') as out:
        out.write('#include "shaders/registry.h"\n\n')
        rows = []
        for name, path in entries:
            with open(path, 'rb') as blob:
                data = blob.read()
            words = struct.unpack('<%dI' % (len(data) // 4), data)
            out.write('static const uint32_t blob_%s[] = {' % name)
            for i, word in enumerate(words):
                out.write('%s0x%08x,' % ('\n    ' if i % 8 == 0 else ' ', word))
            out.write('\n};\n\n')
            rows.append('    { "%s", blob_%s, sizeof blob_%s, 0x%016xu },\n'
                        % (name, name, name, fnv1a(data)))
        out.write('const struct shader_blob shader_blobs[] = {\n')
        out.writelines(rows)
        out.write('};\n\nconst size_t shader_blob_count = %d;\n' % len(rows))


main()
