"""The everyday path on S3: commands, races, a fault at every request, the promised error messages.

CKOPS_BIN names the program. Servers come from tests/servers; without them the tests skip with the
reason, or fail where CKOPS_SERVERS_REQUIRED=1."""

import http.server
import itertools
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from faults import FaultProxy
from sweeps import sweep
from test_everyday import ALL, GROUP, NAME

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
FULL = os.environ.get("CK_FULL") == "1"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

EXTRA = GROUP.replace("name: nodes", "name: extra")


def start(kind):
    try:
        return kind().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


@pytest.fixture(scope="module")
def gateway():
    s = start(servers.Versitygw)
    s.buckets = 0
    yield s
    s.stop()


@pytest.fixture(scope="module")
def minio():
    s = start(servers.Minio)
    deadline = time.monotonic() + 20
    while servers.s3request(s.url, "PUT", "/bkt")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield s
    s.stop()


BUCKETS = itertools.count(1)


class Store:
    def __init__(self, server, root, url=None):
        self.server, self.root, self.bucket = server, root, f"bucket{next(BUCKETS)}"
        server.make_bucket(self.bucket)
        self.env = {"HOME": str(root), "PATH": "/usr/bin:/bin", "KOPS_STATE_STORE": f"s3://{self.bucket}/state",
                    **server.env("custom", url)}
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def run(self, *args, stdin="", **env):
        p = subprocess.run([PROGRAM, *args], env=dict(self.env, **env), cwd=self.root, input=stdin, text=True,
                           capture_output=True, timeout=120)
        assert p.returncode in (0, 1), (args, p.stderr)
        assert servers.SECRET not in p.stdout + p.stderr
        return p

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return p

    def keys(self):
        status, _, body = servers.s3request(self.server.url, "GET", f"/{self.bucket}", query=[("list-type", "2")])
        assert status == 200
        return sorted(part.split("</Key>")[0] for part in body.decode().split("<Key>")[1:])

    def put(self, key, text):
        assert servers.s3request(self.server.url, "PUT", f"/{self.bucket}/state/{key}", text.encode())[0] == 200

    def read(self, key):
        status, _, body = servers.s3request(self.server.url, "GET", f"/{self.bucket}/state/{key}")
        return body.decode() if status == 200 else None


@pytest.fixture
def store(gateway, tmp_path):
    return Store(gateway, tmp_path)


def test_everyday_commands(store):
    store.ok("create", "-f", "-", stdin=ALL)
    assert store.keys() == [f"state/{NAME}/{x}" for x in ("config", "instancegroup/cp", "instancegroup/nodes")]
    assert NAME in store.ok("get", "clusters").stdout
    assert "nodes" in store.ok("get", "ig", "--name", NAME).stdout
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert "maxSize: 7" in store.read(f"{NAME}/instancegroup/nodes")
    store.ok("replace", "-f", "-", stdin=GROUP)
    assert "maxSize: 2" in store.read(f"{NAME}/instancegroup/nodes")
    again = store.run("create", "-f", "-", stdin=ALL)
    assert again.returncode == 1 and "already exists" in again.stderr
    store.ok("delete", "ig", "nodes", "--name", NAME, "--yes")
    assert store.read(f"{NAME}/instancegroup/nodes") is None
    assert store.keys() == [f"state/{NAME}/config", f"state/{NAME}/instancegroup/cp"]


def test_a_create_that_was_cut_off_is_completed_by_the_same_command(store):
    store.ok("create", "-f", "-", stdin=ALL)
    servers.s3request(store.server.url, "DELETE", f"/{store.bucket}/state/{NAME}/instancegroup/nodes")
    before = store.read(f"{NAME}/config")
    p = store.ok("create", "-f", "-", stdin=ALL)
    assert f"Kept cluster/{NAME}\n" in p.stdout and "Created instancegroup/nodes\n" in p.stdout
    assert f"cluster/{NAME} is stored already as the manifest has it and is kept" in p.stderr
    assert store.read(f"{NAME}/config") == before and store.read(f"{NAME}/instancegroup/nodes")
    # All there, or something else there: the error it has always been, and nothing written.
    p = store.run("create", "-f", "-", stdin=ALL)
    assert p.returncode == 1 and "error creating cluster: file already exists" in p.stderr
    servers.s3request(store.server.url, "DELETE", f"/{store.bucket}/state/{NAME}/instancegroup/nodes")
    store.ok("edit", "ig", "cp", "--name", NAME, "--set", "spec.machineType=m5.large")
    p = store.run("create", "-f", "-", stdin=ALL)
    assert p.returncode == 1 and "error creating instanceGroup: file already exists" in p.stderr
    assert store.read(f"{NAME}/instancegroup/nodes") is None


@pytest.mark.slow
def test_sixty_four_processes_create_one_group_once(store):
    store.ok("create", "-f", "-", stdin=ALL)
    procs = []
    for i in range(64):
        p = subprocess.Popen([PROGRAM, "create", "-f", "-"], env=store.env, cwd=store.root, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(EXTRA.replace("maxSize: 2", f"maxSize: {i + 2}"))
        procs.append(p)
    for p in procs:  # each reads to the end of its input: this opens the gate
        p.stdin.close()
        p.stdin = None
    ends = [(i, p.communicate(timeout=60), p.returncode) for i, p in enumerate(procs)]
    won = [i for i, _, code in ends if code == 0]
    assert len(won) == 1
    assert all("already exists" in err for i, (_, err), code in ends if code)
    assert f"maxSize: {won[0] + 2}\n" in store.read(f"{NAME}/instancegroup/extra")


# ---- a fault at each request

@pytest.mark.slow
@pytest.mark.parametrize("command", ["create", "get", "edit", "replace", "delete"])
def test_fault_at_each_request(gateway, tmp_path, command):
    # A fault that stays costs all attempts: one kind of it will do.
    faults = [(f, 1) for f in ("500", "break before", "break after")] + [("500", 1000)]
    faults += [("break before", 1000), ("break after", 1000)] if FULL else []
    sweep(lambda: FaultProxy(gateway.url), lambda proxy: Store(gateway, tmp_path, proxy.url), command, faults)


# ---- the promised messages

class Http(http.server.ThreadingHTTPServer):
    """Takes the connections of 64 processes at once."""
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # clients that were killed


def reply(status, body="", headers=(), wait=0):
    """A server that answers every request alike; yields its URL and the requests so far."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def serve(self):
            seen.append((self.command, self.path, dict(self.headers)))
            self.rfile.read(int(self.headers.get("content-length") or 0))
            time.sleep(wait)
            self.send_response(status)
            for k, v in headers:
                self.send_header(k, v)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body.encode())

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve

    s = Http(Handler)
    return s, s.url, seen


def error(code):
    return f"<Error><Code>{code}</Code><Message>text of the server</Message><RequestId>R1</RequestId></Error>"


def ask(tmp_path, url, *args, store="s3://bkt", **env):
    e = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "S3_ENDPOINT": url, "S3_ACCESS_KEY_ID": servers.ACCESS,
         "S3_SECRET_ACCESS_KEY": servers.SECRET, "S3_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    e.update(env)
    p = subprocess.run([PROGRAM, *(args or ("get", "clusters")), "--state", store], env=e, text=True,
                       capture_output=True, timeout=100)
    secret = e["S3_SECRET_ACCESS_KEY"]
    assert secret not in p.stdout + p.stderr
    return p


REAL = {
    "wrong secret": ({"S3_SECRET_ACCESS_KEY": "wrong-secret"}, "bkt",
                     ["403 SignatureDoesNotMatch", "the secret key does not belong to this access key"]),
    "unknown key": ({"S3_ACCESS_KEY_ID": "AKNOBODY"}, "bkt",
                    ["403 InvalidAccessKeyId", "as AKNOBODY", "this access key is not known there"]),
    "missing bucket": ({}, "nosuchbucket", ["404 NoSuchBucket", 'the bucket "nosuchbucket" does not exist at 127.0.0.1']),
}


@pytest.mark.parametrize("name", REAL)
def test_message_on_a_real_server(minio, tmp_path, name):
    env, bucket, texts = REAL[name]
    p = ask(tmp_path, minio.url, store=f"s3://{bucket}", **env)
    assert p.returncode == 1 and "s3:ListBucket" in p.stderr
    for t in texts:
        assert t in p.stderr, p.stderr


SCRIPTED = {
    "denied": (403, "AccessDenied", "allow s3:ListBucket on arn:aws:s3:::bkt"),
    "expired session": (400, "ExpiredToken", "the session has expired: sign in again"),
    "clock": (403, "RequestTimeTooSkewed", "set this machine's clock"),
    "wrong region": (400, "AuthorizationHeaderMalformed", "in us-east-1: 400 AuthorizationHeaderMalformed"),
}


@pytest.mark.parametrize("name", SCRIPTED)
def test_message_of_a_refusal(tmp_path, name):
    status, code, text = SCRIPTED[name]
    s, url, seen = reply(status, error(code))
    p = ask(tmp_path, url)
    s.shutdown()
    assert p.returncode == 1 and text in p.stderr and f"{status} {code}" in p.stderr, p.stderr
    assert f"as {servers.ACCESS}" in p.stderr and "text of the server" in p.stderr and "R1" in p.stderr
    assert len(seen) <= 2


def test_a_redirect_to_another_host_is_not_followed(tmp_path):
    other, other_url, stolen = reply(200)
    s, url, _ = reply(307, error("TemporaryRedirect"), [("location", other_url + "/bkt")])
    p = ask(tmp_path, url)
    s.shutdown()
    other.shutdown()
    assert p.returncode == 1 and "307 TemporaryRedirect" in p.stderr and not stolen


def test_nothing_listens(tmp_path):
    p = ask(tmp_path, f"http://127.0.0.1:{servers.free_port()}")
    assert p.returncode == 1 and "127.0.0.1" in p.stderr and "connection refused" in p.stderr


@pytest.mark.slow
def test_a_server_that_never_answers_costs_one_deadline(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        began = time.monotonic()
        p = ask(tmp_path, "http://127.0.0.1:%d" % s.getsockname()[1])
        assert p.returncode == 1 and "s3:ListBucket" in p.stderr and "127.0.0.1" in p.stderr
        assert 25 < time.monotonic() - began < 40


def test_a_web_page_in_place_of_a_store(tmp_path):
    s, url, _ = reply(200, "<html><body>Sign in</body></html>", [("content-type", "text/html")])
    p = ask(tmp_path, url)
    s.shutdown()
    assert p.returncode == 1 and "the reply is not a bucket listing" in p.stderr


@pytest.mark.parametrize("missing", ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"])
def test_missing_key_of_an_endpoint(tmp_path, missing):
    env = {"HOME": str(tmp_path), "S3_ENDPOINT": "http://127.0.0.1:1", "S3_ACCESS_KEY_ID": "A",
           "S3_SECRET_ACCESS_KEY": "B"}
    del env[missing]
    p = subprocess.run([PROGRAM, "get", "clusters", "--state", "s3://bkt"], env=env, text=True, capture_output=True)
    assert p.returncode == 1 and f"{missing} cannot be empty when S3_ENDPOINT is not empty" in p.stderr


ILLEGAL = ["s3://Bu cket", "s3://b%2Fc", "s3://..", "s3://", "s3://b/../x", "s3://bkt/a\nb", "s3://bkt/a\x1b[2J",
           "s3://b:80/x", "s3://user:hunter2@bkt/x", "s3://b\u00e9", "s3://bkt?x=1", "s3://bkt/a#b"]


@pytest.mark.parametrize("url", ILLEGAL, ids=ascii)
def test_illegal_location_is_refused_before_any_request(tmp_path, url):
    s, endpoint, seen = reply(403)
    p = ask(tmp_path, endpoint, store=url)
    s.shutdown()
    assert p.returncode == 1 and p.stderr.startswith("Error: ") and not seen
    assert "hunter2" not in p.stderr and "\x1b" not in p.stderr


def test_no_secret_at_the_highest_verbosity(store):
    store.ok("create", "-f", "-", "-v", "10", stdin=ALL)  # run() looks for the secret
    p = store.ok("get", "clusters", "-v", "10", S3_SESSION_TOKEN="")
    assert "Signature=" not in p.stderr


# ---- manifests from elsewhere

def test_manifests_from_http_and_s3(store):
    s, url, _ = reply(200, ALL)
    store.ok("create", "-f", url + "/all.yaml")
    s.shutdown()
    assert len(store.keys()) == 3
    servers.s3request(store.server.url, "PUT", f"/{store.bucket}/in/extra.yaml", EXTRA.encode())
    store.ok("create", "-f", f"s3://{store.bucket}/in/extra.yaml")
    assert store.read(f"{NAME}/instancegroup/extra")
    p = store.run("create", "-f", f"s3://{store.bucket}/in/none.yaml")
    assert p.returncode == 1 and "none.yaml" in p.stderr and "does not exist" in p.stderr
