"""The store contract on real S3 servers: the conformance program of the build on versitygw, MinIO
and moto, over TLS, and through a proxy that delays, resets and truncates.

CKOPS_BUILD names the build folder. Counts are small so that the file ends in two minutes; CK_FULL=1
asks for the full ones (100 rounds of races, 64 writers of 200 steps)."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

import faults

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

BUILD = pathlib.Path(os.environ.get("CKOPS_BUILD") or ROOT / "build")
PROGRAM = BUILD / "tests/conformance/conformance"
FULL = os.environ.get("CK_FULL") == "1"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"

if not os.access(PROGRAM, os.X_OK):
    if REQUIRED:
        raise RuntimeError(f"{PROGRAM} is not built")
    pytest.skip(f"{PROGRAM} is not built (CKOPS_BUILD)", allow_module_level=True)

COUNTS = {"CK_RACE_ROUNDS": "100", "CK_CAS_STEPS": "200", "CK_CAS_WRITERS": "64", "CK_MANY": "2500"} if FULL else \
         {"CK_RACE_ROUNDS": "3", "CK_CAS_STEPS": "3", "CK_CAS_WRITERS": "16", "CK_MANY": "1200"}
TINY = COUNTS if FULL else {"CK_RACE_ROUNDS": "1", "CK_CAS_STEPS": "1", "CK_CAS_WRITERS": "8", "CK_MANY": "60"}


def start(kind, **options):
    """A running server, or the test is skipped with the reason (failed where servers are required)."""
    try:
        return kind(**options).start()
    except servers.Missing as e:
        if REQUIRED:
            pytest.fail(str(e))
        pytest.skip(str(e))


@pytest.fixture(scope="module")
def running():
    """Servers by class, started when first asked for, stopped at the end."""
    found = {}

    def get(kind):
        if kind not in found:
            found[kind] = start(kind)
            found[kind].buckets = 0
        return found[kind]

    yield get
    for s in found.values():
        s.stop()


def fresh_bucket(server):
    server.buckets = getattr(server, "buckets", 0) + 1
    name = f"bucket{server.buckets}"
    # MinIO says that it is ready a moment before it is.
    deadline = time.monotonic() + 20
    while True:
        status, _, body = servers.s3request(server.url, "PUT", f"/{name}")
        if status == 200:
            return name
        assert time.monotonic() < deadline, body
        time.sleep(0.1)


def conformance(url, env, counts=COUNTS, only=None):
    drop = ("AWS_", "S3_", "CKOPS_S3", "CKOPS_STORE", "KOPS_", "CK_", "HTTP_PROXY", "HTTPS_PROXY",
            "http_proxy", "https_proxy")
    e = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    e.update({"HOME": "/nonexistent"}, **counts, **env)
    e["CK_STORE_URL"] = url
    if only:
        e["CK_ONLY"] = only
    p = subprocess.run([PROGRAM], env=e, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       errors="replace", timeout=3600 if FULL else 600)
    return p


def passed(p):
    assert p.returncode == 0, p.stdout[-4000:]
    assert "[       OK ]" in p.stdout, p.stdout[-4000:]
    writes = re.findall(r"^writer \d+: (\d+) writes without an answer, (\d+) took effect", p.stdout, re.M)
    if writes:
        print("{} writes got no answer, {} of them took effect".format(*(sum(int(w[i]) for w in writes) for i in (0, 1))))
    for line in re.findall("^of .* creators .*", p.stdout, re.M):
        print(line)
    return p


def passes(*args, **kw):
    return passed(conformance(*args, **kw))


AWS_HOST = "s3.dualstack.us-east-1.amazonaws.com"
SERVERS = [servers.Versitygw, servers.Minio, servers.Moto]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["custom", "aws"])
@pytest.mark.parametrize("kind", SERVERS, ids=lambda k: k.__name__.lower())
def test_the_contract_holds_on(running, kind, mode):
    s = running(kind)
    # moto answers one request at a time, and slowly: the many keys and processes are left to the others.
    counts = TINY if kind is servers.Moto or mode == "aws" else COUNTS
    passes(f"s3://{fresh_bucket(s)}/a/prefix", s.env(mode), counts)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["do", "scw", "linode", "hos"])
def test_the_contract_holds_for_the_scheme(running, scheme):
    s = running(servers.Versitygw)
    passes(f"{scheme}://{fresh_bucket(s)}", s.env("custom"), TINY)


# ---- TLS

@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A private CA and a certificate of it for 127.0.0.1."""
    d = tmp_path_factory.mktemp("pki")

    def openssl(*args):
        try:
            subprocess.run(["openssl", *args], cwd=d, check=True, capture_output=True)
        except FileNotFoundError:
            (pytest.fail if REQUIRED else pytest.skip)("openssl is not installed")

    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=test {name}",
                "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", "/CN=localhost")
    (d / "ext").write_text(f"subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.{AWS_HOST}\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "ext", "-out", "server.pem")
    return d


@pytest.fixture(scope="module")
def tls_server(pki):
    s = start(servers.Versitygw, cert=str(pki / "server.pem"), key=str(pki / "server.key"))
    yield s
    s.stop()


@pytest.mark.slow
@pytest.mark.parametrize("variable,mode", [("CKOPS_STORE_CA_BUNDLE", "custom"), ("AWS_CA_BUNDLE", "aws")])
def test_tls_with_a_private_ca(tls_server, pki, variable, mode):
    env = dict(tls_server.env(mode), **{variable: str(pki / "ca.pem")})
    assert next(v for v in env.values() if "://" in v).startswith("https://")
    passes(f"s3://{fresh_bucket(tls_server)}", env, TINY)


@pytest.mark.parametrize("bundle", [None, "other.pem"])
def test_a_server_of_an_unknown_ca_is_refused(tls_server, pki, bundle):
    env = dict(tls_server.env())
    if bundle:
        env["CKOPS_STORE_CA_BUNDLE"] = str(pki / bundle)
    p = conformance(f"s3://{fresh_bucket(tls_server)}", env, TINY, only="test_V093*")
    assert p.returncode != 0
    assert "127.0.0.1" in p.stdout and "CKOPS_STORE_CA_BUNDLE" in p.stdout and "AWS_CA_BUNDLE" in p.stdout
    assert servers.SECRET not in p.stdout


# ---- virtual hosts

class Resolver:
    """Leads AWS' host names to a server of ours: a proxy that takes CONNECT to port 443 of them alone."""

    def __init__(self, port):
        self.port, self.asked = port, set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head and (more := client.recv(4096)):
            head += more
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.add(target)
        if method != "CONNECT" or not target.endswith(AWS_HOST + ":443"):
            client.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            return client.close()
        server = socket.create_connection(("127.0.0.1", self.port))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=self.pump, args=(server, client), daemon=True).start()
        self.pump(client, server)

    def pump(self, a, b):
        for s in (a, b):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.mark.slow
def test_buckets_as_host_names_of_aws(pki):
    s = start(servers.Versitygw, cert=str(pki / "server.pem"), key=str(pki / "server.key"), domain=AWS_HOST)
    resolver = Resolver(s.port)
    try:
        env = {"AWS_ACCESS_KEY_ID": servers.ACCESS, "AWS_SECRET_ACCESS_KEY": servers.SECRET, "AWS_REGION": "us-east-1",
               "AWS_EC2_METADATA_DISABLED": "true", "AWS_CA_BUNDLE": str(pki / "ca.pem"), "HTTPS_PROXY": resolver.url}
        bucket = fresh_bucket(s)
        passes(f"s3://{bucket}/a/prefix", env, TINY)
        assert resolver.asked == {f"{bucket}.{AWS_HOST}:443"}
    finally:
        resolver.listener.close()
        s.stop()


# ---- bad networks

# Fault of tests/e2e/faults.py, and which part of all requests meets it.
FAULTS = {"reset": 0.05, "500": 0.05, "timeout": 0.003 if FULL else 0.02, "truncate": 0.05, "slow": 0.1,
          "duplicate": 0.1, "any": 0.03}


@contextlib.contextmanager
def bad_network(upstream, fault, patience=2500 if FULL else 1000, hold=None, **options):
    """The URL of a server behind faults, and what the conformance program is told of it. `patience`: ms of an operation; the
    usual half a minute would make the tests long. `hold`: seconds that the proxy holds back a request that times out.
    `options`: of the proxy."""
    proxy = faults.FaultProxy(upstream, hold=hold or 1.2 * patience / 1000, **options)
    proxy.share(FAULTS[fault], *([f for f in FAULTS if f != "any"] if fault == "any" else [fault]))
    counts = dict(COUNTS, CK_TIMEOUT_MS=str(patience) if fault in ("timeout", "any") else "30000")
    if not FULL:
        counts.update(CK_RACE_ROUNDS="3", CK_CAS_STEPS="4", CK_CAS_WRITERS="12")
    try:
        yield proxy.url, counts
        print(f"{fault}: {proxy.hits} of {proxy.n} requests met it")
        assert proxy.hits
    finally:
        proxy.close()


# Slow servers meet all faults at once.
BAD_NETWORKS = [(servers.Versitygw, f) for f in FAULTS if f != "any"]
BAD_NETWORKS += [(servers.Minio, f) for f in FAULTS if f != "any"] + [(servers.Moto, "any")] if FULL else []


@pytest.mark.slow
@pytest.mark.parametrize("kind,fault", BAD_NETWORKS, ids=lambda x: getattr(x, "__name__", x).lower())
def test_races_end_well_on_a_bad_network(running, kind, fault):
    s = running(kind)
    with bad_network(s.url, fault) as (url, counts):
        creators = "*sixty_four_processes*" if FULL else "*twelve_processes*"
        passes(f"s3://{fresh_bucket(s)}", s.env("custom", url), counts, only=creators)
        passes(f"s3://{fresh_bucket(s)}", s.env("custom", url), counts, only="*increments*")
