#!/usr/bin/env python3
"""Embed text files into a C table of name, text and length: the templates of the add-ons.

usage: gen_manifests.py out.c file...

Comment lines and empty lines are left out. The names are the file names without suffix.
"""
import pathlib
import sys


def quote(line):
    return '"' + line.replace('\\', '\\\\').replace('"', '\\"').replace('?', '\\?') + '\\n"'


def main():
    out = sys.argv[1]
    files = sorted(p for p in map(pathlib.Path, sys.argv[2:]) if p.suffix == '.yaml')
    rows = []
    with open(out, 'w', encoding='utf-8') as c:
        c.write('/* Made by tools/gen_manifests.py. */\n#include "model/addons/addon.h"\n')
        for i, path in enumerate(files):
            lines = [line.rstrip() for line in path.read_text(encoding='utf-8').split('\n')]
            lines = [x for x in lines if x and not x.lstrip().startswith('# ')]
            c.write(f'\nstatic const char text_{i}[] =\n    ')
            c.write('\n    '.join(quote(x) for x in lines) + ';\n')
            rows.append(f'    {{"{path.stem}", text_{i}, sizeof text_{i} - 1}},\n')
        c.write('\nconst struct ck_addon_file ck_addon_files[] = {\n' + ''.join(rows) + '};\n')
        c.write(f'const size_t ck_addon_n_files = {len(rows)};\n')


main()
