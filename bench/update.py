#!/usr/bin/env python3
"""Times of `update cluster`: a minimal cluster to Terraform, previews of many groups.

  bench/update.py BIN      needs the reference cases (CK_SHARED or ../shared)

Prints median wall time, CPU time and peak memory of 7 runs; kops' figures stand beside."""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))


def measure(argv, env, cwd, runs=7):
    wall, cpu = [], []
    for _ in range(runs):
        start = time.perf_counter()
        pid = os.posix_spawn("/usr/bin/env", ["env", "--chdir=" + str(cwd), *argv], env,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                                           (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
        _, status, use = os.wait4(pid, 0)
        assert status == 0, argv
        wall.append(time.perf_counter() - start)
        cpu.append(use.ru_utime + use.ru_stime)
    # What wait4 says of memory counts the interpreter that started the program.
    peak = subprocess.run(["/usr/bin/time", "-f", "%M", *argv], env=env, cwd=cwd, capture_output=True, text=True).stderr.split()[-1] \
        if os.path.exists("/usr/bin/time") else "0"
    return statistics.median(wall) * 1000, statistics.median(cpu) * 1000, int(peak) / 1024


def main():
    os.environ["CKOPS_BIN"] = os.path.abspath(sys.argv[1])
    import test_update as t
    print("%-44s %9s %9s %8s   kops" % ("", "ms", "CPU ms", "MB"))
    with tempfile.TemporaryDirectory() as d:
        c = t.Cluster("minimal-1.35", pathlib.Path(d))
        r = measure([t.BIN, "update", "cluster", c.name, "--target=terraform", "--out=out", "--create-kube-config=false"], c.env, d)
        print("%-44s %9.1f %9.1f %8.1f   1500 ms" % ("minimal cluster to Terraform", *r))
    for n, kops in ((2, "460 ms"), (102, "9400 ms"), (402, "37000 ms")):
        with tempfile.TemporaryDirectory() as d:
            def edit(text):
                nodes = re.split(r"\n---\n", text)[-1]
                return text + "".join("\n---\n" + nodes.replace("name: nodes", "name: more-%d" % i) for i in range(n - 2))
            c = t.Cluster("minimal-1.35", pathlib.Path(d), edit)
            assert c.created.returncode == 0, c.created.stderr
            r = measure([t.BIN, "update", "cluster", c.name], c.env, d, 5)
            print("%-44s %9.1f %9.1f %8.1f   %s" % ("preview, %d instance groups" % n, *r, kops))


if __name__ == "__main__":
    main()
