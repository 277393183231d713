#!/usr/bin/env python3
"""Embed a list of URLs and their SHA-256, one "URL<TAB>HASH" per line, as one C string.

usage: gen_hashes.py list.tsv out.c
"""
import sys


def main():
    lines = [x.rstrip('\n').split('\t') for x in open(sys.argv[1], encoding='utf-8')]
    for url, digest in lines:
        assert len(digest) == 64 and '"' not in url and '\\' not in url
    with open(sys.argv[2], 'w', encoding='utf-8') as c:
        c.write('/* Made by tools/gen_hashes.py. */\n#include "model/assets_internal.h"\n\n')
        c.write('const char ck_assets_known[] =\n')
        c.write('\n'.join(f'    "{url}\\t{digest}\\n"' for url, digest in lines) + ';\n')
        c.write('const size_t ck_assets_known_len = sizeof ck_assets_known - 1;\n')


main()
