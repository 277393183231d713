"""gs:// and azureblob:// on real servers (fake-gcs-server, azurite): the unchanged conformance
program, races, bad networks, everyday commands, a fault at every request, the vendors' own clients,
and the promised messages.

CKOPS_BUILD and CKOPS_BIN name the build and the program. Counts are small; CK_FULL=1 asks for the
full ones."""

import base64
import hashlib
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

from faults import FaultProxy
from sweeps import OPERATIONS, side_by_side, sweep, sweep_operation
from test_conformance import BUILD, COUNTS, FAULTS as CONFORMANCE_FAULTS, FULL, REQUIRED, TINY, bad_network, passes, pki  # noqa: F401
from test_everyday import ALL, GROUP, NAME
from test_s3 import EXTRA, reply

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import clouds  # noqa: E402
import servers  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
VFS = BUILD / "tests/unit/vfs_cli"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

# Default runs meet the two that tell most, and all at once.
BAD = list(CONFORMANCE_FAULTS) if FULL else ["reset", "duplicate", "any"]

# What a session of tests must not inherit.
CLEAN = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
CLEAN.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
names = pytest.mark.parametrize("kind", clouds.ALL, ids=lambda k: k.scheme)


def start(kind, **options):
    try:
        return kind(**options).start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


@pytest.fixture(scope="module")
def running():
    found = {}

    def get(kind):
        if kind not in found:
            found[kind] = start(kind)
        return found[kind]

    yield get
    for s in found.values():
        s.stop()


CONTAINERS = itertools.count(1)


def fresh(server):
    name = f"bucket{next(CONTAINERS)}"
    server.make(name)
    return name


def run(args, env, cwd="/", stdin=None, timeout=120):
    data = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([str(a) for a in args], env={**CLEAN, **env}, cwd=cwd, input=data or b"", capture_output=True,
                          timeout=timeout)


def vfs(store, op, key, *more, env, stdin=None):
    return run([VFS, store, op, key, *more], env, stdin=stdin)


# ---- the contract

@pytest.mark.slow
@names
def test_the_contract_holds_on(running, kind):
    s = running(kind)
    # azurite is one thread of JavaScript: the many keys are left to the others
    counts = COUNTS if kind is clouds.FakeGcs or FULL else dict(COUNTS, CK_MANY="300")
    passes(s.store(fresh(s)) + "/a/prefix", {**CLEAN, **s.env()}, counts)


def web_token(**claims):
    """A token as azurite takes it: it looks at the claims, not at the signature."""
    now = int(time.time())
    body = {"iss": "https://sts.windows.net/t/", "aud": "https://storage.azure.com", "iat": now - 60,
            "nbf": now - 60, "exp": now + 3600, **claims}
    parts = [json.dumps(p).encode() for p in ({"alg": "RS256", "typ": "JWT"}, body)] + [b"signature"]
    return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts)


@pytest.fixture(scope="module")
def tls_azurite(pki):  # noqa: F811
    s = start(clouds.Azurite, cert=str(pki / "server.pem"), key=str(pki / "server.key"))
    yield s
    s.stop()


def by_token(server, authority, pki):  # noqa: F811
    return {"CKOPS_AZURE_ENDPOINT": f"{server.url}/{server.account}", "CKOPS_STORE_CA_BUNDLE": str(pki / "ca.pem"),
            "AZURE_AUTHORITY_HOST": authority, "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}


@pytest.mark.slow
def test_the_contract_holds_by_token_over_tls(tls_azurite, pki):  # noqa: F811
    s, authority, asked = reply(200, json.dumps({"access_token": web_token(), "expires_in": 3600}))
    counts = dict(TINY, CK_READ_ROUNDS="20") if not FULL else COUNTS
    passes(tls_azurite.store(fresh(tls_azurite)), {**CLEAN, **by_token(tls_azurite, authority, pki)}, counts)
    s.shutdown()
    assert asked and asked[0][1] == "/t/oauth2/v2.0/token"


@pytest.mark.parametrize("claims", [{"aud": "https://vault.azure.net"}, {"exp": 1}, {"iss": "https://evil.example.com/"}],
                         ids=lambda c: next(iter(c)))
def test_a_token_for_something_else_is_reported_at_once(tls_azurite, pki, claims):  # noqa: F811
    s, authority, asked = reply(200, json.dumps({"access_token": web_token(**claims), "expires_in": 3600}))
    began = time.monotonic()
    p = run([PROGRAM, "get", "clusters", "--state", tls_azurite.store("cont")], by_token(tls_azurite, authority, pki))
    s.shutdown()
    assert p.returncode == 1 and b"as client c (from AZURE_CLIENT_SECRET): 403 AuthenticationFailed" in p.stderr, p.stderr
    assert b"not accepted" in p.stderr and time.monotonic() - began < 10 and len(asked) == 1


@names
def test_what_an_unknown_authority_says_to_set_helps(tls_azurite, pki, kind):  # noqa: F811
    env = env_for(kind, tls_azurite.url)
    p = run([PROGRAM, "get", "clusters", "--state", kind.store(kind, "bkt")], env)
    assert p.returncode == 1 and b"is not trusted" in p.stderr, p.stderr
    said = re.search(rb"certificate in (.*)\n", p.stderr).group(1).decode().split(" or ")
    assert said == ["CKOPS_STORE_CA_BUNDLE", "SSL_CERT_FILE"]
    for name in said:
        p = run([PROGRAM, "get", "clusters", "--state", kind.store(kind, "bkt")], {**env, name: str(pki / "ca.pem")})
        assert b"is not trusted" not in p.stderr, p.stderr


def test_the_token_service_s_authority_is_not_the_store_s(tls_azurite, pki):  # noqa: F811
    env = by_token(tls_azurite, tls_azurite.url, pki)
    p = run([PROGRAM, "get", "clusters", "--state", tls_azurite.store("cont")], env)
    assert p.returncode == 1 and p.stderr.endswith(b"certificate in SSL_CERT_FILE\n"), p.stderr
    p = run([PROGRAM, "get", "clusters", "--state", tls_azurite.store("cont")], {**env, "SSL_CERT_FILE": str(pki / "ca.pem")})
    assert b"is not trusted" not in p.stderr, p.stderr


RACES = {"creators": "*sixty_four_processes*" if FULL else "*twelve_processes*", "increments": "*increments*"}


@pytest.mark.slow
@names
@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("fault", BAD)
def test_races_end_well_on_a_bad_network(running, kind, fault, race):
    s = running(kind)
    with bad_network(s.url, fault) as (url, counts):
        passes(s.store(fresh(s)), {**CLEAN, **s.env(url)}, counts, only=RACES[race])


# ---- everyday commands

class Store:
    def __init__(self, server, root, url=None):
        self.server, self.root, self.container = server, root, fresh(server)
        self.env = {"HOME": str(root), "KOPS_STATE_STORE": server.store(self.container) + "/state", **server.env(url)}

    def run(self, *args, stdin="", **env):
        p = run([PROGRAM, *args], {**self.env, **env}, self.root, stdin)
        p.stdout, p.stderr = p.stdout.decode(), p.stderr.decode()
        assert p.returncode in (0, 1, 4), (args, p.stderr)  # 4: something listed cannot be read
        if self.server.secret:
            assert self.server.secret not in p.stdout + p.stderr
        return p

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return p

    def keys(self):
        return self.server.keys(self.container)

    def put(self, key, text):
        self.server.put(self.container, "state/" + key, text.encode())

    def read(self, key):
        body = self.server.read(self.container, "state/" + key)
        return body.decode() if body is not None else None


@names
def test_doctor_finds_nothing_and_leaves_nothing(running, tmp_path, kind):
    store = Store(running(kind), tmp_path)
    found = json.loads(store.ok("store", "doctor", "--requests", "1", "-o", "json").stdout)
    rows = {c["check"]: c["result"] for c in found["checks"]}
    assert {"identity", "endpoint", "conditional-create", "conditional-update", "read-after-write"} <= set(rows)
    assert found["missing"] == [] and set(rows.values()) <= {"ok", "skipped"} and store.keys() == []


@names
def test_everyday_commands(running, tmp_path, kind):
    store = Store(running(kind), tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    assert store.keys() == [f"state/{NAME}/{x}" for x in ("config", "instancegroup/cp", "instancegroup/nodes")]
    assert NAME in store.ok("get", "clusters").stdout
    # the root of the container is listed too
    assert NAME in store.ok("get", "clusters", "--state", store.server.store(store.container)).stdout
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert "maxSize: 7" in store.read(f"{NAME}/instancegroup/nodes")
    store.ok("replace", "-f", "-", stdin=GROUP)
    assert "maxSize: 2" in store.read(f"{NAME}/instancegroup/nodes")
    again = store.run("create", "-f", "-", stdin=ALL)
    assert again.returncode == 1 and "already exists" in again.stderr
    store.ok("delete", "ig", "nodes", "--name", NAME, "--yes")
    assert store.keys() == [f"state/{NAME}/config", f"state/{NAME}/instancegroup/cp"]


@pytest.mark.slow
@names
def test_sixty_four_processes_create_one_group_once(running, tmp_path, kind):
    store = Store(running(kind), tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    procs = []
    for i in range(64):
        p = subprocess.Popen([PROGRAM, "create", "-f", "-"], env={**CLEAN, **store.env}, cwd=store.root, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(EXTRA.replace("maxSize: 2", f"maxSize: {i + 2}"))
        procs.append(p)
    for p in procs:  # each reads to the end of its input: this opens the gate
        p.stdin.close()
        p.stdin = None
    ends = [(i, p.communicate(timeout=100), p.returncode) for i, p in enumerate(procs)]
    won = [i for i, _, code in ends if code == 0]
    assert len(won) == 1, [e for e in ends if e[2]][0]
    assert all("already exists" in err for i, (_, err), code in ends if code)
    assert f"maxSize: {won[0] + 2}\n" in store.read(f"{NAME}/instancegroup/extra")


# ---- a fault at each request

EVERYDAY = ["create", "get", "list", "edit", "replace", "delete"] + ["delete cluster"] * FULL
# Fault, and for how many requests. A fault that stays costs all attempts: one kind of it will do.
FAULTS = [(f, 1) for f in ("500", "break before", "break after")] + [("500", 1000)]
FAULTS += [("truncate", 1), ("duplicate", 1), ("break before", 1000), ("break after", 1000)] if FULL else []


@pytest.mark.slow
@names
@pytest.mark.parametrize("command", EVERYDAY)
def test_fault_at_each_request(running, tmp_path, kind, command):
    server = running(kind)
    sweep(lambda: FaultProxy(server.url), lambda proxy: Store(server, tmp_path, proxy.url), command, FAULTS)


@pytest.mark.slow
@names
@pytest.mark.parametrize("op", OPERATIONS)
def test_fault_at_each_request_of_an_operation(running, kind, op):
    server = running(kind)
    sweep_operation(lambda: FaultProxy(server.url), server, fresh, vfs, op)


# ---- large objects

@pytest.mark.slow
@names
def test_large_objects(running, kind):
    server = running(kind)
    data = os.urandom(1 << 20) * 17 + b"end"

    def write(fault, n):
        container = fresh(server)
        store = server.store(container)
        with FaultProxy(server.url) as proxy:
            env = server.env(proxy.url)
            proxy.arm(n, fault, 1)
            p = vfs(store, "create", "big", env=env, stdin=data)
            total = proxy.n
            if p.returncode:
                # fake-gcs-server knows no repeated piece of an upload (clouds.GcsEmulator tells what it does)
                assert fault and kind is clouds.FakeGcs and (b"stored other content than was sent" in p.stderr or
                                                             b"ended before all of it was sent" in p.stderr), (fault, n, p.stderr)
                p = vfs(store, "put", "big", env=env, stdin=data)
        assert total >= n and p.returncode == 0, (fault, n, p.stderr)
        assert server.read(container, "big") == data, (fault, n)
        return total, store, p.stdout.decode().strip()

    total, store, version = write(None, 0)
    env = server.env()
    q = vfs(store, "get", "big", env=env)
    assert q.returncode == 0 and q.stdout == data
    again = vfs(store, "create", "big", env=env, stdin=data)
    assert again.stderr.startswith(b"exists: ")
    assert vfs(store, "update", "big", version, env=env, stdin=data[:-1]).returncode == 0
    assert vfs(store, "update", "big", version, env=env, stdin=data).stderr.startswith(b"conflict: ")
    # Each request meets each fault in full runs, one of them in turn otherwise.
    faults, each = ("500", "break before", "break after"), range(1, total + 1)
    side_by_side(write, itertools.product(faults, each) if FULL else zip(itertools.cycle(faults), each), 3)


# Which request meets which fault, and what is asked of the server: Opening, a Piece, a Question, a Look at the object.
RESUMED = [
    ("the connection ends within a piece", 3, "cut", "OPPQPP"),
    ("a piece arrives and its reply is lost", 2, "break after", "OPQPP"),
    ("a question is lost", (3, 2), "break before", "OPPQQPP"),
]
RESUMED += [
    ("nothing of a piece arrives", 2, "break before", "OPQPPP"),
    ("nothing of the last piece arrives", 4, "break before", "OPPPQP"),
    ("a piece is refused", 3, "503", "OPPQPP"),
    # This server has forgotten a session that is at its end and answers 500, until the object is looked at.
    ("all arrives and the last reply is lost", 4, "break after", "OPPP" + 10 * "Q" + "L"),
] if FULL else []


def as_the_go_client(head):
    """The service takes pieces as PUT and as POST; the emulator knows POST alone, as the vendor's Go client sends them."""
    return head.replace(b"PUT ", b"POST ", 1) if head.startswith(b"PUT ") else head


def kind_of_request(head):
    return "O" if head.startswith(b"POST ") else "L" if head.startswith(b"GET ") else \
        "Q" if b"\r\ncontent-range: bytes */" in head.lower() else "P"


@pytest.mark.slow
@pytest.mark.parametrize("what,n,fault,asked", RESUMED, ids=[case[0].replace(" ", "-") for case in RESUMED])
def test_an_upload_is_resumed(running, what, n, fault, asked):
    server = running(clouds.GcsEmulator)
    data = os.urandom(1 << 20) * 39 + b"end"  # pieces of 16, 16 and 7 MiB
    container = fresh(server)
    first, count = n if isinstance(n, tuple) else (n, 1)
    with FaultProxy(server.url) as proxy:
        heads = []

        def pass_on(head):
            heads.append(head)
            if fault == "cut" and len(heads) == first:
                raise ConnectionResetError
            return as_the_go_client(head)

        proxy.alter = pass_on
        proxy.arm(first if fault != "cut" else 0, fault, count)
        p = vfs(server.store(container), "create", "big", env=server.env(proxy.url), stdin=data)
        assert p.returncode == 0 and proxy.hits == (fault != "cut") * count, p.stderr
    assert "".join(map(kind_of_request, heads)) == asked
    assert server.read(container, "big") == data
    md5 = vfs(server.store(container), "hash", "big", env=server.env()).stdout.decode().strip()
    assert md5 == "md5:" + hashlib.md5(data).hexdigest()


@pytest.mark.slow
def test_an_object_that_appears_during_an_upload_is_not_replaced(running):
    server = running(clouds.GcsEmulator)
    container = fresh(server)
    with FaultProxy(server.url) as proxy:
        heads = []

        def pass_on(head):
            heads.append(head)
            if len(heads) == 3:  # the last piece
                server.put(container, "big", b"theirs")
            return as_the_go_client(head)

        proxy.alter = pass_on
        p = vfs(server.store(container), "create", "big", env=server.env(proxy.url), stdin=bytes(17 << 20))
    assert p.stderr.startswith(b"exists: ") and "".join(map(kind_of_request, heads)) == "OPPL", p.stderr
    assert server.read(container, "big") == b"theirs"


# ---- the vendors' own clients

GOOGLE = r"""
import hashlib, base64, json, sys
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
container, = sys.argv[1:]
b = storage.Client(project="p", credentials=AnonymousCredentials()).bucket(container)
out = {}
for blob in b.list_blobs():
    data = blob.download_as_bytes()
    assert blob.md5_hash == base64.b64encode(hashlib.md5(data).digest()).decode()
    out[blob.name] = [hashlib.sha256(data).hexdigest(), blob.content_type]
for name, data in [("vendor/plain", b"written by the vendor"), ("vendor/a b+c%20\u00e9", b""), ("vendor/bin", bytes(range(256)))]:
    b.blob(name).upload_from_string(data)
b.blob("vendor/pieces", chunk_size=1 << 20).upload_from_string(bytes(range(256)) * (10 << 10))
print(json.dumps(out))
"""
AZURE = r"""
import hashlib, json, os, sys
from azure.storage.blob import BlobServiceClient
container, = sys.argv[1:]
c = BlobServiceClient(os.environ["CKOPS_AZURE_ENDPOINT"], credential=os.environ["AZURE_STORAGE_KEY"], max_single_put_size=1 << 20,
                      max_block_size=1 << 20).get_container_client(container)
out = {}
for item in c.list_blobs():
    blob = c.get_blob_client(item.name)
    data = blob.download_blob().readall()
    p = blob.get_blob_properties()
    assert bytes(p.content_settings.content_md5) == hashlib.md5(data).digest() and p.blob_type == "BlockBlob"
    out[item.name] = [hashlib.sha256(data).hexdigest(), p.content_settings.content_type]
for name, data in [("vendor/plain", b"written by the vendor"), ("vendor/a b+c%20\u00e9", b""), ("vendor/bin", bytes(range(256))),
                   ("vendor/pieces", bytes(range(256)) * (10 << 10))]:
    c.get_blob_client(name).upload_blob(data)
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def vendor_python():
    try:
        return clouds.vendor_python()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


@names
def test_the_vendors_client_and_ckops_read_each_other(running, tmp_path, vendor_python, kind):
    store = Store(running(kind), tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    top, env = store.server.store(store.container), store.server.env()
    assert vfs(top, "put", "odd/a b+c%20\u00e9'(x)", env=env, stdin="odd name").returncode == 0
    assert vfs(top, "put", "empty", env=env).returncode == 0
    large = bytes(range(255)) * (70 << 10)  # goes in pieces
    p = vfs(top, "create", "large", env=env, stdin=large)
    assert p.returncode == 0, p.stderr
    script = GOOGLE if kind is clouds.FakeGcs else AZURE
    p = run([vendor_python, "-c", script, store.container], env)
    assert p.returncode == 0, p.stderr.decode()[-2000:]
    seen = json.loads(p.stdout)
    text, binary = ("text/plain; charset=utf-8", "application/octet-stream") if kind is clouds.FakeGcs else ("application/octet-stream",) * 2

    def of(data, content_type=text):
        return [hashlib.sha256(data).hexdigest(), content_type]

    assert seen.pop("odd/a b+c%20\u00e9'(x)") == of(b"odd name") and seen.pop("empty") == of(b"")
    assert seen.pop("large") == of(large, binary)
    assert seen == {k: of(store.server.read(store.container, k)) for k in store.keys() if k.startswith("state/")}
    listing = vfs(top, "list", "vendor", env=env).stdout.decode().splitlines()
    assert [line.rsplit(" ", 2)[0] for line in listing] == ["a b+c%20\u00e9", "bin", "pieces", "plain"]
    assert vfs(top, "get", "vendor/bin", env=env).stdout == bytes(range(256))
    assert vfs(top, "get", "vendor/a b+c%20\u00e9", env=env).stdout == b""
    assert vfs(top, "get", "vendor/pieces", env=env).stdout == bytes(range(256)) * (10 << 10)
    want = hashlib.md5(b"written by the vendor").hexdigest()
    assert vfs(top, "hash", "vendor/plain", env=env).stdout.decode() in (f"md5:{want}\n", "")


# ---- messages

@names
def test_message_of_a_missing_container(running, tmp_path, kind):
    s = running(kind)
    p = run([PROGRAM, "get", "clusters", "--state", s.store("nothere")], s.env())
    what = "bucket" if kind is clouds.FakeGcs else "container"
    assert p.returncode == 1 and f'the {what} "nothere" does not exist at 127.0.0.1'.encode() in p.stderr, p.stderr
    for op, key in (("get", "k"), ("put", "k"), ("create", "k"), ("rm", "k"), ("hash", "k"), ("rmtree", "k")):
        q = vfs(s.store("nothere"), op, key, env=s.env(), stdin="x")
        assert q.returncode == 1 and b"invalid: " in q.stderr and b"does not exist at" in q.stderr, (op, q.stderr)


def env_for(kind, url):
    return {"STORAGE_EMULATOR_HOST": url} if kind is clouds.FakeGcs else \
        {"CKOPS_AZURE_ENDPOINT": url + "/kopstest", "AZURE_STORAGE_KEY": clouds.Azurite.secret}


@names
@pytest.mark.parametrize("status,text", [(403, "403"), (401, "401"), (404, "does not exist at"), (400, "400")])
def test_a_refusal_is_reported_at_once(tmp_path, kind, status, text):
    body = '{"error": {"message": "text of the server"}}' if kind is clouds.FakeGcs else \
        "<Error><Code>ContainerNotFound</Code><Message>text of the server</Message></Error>" if status == 404 else \
        "<Error><Code>X</Code><Message>text of the server</Message></Error>"
    s, url, seen = reply(status, body)
    began = time.monotonic()
    p = run([PROGRAM, "get", "clusters", "--state", kind.store(kind, "bkt")], env_for(kind, url))
    s.shutdown()
    assert time.monotonic() - began < 10 and len(seen) == 1
    assert p.returncode == 1 and text.encode() in p.stderr and b"text of the server" in p.stderr, p.stderr


@names
def test_nothing_listens(tmp_path, kind):
    p = run([PROGRAM, "get", "clusters", "--state", kind.store(kind, "bkt")],
            env_for(kind, f"http://127.0.0.1:{servers.free_port()}"))
    assert p.returncode == 1 and b"127.0.0.1" in p.stderr and b"connection refused" in p.stderr, p.stderr


@names
def test_a_web_page_in_place_of_a_store(tmp_path, kind):
    s, url, _ = reply(200, "<html><body>Sign in</body></html>", [("content-type", "text/html")])
    p = run([PROGRAM, "get", "clusters", "--state", kind.store(kind, "bkt")], env_for(kind, url))
    s.shutdown()
    assert p.returncode == 1 and b"listing" in p.stderr and b"the reply is not a" in p.stderr, p.stderr


def test_a_wrong_key(running):
    s = running(clouds.Azurite)
    wrong = "d3Jvbmcta2V5LW9mLXRlc3Rz"
    began = time.monotonic()
    p = run([PROGRAM, "get", "clusters", "-v", "10", "--state", s.store("bkt")], {**s.env(), "AZURE_STORAGE_KEY": wrong})
    assert p.returncode == 1 and b"with AZURE_STORAGE_KEY: 403 AuthorizationFailure" in p.stderr, p.stderr
    assert wrong.encode() not in p.stderr and time.monotonic() - began < 10


ILLEGAL = ["gs://Bucket", "gs://b", "gs://bkt/a\nb", "gs://bkt/a\x1b[2J", "gs://bkt/../x", "gs://", "gs://user:hunter2@bkt",
           "gs://bkt:80", "gs://bkt/a?x", "azureblob://Acct/cont", "azureblob://acct/c--d", "azureblob://acct", "azureblob://acct/cont/a\nb",
           "azureblob://acct/cont/../x", "azureblob://user:hunter2@acct/cont"]


@pytest.mark.parametrize("url", ILLEGAL, ids=ascii)
def test_illegal_location_is_refused_before_any_request(url):
    s, endpoint, seen = reply(403)
    env = {**env_for(clouds.FakeGcs, endpoint), **env_for(clouds.Azurite, endpoint)}
    p = run([PROGRAM, "get", "clusters", "--state", url], env)
    s.shutdown()
    assert p.returncode == 1 and p.stderr.startswith(b"Error: ") and not seen
    assert b"hunter2" not in p.stderr and b"\x1b" not in p.stderr


@names
def test_no_secret_at_the_highest_verbosity(running, tmp_path, kind):
    store = Store(running(kind), tmp_path)
    p = store.ok("create", "-f", "-", "-v", "10", stdin=ALL)  # run() looks for the secret
    assert "SharedKey kopstest:" not in p.stderr and ("PUT" in p.stderr or "POST" in p.stderr)
