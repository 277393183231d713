#!/usr/bin/env python3
"""Size and safety rules that a formatter does not know: file, function and folder sizes, banned
functions, environment and exit use below cmd/, names of tools or machines in committed text."""
import pathlib
import re
import sys

MAX_FILE, MAX_FUNCTION, MAX_FOLDER = 800, 70, 25
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|gmtime|localtime|ctime|asctime|tmpnam|mktemp|alloca|atoi|atol|atof)\s*\(")
# A secret is looked at to be encoded or written, never to be formatted (base/secret.h).
FORMATTERS = re.compile(r"\b(ck_buf_v?fmt|ck_fail\w*|ck_wrap|ck_debug|ck_info|ck_warn|ck_print|ck_goquote|ck_arena_printf|"
                        r"ck_xasprintf|ck_strf|s?n?printf)\s*\(")
BELOW_CMD = re.compile(r"\b(exit|_exit|abort|getenv|secure_getenv|printf|puts|perror)\s*\(")
# Out of memory, a missing libcrypto (nothing can be signed or checked), a child that cannot exec.
ALLOWED_BELOW = {("base", "mem.c", "abort"), ("crypto", "hash.c", "_exit"), ("ui", "editor.c", "_exit")}


def strip(text):
    """Blank out comments and literals, keeping the line structure."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def functions(text):
    """(name, first line, length) of every function body: a brace in column 0 opens it."""
    lines = text.split("\n")
    start = None
    for i, line in enumerate(lines, 1):
        if line == "{":
            start = i
        elif line == "}" and start:
            head = " ".join(lines[max(0, start - 4):start - 1])
            m = re.findall(r"([A-Za-z_]\w*)\s*\(", head)
            yield (m[-1] if m else "?"), start, i - start - 1
            start = None


def arguments(text, at):
    """What stands between the parenthesis before `at` and the one that closes it."""
    depth = 1
    for end in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[at:end]
    return text[at:]


def check_c(path, layer, bad):
    raw = path.read_text()
    text = strip(raw)
    n = raw.count("\n")
    if n > MAX_FILE:
        bad.append(f"{path}: {n} lines, at most {MAX_FILE}")
    for name, line, length in functions(text):
        if length > MAX_FUNCTION:
            bad.append(f"{path}:{line}: function before it has {length} lines, at most {MAX_FUNCTION}")
    for m in FORMATTERS.finditer(text):
        if re.search(r"\bck_secret_(ref_)?view\b", arguments(text, m.end())):
            bad.append(f"{path}:{text.count(chr(10), 0, m.start()) + 1}: a secret is formatted")
    for i, line in enumerate(text.split("\n"), 1):
        for m in BANNED.finditer(line):
            bad.append(f"{path}:{i}: {m.group(1)} is banned")
        if layer not in ("cmd",):
            for m in BELOW_CMD.finditer(line):
                if (layer, path.name, m.group(1)) not in ALLOWED_BELOW:
                    bad.append(f"{path}:{i}: {m.group(1)} belongs to cmd/")


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    bad = []
    src = root / "src"
    for folder in sorted(p for p in src.rglob("*") if p.is_dir()):
        layer = folder.relative_to(src).parts[0]
        files = [p for p in folder.iterdir() if p.suffix in (".c", ".h", ".def")]
        if len([p for p in files if p.suffix == ".c"]) > MAX_FOLDER:
            bad.append(f"{folder}: {len(files)} files, at most {MAX_FOLDER} sources")
        for p in sorted(files):
            if p.suffix == ".c":
                check_c(p, layer, bad)
            if p.name.startswith("util"):
                bad.append(f"{p}: a file needs a noun, not 'utils'")
    print("\n".join(bad) or "style: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
