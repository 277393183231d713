"""Keys: making eight keysets at once against what `openssl genrsa` makes on this machine, and what `get keypairs` costs
on an S3 server that answers 30 ms late.

    python3 bench/keys.py PROGRAM [--runs N]

Making an RSA key takes a random time, so both sides are the mean of many, taken in turns. The rate of openssl is that
of one process per processor, all at once. Figures are printed; nothing fails a build."""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

NAME, LATENCY_MS, BITS = "c.example.com", 30, "2048"
KEYSETS = ["apiserver-aggregator-ca", "etcd-clients-ca", "etcd-manager-ca-events", "etcd-manager-ca-main",
           "etcd-peers-ca-events", "etcd-peers-ca-main", "kubernetes-ca", "service-account"]
CLUSTER = """apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: %s
spec:
  cloudProvider: aws
  kubernetesVersion: 1.34.0
""" % NAME


def run(program, env, *args):
    start = time.monotonic()
    p = subprocess.run([program, *args, "--name", NAME], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.returncode == 0, p.stderr
    return time.monotonic() - start


def openssl_rate(n):
    """Keys a second, all processors at work."""
    workers = len(os.sched_getaffinity(0))

    def some(_):
        for _ in range(n):
            subprocess.run(["openssl", "genrsa", BITS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(some, range(workers)))
    return n * workers / (time.monotonic() - start)


def making(program, runs):
    with tempfile.TemporaryDirectory() as root:
        store = pathlib.Path(root, "store", NAME)
        store.mkdir(parents=True)
        (store / "config").write_text(CLUSTER)
        env = {"PATH": os.environ["PATH"], "HOME": root, "KOPS_STATE_STORE": "file://%s/store" % root}
        for k in KEYSETS:
            run(program, env, "create", "keypair", k, "--primary")
        kept = pathlib.Path(root, "kept")
        shutil.copytree(store, kept)
        walls, rates = [], []
        for _ in range(runs):
            rates.append(openssl_rate(4))
            walls.append(run(program, env, "create", "keypair", "all"))
            shutil.rmtree(store)
            shutil.copytree(kept, store)
    wall, ideal = statistics.mean(walls), len(KEYSETS) / statistics.mean(rates)
    print("8 RSA-%s keysets: %.0f ms; openssl genrsa on %d processors: %.0f ms; ratio %.2f (%d runs)" %
          (BITS, wall * 1000, len(os.sched_getaffinity(0)), ideal * 1000, wall / ideal, runs))


def request(url, runs):
    """Seconds of one small request."""
    times = []
    for _ in range(runs):
        start = time.monotonic()
        assert servers.s3request(url, "GET", "/keys/%s/config" % NAME)[0] == 200
        times.append(time.monotonic() - start)
    return statistics.median(times)


def reading(program, runs):
    try:
        with servers.Versitygw() as s3, servers.Toxiproxy() as toxic, tempfile.TemporaryDirectory() as root:
            s3.make_bucket("keys")
            env = {"PATH": os.environ["PATH"], "HOME": root, "KOPS_STATE_STORE": "s3://keys", **s3.env("custom")}
            servers.s3request(s3.url, "PUT", "/keys/%s/config" % NAME, CLUSTER.encode())
            for k in KEYSETS:
                run(program, env, "create", "keypair", k, "--primary")
            url = toxic.proxy("late", s3.url)
            late = {**env, **s3.env("custom", url)}
            near = statistics.median(run(program, late, "get", "keypairs") for _ in range(runs))
            trip = -request(url, runs)
            toxic.toxic("late", "late", "latency", latency=LATENCY_MS)
            far = statistics.median(run(program, late, "get", "keypairs") for _ in range(runs))
            trip += request(url, runs)
            print("get keypairs on S3: %.0f ms, with replies %.1f ms late %.0f ms: %.2f round trips' worth (%d runs)" %
                  (near * 1000, trip * 1000, far * 1000, (far - near) / trip, runs))
    except servers.Missing as e:
        print("get keypairs on S3: skipped, %s" % e)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=20)
    args = parser.parse_args()
    reading(os.path.abspath(args.program), args.runs)
    making(os.path.abspath(args.program), args.runs)


if __name__ == "__main__":
    main()
