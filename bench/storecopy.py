"""10,000 objects of 4 KB from a folder to S3 and from S3 to a folder, on one server in one run: ckops against rclone (32
transfers, 32 checkers, no bucket check) and the AWS command line. Wall time, processor time of client and server, peak memory.

    python3 bench/storecopy.py PROGRAM [SERVER…] [--files N] [--size BYTES] [--runs N] [--latency MS] [--only TOOL…] [--memory N…]

--memory: after that, the peak memory of ckops alone with these numbers of small files, both ways.

SERVER: versitygw, minio. rclone and aws are looked for in the PATH and in the cache of test programs (awscli-venv/bin/aws, made by `python3 -m venv`
and `pip install awscli`); one that is not there is skipped with a line. After each copy everything at the destination is compared
with the source, byte by byte, and a difference ends the bench. What was brought back stays until the end: ext4 is slow to make
files while it avoids the inodes of files that were deleted within the last half minute, by whomever; TMPDIR=/dev/shm leaves
the disk out altogether. The tools take turns, and the best of the runs counts, since other
work on the machine only adds. Nothing here fails a build: figures are printed, with the ratio to the faster of the other two."""

import argparse
import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

CLIENT_LIMIT_MB = 24
RCLONE = ["--transfers", "32", "--checkers", "32", "--s3-no-check-bucket", "--s3-provider", "Other", "--s3-env-auth", "--config", "/dev/null", "-q"]


def cpu_of(group):
    """Processor seconds of the processes of one group so far."""
    total = 0
    for d in pathlib.Path("/proc").iterdir():
        if not d.name.isdigit():
            continue
        try:
            fields = (d / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def digest(folder):
    """One hash of all names and contents below the folder."""
    h, n = hashlib.sha256(), 0
    for p in sorted(folder.rglob("*")):
        if p.is_file():
            h.update(str(p.relative_to(folder)).encode() + b"\0" + p.read_bytes())
            n += 1
    return n, h.hexdigest()


def make(folder, files, size):
    rnd = random.Random(5)
    for i in range(files):
        p = folder / f"c{i % 100:03d}.example.com/instancegroup/nodes-{i // 100:04d}"
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_bytes(rnd.randbytes(size))


class Tools:
    def __init__(self, program, url, home, only):
        self.url = url
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": servers.ACCESS, "AWS_REGION": "us-east-1",
                    "AWS_SECRET_ACCESS_KEY": servers.SECRET, "AWS_ENDPOINT_URL_S3": url, "AWS_EC2_METADATA_DISABLED": "true"}
        aws = servers.CACHE / "awscli-venv/bin/aws"
        self.found = {"ckops": program, "rclone": shutil.which("rclone"), "aws": str(aws) if aws.exists() else shutil.which("aws")}
        for name, path in list(self.found.items()):
            if not path:
                print(f"  {name}: skipped: not installed")
            if not path or (only and name not in only):
                del self.found[name]

    def command(self, tool, bucket, folder, up):
        p = self.found[tool]
        if tool == "ckops":
            ends = [str(folder), f"s3://{bucket}"]
            return [p, "store", "copy", *(ends if up else reversed(ends))]
        if tool == "rclone":
            ends = [str(folder), f":s3:{bucket}"]
            return [p, "copy", *(ends if up else reversed(ends)), "--s3-endpoint", self.url, *RCLONE]
        ends = [str(folder), f"s3://{bucket}"]
        return [p, "s3", "cp", "--recursive", "--only-show-errors", *(ends if up else reversed(ends))]


SERVERS = {"versitygw": servers.Versitygw, "minio": servers.Minio}


def timed(peak, command, env, group):
    """Wall and processor seconds of the client, those of the server, peak memory in MB."""
    before = cpu_of(group)
    began = time.monotonic()
    p = subprocess.Popen([peak, "1", *map(str, command)], env=env, stdout=subprocess.PIPE)
    out = p.stdout.read()
    _, _, usage = os.wait4(p.pid, 0)
    wall = time.monotonic() - began
    return wall, usage.ru_utime + usage.ru_stime, cpu_of(group) - before, float(out.split()[2])


def measure(args, name, tmp, peak):
    source = tmp / "source"
    want = digest(source)
    best = {}
    with SERVERS[name]() as server:
        url = server.url
        toxi = None
        if args.latency:
            toxi = servers.Toxiproxy().start()
            url = toxi.proxy(name, server.url)
            toxi.toxic(name, "late", "latency", latency=args.latency)
        tools = Tools(args.program, url, tmp, args.only)
        print(f"{name}: {args.files} × {args.size} bytes{f', {args.latency} ms of latency' if args.latency else ''}; best of {args.runs}")
        for run in range(args.runs):
            for tool in tools.found:
                bucket, back = f"{tool}-{run}", tmp / f"back-{name}-{tool}-{run}"
                server.make_bucket(bucket)
                for way, up in (("up", True), ("down", False)):
                    figures = timed(peak, tools.command(tool, bucket, source if up else back, up), tools.env, server.process.pid)
                    old = best.get((tool, way), figures)
                    best[tool, way] = min(old, figures)[:3] + (max(old[3], figures[3]),)
                if digest(back) != want:
                    sys.exit(f"{name}: {tool} did not bring back what it took: {digest(back)[0]} of {want[0]} files")
        measure_memory(args, server, url, tmp, peak)
        if toxi:
            toxi.stop()
    for way, text in (("up", "folder → S3"), ("down", "S3 → folder")):
        for tool in tools.found:
            wall, cpu, other, mem = best[tool, way]
            rest = [best[t, way][0] for t in tools.found if t != "ckops"]
            note = f", {min(rest) / wall:.1f}× the faster of the others" if tool == "ckops" and rest else ""
            over = "; over the bar" if tool == "ckops" and (mem > CLIENT_LIMIT_MB or (rest and min(rest) < 2 * wall)) else ""
            print(f"  {text}  {tool:7s}{wall:7.2f} s, {cpu:6.2f} s CPU, server {other:6.2f} s, {mem:6.1f} MB{note}{over}", flush=True)


def measure_memory(args, server, url, tmp, peak):
    for n in args.memory:
        tools, source = Tools(args.program, url, tmp, ["ckops"]), tmp / f"memory-{n}"
        if not source.exists():
            make(source, n, 40)
        server.make_bucket(f"memory-{n}")
        ends = ((source, True), (tmp / f"back-memory-{n}-{server.process.pid}", False))
        up, down = (timed(peak, tools.command("ckops", f"memory-{n}", *end), tools.env, server.process.pid) for end in ends)
        if digest(ends[1][0]) != digest(source):
            sys.exit(f"ckops did not bring back what it took of {n} files")
        print(f"  {n:7d} files: peak memory up {up[3]:.1f} MB, down {down[3]:.1f} MB ({up[0]:.1f} s, {down[0]:.1f} s)", flush=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("program")
    ap.add_argument("server", nargs="*", help=" ".join(SERVERS))
    ap.add_argument("--files", type=int, default=10000)
    ap.add_argument("--size", type=int, default=4096)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--latency", type=int, default=0)
    ap.add_argument("--only", nargs="*")
    ap.add_argument("--memory", type=int, nargs="*", default=[])
    args = ap.parse_args()
    args.program = os.path.abspath(args.program)
    with tempfile.TemporaryDirectory(prefix="ckops-bench-") as d:
        tmp = pathlib.Path(d)
        peak = tmp / "peak"
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", peak, pathlib.Path(__file__).with_name("peak.c")], check=True)
        make(tmp / "source", args.files, args.size)
        for name in args.server or SERVERS:
            try:
                measure(args, name, tmp, peak)
            except servers.Missing as e:
                print(f"{name}: skipped: {e}")


if __name__ == "__main__":
    main()
