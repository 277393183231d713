"""`get clusters` of 100 clusters on each store, with 30 ms added to each request: wall time, requests.

    python3 bench/stores.py PROGRAM [STORE...]      STORE: gs azureblob …

A store is a row of STORES: a class of tests/servers with start(), stop(), url, env(url),
store(container), make(container) and put(container, key, data). Nothing here fails a build: figures
are printed, "over" where one is above the bar."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests/servers"), str(ROOT / "tests/e2e")]
import clouds  # noqa: E402
import faults  # noqa: E402
import k8s_server  # noqa: E402
import oss  # noqa: E402
import servers  # noqa: E402
import sshd  # noqa: E402
import swift_double  # noqa: E402
from s3 import CLUSTER, LATENCY_MS, Counter, timed  # noqa: E402



class Recorded(faults.FaultProxy):
    """Says again what the server answered to the same question before."""

    def __init__(self, upstream):
        self.memory = {}
        super().__init__(upstream)

    async def one(self, reader, writer, link):
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if path not in self.memory:
            self.memory[path] = await link.send(method, path, head)
        reply, keep = self.memory[path]
        writer.write(reply)
        await writer.drain()
        return keep


class AzuriteRecorded(clouds.Azurite):
    """azurite needs 0.7 s for a hundred reads by itself: with its replies from memory, ckops is what is measured."""

    def start(self):
        super().start()
        self.recorder = Recorded(self.url)
        self.asked_at = self.recorder.url
        return self

    __enter__ = start

    def stop(self):
        if hasattr(self, "recorder"):
            self.recorder.close()
        super().stop()


class SshdFollowing(sshd.SshdForBench):
    """Commands after a first one, on the connection that it left."""

    def start(self):
        self.runtime = tempfile.mkdtemp(prefix="ck-")  # a socket's name is short
        return super().start()

    __enter__ = start

    def env(self, url=None):
        return {**super().env(url), "XDG_RUNTIME_DIR": self.runtime}

    def disconnect(self):
        for socket in pathlib.Path(self.runtime).glob("ckops/*"):
            subprocess.run(["ssh", "-S", str(socket), "-O", "exit", "store"], capture_output=True)

    def stop(self):
        self.disconnect()
        shutil.rmtree(self.runtime, ignore_errors=True)
        super().stop()


class SshdFirst(SshdFollowing):
    """Commands that leave a connection to those that follow."""

    def before(self):
        self.disconnect()


class SshdLateRequests(sshd.SshdForBench):
    """Late is each SFTP request, not each packet of the network."""

    def env(self, url=None):
        env = super().env()
        if url != self.url:
            env["CKOPS_SSH"] = f"{sys.executable} -SE {ROOT}/bench/late_pipe.py {LATENCY_MS} {env['CKOPS_SSH']}"
        return env


# Name: class, and the seconds that 100 clusters may take (a round trip more where a session must be opened first).
STORES = {
    "gs": (clouds.FakeGcs, 0.25),
    "azureblob": (clouds.Azurite, 0.25),
    "azureblob-recorded": (AzuriteRecorded, 0.25),
    "oss": (oss.Oss, 0.25),
    "k8s": (k8s_server.Kubernetes, 0.28),  # by TLS: its requests are not counted
    "swift": (swift_double.SwiftDouble, 0.28),  # the real one answers 40 requests a second
    "ssh": (SshdFollowing, 0.25),
    "ssh-first": (SshdFirst, 0.25),  # an encrypted connection takes nine trips before the first request
    "ssh-alone": (sshd.SshdForBench, 0.25),  # nothing is shared
    "ssh-requests": (SshdLateRequests, 0.25),  # with the start of a Python
}


def alone(server, url, runs):
    times = []
    for _ in range(runs):
        began = time.monotonic()
        subprocess.run(server.bare(url), stdin=subprocess.DEVNULL, capture_output=True, check=True)
        times.append(time.monotonic() - began)
    return min(times) * 1000


def measure(program, toxi, name, runs):
    kind, bar = STORES[name]
    with kind() as server, tempfile.TemporaryDirectory() as home:
        server.make("hundred")
        names = [f"c{i:05d}.example.com" for i in range(100)]
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: server.put("hundred", f"{n}/config", (CLUSTER % n).encode()), names))
        asked_at = getattr(server, "asked_at", server.url)
        toxi.proxy(name, asked_at)
        slow = re.search(rb'"listen":"127\.0\.0\.1:(\d+)"', toxi.api("GET", f"/proxies/{name}"))
        toxi.toxic(name, "late", "latency", latency=LATENCY_MS)
        counter = Counter(("127.0.0.1", int(slow.group(1))))

        def best(url):
            found = None
            env = {"HOME": home, "PATH": os.environ["PATH"], **server.env(url)}
            for _ in range(runs):
                counter.n = 0
                getattr(server, "before", lambda: None)()
                wall, cpu, *_, out = timed(program, env, "get", "clusters", "--state", server.store("hundred"))
                if out.decode().count("example.com") != 100:
                    sys.exit(f"{name}: not 100 clusters: {out[-300:]}")
                if not found or wall < found[0]:
                    found = wall, counter.n, cpu
            return found
        wall, n, cpu = best(f"http://127.0.0.1:{counter.port}")
        direct = best(asked_at)[0]
        if hasattr(server, "bare"):
            print(f"  {name}: ssh alone, connecting and ending, {alone(server, f'http://127.0.0.1:{counter.port}', runs):.0f} ms; "
                  f"{alone(server, server.url, runs):.0f} ms without the latency")
    # A test server that is slow by itself shows in the last figure.
    print(f"  {name}: {wall * 1000:.0f} ms, {n} requests, {cpu:.2f} s CPU; {direct * 1000:.0f} ms without the latency"
          f"{'; over the bar' if wall > bar else ''}", flush=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("program")
    ap.add_argument("store", nargs="*")
    ap.add_argument("--runs", type=int, default=5)
    args = ap.parse_args()
    print(f"get clusters, 100 clusters, {LATENCY_MS} ms per request; best of {args.runs}")
    try:
        with servers.Toxiproxy() as toxi:
            for name in args.store or STORES:
                try:
                    measure(args.program, toxi, name, args.runs)
                except servers.Missing as e:
                    print(f"  {name}: skipped: {e}")
    except servers.Missing as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
