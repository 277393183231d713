#!/usr/bin/env python3
"""Turn src/spec/fields.def into the C tables of the field schema.

usage: gen_spec.py fields.def out.c out.h

Both API versions come from the same rows: the v1alpha2 structures as they are written there, the
v1alpha3 ones by moving and renaming fields as the rows say. Strings are offsets into one pool and
structures are indexes, so that the tables need no relocation at start-up.
"""
import re
import sys

SCALARS = ['string', 'bool', 'int', 'int16', 'int32', 'int64', 'uint8', 'uint32', 'bytes', 'time',
           'duration', 'quantity', 'intOrString', 'any']
KINDS = ['Cluster', 'InstanceGroup', 'Keyset', 'SSHCredential', 'Host']
FLAGS = ['PTR', 'ELEM_PTR', 'REQ', 'RETIRED', 'GONE', 'NO3', 'INV', 'ABS', 'INLINE', 'SYNTH',
         'RETYPED']


class Field:
    def __init__(self, name, ctype, attrs, doc):
        self.name, self.doc, self.attrs = name, doc, attrs
        self.flags = set()
        for word, flag in (('req', 'REQ'), ('retired', 'RETIRED'), ('gone', 'GONE'),
                           ('no3', 'NO3'), ('inv', 'INV')):
            if word in attrs:
                self.flags.add(flag)
        self.to = None
        self.set_type(ctype)

    def set_type(self, t):
        self.shape = 'ONE'
        self.flags -= {'PTR', 'ELEM_PTR'}
        if t.startswith('*'):
            self.flags.add('PTR')
            t = t[1:]
        for prefix, shape in (('map[string][]', 'MAPLIST'), ('map[string]', 'MAP'), ('[]', 'LIST')):
            if t.startswith(prefix):
                self.shape, t = shape, t[len(prefix):]
        if t.startswith('*'):
            self.flags.add('ELEM_PTR')
            t = t[1:]
        self.base = t

    def attr(self, key, default=''):
        return self.attrs.get(key, default)

    def copy(self, name, to):
        f = Field.__new__(Field)
        f.__dict__.update(self.__dict__)
        f.name, f.to, f.flags = name, to, set(self.flags)
        return f


class Type:
    def __init__(self, name, go):
        self.name, self.go, self.fields, self.also3 = name, go, [], []


def parse(path):
    types, cur = {}, None
    for n, line in enumerate(open(path, encoding='utf-8'), 1):
        line = line.rstrip()
        if not line or line.startswith('#'):
            continue
        if not line.startswith(' '):
            m = re.fullmatch(r'type (\w+)(?: go=(\S+))?', line)
            if not m or m[1] in types:
                sys.exit(f'{path}:{n}: bad or repeated type: {line}')
            cur = types[m[1]] = Type(m[1], m[2] or m[1])
            continue
        text, _, doc = line.strip().partition(' : ')
        words = re.findall(r'(?:[^\s"]|"[^"]*")+', text)
        if words[0] == 'also3':
            cur.also3.append((words[1], words[2]))
            continue
        attrs = {}
        for w in words[2:]:
            key, _, value = w.partition('=')
            if key not in ('req', 'v3', 'v3type', 'inv', 'no3', 'retired', 'gone', 'cloud', 'go',
                           'enum'):
                sys.exit(f'{path}:{n}: unknown attribute {key}')
            attrs[key] = value.replace('"', '')
        if any(f.name == words[0] for f in cur.fields):
            sys.exit(f'{path}:{n}: {words[0]} is there twice')
        cur.fields.append(Field(words[0], words[1], attrs, doc))
    for t in types.values():
        for f in t.fields:
            if f.base not in SCALARS and f.base not in types:
                sys.exit(f'{path}: {t.name}.{f.name}: unknown type {f.base}')
    return types


class Builder:
    """Makes the v1alpha3 structures."""

    def __init__(self, types):
        self.types, self.made, self.plain = types, {}, {}
        self.grown = set()  # structures that fields of other ones move into
        for t in types.values():
            by_name = {f.attr('v3') or f.name: f for f in t.fields}
            for path in [f.attr('v3') for f in t.fields] + [p for p, _ in t.also3]:
                first = by_name.get(path.split('.')[0])
                if '.' in path.strip('.') and first and first.base in types:
                    self.grown.add(first.base)

    def is_plain(self, name):
        """Whether the structure and all below it are the same in both versions."""
        if name not in self.plain:
            self.plain[name] = True
            t = self.types[name]
            self.plain[name] = name not in self.grown and not t.also3 and all(
                not f.flags & {'RETIRED', 'GONE', 'NO3', 'INV'} and not f.attr('v3') and
                (f.base in SCALARS or self.is_plain(f.base)) for f in t.fields)
        return self.plain[name]

    def node(self, name, go):
        t = Type(name, go)
        self.made[name] = t
        return t

    def step(self, t, name, synth, at):
        """The structure under `name` in t, made when it is new."""
        for f in t.fields:
            if f.name == name:
                return self.made[f.base]
        path = f'{at}.{name}' if at else name
        if path not in synth:
            sys.exit(f'no structure {path} for a moved field: add an also3 line')
        sub = self.node(f'3/{path}', synth[path])
        f = Field(name, sub.name, {}, '')
        f.flags = {'SYNTH', 'PTR'}
        t.fields.append(f)
        return sub

    def place(self, ctx, here, path, f, dest):
        steps = path.lstrip('/').split('.')
        node, at = (ctx['root'] if path.startswith('/') else here), ''
        for s in steps[:-1]:
            node = self.step(node, s, ctx['synth'], at)
            at = f'{at}.{s}' if at else s
        moved = node is not here
        to = '/' + '.'.join(x for x in (ctx['where'], dest) if x) if moved else dest
        g = f.copy(steps[-1], None if to == steps[-1] else to)
        if f.attr('v3type'):
            g.set_type(f.attr('v3type'))
            g.flags.add('RETYPED')
        if any(x.name == g.name for x in node.fields):
            sys.exit(f'{here.name}: {g.name} is placed twice')
        node.fields.append(g)
        return g

    def build(self, name, ctx=None):
        key = '3:' + name
        if key not in self.made:
            t = self.types[name]
            self.fill(self.node(key, t.go), t, ctx, '')
        return key

    def fill(self, here, t, ctx, prefix):
        """Fields of t into `here`; the members of structures follow when all have their places."""
        if t.name.endswith('Spec') and ctx is None:
            ctx = {'root': here, 'where': '', 'synth': dict(t.also3)}
        later = []
        for f in sorted(t.fields, key=lambda f: '.' in f.attr('v3') or '/' in f.attr('v3')):
            if f.flags & {'RETIRED', 'GONE', 'NO3'}:
                continue
            if f.attr('v3') == '.':
                self.fill(here, self.types[f.base], ctx, prefix + f.name + '.')
                continue
            g = self.place(ctx, here, f.attr('v3') or f.name, f, prefix + f.name)
            if f.base in SCALARS or f.attr('v3type'):
                continue
            if self.is_plain(f.base):
                self.made[f.base] = self.types[f.base]
                continue
            g.base = '3:' + f.base
            if g.base not in self.made:
                later.append((self.node(g.base, self.types[f.base].go), f, prefix + f.name))
        for node, f, dest in later:
            sub = None
            if ctx:
                where = '.'.join(x for x in (ctx['where'], dest) if x)
                sub = {'root': ctx['root'], 'where': where, 'synth': ctx['synth']}
            self.fill(node, self.types[f.base], sub, '')
        for path, _ in t.also3:
            node, at = here, ''
            for s in path.split('.'):
                node = self.step(node, s, ctx['synth'], at)
                at = f'{at}.{s}' if at else s


class Pool:
    def __init__(self):
        self.text, self.at = b'\0', {'': 0}

    def add(self, s):
        if s not in self.at:
            self.at[s] = len(self.text)
            self.text += s.encode() + b'\0'
        return self.at[s]

    def emit(self, name):
        if len(self.text) > 65535:
            sys.exit(f'{name} has outgrown 16-bit offsets')
        out = [f'const char {name}[] =']
        for i in range(0, len(self.text), 64):
            piece = self.text[i:i + 64]
            out.append('    "' + ''.join(
                chr(c) if 32 <= c < 127 and c not in b'"\\?' else f'\\{c:03o}' for c in piece) +
                '"')
        return '\n'.join(out) + ';\n'


def fnv(s):
    h = 2166136261
    for c in s.encode():
        h = ((h ^ c) * 16777619) & 0xffffffff
    return h ^ (h >> 15)


def slots_of(fields):
    bits = 1
    while (1 << bits) < 2 * len(fields):
        bits += 1
    table = [0] * (1 << bits)
    for i, f in enumerate(fields):
        at = fnv(f.name) & (len(table) - 1)
        while table[at]:
            at = (at + 1) & (len(table) - 1)
        table[at] = i + 1
    return bits, table


def always(f):
    """Written even when the file does not have it."""
    by_value = f.shape == 'ONE' and 'PTR' not in f.flags and (
        f.base == 'quantity' or f.base not in SCALARS)
    return 'REQ' in f.flags or by_value and not f.flags & {'RETIRED', 'GONE', 'SYNTH'}


def main():
    src, out_c, out_h = sys.argv[1:]
    types = parse(src)
    b = Builder(types)
    roots3 = {}
    for k in KINDS:
        roots3[k] = b.build(k) if not b.is_plain(k) else k
    every = list(types.values()) + [t for n, t in b.made.items() if n not in types]
    index = {t.name: i for i, t in enumerate(every)}
    names, docs = Pool(), Pool()
    fields, slots, rows = [], [], []
    for t in every:
        bits, table = slots_of(t.fields)
        v3 = t.name not in types
        flags = ['CK_TYPE_V3'] if v3 else ['CK_TYPE_SAME'] if b.is_plain(t.name) else []
        if any(always(f) for f in t.fields):
            flags.append('CK_TYPE_ALWAYS')
        flags = ' | '.join(flags) or '0'
        rows.append(f'    {{{names.add(t.go)}, {len(fields)}, {len(t.fields)}, {len(slots)}, '
                    f'{bits}, {flags}}}, /* {t.name.replace("/", " ")} */')
        slots += table
        for f in t.fields:
            to = f.to if v3 else f.attr('v3')
            fl = set(f.flags)
            if always(f):
                fl.add('REQ')
            if not v3 and f.attr('v3') == '.':
                fl.add('INLINE')
            if to and to.startswith('/'):
                fl.add('ABS')
                to = to[1:]
            if not v3 and f.attr('v3type'):
                fl.add('RETYPED')
            scalar = f.base in SCALARS
            fields.append(
                f'    {{{names.add(f.name)}, {names.add(to or "")}, '
                f'{0 if scalar else index[f.base]}, {names.add(f.attr("go"))}, '
                f'{names.add(f.attr("enum"))}, {names.add(f.attr("cloud"))}, {docs.add(f.doc)}, '
                f'CK_T_{f.base.upper() if scalar else "STRUCT"}, CK_SHAPE_{f.shape}, '
                f'{" | ".join("CK_F_" + x for x in FLAGS if x in fl) or 0}}},')
    with open(out_h, 'w', encoding='utf-8') as h:
        h.write('/* Made from fields.def. */\n#pragma once\n\nenum {\n')
        for k in KINDS:
            h.write(f'    CK_TYPE2_{k.upper()} = {index[k]},\n')
            h.write(f'    CK_TYPE3_{k.upper()} = {index[roots3[k]]},\n')
        h.write(f'    CK_TYPES = {len(every)},\n    CK_FIELDS = {len(fields)},\n}};\n')
    with open(out_c, 'w', encoding='utf-8') as c:
        c.write('/* Made from fields.def. */\n#include "spec/codec/field.h"\n\n')
        c.write(names.emit('ck_field_names') + '\n' + docs.emit('ck_field_docs_text') + '\n')
        c.write('const struct ck_type ck_types[] = {\n' + '\n'.join(rows) + '\n};\n\n')
        c.write('const struct ck_field ck_fields[] = {\n' + '\n'.join(fields) + '\n};\n\n')
        c.write('const uint8_t ck_field_slots[] = {\n')
        for i in range(0, len(slots), 20):
            c.write('    ' + ', '.join(map(str, slots[i:i + 20])) + ',\n')
        c.write('};\n')


main()
