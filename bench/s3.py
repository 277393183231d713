"""Listings on an S3 server with 30 ms added to each request: wall time and number of requests.

    python3 bench/s3.py PROGRAM [--many N]

For a hundred clusters the server (MinIO) and the delaying proxy come from tests/servers. For the
many, server and proxies would need more of the processor than the client that is measured: there
s3_responder.c, compiled here, stands in for them. Nothing here fails a build: figures are printed,
with those of kOps beside them where the reference folder is present (CK_SHARED or ../shared). Where
the machine is shared, `chrt -r 1 python3 bench/s3.py …` keeps others from being measured as well."""

import argparse
import http.client
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

LATENCY_MS = 30
CLUSTER = """apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: %s
spec:
  cloudProvider: aws
  kubernetesVersion: 1.34.0
  subnets:
  - cidr: 172.20.32.0/19
    name: us-test-1a
    type: Public
    zone: us-test-1a
"""
REQUEST = re.compile(rb"^(GET|HEAD|PUT|POST|DELETE) \S+ HTTP/1\.1\r\n", re.M)


class Counter:
    """Forwards bytes and counts the request lines that pass."""

    def __init__(self, upstream):
        self.upstream, self.n = upstream, 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.upstream)
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, False), daemon=True).start()

    def pump(self, a, b, count):
        try:
            while data := a.recv(65536):
                if count:
                    self.n += len(REQUEST.findall(data))
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Responder:
    """s3_responder.c, compiled and running; `n` is the number of requests since it was last read or set."""

    def __init__(self, clusters):
        self.clusters = clusters

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory()
        program = self.dir.name + "/responder"
        source = pathlib.Path(__file__).with_name("s3_responder.c")
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", program, str(source), "-lcrypto"], check=True)
        self.process = subprocess.Popen([program, str(self.clusters), str(LATENCY_MS), CLUSTER], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.dir.cleanup()

    @property
    def n(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port)
        c.request("GET", "/requests")
        n = int(c.getresponse().read())
        c.close()
        return n

    @n.setter
    def n(self, zero):
        self.n  # reading resets the count


def of_kops(text):
    """The measured figure of kOps whose row holds `text`, or ""."""
    shared = pathlib.Path(os.environ.get("CK_SHARED") or ROOT.parent / "shared")
    try:
        for line in (shared / "spec/kops-figures.md").read_text().splitlines():
            if line.startswith("|") and text in line:
                return line.split("|")[2].strip()
    except OSError:
        pass
    return ""


def timed(program, env, *args):
    began = time.monotonic()
    p = subprocess.Popen([program, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = [], []
    reader = threading.Thread(target=lambda: out.append(p.stdout.read()))
    reader.start()
    err.append(p.stderr.read())
    reader.join()
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.monotonic() - began
    if status:
        sys.exit(f"{' '.join(args)} failed: {err[0].decode()[-500:]}")
    return wall, usage.ru_utime + usage.ru_stime, out[0]


def peak_memory(program, env, *args):
    """In MB, by peak.c: the peak of a child of this interpreter begins with the interpreter's own."""
    with tempfile.TemporaryDirectory() as d:
        peak = d + "/peak"
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", peak, str(pathlib.Path(__file__).with_name("peak.c"))], check=True)
        return float(subprocess.run([peak, "1", program, *args], env=env, stdout=subprocess.PIPE, check=True).stdout.split()[2])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("program")
    ap.add_argument("--many", type=int, default=10000, help="clusters of the large store")
    ap.add_argument("--backups", type=int, default=40000, help="objects beneath the clusters of the second store")
    ap.add_argument("--runs", type=int, default=3)
    args = ap.parse_args()
    try:
        running = servers.Minio().start(), servers.Toxiproxy().start()
    except servers.Missing as e:
        sys.exit(str(e))
    s3, toxi = running
    try:
        toxi.proxy("slow", s3.url)
        slow = int(re.search(rb'"listen":"127\.0\.0\.1:(\d+)"', toxi.api("GET", "/proxies/slow")).group(1))
        toxi.toxic("slow", "late", "latency", latency=LATENCY_MS)
        counter = Counter(("127.0.0.1", slow))
        with tempfile.TemporaryDirectory() as home:
            env = {"HOME": home, "PATH": os.environ["PATH"], **s3.env("custom", f"http://127.0.0.1:{counter.port}")}
            measure(args, s3, counter, env)
    finally:
        for s in running:
            s.stop()


def fill(s3, bucket, names):
    deadline = time.monotonic() + 20
    while servers.s3request(s3.url, "PUT", f"/{bucket}")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    from concurrent.futures import ThreadPoolExecutor

    def one(name):
        status, _, text = servers.s3request(s3.url, "PUT", f"/{bucket}/{name}/config", (CLUSTER % name).encode())
        assert status == 200, text
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, names))


def measure(args, s3, counter, env):
    hundred = [f"c{i:05d}.example.com" for i in range(100)]
    print(f"get clusters, {LATENCY_MS} ms per request; best of {args.runs}")

    def show(title, bucket, want, kops, env=env, counted=counter):
        best = None
        for _ in range(args.runs):
            counted.n = 0
            wall, cpu, out = timed(args.program, env, "get", "clusters", "--state", f"s3://{bucket}")
            lines = out.decode().count("example.com")
            if lines != want:
                sys.exit(f"{title}: {lines} clusters listed instead of {want}")
            n = counted.n
            if not best or wall < best[0]:
                best = wall, n, cpu
        wall, n, cpu = best
        peak = peak_memory(args.program, env, "get", "clusters", "--state", f"s3://{bucket}")
        beside = f"; kops: {kops}" if kops else ""
        print(f"  {title}: {wall * 1000:.0f} ms, {n} requests, {cpu:.2f} s CPU, {peak:.1f} MB{beside}", flush=True)

    fill(s3, "hundred", hundred)
    show("100 clusters", "hundred", 100, of_kops("100 clusters on S3"))
    each = args.backups // 100
    servers.put_many(s3.url, "hundred", [f"{c}/backups/etcd/main/{i:05d}" for c in hundred for i in range(each)], workers=16)
    show(f"100 clusters, {each * 100} objects beneath", "hundred", 100, of_kops("40,000 backup objects"))
    with Responder(args.many) as many:
        url = f"http://127.0.0.1:{many.port}"
        show(f"{args.many} clusters", "many", args.many, "", {**env, **s3.env("custom", url)}, many)


if __name__ == "__main__":
    main()
