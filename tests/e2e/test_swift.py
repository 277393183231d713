"""Swift, the real one with its Keystone: the store contract, races, a fault at every request, tokens
that end, the vendor's own client, the promised messages.

CKOPS_BIN and CKOPS_BUILD name what is tested; servers come from tests/servers. CK_FULL=1 asks for
the full counts."""

import concurrent.futures
import contextlib
import itertools
import json
import os
import pathlib
import queue
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402
import swift_server  # noqa: E402
from test_conformance import BUILD, FAULTS, FULL, PROGRAM as CONTRACT  # noqa: E402
from faults import FaultProxy  # noqa: E402
from sweeps import EVERYDAY, OPERATIONS, sweep, sweep_operation  # noqa: E402
from test_everyday import ALL, GROUP, NAME  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

VFS = BUILD / "tests/unit/vfs_cli"
SECRETS = (swift_server.PASSWORD, swift_server.APPCRED_SECRET)
# Some thirty requests a second are what these five processes answer together.
COUNTS = {"CK_RACE_ROUNDS": "100", "CK_CAS_STEPS": "200", "CK_CAS_WRITERS": "64", "CK_MANY": "2500"} if FULL else \
         {"CK_RACE_ROUNDS": "1", "CK_CAS_STEPS": "1", "CK_CAS_WRITERS": "4", "CK_MANY": "25", "CK_READ_ROUNDS": "5",
          "CK_WITHOUT": "*sixty_four*"}
LITTLE = dict(COUNTS, CK_RACE_ROUNDS="1", CK_CAS_STEPS="1", CK_CAS_WRITERS="4", CK_MANY="15", CK_READ_ROUNDS="5")


def start(**options):
    try:
        return swift_server.Swift(**options).start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


AT_ONCE = 4


@pytest.fixture(scope="module")
def swift():
    """Some proxies stand in front of Keystone and Swift: each region's public interface leads to one."""
    ports = {}
    proxies = [FaultProxy(lambda path: f"http://127.0.0.1:{ports[path[:3]]}") for _ in range(AT_ONCE)]
    try:
        s = start(public=[p.url for p in proxies], page=100 if FULL else 10)
        s.containers = itertools.count(1)
        s.proxies = queue.Queue()
        for p in proxies:
            s.proxies.put(p)
        ports.update({"/v3": s.port, "/v1": s.ports["proxy"]})
        yield s
        s.stop()
    finally:
        for p in proxies:
            p.close()


@contextlib.contextmanager
def a_proxy(swift):
    p = swift.proxies.get()
    try:
        yield p
    finally:
        p.arm(0, None, 0)
        swift.proxies.put(p)


@pytest.fixture(scope="module")
def plain():
    """Tokens end after seconds, and there is no bulk middleware."""
    s = start(ttl=8, bulk=False, page=10, token_cache=-1)
    s.containers = itertools.count(1)
    yield s
    s.stop()


def fresh(s):
    name = f"ctr{next(s.containers)}"
    s.make_bucket(name)
    return name


def direct(s, mode="names", **kw):
    return dict(s.env(mode, **kw), OS_INTERFACE="internal")


class Store:
    def __init__(self, server, root, env=None, container=None):
        self.server, self.root = server, root
        self.container = container or fresh(server)
        self.env = {"HOME": str(root), "PATH": "/usr/bin:/bin", "KOPS_STATE_STORE": f"swift://{self.container}/state",
                    **(env or direct(server))}
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def run(self, *args, stdin="", **env):
        p = subprocess.run([PROGRAM, *args], env=dict(self.env, **env), cwd=self.root, input=stdin, text=True,
                           capture_output=True, timeout=180)
        assert p.returncode in (0, 1, 4), (args, p.stderr)  # 4: something listed cannot be read
        for s in SECRETS:
            assert s not in p.stdout + p.stderr
        return p

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return p

    def keys(self):
        return self.server.keys(self.container)

    def put(self, key, text):
        assert self.server.request("PUT", f"/{self.container}/state/{key}", text.encode())[0] == 201

    def read(self, key):
        body = self.server.read(self.container, "state/" + key)
        return None if body is None else body.decode()

    def locks(self):
        _, _, body = self.server.request("GET", "?format=json&prefix=ckops_lock_&limit=100")
        return [r["name"] for r in json.loads(body or b"[]")]


# ---- the contract

def passes(url, env, counts, only=None):
    """The conformance program, on a store that answers tens of requests a second and not thousands."""
    e = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "CKOPS_", "KOPS_", "CK_", "HTTP", "http"))}
    e.update({"HOME": "/nonexistent", "CK_STORE_URL": url}, **counts, **env)
    if only:
        e["CK_ONLY"] = only
    p = subprocess.run([CONTRACT], env=e, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                       timeout=36000 if FULL else 900)
    assert p.returncode == 0 and "[       OK ]" in p.stdout, p.stdout[-4000:]


@pytest.mark.slow
def test_the_contract_holds(swift):
    passes(f"swift://{fresh(swift)}/a/prefix", direct(swift), COUNTS)


@pytest.mark.slow
def test_the_contract_holds_without_bulk_deletion_and_with_tokens_that_end(plain):
    """Also the renewal: the run is many times longer than a token's life."""
    url = f"swift://{fresh(plain)}"
    for only in ("*V035*", "*V048*", "*V098*", "*V100*"):
        passes(url, direct(plain), LITTLE, only=only)


@pytest.mark.parametrize("mode", ["ids", "kops", "application credential", "application credential by name"])
def test_every_kind_of_sign_in(swift, mode):
    passes(f"swift://{fresh(swift)}", direct(swift, mode), LITTLE, only="test_V098*")


@pytest.mark.slow
def test_writers_without_locks_find_what_is_older_than_a_moment(swift):
    passes(f"swift://{fresh(swift)}", dict(direct(swift), CKOPS_SWIFT_LOCKS="no"), LITTLE, only="*V?98*")
    passes(f"swift://{fresh(swift)}", dict(direct(swift), CKOPS_SWIFT_LOCKS="no"), LITTLE, only="*V?48*")


# ---- everyday work

def test_everyday_commands(swift, tmp_path):
    store = Store(swift, tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    assert store.keys() == [f"state/{NAME}/{x}" for x in ("config", "instancegroup/cp", "instancegroup/nodes")]
    assert NAME in store.ok("get", "clusters").stdout
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert "maxSize: 7" in store.read(f"{NAME}/instancegroup/nodes")
    store.ok("replace", "-f", "-", stdin=GROUP)
    again = store.run("create", "-f", "-", stdin=ALL)
    assert again.returncode == 1 and "already exists" in again.stderr
    store.ok("delete", "ig", "nodes", "--name", NAME, "--yes")
    assert store.keys() == [f"state/{NAME}/config", f"state/{NAME}/instancegroup/cp"]
    store.ok("delete", "cluster", NAME, "--unregister", "--yes")
    found = json.loads(store.ok("store", "doctor", "-o", "json").stdout)
    assert found["missing"] == [] and found["checks"][0]["check"] == "identity"
    assert store.keys() == [] and store.locks() == []


def test_a_writer_that_died_is_waited_for_and_then_passed(swift, tmp_path):
    """The lock of a writer that was killed between taking it and writing."""
    store = Store(swift, tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    args = [PROGRAM, "edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=8", "-v", "8"]
    for _ in range(50):  # kill it when the lock's creation shows in its log
        p = subprocess.Popen(args, env=store.env, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in p.stderr:
            if "/ckops_lock_" in line and "PUT" in line and " 201 " in line:
                p.kill()
                break
        p.communicate()
        if store.locks():
            break
        store.run("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=2")
    assert len(store.locks()) == 1
    began = time.monotonic()
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert time.monotonic() - began > 10
    assert "maxSize: 9" in store.read(f"{NAME}/instancegroup/nodes") and store.locks() == []


# ---- a fault at each request

# A store that fails for good right after a lock was taken costs the repair the wait for that lock: rarely run.
@pytest.mark.slow
@pytest.mark.parametrize("command", EVERYDAY if FULL else ["edit", "delete"])
def test_fault_at_each_request(swift, tmp_path, command):
    faults = [(f, n) for f in ("503", "break before", "break after") for n in ((1, 1000) if FULL else (1,))]
    sweep(lambda: a_proxy(swift), lambda p: Store(swift, tmp_path, swift.env(url=p.url)), command, faults, AT_ONCE)


def vfs(store, op, key, *more, env, stdin=None):
    e = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", **env}
    return subprocess.run([VFS, store, op, key, *more], env=e, input=(stdin or "").encode(), capture_output=True, timeout=180)


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="with CK_FULL=1; the commands go through the same operations")
@pytest.mark.parametrize("op", OPERATIONS)
def test_fault_at_each_request_of_an_operation(swift, op):
    sweep_operation(lambda: a_proxy(swift), swift, fresh, vfs, op, AT_ONCE)


# ---- races on a bad network

@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS if FULL else ["reset"])
def test_races_end_well_on_a_bad_network(swift, fault):
    """A lock whose holder got no answer is passed over after 15 s only, and a write that a broken connection may have swallowed
    costs five: patience, and few steps. What times out arrives after the lock of its sender has ended."""
    counts = dict(LITTLE, CK_TIMEOUT_MS="120000", CK_CAS_WRITERS="12" if FULL else "4", CK_CAS_STEPS="4" if FULL else "2")
    with a_proxy(swift) as proxy:
        proxy.hold = 12
        proxy.share(FAULTS[fault] * (1 if FULL else 2), *([f for f in FAULTS if f != "any"] if fault == "any" else [fault]))
        for only in ("*twelve_processes*", "*increments*")[not FULL:]:
            passes(f"swift://{fresh(swift)}", swift.env(url=proxy.url), counts, only=only)
        assert proxy.hits


class Always:
    def __init__(self, this):
        self.choice = lambda all: this if this in all else all[0]


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="with CK_FULL=1; it waits for locks for a minute")
@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_a_write_that_arrives_after_its_sender_has_given_up(swift, monkeypatch, when):
    """Somebody else who wants to replace the same version waits until it cannot arrive any more."""
    with a_proxy(swift) as proxy, concurrent.futures.ThreadPoolExecutor() as pool:
        store = swift.store(container := fresh(swift))
        version = vfs(store, "put", "k", env=direct(swift), stdin="one").stdout.decode().strip()
        monkeypatch.setattr(proxy, "random", Always(when))
        monkeypatch.setattr(proxy, "hold", 12)  # two seconds longer than the lock
        proxy.arm(4, "timeout", 1)  # after the token, the lock, and the look
        first = pool.submit(vfs, store, "update", "k", version, env=swift.env(url=proxy.url), stdin="first")
        while not proxy.hits and not first.done():
            time.sleep(0.01)
        second = vfs(store, "update", "k", version, env=direct(swift), stdin="second")
        first = first.result()
        assert proxy.seen[3].startswith("PUT ") and proxy.seen[3].endswith(f"/{container}/k")
    if when == "before":
        assert first.returncode == 0, first.stderr
    else:
        assert b"the outcome of the write is unknown" in first.stderr
    if when == "never":
        assert second.returncode == 0, second.stderr
    else:
        assert second.stderr.startswith(b"conflict: "), second.stderr
    assert swift.read(container, "k") == (b"second" if when == "never" else b"first")


# ---- the vendor's own client

def vendor(swift, code, *args):
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONWARNINGS": "ignore", **swift.env(), "OS_IDENTITY_API_VERSION": "3"}
    program = ("import json, sys, hashlib, swiftclient\nfrom swiftclient.service import get_conn, process_options, _default_global_options\n"
               "import os\nE = os.environ\n"
               "c = swiftclient.Connection(authurl=E['OS_AUTH_URL'], user=E['OS_USERNAME'], key=E['OS_PASSWORD'], auth_version='3', "
               "os_options={'project_name': E['OS_PROJECT_NAME'], 'user_domain_name': E['OS_USER_DOMAIN_NAME'], "
               "'project_domain_name': E['OS_PROJECT_DOMAIN_NAME'], 'region_name': E['OS_REGION_NAME'], "
               "'endpoint_type': 'internalURL'})\nA = sys.argv[1:]\n")
    p = subprocess.run([swift_server.PYTHON, "-c", program + code, *args], env=env, capture_output=True, text=True, timeout=60)
    if "No module named 'swiftclient'" in p.stderr:
        (pytest.fail if REQUIRED else pytest.skip)("python3-swiftclient is not installed")
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout)


def test_the_vendors_client_reads_what_ckops_wrote(swift, tmp_path):
    store = Store(swift, tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    rows = vendor(swift, """
out = []
for row in c.get_container(A[0], full_listing=True)[1]:
    headers, body = c.get_object(A[0], row["name"])
    out.append([row["name"], row["hash"] == hashlib.md5(body).hexdigest() == headers["etag"], row["bytes"] == len(body),
                row["content_type"], body.decode()])
print(json.dumps(out))
""", store.container)
    assert [r[0] for r in rows] == [f"state/{NAME}/{x}" for x in ("config", "instancegroup/cp", "instancegroup/nodes")]
    for name, hashed, size, kind, text in rows:
        assert hashed and size and kind == "application/octet-stream"
        assert text.startswith("apiVersion: kops.k8s.io/v1alpha2\n") and text == store.read(name[len("state/"):])


def test_ckops_reads_what_the_vendors_client_wrote(swift, tmp_path):
    first, second = Store(swift, tmp_path), Store(swift, tmp_path)
    first.ok("create", "-f", "-", stdin=ALL)
    vendor(swift, """
for row in c.get_container(A[0])[1]:
    c.put_object(A[1], row["name"], c.get_object(A[0], row["name"])[1])
print("0")
""", first.container, second.container)
    assert second.ok("get", "ig", "--name", NAME).stdout == first.ok("get", "ig", "--name", NAME).stdout
    second.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert "maxSize: 7" in second.read(f"{NAME}/instancegroup/nodes")


def test_a_change_by_a_writer_that_knows_no_locks_is_a_conflict(swift, tmp_path):
    """Between reading and writing: the editor is where it happens."""
    store = Store(swift, tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    editor = tmp_path / "editor.py"
    key = f"/{store.container}/state/{NAME}/instancegroup/nodes"
    other = store.read(f"{NAME}/instancegroup/nodes").replace("maxSize: 2", "maxSize: 3")
    request = tmp_path / "other"
    request.write_text(other)
    editor.write_text(f"#!{sys.executable}\nimport sys, urllib.request\n"
                      f"r = urllib.request.Request({swift.store_url + key!r}, method='PUT', data=open({str(request)!r}, 'rb').read(),\n"
                      f"    headers={{'x-auth-token': {getattr(swift, 'token', None) or (swift.request('HEAD', ''), swift.token)[1]!r}}})\n"
                      "urllib.request.build_opener(urllib.request.ProxyHandler({})).open(r)\n"
                      "p = sys.argv[-1]; t = open(p).read(); open(p, 'w').write(t.replace('maxSize: 2', 'maxSize: 9'))\n")
    editor.chmod(0o755)
    p = subprocess.run([PROGRAM, "edit", "ig", "nodes", "--name", NAME], env=dict(store.env, EDITOR=str(editor)), cwd=tmp_path,
                       text=True, capture_output=True, timeout=60)
    assert p.returncode == 3, (p.returncode, p.stderr)
    assert store.read(f"{NAME}/instancegroup/nodes") == other


# ---- the promised messages

def message(swift, tmp_path, *args, container=None, stdin="", **env):
    store = Store(swift, tmp_path, container=container)
    p = store.run(*(args or ("get", "clusters")), stdin=stdin, **env)
    assert p.returncode == 1, p.stdout
    return p.stderr


def test_a_wrong_password(swift, tmp_path):
    text = message(swift, tmp_path, OS_PASSWORD="wrong")
    assert "refused user demo of project demo (from the environment): 401" in text and "check user, password" in text


def test_a_user_without_a_role(swift, tmp_path):
    assert "has a role in the project" in message(swift, tmp_path, OS_USERNAME="norole")


def test_a_reader_may_not_write(swift, tmp_path):
    store = Store(swift, tmp_path)
    store.ok("get", "clusters", OS_USERNAME="demo") if store.keys() else None
    p = store.run("create", "-f", "-", stdin=ALL, OS_USERNAME="reader")
    assert p.returncode == 1 and "403 Forbidden" in p.stderr and "allow this user to make containers" in p.stderr


def test_a_missing_container(swift, tmp_path):
    for args, text in ((("get", "clusters"), ""), (("create", "-f", "-"), ALL)):
        p = message(swift, tmp_path, *args, container="missing", stdin=text)
        assert 'the container "missing" does not exist at 127.0.0.1' in p
    store = Store(swift, tmp_path, container="made")
    store.ok("create", "-f", "-", stdin=ALL, CKOPS_SWIFT_CREATE_CONTAINER="yes")
    assert len(store.keys()) == 3


def test_a_wrong_region(swift, tmp_path):
    assert "the catalog has: RegionOne" in message(swift, tmp_path, OS_REGION_NAME="Nowhere")
