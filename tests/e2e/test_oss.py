"""oss:// on a double of Alibaba Cloud OSS whose signature checks are the vendor's own: the unchanged conformance program,
races, everyday commands, a fault at every request, credentials, the vendor's client, and the promised messages.

CKOPS_BUILD and CKOPS_BIN name the build and the program. Counts are small; CK_FULL=1 asks for the full ones."""

import base64
import datetime
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest

import test_gs_azure as others
from faults import FaultProxy
from test_conformance import COUNTS, FULL, TINY, bad_network, passes
from test_everyday import ALL, NAME
from test_gs_azure import CLEAN, EVERYDAY, OPERATIONS, PROGRAM, Store, fresh, run, running, vfs  # noqa: F401

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import oss  # noqa: E402

pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")


@pytest.fixture
def server(running):  # noqa: F811
    return running(oss.Oss)


# ---- the contract

@pytest.mark.slow
@pytest.mark.parametrize("version", ["v4", "v1"])
def test_the_contract_holds(server, version):
    counts = dict(COUNTS, CK_MANY="1200") if version == "v4" else TINY
    passes(server.store(fresh(server)) + "/a/prefix", {**CLEAN, **server.env(), "CKOPS_OSS_SIGNATURE": version}, counts)


@pytest.mark.slow
def test_the_contract_holds_without_locks(server):
    """But for the guarantee: one writer at a time."""
    passes(server.store(fresh(server)), {**CLEAN, **server.env(), "CKOPS_OSS_LOCKS": "no"}, dict(TINY, CK_CAS_WRITERS="1"))


@pytest.mark.slow
@pytest.mark.parametrize("fault", others.BAD if FULL else ["reset", "duplicate"])
def test_races_end_well_on_a_bad_network(server, fault):
    # A lock whose holder got no answer is passed over after 15 seconds only, and each write that a broken connection may have
    # swallowed costs five: patience, and fewer steps.
    with bad_network(server.url, fault, patience=60000, hold=1.5) as (url, counts):
        if not FULL:
            counts.update(CK_CAS_STEPS="2", CK_CAS_WRITERS="4")
        for only in ("*sixty_four_processes*" if FULL else "*twelve_processes*", "*increments*"):
            passes(server.store(fresh(server)), {**CLEAN, **server.env(url)}, counts, only=only)


@pytest.mark.slow
def test_sixty_four_processes_create_one_group_once(server, running, tmp_path):  # noqa: F811
    others.test_sixty_four_processes_create_one_group_once(running, tmp_path, oss.Oss)


# ---- everyday commands and faults

def test_everyday_commands(server, running, tmp_path):  # noqa: F811
    others.test_everyday_commands(running, tmp_path, oss.Oss)


@pytest.mark.slow
@pytest.mark.parametrize("command", EVERYDAY)
def test_fault_at_each_request(server, running, tmp_path, command):  # noqa: F811
    others.test_fault_at_each_request(running, tmp_path, oss.Oss, command)


@pytest.mark.slow
@pytest.mark.parametrize("op", OPERATIONS)
def test_fault_at_each_request_of_an_operation(server, running, op):  # noqa: F811
    others.test_fault_at_each_request_of_an_operation(running, oss.Oss, op)


def test_a_write_that_the_network_repeats_undoes_no_other(server, tmp_path):
    """The service sees it twice; in between others have read what it wrote, and replaced it."""
    store = Store(server, tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    group, edit = f"{NAME}/instancegroup/nodes", ["edit", "ig", "nodes", "--name", NAME, "--set"]
    with FaultProxy(server.url) as proxy:
        def watch(request):
            if request.startswith("PUT ") and request.endswith("/instancegroup/nodes"):
                proxy.arm(1, "duplicate", 1)
            return False
        proxy.watch, proxy.gap = watch, 2
        first = subprocess.Popen([PROGRAM, *edit, "spec.maxSize=8"], env={**store.env, **server.env(proxy.url)}, cwd=tmp_path,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while "maxSize: 8" not in store.read(group) and first.poll() is None:
            time.sleep(0.01)
        assert first.poll() is None and proxy.hits == 1
        store.ok(*edit, "spec.maxSize=9")
        assert first.communicate(timeout=60)[0] is not None and first.returncode == 0
    assert "maxSize: 9" in store.read(group) and not [k for k in store.keys() if k.startswith(".ckops/")]


@pytest.mark.slow
def test_a_writer_that_died_after_its_write_is_waited_for(server, tmp_path):
    """Until nothing that it sent can still arrive; the lock's age tells, whoever looks first."""
    store = Store(server, tmp_path)
    where, env = server.store(store.container), server.env()
    version = vfs(where, "put", "k", env=env, stdin="one").stdout.decode().strip()
    with FaultProxy(server.url) as proxy:
        proxy.arm(5, "break before", 1000)  # after: look for the lock, take it, look at the object, write it
        p = vfs(where, "update", "k", version, env=server.env(proxy.url), stdin="two")
    assert p.returncode == 0 and [k for k in store.keys() if k.startswith(".ckops/locks/")]
    version, began = p.stdout.decode().strip(), time.monotonic()
    p = vfs(where, "update", "k", version, env=env, stdin="three")
    assert p.returncode == 0 and server.read(store.container, "k") == b"three", p.stderr
    assert 10 < time.monotonic() - began < 60


@pytest.mark.slow
def test_a_lock_of_a_dead_writer_is_taken_over(server, tmp_path):
    store = Store(server, tmp_path)
    where, env = server.store(store.container), server.env()
    version = vfs(where, "put", "k", env=env, stdin="one").stdout.decode().strip()
    # Whoever wants to replace this version needs a lock of a known name: let one be left behind.
    with FaultProxy(server.url) as proxy:
        proxy.arm(4, "break before", 1000)  # after: look for the lock, take it, look at the object
        p = vfs(where, "update", "k", version, env=server.env(proxy.url), stdin="two")
        assert p.returncode
    left = [k for k in store.keys() if k.startswith(".ckops/locks/")]
    assert len(left) == 1
    began = time.monotonic()
    p = vfs(where, "update", "k", version, env=env, stdin="three")
    assert p.returncode == 0, p.stderr
    assert 10 < time.monotonic() - began < 40
    assert server.read(store.container, "k") == b"three"
    assert store.keys() == ["k"]


@pytest.mark.slow
def test_buckets_that_keep_versions(tmp_path):
    """forbid-overwrite has no effect there: what is older than a second is found all the same."""
    s = others.start(oss.Oss, args=["--versioning"])
    try:
        where, env = s.store(fresh(s)), s.env()
        assert vfs(where, "create", "k", env=env, stdin="one").returncode == 0
        p = vfs(where, "create", "k", env=env, stdin="two")
        assert p.returncode and p.stderr.startswith(b"exists"), p.stderr
        passes(where, {**CLEAN, **env}, dict(TINY, CK_RACE_ROUNDS="3"), only="*twelve_processes*")
    finally:
        s.stop()


def test_a_batch_deletion_that_leaves_something_is_reported(tmp_path):
    s = others.start(oss.Oss, args=["--keep", "d/x"])
    try:
        container = fresh(s)
        for k in ("d/x", "d/y"):
            s.put(container, k, b"1")
        p = vfs(s.store(container), "rmtree", "d", env=s.env())
        assert p.returncode and b"error removing 1 of 2 files" in p.stderr and b"d/x" in p.stderr
        assert s.keys(container) == ["d/x"]
    finally:
        s.stop()


# ---- the vendor's client

KEYS = ["a/plain", "a/blank + plus", "a/%25 percent", "a/\u00fc\u4e16/'()*!~", "a/=&?#;"]


@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_the_vendors_client_and_ours_read_each_other(server, key):
    container = fresh(server)
    where, env = server.store(container), server.env()
    p = vfs(where, "put", key, env=env, stdin="ours")
    assert p.returncode == 0, p.stderr
    assert base64.b64decode(server.vendor(container, "read", key)) == b"ours"
    assert json.loads(server.vendor(container, "keys")) == [key]
    head = json.loads(server.vendor(container, "head", key))
    assert head["content-type"] == "application/octet-stream"
    md5 = hashlib.md5(b"ours")
    assert head["content-md5"] == base64.b64encode(md5.digest()).decode() and head["etag"].strip('"').lower() == md5.hexdigest()
    server.vendor(container, "put", key, base64.b64encode(b"theirs").decode())
    assert vfs(where, "get", key, env=env).stdout == b"theirs"
    assert vfs(where, "tree", ".", env=env).stdout.decode() == f"{key} 6 {hashlib.md5(b'theirs').hexdigest()}\n"
    assert vfs(where, "hash", key, env=env).stdout.decode() == f"md5:{hashlib.md5(b'theirs').hexdigest()}\n"


def test_the_vendors_client_and_ours_read_each_others_bytes(server):
    container = fresh(server)
    where, env = server.store(container), server.env()
    for key, data in (("empty", b""), ("bytes", bytes(range(256)) * 4096)):
        assert vfs(where, "create", key, env=env, stdin=data).returncode == 0
        assert base64.b64decode(server.vendor(container, "read", key)) == data
        server.vendor(container, "put", "their " + key, base64.b64encode(data[:65536]).decode())
        assert vfs(where, "get", "their " + key, env=env).stdout == data[:65536]


# ---- credentials

class Metadata:
    """The metadata service of an ECS instance with a role; `life`: seconds its credentials last."""

    def __init__(self, role, life=3600, session=True):
        self.role, self.life, self.session, self.asked = role, life, session, []
        meta = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def reply(self, status, text=""):
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_PUT(self):
                meta.asked.append(self.path)
                self.reply(200, "T") if meta.session else self.reply(404)

            def do_GET(self):
                meta.asked.append(self.path)
                if meta.session and self.headers.get("x-aliyun-ecs-metadata-token") != "T":
                    return self.reply(403)
                if self.path == "/latest/meta-data/region-id":
                    return self.reply(200, "cn-hangzhou")
                if self.path == "/latest/meta-data/ram/security-credentials/":
                    return self.reply(200, "kops-role") if meta.role else self.reply(404)
                until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=meta.life)
                i, secret, token = meta.role
                self.reply(200, json.dumps({"AccessKeyId": i, "AccessKeySecret": secret, "SecurityToken": token,
                                            "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"), "Code": "Success"}))

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


SETS = {
    "ALIYUN": lambda s, m: {"ALIYUN_ACCESS_KEY_ID": s.access, "ALIYUN_ACCESS_KEY_SECRET": s.secret},
    "ALIBABA_CLOUD": lambda s, m: {"ALIBABA_CLOUD_ACCESS_KEY_ID": s.role[0], "ALIBABA_CLOUD_ACCESS_KEY_SECRET": s.role[1],
                                   "ALIBABA_CLOUD_SECURITY_TOKEN": s.role[2]},
    "role": lambda s, m: {"METADATA_ENDPOINT": m.url},
}
WRONG = {
    "ALIYUN": {"ALIYUN_ACCESS_KEY_ID": "nobody1", "ALIYUN_ACCESS_KEY_SECRET": "x"},
    "ALIBABA_CLOUD": {"ALIBABA_CLOUD_ACCESS_KEY_ID": "nobody2", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x"},
}
SEEN = {"ALIYUN": "ALIYUN_ACCESS_KEY_ID", "ALIBABA_CLOUD": "ALIBABA_CLOUD_ACCESS_KEY_ID", "role": "RAM role kops-role"}


@pytest.fixture
def meta(server):
    m = Metadata(server.role)
    yield m
    m.close()


def get(server, env, *args, bucket=None):
    base = {"CKOPS_OSS_ENDPOINT": server.url, "OSS_REGION": "cn-hangzhou"}
    began = time.monotonic()
    p = run([PROGRAM, "get", "clusters", "--state", server.store(bucket or fresh(server)), *args], {**base, **env})
    p.stderr, p.seconds = p.stderr.decode(), time.monotonic() - began
    for secret in (server.secret, server.role[1], server.role[2]):
        assert secret not in p.stderr + p.stdout.decode()
    return p


@pytest.mark.parametrize("source", SETS)
def test_each_source_alone(server, meta, source):
    p = get(server, SETS[source](server, meta), "-v", "10")
    assert p.returncode == 0 or "no clusters found" in p.stderr, p.stderr
    assert bool(meta.asked) == (source == "role")


@pytest.mark.parametrize("first,second", [("ALIYUN", "ALIBABA_CLOUD"), ("ALIYUN", "role"), ("ALIBABA_CLOUD", "role")])
def test_the_earlier_source_wins(server, meta, first, second):
    p = get(server, {**SETS[second](server, meta), **WRONG[first]})
    assert p.returncode == 1 and f"as {WRONG[first][SEEN[first]]} (from {SEEN[first]})" in p.stderr, p.stderr
    assert "this access key is not known there" in p.stderr and not meta.asked


@pytest.mark.parametrize("env,text", [
    ({"ALIYUN_ACCESS_KEY_ID": "x"}, "error building aliyun oss client: ALIYUN_ACCESS_KEY_SECRET cannot be empty"),
    ({"ALIBABA_CLOUD_ACCESS_KEY_ID": "x"}, "ALIBABA_CLOUD_ACCESS_KEY_SECRET cannot be empty"),
    ({"METADATA_ENDPOINT": "http://127.0.0.1:1"}, "RAM role of this instance: "),
    ({"METADATA_ENDPOINT": "nonsense"}, "METADATA_ENDPOINT is not an http(s):// URL"),
    ({"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}, "ALIBABA_CLOUD_ECS_METADATA_DISABLED is true"),
    ({"OSS_REGION": "", "CKOPS_OSS_ENDPOINT": "", "METADATA_ENDPOINT": "http://127.0.0.1:1"}, "can't get region-id from ECS metadata"),
    ({"OSS_REGION": "Not/a/region"}, "OSS_REGION is no region"),
    ({"CKOPS_OSS_LOCKS": "false"}, 'CKOPS_OSS_LOCKS is "false": it must be yes or no'),
])
def test_missing_credentials_are_one_clear_message_within_two_seconds(server, env, text):
    p = get(server, env)
    assert p.returncode == 1 and text in p.stderr and p.seconds < 2, p.stderr
    assert p.stderr.count("Error:") == 1


def test_an_instance_without_a_role(server):
    m = Metadata(None)
    p = get(server, {"METADATA_ENDPOINT": m.url})
    m.close()
    assert p.returncode == 1 and "Can't find role from ECS metadata" in p.stderr


def test_a_metadata_service_that_is_turned_off_is_not_asked_for_the_region_either(server, meta):
    p = get(server, {"OSS_REGION": "", "CKOPS_OSS_ENDPOINT": "", "METADATA_ENDPOINT": meta.url, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    assert p.returncode == 1 and "OSS_REGION is not set" in p.stderr and not meta.asked, p.stderr
    assert "ALIBABA_CLOUD_ECS_METADATA_DISABLED is true" in p.stderr


def test_metadata_without_sessions(server):
    m = Metadata(server.role, session=False)
    p = get(server, {"METADATA_ENDPOINT": m.url})
    q = get(server, {"METADATA_ENDPOINT": m.url, "ALIBABA_CLOUD_IMDSV1_DISABLED": "true"})
    m.close()
    assert "no Alibaba Cloud credentials" not in p.stderr
    assert q.returncode == 1 and "ALIBABA_CLOUD_IMDSV1_DISABLED is true" in q.stderr


def test_credentials_about_to_expire_are_fetched_anew_for_each_request(server, tmp_path):
    m = Metadata(server.role, life=60)  # less than the five minutes before the end
    env = {"CKOPS_OSS_ENDPOINT": server.url, "OSS_REGION": "cn-hangzhou", "METADATA_ENDPOINT": m.url,
           "KOPS_STATE_STORE": server.store(fresh(server)), "HOME": str(tmp_path)}
    p = run([PROGRAM, "create", "-f", "-"], env, stdin=ALL)
    m.close()
    assert p.returncode == 0, p.stderr
    assert sum(a.endswith("/kops-role") for a in m.asked) > 1


REAL = {
    "wrong secret": ({"ALIYUN_ACCESS_KEY_SECRET": "wrong"}, {}, ["403 SignatureDoesNotMatch", "does not belong to this access key"]),
    "wrong region": ({"OSS_REGION": "cn-beijing"}, {}, ["403 SignatureDoesNotMatch"]),
    "no bucket": ({}, {"bucket": "nosuchbucket"}, ["404 NoSuchBucket", 'the bucket "nosuchbucket" does not exist at 127.0.0.1']),
}


@pytest.mark.parametrize("name", REAL)
def test_messages(server, name):
    env, more, texts = REAL[name]
    p = get(server, {**SETS["ALIYUN"](server, None), **env}, **more)
    assert p.returncode == 1 and "oss:ListObjects as testid (from ALIYUN_ACCESS_KEY_ID)" in p.stderr, p.stderr
    for t in texts:
        assert t in p.stderr, p.stderr


def test_denied_locks_say_what_to_allow(tmp_path):
    s = others.start(oss.Oss, args=["--deny", ".ckops/"])
    try:
        store = Store(s, tmp_path)
        store.ok("create", "-f", "-", stdin=ALL)
        edit = ["edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7"]
        p = store.run(*edit)
        assert p.returncode == 1 and "or set CKOPS_OSS_LOCKS=no" in p.stderr, p.stderr
        store.ok(*edit, CKOPS_OSS_LOCKS="no")
        assert "maxSize: 7" in store.read(f"{NAME}/instancegroup/nodes")
    finally:
        s.stop()


ILLEGAL = ["oss://", "oss:///x", "oss://ab", "oss://Bucket/x", "oss://b_x/y", "oss://b-/x", "oss://bkt?x=1", "oss://bkt/a#b",
           "oss://user:hunter2@bkt/x", "oss://bkt/a\nb", "oss://bkt/%zz", "oss://a bucket/x"]


@pytest.mark.parametrize("url", ILLEGAL, ids=ascii)
def test_illegal_location_is_refused_before_any_request(server, meta, url):
    p = run([PROGRAM, "get", "clusters", "--state", url], {"METADATA_ENDPOINT": meta.url})
    assert p.returncode == 1 and p.stderr.startswith(b"Error: ") and not meta.asked
    assert b"hunter2" not in p.stderr
