"""`update cluster` while files cannot be written, memory runs out or it is killed: at every
operation the module is the old one or the new one, or refused by Terraform; running it again
completes it. CK_FULL=1 tries every operation of three cases and a thousand allocations of each,
otherwise a few of one."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from test_update import BIN, CASES, Cluster

FAULTS = pathlib.Path(os.environ.get("CKOPS_BUILD", "build")) / "tests" / "faults" / "faults.so"
FULL = bool(os.environ.get("CK_FULL"))
THREE = ["minimal-1.35", "complex", "karpenter"]
GUARD = "ckops-incomplete.tf"
SIGKILL, SIGABRT = -9, -6
EIO = 5

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(not CASES, reason="no reference material (CK_SHARED)"),
              pytest.mark.skipif(bool(os.environ.get("CKOPS_SANITIZED")), reason="sanitizers have an allocator of their own")]


def tree(folder):
    """Content of every file but those of the program's own making whose names no reader knows."""
    out = {}
    for p in sorted(folder.rglob("*")) if folder.exists() else []:
        if p.is_file() and ".ckops-module-" not in str(p) and p.name != GUARD:
            out[str(p.relative_to(folder))] = hashlib.sha256(p.read_bytes()).hexdigest()
    return out


class Bench:
    """A case with its old module (another size of a group) and what the new one will be."""

    def __init__(self, case, folder):
        self.c = Cluster(case, folder)
        self.c.module()  # makes keys: from here on the store changes no more
        self.new = tree(self.c.out)
        shutil.rmtree(self.c.out)
        groups = [g for g in re.split(r"\n---\n", self.c.manifest.read_text()) if "role: Node" in g]
        group = re.search(r"^  name: (\S+)", groups[0], re.M).group(1)
        stored = self.c.run("get", "ig", group, "--name", self.c.name, "-o", "yaml").stdout
        # Of what is written, the module and files in data/ change.
        self.c.run("replace", "-f", self.put("changed.yaml", stored.replace("\nspec:\n", "\nspec:\n  maxPrice: \"0.5\"\n  updatePolicy: external\n")))
        self.c.module()
        self.old = tree(self.c.out)
        self.kept = folder / "kept"
        shutil.copytree(self.c.out, self.kept)
        self.c.run("replace", "-f", self.put("back.yaml", stored))
        assert len({f for f in self.old if self.old[f] != self.new.get(f)}) > 2
        self.store = tree(self.c.store)

    def put(self, name, text):
        (self.c.folder / name).write_text(text)
        return str(self.c.folder / name)

    def reset(self, fresh):
        shutil.rmtree(self.c.out, ignore_errors=True)
        for p in self.c.folder.glob(".ckops-module-*"):
            shutil.rmtree(p)
        if not fresh:
            shutil.copytree(self.kept, self.c.out)

    def run(self, module=True, **fault):
        args = ["--target=terraform", f"--out={self.c.out}", "--create-kube-config=false"] if module else []
        return subprocess.run([BIN, "update", "cluster", self.c.name, *args],
                              env=dict(self.c.env, LD_PRELOAD=str(FAULTS), **{k: str(v) for k, v in fault.items()}),
                              capture_output=True, text=True, timeout=120, cwd=self.c.folder)

    def count(self, module, fresh=False):
        """Operations and allocations of a run nothing happens to, and which operations renamed."""
        self.reset(fresh)
        file = self.c.folder / "count"
        p = self.run(module, CK_FAULT_COUNT=file)
        assert p.returncode == 0, p.stderr
        operations, allocations, *renames = [int(n) for n in file.read_text().split()]
        return operations, allocations, renames

    def check(self, p, fresh, what):
        """After whatever happened: old, new, or marked so that Terraform refuses it."""
        guarded = (self.c.out / GUARD).exists()
        now = tree(self.c.out)
        assert guarded or now in ({} if fresh else self.old, self.new), what
        if guarded:  # only where both parts could not be put back
            assert p.returncode != 0, what
        if p.returncode == 0:
            assert now == self.new and not guarded, what
        elif p.returncode == 1:
            assert re.search(r"^Error: \S.*", p.stderr, re.M), (what, p.stderr)
        else:
            assert p.returncode in (SIGKILL, SIGABRT), (what, p.returncode, p.stderr)
        again = self.run()
        assert again.returncode == 0 and tree(self.c.out) == self.new, (what, again.stderr)
        assert not (self.c.out / GUARD).exists(), what


@pytest.fixture(scope="module")
def benches(tmp_path_factory):
    assert FAULTS.exists(), "tests/faults is not built"
    made = {}

    def get(case):
        if case not in made:
            made[case] = Bench(case, tmp_path_factory.mktemp(case))
        return made[case]
    return get


def sample(total, most, renames=()):
    """Some, or many: renames always, because they put the module in place."""
    most = 1000 if FULL else most
    return sorted(set(range(1, total + 1, max(1, total // most))) | {n + i for n in renames for i in (0, 1) if n + i <= total})


CASES_HERE = THREE if FULL else THREE[:1]


@pytest.mark.parametrize("fresh", [False, True], ids=["over an old module", "into a new folder"])
@pytest.mark.parametrize("fault", [{}, {"CK_FAULT_STAY": 1, "CK_FAULT_ERRNO": EIO}, {"CK_FAULT_KILL": 1}],
                         ids=["no space once", "errors from then on", "killed"])
@pytest.mark.parametrize("case", CASES_HERE)
def test_a_failing_operation_leaves_no_partial_module(benches, case, fault, fresh):
    b = benches(case)
    operations, _, renames = b.count(True, fresh)
    assert operations > 100 and len(renames) >= (1 if fresh else 4)
    for n in sample(operations, 3, renames):
        b.reset(fresh)
        b.check(b.run(CK_FAULT_AT=n, **fault), fresh, f"{case}: operation {n} of {operations}")


@pytest.mark.parametrize("case", CASES_HERE)
def test_running_out_of_memory_leaves_no_partial_module(benches, case):
    b = benches(case)
    _, allocations, _ = b.count(True)
    assert allocations > 1000
    for n in sample(allocations, 6):
        b.reset(False)
        b.check(b.run(CK_FAULT_ALLOC=n), False, f"{case}: allocation {n} of {allocations}")


@pytest.mark.parametrize("case", CASES_HERE)
def test_a_preview_that_fails_says_so_and_writes_nothing(benches, case):
    b = benches(case)
    operations, allocations, _ = b.count(False)
    want = b.run(False).stdout
    assert "Will create resources" in want
    faults = [{"CK_FAULT_AT": n} for n in sample(operations, 6)] + [{"CK_FAULT_ALLOC": n} for n in sample(allocations, 5)]
    for fault in faults:
        p = b.run(False, **fault)
        assert p.returncode in (0, 1, SIGABRT), (fault, p.returncode, p.stderr)
        if p.returncode == 0:
            assert p.stdout == want, fault
        elif p.returncode == 1:
            assert re.search(r"^Error: \S.*", p.stderr, re.M) and p.stdout == "", (fault, p.stderr)
        assert tree(b.c.store) == b.store, fault
