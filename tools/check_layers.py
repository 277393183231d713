#!/usr/bin/env python3
"""Fail when a layer includes a header of a layer above it, or a library outside its folder."""
import pathlib
import re
import sys

LAYERS = "base doc crypto net auth vfs cloud spec store task model target ops ui cmd".split()
RANK = {name: i for i, name in enumerate(LAYERS)}
# One external library, one folder (and one file kind) that may include its header.
LIBRARIES = {
    "openssl/": "crypto",
    "curl/": "net",
    "yaml.h": "doc",
    "jansson.h": "doc",
    "expat.h": "doc",
}
GENERATED = {"spec_tables.h"}  # made from spec/fields.def at build time
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent / "src"
    bad = []
    for path in sorted(root.glob("*/**/*.[ch]")):
        layer = path.relative_to(root).parts[0]
        if layer not in RANK:
            bad.append(f"{path}: folder {layer} is not a layer")
            continue
        for kind, name in INCLUDE.findall(path.read_text()):
            top = name.split("/")[0]
            if kind == '"':
                if name in GENERATED or (path.parent / name).exists():
                    continue
                if top not in RANK:
                    bad.append(f"{path}: include \"{name}\" does not name its layer")
                elif RANK[top] > RANK[layer]:
                    bad.append(f"{path}: {layer} includes {name}, which lies above it")
            else:
                for prefix, owner in LIBRARIES.items():
                    if name.startswith(prefix) and layer != owner:
                        bad.append(f"{path}: <{name}> belongs to {owner}/")
    print("\n".join(bad) or "layers: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
