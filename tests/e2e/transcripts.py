#!/usr/bin/env python3
"""Runs recorded transcripts of kops against ckops and compares everything that was recorded.

A case is a folder NNN-name: `cmd` (one argument a line), `env`, `stdin`, `files/`, `before/` (store),
`home-before/` give the situation; `stdout`, `stderr`, `rc`, `tree/` (store), `home-after/` and
`work-after/` what kops made of it. Each case runs in a sandbox of its own, with nothing but the
recorded environment.

Comparison: standard output byte by byte, standard error without klog lines, exit status, and the
three file trees. Help and usage blocks are compared by layout, because their sentences are ours.
Times of "now" and random key material are masked, but only where the plain texts differ.

Classes: passed; different on purpose (different.tsv: case, parts, reason; what ckops does instead
may be recorded under ours/CASE/ and is then compared); not yet offered (notyet.tsv); skipped;
failed. A listed case that passes is reported, so that the lists stay honest.

Usage: transcripts.py --bin PROGRAM --corpus FOLDER [--only 040,130-141] [--group NAME] [-v] [-j N]
"""

import argparse
import concurrent.futures
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("stdout", "stderr", "rc", "tree", "home", "work")
TIMEOUT_S = 60

GROUPS = [
    ("process", [(1, 20), (340, 359)]),
    ("create -f", [(21, 43), (360, 366), (372, 375), (377, 382)]),
    ("get", [(44, 67), (107, 109), (273, 274), (278, 278), (283, 283), (288, 288), (367, 368),
             (376, 376), (383, 389)]),
    ("ssh keys", [(68, 73)]),
    ("secrets, keypairs", [(74, 99), (280, 281)]),
    ("replace", [(100, 106), (369, 371)]),
    ("delete", [(110, 123), (320, 320), (358, 359)]),
    ("edit", [(130, 165), (304, 304)]),
    ("create instancegroup", [(166, 176)]),
    ("create cluster", [(200, 272)]),
    ("update", [(275, 277), (291, 298), (330, 337)]),
    ("other", [(0, 9999)]),
]

KLOG = re.compile(r"^[IWEF]\d{4} [0-9:.]{15} +\d+ [A-Za-z0-9_-]+\.(?:go|c):\d+\] ")

# Things of ours that kops does not show in its usage blocks.
OUR_FLAGS = {"lenient", "lock", "lock-lease", "lock-timeout", "egress"}  # egress: create cluster
OUR_COMMANDS = {"addons"}  # get addons

CLASSES = {"passed": "passed", "different": "different on purpose", "notyet": "not yet offered",
           "skipped": "skipped", "failed": "failed"}


def group_of(case):
    """The topic of a case, from its number."""
    number = int(case[:3])
    # 358 and 359 belong to "delete", not to the range of "process".
    for name, ranges in sorted(GROUPS, key=lambda g: g[0] == "process"):
        if name != "other" and any(lo <= number <= hi for lo, hi in ranges):
            return name
    return "other"


def read(path, default=b""):
    try:
        with open(path, "rb") as f:
            return f.read()
    except (FileNotFoundError, NotADirectoryError):
        return default


def read_tree(root):
    """Relative path → bytes of every file below root; a missing folder is empty."""
    out = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            rel = os.path.relpath(path, root)
            out[rel] = b"-> " + os.readlink(path).encode() if os.path.islink(path) else read(path)
    return out


class Sandbox:
    """The folders that placeholders stand for, filled from a case."""

    def __init__(self, case_dir, corpus):
        self.root = tempfile.mkdtemp(prefix="cktr-")
        self.dirs = {
            "${KOPSBASE}": os.path.join(corpus, "_kopsbase"),
            "${CHANNELS}": os.path.join(corpus, "_channels"),
        }
        for name in ("STORE", "FILES", "HOME", "WORK"):
            self.dirs["${%s}" % name] = os.path.join(self.root, name.lower())
            os.mkdir(os.path.join(self.root, name.lower()))
        self.tmp = os.path.join(self.root, "tmp")
        os.mkdir(self.tmp)
        self._fill(os.path.join(case_dir, "before"), "${STORE}")
        self._fill(os.path.join(case_dir, "files"), "${FILES}")
        self._fill(os.path.join(case_dir, "home-before"), "${HOME}")
        self._leave_over(case_dir, corpus)

    def given_facts(self, corpus):
        """The world of cases recorded with in-process clouds, as given facts: what those clouds
        held, without the clock, the channels and the version that other tests fix."""
        source = os.path.join(corpus, "..", "goldens", "fixtures", "create_cluster.json")
        if not os.path.exists(source):
            return None
        with open(source) as f:
            facts = json.load(f)
        for key in ("now", "channels", "kopsVersion"):
            facts.pop(key, None)
        target = os.path.join(self.root, "facts.json")
        with open(target, "w") as f:
            json.dump(facts, f)
        return target

    def expand(self, text):
        for name, path in self.dirs.items():
            text = text.replace(name, path)
        return text

    def collapse(self, data):
        for name, path in self.dirs.items():
            data = data.replace(path.encode(), name.encode())
        return data

    def _leave_over(self, case_dir, corpus):
        """Cases were recorded one after the other in one working folder: what the case before left
        there and this one left there too was there from the start."""
        cases = select(corpus, None, None)
        at = cases.index(os.path.basename(case_dir))
        own = read_tree(os.path.join(case_dir, "work-after"))
        before = os.path.join(corpus, cases[at - 1], "work-after") if at else ""
        self._fill(before, "${WORK}", own)

    def _fill(self, source, name, only=None):
        for rel, data in read_tree(source).items():
            if only is not None and rel not in only:
                continue
            target = os.path.join(self.dirs[name], rel)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            for placeholder, path in self.dirs.items():
                data = data.replace(placeholder.encode(), path.encode())
            with open(target, "wb") as f:
                f.write(data)
            os.chmod(target, 0o755 if rel.endswith(".sh") else 0o644)

    def tree(self, name):
        return {rel: self.collapse(data) for rel, data in read_tree(self.dirs[name]).items()}

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


# ---- normalising ---------------------------------------------------------------------------------

PROGRAM = re.compile(r"(?<![\w./:-])kops(?=( [a-z\[{-]|['\"`]))")


def our_name(text):
    """Where kops names itself, ckops names itself."""
    return PROGRAM.sub("ckops", text)


def mask_tmp(text):
    """Names of temporary editor files."""
    return re.sub(r"/[^\s\"]*/c?kops(?:-mock)?-edit-\d+yaml", "<editor file>", text)


def sort_maps(text):
    """kops prints the maps of a preview in no fixed order."""
    return re.sub(r"(?<=\t)\{(.*)\}$", lambda m: "{%s}" % ", ".join(sorted(m[1].split(", "))), text, flags=re.M)


RECORDED_DAYS = ("2026-11-20", "2026-11-21", "2026-11-22")


def mask_random(text, keys=False):
    """Times of the recording or of today, and (keys) ids and base64 of PEM."""
    now = time.time()
    days = {time.strftime("%Y-%m-%d", time.gmtime(now + d * 86400)) for d in (-1, 0, 1)}
    days |= set(RECORDED_DAYS)
    text = re.sub(r"(?:%s)T\d\d:\d\d:\d\d(?:\.\d+)?Z" % "|".join(sorted(days)), "<now>", text)
    if keys:
        text = re.sub(r"\b\d{27,30}\b", "<id>", text)
        text = re.sub(r"\bLS0tLS1[A-Za-z0-9+/=]+", "<pem>", text)
    return text


def holds_keys(case, rel):
    return rel.startswith(".kube/") or "/pki/" in rel or "/secrets/" in rel or "keypair" in case


def same_text(expected, actual, keys):
    if expected == actual:
        return True
    return mask_random(expected, keys) == mask_random(actual, keys)


# ---- usage blocks --------------------------------------------------------------------------------

FLAG = re.compile(r"^  (?:(-\w), |    )--([\w-]+)(?: (\S+))?(?:   +(\S.*))?$")
DEFAULT = re.compile(r" \((default (?!is ).*|DEPRECATED.*)\)$")
HEADS = ("Usage:", "Aliases:", "Examples:", "Available Commands:", "Flags:", "Global Flags:",
         "Additional Commands:")


def parse_usage(text):
    """Sections of a usage block: {head: lines}, in order, with blank-line faults."""
    sections, faults, current = {}, [], None
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line in HEADS:
            current = line
            sections[current] = []
            if i and lines[i - 1] != "" and line != "Usage:":
                faults.append("no blank line before %r" % line)
        elif line.startswith('Use "'):
            current = "Use"
            sections[current] = [line]
        elif current:
            sections[current].append(line)
    for head, body in sections.items():
        while body and body[-1] == "":
            body.pop()
        if "" in body:
            faults.append("blank line inside %s" % head)
    return sections, faults


def usage_flags(body):
    """[(short, name, type, default)] and the column where help begins; faults as text."""
    rows, faults, width, columns = [], [], 0, set()
    for line in body:
        m = FLAG.match(line)
        if not m:
            faults.append("not a flag line: %r" % line)
            continue
        short, name, kind, text = m.groups()
        left = 2 + 4 + 2 + len(name) + (1 + len(kind) if kind else 0)
        width = max(width, left)
        if text:
            columns.add(line.index(text, left))
        d = DEFAULT.search(text or "")
        rows.append((short, name, kind, d.group(1) if d else None))
    if columns and columns != {width + 3}:
        faults.append("help column %s, expected %d" % (sorted(columns), width + 3))
    return rows, faults


def usage_problems(expected, actual):
    """What differs between two usage blocks, sentences aside."""
    want, _ = parse_usage(expected)
    got, problems = parse_usage(actual)
    for head in want:
        if head not in got:
            problems.append("no section %s" % head)
    for head in got:
        if head not in want:
            problems.append("section %s too many" % head)
    if [h for h in got if h in want] != [h for h in want if h in got]:
        problems.append("order of sections")
    for head in ("Usage:", "Aliases:", "Use"):
        if head in want and head in got and want[head] != got[head]:
            problems.append("%s %r, expected %r" % (head, got[head], want[head]))
    for head in ("Flags:", "Global Flags:"):
        if head not in want or head not in got:
            continue
        w, _ = usage_flags(want[head])
        g, faults = usage_flags(got[head])
        problems += ["%s %s" % (head, f) for f in faults]
        g = [row for row in g if row[1] not in OUR_FLAGS]
        w = [row for row in w if row[1] not in OUR_FLAGS]
        for row in w:
            if row not in g:
                near = [x for x in g if x[1] == row[1]]
                problems.append("%s %s, expected %s" % (head, near or "nothing", row))
        for row in g:
            if row[1] not in [x[1] for x in w]:
                problems.append("%s --%s too many" % (head, row[1]))
        if [x[1] for x in g] != sorted(x[1] for x in g):
            problems.append("%s not sorted" % head)
    head = "Available Commands:"
    if head in want and head in got:
        w = [line.split()[0] for line in want[head]]
        g = [line.split()[0] for line in got[head]]
        g = [name for name in g if name not in OUR_COMMANDS]
        if w != g:
            problems.append("%s missing %s, too many %s" % (
                head, [x for x in w if x not in g], [x for x in g if x not in w]))
        width = max([11] + [len(line.split()[0]) for line in got[head]])
        for line in got[head]:
            if len(line) > 3 + width and (line[2 + width] != " " or line[3 + width] == " "):
                problems.append("%s column of %r" % (head, line))
    if not actual.endswith("\n"):
        problems.append("no newline at the end")
    return problems


# ---- comparing -----------------------------------------------------------------------------------


def diff(expected, actual, name):
    return list(difflib.unified_diff(expected.splitlines(), actual.splitlines(),
                                     "kops " + name, "ckops " + name, lineterm="", n=2))


def compare_text(part, case, expected, actual):
    """Problems of stdout or stderr; both are str with placeholders."""
    if part == "stderr":
        expected = "".join(l for l in expected.splitlines(True) if not KLOG.match(l))
        actual = "".join(l for l in actual.splitlines(True) if not KLOG.match(l))
    expected, actual = mask_tmp(our_name(expected)), mask_tmp(actual)
    if part == "stdout":
        expected, actual = sort_maps(expected), sort_maps(actual)
    if same_text(expected, actual, "keypair" in case or "kubeconfig" in case):
        return []
    if "${" in expected and same_text(*(re.sub("\t+", "\t", t) for t in (expected, actual)), False):
        return []  # the width of a table's column depends on the length of the folder's name
    split = re.compile(r"^(?=Usage:\n)", re.M)
    if split.search(expected) and split.search(actual):
        e_head, e_usage = split.split(expected, 1)
        a_head, a_usage = split.split(actual, 1)
        problems = usage_problems(e_usage, a_usage)
        if part == "stderr" and e_head != a_head:
            problems += diff(e_head, a_head, part)
        return problems
    return diff(expected, actual, part) or ["differs in bytes: %r, expected %r"
                                            % (actual[-60:], expected[-60:])]


def compare_tree(part, case, expected, actual):
    problems = []
    for rel in sorted(set(expected) | set(actual)):
        if rel not in actual:
            problems.append("%s/%s is missing" % (part, rel))
        elif rel not in expected:
            problems.append("%s/%s should not be there" % (part, rel))
        else:
            e = mask_tmp(expected[rel].decode("utf-8", "surrogateescape"))
            a = mask_tmp(actual[rel].decode("utf-8", "surrogateescape"))
            if not same_text(e, a, holds_keys(case, rel)):
                problems += diff(e, a, part + "/" + rel) or ["%s/%s differs in bytes" % (part, rel)]
    return problems


def tree_sum(files):
    """One line per file: digest of the masked content, path. For ours/CASE/tree and the like."""
    lines = []
    for rel in sorted(files):
        text = mask_random(mask_tmp(text_of(files[rel])), True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        lines.append("%s  %s\n" % (digest[:16], rel))
    return "".join(lines)


class Result:
    def __init__(self, case):
        self.case = case
        self.problems = {}  # part → lines
        self.skip = None
        self.note = ""


# Standard input was recorded as it was, with the recording machine's folders in it.
RECORDED_ROOTS = (("/tmp/ckc/store", "${STORE}"), ("/tmp/ckc/channels", "${CHANNELS}"))


def run_program(program, sandbox, case_dir, timeout):
    argv = read(os.path.join(case_dir, "cmd")).decode()
    argv = [sandbox.expand(a) for a in argv.split("\n")[:-1]]
    env = {"TMPDIR": sandbox.tmp}
    for line in read(os.path.join(case_dir, "env")).decode().splitlines():
        key, _, value = line.partition("=")
        env[key] = sandbox.expand(value)
        if key == "KOPS_MOCK":
            facts = sandbox.given_facts(os.path.dirname(case_dir))
            if facts:
                env["CKOPS_FIXTURES"] = facts
    for key in os.environ:  # sanitizers and coverage
        if key.endswith("SAN_OPTIONS") or key == "LLVM_PROFILE_FILE":
            env[key] = os.environ[key]
    stdin = read(os.path.join(case_dir, "stdin")).decode()
    for recorded, name in RECORDED_ROOTS:
        stdin = stdin.replace(recorded, name)
    stdin = sandbox.expand(stdin).encode()
    try:
        p = subprocess.run([program] + argv[1:], env=env, cwd=sandbox.dirs["${WORK}"], input=stdin,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                           check=False)
    except subprocess.TimeoutExpired as e:
        return -999, e.stdout or b"", (e.stderr or b"") + b"\n<no answer in time>\n"
    return p.returncode, p.stdout, p.stderr


def text_of(data):
    return data.decode("utf-8", "surrogateescape")


def run_case(program, corpus, case, ours=None, timeout=TIMEOUT_S):
    """Run one case. `ours`: a folder whose files replace the recorded parts of the same name."""
    result = Result(case)
    case_dir = os.path.join(corpus, case)
    want_rc = int(read(os.path.join(case_dir, "rc"), b"-999").strip() or b"-999")
    if want_rc == -999:
        result.skip = "kops gave no answer"
        return result
    if b"s3://kops-state" in read(os.path.join(case_dir, "cmd")):
        result.skip = "the bucket that kops used was not recorded"
        return result
    sandbox = Sandbox(case_dir, corpus)
    try:
        rc, out, err = run_program(os.path.abspath(program), sandbox, case_dir, timeout)
        got = {"stdout": text_of(sandbox.collapse(out)), "stderr": text_of(sandbox.collapse(err))}
        trees = {"tree": sandbox.tree("${STORE}"), "home": sandbox.tree("${HOME}"),
                 "work": sandbox.tree("${WORK}")}
    finally:
        sandbox.close()
    for part in ("stdout", "stderr"):
        want = read(os.path.join(case_dir, part))
        if ours and os.path.exists(os.path.join(ours, part)):
            want = read(os.path.join(ours, part))
        problems = compare_text(part, case, text_of(want), got[part])
        if problems:
            result.problems[part] = problems
    if ours and os.path.exists(os.path.join(ours, "rc")):
        want_rc = int(read(os.path.join(ours, "rc")))
    if rc != want_rc:
        result.problems["rc"] = ["exit status %d, expected %d" % (rc, want_rc)]
    for part, folder in (("tree", "tree"), ("home", "home-after"), ("work", "work-after")):
        got[part] = tree_sum(trees[part])
        if ours and os.path.exists(os.path.join(ours, part)):
            problems = diff(text_of(read(os.path.join(ours, part))), got[part], part)
        else:
            want = read_tree(os.path.join(case_dir, folder))
            problems = compare_tree(part, case, want, trees[part])
        if problems:
            result.problems[part] = problems
    result.got = dict(got, rc="%d\n" % rc)
    return result


# ---- lists ---------------------------------------------------------------------------------------


def read_tsv(name):
    """First column → the other columns; '#' starts a comment line."""
    rows = {}
    for line in read(os.path.join(HERE, name)).decode().splitlines():
        if line.strip() and not line.startswith("#"):
            cells = line.split("\t")
            rows[cells[0]] = cells[1:]
    return rows


def classify(program, corpus, case, different, notyet):
    """(class, result); class is passed, different, notyet, skipped or failed."""
    result = run_case(program, corpus, case)
    number = case[:3]
    if result.skip:
        return "skipped", result
    entry = different.get(case) or different.get(number)
    if not result.problems:
        if entry or case in notyet or number in notyet:
            result.note = "is listed but passes"
        return "passed", result
    if entry:
        parts = set(entry[0].split(","))
        extra = set(result.problems) - parts
        ours = os.path.join(HERE, "ours", case)
        if not extra and os.path.isdir(ours):
            again = run_case(program, corpus, case, ours)
            again.problems = {p: v for p, v in again.problems.items()
                              if os.path.exists(os.path.join(ours, p))}
            if again.problems:
                return "failed", again
        if not extra:
            return "different", result
        result.note = "different on purpose in %s only" % entry[0]
        return "failed", result
    if case in notyet or number in notyet:
        return "notyet", result
    return "failed", result


def select(corpus, only, group):
    cases = sorted(c for c in os.listdir(corpus) if re.match(r"^\d{3}-", c))
    if group:
        cases = [c for c in cases if group_of(c) == group]
    if not only:
        return cases
    chosen = []
    for item in only.split(","):
        lo, _, hi = item.partition("-")
        if lo.isdigit() and (not hi or hi.isdigit()):
            chosen += [c for c in cases if int(lo) <= int(c[:3]) <= int(hi or lo)]
        else:
            chosen += [c for c in cases if item in c]
    return sorted(set(chosen))


def default_corpus():
    shared = os.environ.get("CK_SHARED") or os.path.join(HERE, "..", "..", "..", "shared")
    return os.path.join(os.path.abspath(shared), "corpus")


def bless(program, corpus, cases, different):
    """Record under ours/ what the program says in cases that differ on purpose."""
    for case in cases:
        entry = different.get(case) or different.get(case[:3])
        if not entry:
            continue
        result = run_case(program, corpus, case)
        for part in entry[0].split(","):
            folder = os.path.join(HERE, "ours", case)
            os.makedirs(folder, exist_ok=True)
            text = result.got[part]
            if part == "stderr":
                text = "".join(l for l in text.splitlines(True) if not KLOG.match(l))
            with open(os.path.join(folder, part), "w", errors="surrogateescape") as f:
                f.write(mask_tmp(text))


def report(rows, verbose):
    names = [g for g, _ in GROUPS]
    classes = tuple(CLASSES)
    for kind, result in rows:
        if kind == "failed" or (verbose and kind in ("different", "notyet")) or result.note:
            print("%-8s %s: %s%s" % (kind.upper(), result.case, " ".join(sorted(result.problems)),
                                     " (%s)" % result.note if result.note else ""))
            for part in PARTS:
                lines = result.problems.get(part, [])
                shown = lines if verbose else [l for l in lines if l[:3] not in ("---", "+++")
                                               and l[:2] != "@@" and l[:1] != " "][:4]
                for line in shown:
                    print("    %s" % line[:400 if verbose else 160])
                if len(shown) < len(lines) and kind == "failed" and not verbose:
                    print("    ... (-v shows all of %s)" % part)
    print("%-22s %7s %10s %8s %8s %7s" % (("group",) + ("passed", "different", "not yet", "skipped",
                                                        "failed")))
    for name in names + ["total"]:
        counts = [sum(1 for kind, r in rows if kind == c and name in (group_of(r.case), "total"))
                  for c in classes]
        if sum(counts):
            print("%-22s %7d %10d %8d %8d %7d" % ((name,) + tuple(counts)))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    ap.add_argument("--bin", required=True, help="the program to test")
    ap.add_argument("--corpus", default=default_corpus(), help="folder of the cases")
    ap.add_argument("--only", help="numbers, ranges and parts of names: 040,130-141,get-ig")
    ap.add_argument("--group", help="one group, such as 'edit'")
    ap.add_argument("--bless", action="store_true", help="record ours/ for cases in different.tsv")
    ap.add_argument("-j", type=int, default=2, help="cases at a time")
    ap.add_argument("-v", action="store_true", help="whole differences, all classes")
    args = ap.parse_args()
    args.corpus = os.path.abspath(args.corpus)
    if not os.path.isdir(args.corpus):
        print("no transcripts at %s: skipped" % args.corpus)
        return 77
    different, notyet = read_tsv("different.tsv"), read_tsv("notyet.tsv")
    cases = select(args.corpus, args.only, args.group)
    if args.bless:
        bless(args.bin, args.corpus, cases, different)
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        rows = list(pool.map(
            lambda c: classify(args.bin, args.corpus, c, different, notyet), cases))
    report(rows, args.v)
    return 1 if any(kind == "failed" for kind, _ in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
