"""store policy and store doctor, where a server enforces policies: everyday work passes under what is printed, each
action that is taken away breaks something, and doctor names it. versitygw enforces every action in bucket policies;
MinIO identity policies, given to sessions."""

import http.server
import json
import os
import pathlib
import re
import shlex
import subprocess
import threading
import time
import urllib.parse

import pytest

import test_docs
import test_k8s
import test_node
import test_s3
import test_update
from test_everyday import ALL, GROUP, NAME
from test_s3 import PROGRAM, gateway, minio, servers  # noqa: F401

pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

FULL = os.environ.get("CK_FULL") == "1"
USER, USER_SECRET = "AKIDPOLICY", "policysecret123"
OPERATOR = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
HISTORY = ["s3:DeleteObjectVersion", "s3:ListBucketVersions"]


class Person:
    """A store and somebody who may do with it what a policy says."""

    def __init__(self, store):
        self.store, self.server, self.bucket = store, store.server, store.bucket
        self.env = {}

    def run(self, *args, stdin="", program=(PROGRAM,), **env):
        p = subprocess.run([*program, *map(str, args)], env={**self.store.env, **self.env, **env}, cwd=self.store.root,
                           input=stdin, text=True, capture_output=True, timeout=120)
        assert servers.SECRET not in p.stdout + p.stderr and USER_SECRET not in p.stdout + p.stderr
        return p

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return p.stdout

    def policy(self, *args):
        return json.loads(self.ok("store", "policy", *args))

    def doctor(self, *args):
        """The rows by their checks, and the names of what is refused and needed."""
        p = self.run("store", "doctor", "--requests", "1", "-o", "json", *args)
        found = json.loads(p.stdout)
        bad = [c for c in found["checks"] if c["result"] in ("warn", "fail")]
        assert p.returncode == (2 if bad else 0), p.stderr
        assert found["missing"] == [c["missing"] for c in found["checks"] if "missing" in c]
        return {c["check"]: c for c in found["checks"]}, {c["missing"] for c in bad if "missing" in c and c["result"] == "fail"}

    def below(self, prefix):
        query = [("list-type", "2"), ("prefix", prefix)]
        _, _, body = servers.s3request(self.server.url, "GET", f"/{self.bucket}", query=query)
        return re.findall(r"<Key>(.*?)</Key>", body.decode())


class GatewayPerson(Person):
    """By a bucket policy."""

    def allow(self, document):
        document = json.loads(json.dumps(document))
        for s in document["Statement"]:
            if s.get("Principal") != "*":
                s["Principal"] = {"AWS": [USER]}
        status, _, body = servers.s3request(self.server.url, "PUT", f"/{self.bucket}", json.dumps(document).encode(),
                                            query=[("policy", "")])
        assert status in (200, 204), body
        self.env = {"S3_ACCESS_KEY_ID": USER, "S3_SECRET_ACCESS_KEY": USER_SECRET}


class MinioPerson(Person):
    """By the policy of a session."""

    def allow(self, document):
        form = urllib.parse.urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "DurationSeconds": "3600",
                                       "Policy": json.dumps(document)}).encode()
        status, _, body = servers.s3request(self.server.url, "POST", "/", form, service="sts",
                                            headers={"content-type": "application/x-www-form-urlencoded"})
        assert status == 200, body
        key, secret, token = (re.search(f"<{t}>(.*?)</{t}>", body.decode(), re.S)[1]
                              for t in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
        self.env = {"S3_ACCESS_KEY_ID": key, "S3_SECRET_ACCESS_KEY": secret, "S3_SESSION_TOKEN": token}


@pytest.fixture(scope="module")
def user(gateway):
    subprocess.run([servers.program("bin", "versitygw"), "admin", "--access", servers.ACCESS, "--secret", servers.SECRET,
                    "--endpoint-url", gateway.url, "create-user", "--access", USER, "--secret", USER_SECRET, "--role",
                    "user"], check=True, capture_output=True)
    return gateway


@pytest.fixture
def person(user, tmp_path):
    return GatewayPerson(test_s3.Store(user, tmp_path))


@pytest.fixture
def session(minio, tmp_path):
    minio.buckets = getattr(minio, "buckets", 0)
    return MinioPerson(test_s3.Store(minio, tmp_path))


def actions(document):
    return sorted({a for s in document["Statement"] if s["Effect"] == "Allow" for a in s["Action"]})


def without(document, action):
    """The policy without one action."""
    kept = []
    for s in document["Statement"]:
        left = [a for a in s["Action"] if a != action or s["Effect"] == "Deny"]
        if left:
            kept.append(dict(s, Action=left))
    return dict(document, Statement=kept)


def with_actions(document, names, bucket):
    more = {"Sid": "More", "Effect": "Allow", "Action": sorted(names), "Resource": ["arn:aws:s3:::" + bucket]}
    return dict(document, Statement=document["Statement"] + [more])


# ---- everyday work ----

# What a command needs is in the last column, for the tests that take it away.
WORK = [
    (["create", "-f", "-"], ALL, {"s3:PutObject", "s3:GetObject"}),
    (["get", "clusters"], "", {"s3:ListBucket", "s3:GetObject"}),
    (["get", "cluster", NAME, "-o", "yaml"], "", {"s3:GetObject"}),
    (["get", "ig", "--name", NAME], "", {"s3:ListBucket", "s3:GetObject"}),
    (["edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7"], "", {"s3:GetObject", "s3:PutObject"}),
    (["replace", "-f", "-"], GROUP, {"s3:GetObject", "s3:PutObject"}),
    (["create", "secret", "dockerconfig", "--name", NAME, "-f", "-"], '{"auths":{}}', {"s3:GetObject", "s3:PutObject"}),
    (["create", "keypair", "service-account", "--primary", "--name", NAME], "", {"s3:GetObject", "s3:PutObject"}),
    (["get", "keypairs", "--name", NAME], "", {"s3:ListBucket", "s3:GetObject"}),
    (["delete", "secret", "dockerconfig", "--name", NAME], "", {"s3:GetObject", "s3:DeleteObject"}),
    (["delete", "ig", "nodes", "--name", NAME, "--yes"], "", {"s3:GetObject", "s3:DeleteObject"}),
    (["delete", "cluster", NAME, "--unregister", "--yes"], "", {"s3:GetObject", "s3:ListBucket", "s3:DeleteObject"}),
]
# One command for each action that cannot do without it.
BREAKS = {"s3:ListBucket": 1, "s3:GetObject": 2, "s3:PutObject": 5, "s3:DeleteObject": 10}
ENV = {"KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}


def work(person, upto=len(WORK)):
    for args, stdin, _ in WORK[:upto]:
        person.ok(*args, stdin=stdin, **ENV)


def fails_without(person, document, action):
    """With everything else allowed, the command that needs the action is refused by its name."""
    person.allow(without(document, action))
    args, stdin, _ = WORK[BREAKS[action]]
    p = person.run(*args, stdin=stdin, **ENV)
    assert p.returncode != 0 and action in p.stderr, (action, args, p.stdout, p.stderr)


def test_everyday_work_passes_under_the_operators_policy_and_not_with_less(person):
    document = person.policy()
    assert actions(document) == OPERATOR == sorted(BREAKS)
    person.allow(document)
    work(person, upto=9)  # up to what deletes
    for action in OPERATOR:
        fails_without(person, document, action)
    person.allow(document)
    for args, stdin, _ in WORK[9:]:
        person.ok(*args, stdin=stdin)
    assert person.below("") == []


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="every command without every action: CK_FULL=1")
def test_each_command_needs_what_it_is_said_to_need(person):
    document = person.policy()
    found = {i: set() for i in range(len(WORK))}
    for action in OPERATOR:
        for i, (args, stdin, _) in enumerate(WORK):
            person.allow(document)
            person.run("delete", "cluster", NAME, "--unregister", "--yes")
            work(person, upto=i)
            person.allow(without(document, action))
            if person.run(*args, stdin=stdin, **ENV).returncode != 0:
                found[i].add(action)
    assert found == {i: needs for i, (_, _, needs) in enumerate(WORK)}


def test_an_identitys_policy_is_enforced_the_same(session):
    document = session.policy()
    session.allow(document)
    work(session, upto=9)
    for action in OPERATOR:
        fails_without(session, document, action)


def test_an_operator_of_one_cluster_is_kept_from_others(person):
    other = ALL.replace(NAME, "d.example.com")
    person.ok("store", "settings", "--journal=true", "--lock=true")
    person.ok("create", "-f", "-", stdin=other)
    document = person.policy("--cluster", NAME)
    person.allow(document)
    work(person, upto=1)
    person.ok("store", "undo", NAME)
    person.ok("store", "lock", NAME)
    person.ok("store", "unlock", NAME)
    assert person.run("store", "log", "d.example.com").returncode == 1  # its entries may hold keys
    assert person.run("store", "settings", "--lock=false").returncode == 1
    assert "maxSize" in person.ok("get", "ig", "nodes", "--name", NAME, "-o", "yaml")
    for args in (["get", "cluster", "d.example.com"], ["edit", "ig", "nodes", "--name", "d.example.com", "--set", "spec.maxSize=1"]):
        p = person.run(*args)
        assert p.returncode == 1 and "s3:GetObject" in p.stderr
    assert person.doctor()[1] == set()  # its probes are beside the clusters


def test_a_reader_sees_no_keys_and_no_secrets(person):
    person.ok("store", "settings", "--journal=true")  # entries hold the keys that were changed
    work(person, upto=8)
    person.allow(person.policy("--for", "reader"))
    person.ok("get", "clusters")
    person.ok("get", "cluster", NAME, "-o", "yaml")
    for args, stdin in ((["get", "keypairs", "--name", NAME, "-o", "yaml"], ""), (["replace", "-f", "-"], GROUP)):
        assert person.run(*args, stdin=stdin).returncode == 1
    entries = [f"/{person.bucket}/{key}" for key in person.below(f"state/.ckops/journal/{NAME}")]
    assert entries
    for path in (f"/{person.bucket}/state/{NAME}/pki/private/service-account/keyset.yaml",
                 f"/{person.bucket}/state/{NAME}/secrets/dockerconfig", *entries):
        assert servers.s3request(person.server.url, "GET", path)[0] == 200
        assert servers.s3request(person.server.url, "GET", path, access=USER, secret=USER_SECRET)[0] == 403


def test_update_cluster_passes_under_the_operators_policy(person, tmp_path):
    if not test_update.CASES:
        pytest.skip("no reference material (CK_SHARED)")
    folder = tmp_path / "case"
    folder.mkdir()
    env = {"CKOPS_FIXTURES": str(test_update.facts(folder)), "KOPS_FEATURE_FLAGS": "-ImageDigest",
           "KOPS_RUN_TOO_NEW_VERSION": "1", "XDG_CACHE_HOME": str(folder / "cache"), **ENV}
    case = test_update.GOLDENS / "update_cluster/minimal-1.35"
    text = (case / "in-v1alpha2.yaml").read_text().replace("memfs://tests", f"s3://{person.bucket}/state")
    name = re.search(r"^  name: (\S+)", text, re.M)[1]
    document = person.policy()
    person.allow(document)
    person.ok("create", "-f", "-", stdin=text, **env)
    person.ok("create", "sshpublickey", name, "-i", case / "id_rsa.pub", **env)
    before = person.below("")
    words = ["update", "cluster", name, "--target=terraform", f"--out={folder}/out", "--create-kube-config=false", "--yes"]
    person.ok(*words, **env)
    assert len(person.below("")) > len(before)  # keys, at least
    for action in ("s3:GetObject", "s3:PutObject"):
        person.allow(without(document, action))
        if action == "s3:PutObject":
            for key in person.below(f"state/{name}/pki/private"):
                servers.s3request(person.server.url, "DELETE", f"/{person.bucket}/{key}")
        p = person.run(*words, **env)
        assert p.returncode == 1 and action in p.stderr


# ---- doctor ----

def test_doctor_names_each_permission_that_is_taken_away(person):
    document = person.policy()
    person.allow(document)
    rows, missing = person.doctor()
    assert missing == set() and {r for r in OPERATOR if rows[r]["result"] == "ok"} == set(OPERATOR)
    assert all(rows["conditional-" + x]["result"] == "ok" for x in ("create", "update", "delete"))
    assert USER in rows["identity"]["detail"]
    assert {a: (rows[a]["result"], rows[a]["missing"]) for a in HISTORY} == {a: ("skipped", a) for a in HISTORY}
    document = person.policy("--history")
    assert actions(document) == sorted(OPERATOR + HISTORY)
    for action in OPERATOR + HISTORY:
        person.allow(without(document, action))
        rows, missing = person.doctor()
        assert missing == ({action} if action in OPERATOR else set()), rows
        assert [c for c in rows if rows[c].get("missing") == c] == [action]
        assert "allow %s on arn:aws:s3:::%s" % (action, person.bucket) in rows[action]["detail"]
        assert person.below("") == [], action


def test_doctor_names_the_questions_it_may_not_ask(session):
    document = session.policy()
    session.allow(document)
    rows, missing = session.doctor()
    assert missing == set()
    asked = {"region": "s3:GetBucketLocation", "encryption": "s3:GetEncryptionConfiguration",
             "versioning": "s3:GetBucketVersioning", "public-access": "s3:GetBucketPolicyStatus"}
    assert {k: rows[k]["missing"] for k in asked} == asked
    # This server does not know the names of what it has not got.
    questions = set(actions(session.policy("--for", "doctor"))) - {"s3:GetBucketPublicAccessBlock", "s3:GetBucketOwnershipControls"}
    session.allow(with_actions(document, questions, session.bucket))
    rows, missing = session.doctor()
    assert missing == set() and not [k for k in asked if "missing" in rows[k]]
    for check, action in asked.items():
        session.allow(with_actions(document, questions - {action}, session.bucket))
        rows, missing = session.doctor()
        assert missing == set() and [k for k in asked if "missing" in rows[k]] == [check]
        assert rows[check]["missing"] == action


def test_doctor_leaves_nothing_behind_where_versions_are_kept(person):
    on = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>'
    assert servers.s3request(person.server.url, "PUT", f"/{person.bucket}", on, query=[("versioning", "")])[0] == 200
    rows, missing = person.doctor()
    assert missing == set() and rows["versioning"]["result"] == "ok" and "probe" not in rows
    _, _, body = servers.s3request(person.server.url, "GET", f"/{person.bucket}", query=[("versions", "")])
    assert b"<Key>" not in body
    # Somebody who may not delete versions learns that they stay.
    person.allow(with_actions(person.policy(), {"s3:GetBucketVersioning", "s3:ListBucketVersions"}, person.bucket))
    rows, missing = person.doctor()
    assert missing == set() and "old versions stay" in rows["probe"]["detail"]
    assert rows["s3:DeleteObjectVersion"]["missing"] == "s3:DeleteObjectVersion"
    assert person.below("") == []


def test_doctor_writes_nothing_when_asked_to_read_only(person):
    trace = person.run("store", "doctor", "--read-only", "-v", "8")
    assert " GET " in trace.stderr and not re.search(r"> (PUT|POST|DELETE) ", trace.stderr)
    rows, missing = person.doctor("--read-only")
    assert missing == set() and rows["s3:GetObject"]["result"] == "ok"
    for check in ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "conditional-writes"):
        assert rows[check]["result"] == "skipped" and "--read-only" in rows[check]["detail"]


def test_doctor_tells_a_missing_bucket_a_wrong_key_and_a_dead_server_apart(person):
    for args, env, check, text in (
            (["s3://no-such-bucket-here"], {}, "bucket", "NoSuchBucket"),
            (["s3://no-such-bucket-here"], {}, "bucket", 'the bucket "no-such-bucket-here" does not exist'),
            ([], {"S3_SECRET_ACCESS_KEY": "wrong"}, "identity", "SignatureDoesNotMatch"),
            ([], {"S3_SECRET_ACCESS_KEY": "wrong"}, "identity", "the secret key does not belong to this access key"),
            ([], {"S3_ENDPOINT": "http://127.0.0.1:1"}, "connection", "cannot connect")):
        p = person.run("store", "doctor", "-o", "json", *args, **env)
        rows = json.loads(p.stdout)["checks"]
        assert p.returncode == 2 and (rows[-1]["check"], rows[-1]["result"]) == (check, "fail") and text in rows[-1]["detail"], rows
        assert len({r["check"] for r in rows}) == len(rows), rows  # nothing is said twice


def test_doctor_of_a_local_folder(tmp_path):
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")} | {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    def rows(*args, before=()):
        p = subprocess.run([*before, PROGRAM, "store", "doctor", "-o", "json", *args], env=env, text=True, capture_output=True, timeout=60)
        return p.returncode, {c["check"]: c["result"] for c in json.loads(p.stdout)["checks"]}

    status, found = rows(str(store))
    assert {k for k, v in found.items() if v not in ("ok", "warn")} == set()
    assert {"conditional-create", "conditional-update", "owner", "mode", "free-space", "read-after-write"} <= set(found)
    assert list(store.iterdir()) == []
    store.chmod(0o777)
    status, found = rows(str(store))
    assert status == 2 and found["mode"] == "fail"
    store.chmod(0o700)
    status, found = rows(str(store), "--read-only")
    assert found["create"] == found["conditional-update"] == "skipped" and list(store.iterdir()) == []
    (tmp_path / "file").write_text("x")
    for none in ("none", "file"):
        status, found = rows(str(tmp_path / none))
        assert status == 2 and found["store"] == "fail"
    status, found = rows(str(store), before=["prlimit", "--fsize=0"])  # no write succeeds, so no deletion does
    assert status == 2 and found["create"] == "fail" and found["delete"] == "skipped" and list(store.iterdir()) == []


# ---- nodes ----

API_FILES = test_node.API_FILES | {"etc/kubernetes/manifests/kube-apiserver-healthcheck.manifest"}

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return test_node.Cluster(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def nodes(made, person):
    """The store of test_node in the person's bucket, and what `update cluster` gives API servers besides."""
    root = f"s3://{person.bucket}/state/{test_node.NAME}"
    etcd = "".join(f"  - name: {e}\n    etcdMembers: []\n" for e in test_node.ETCD)
    for path, data in made.files().items():
        data = data.replace(f"{made.store}/{test_node.NAME}".encode(), root.encode())
        if path.name == "config":
            data += f"  encryptionConfig: true\n  configBase: {root}\n  etcdClusters:\n{etcd}".encode()
        if path.parent.name == "api":
            data += f"staticManifests:\n- key: kube-apiserver-healthcheck\n  path: {HEALTH}\n".encode()
        assert servers.s3request(person.server.url, "PUT", f"/{person.bucket}/state/{path}", data)[0] == 200
    return person


HEALTH = "manifests/static/kube-apiserver-healthcheck.yaml"
GROUPS = {"control-plane": "cp", "apiserver": "api", "node": "nodes"}


def pull(person, role):
    return person.run("node", "pull", test_node.NAME, "--role", role, "--ig", GROUPS[role], "--out",
                      person.store.root / ("out-" + role), **test_node.SMALL)


@pytest.mark.parametrize("role,files", [("control-plane", test_node.CP_FILES), ("apiserver", API_FILES),
                                        ("node", {"nodeupconfig.yaml"})])
def test_a_node_gets_its_files_under_its_policy_and_not_with_less(nodes, role, files):
    document = nodes.policy("--for", "node", "--role", role, "--cluster", test_node.NAME)
    nodes.allow(document)
    p = pull(nodes, role)
    assert p.returncode == 0, p.stderr
    out = nodes.store.root / ("out-" + role) / "current"
    assert {str(f.relative_to(out)) for f in out.rglob("*") if f.is_file()} == files
    # no action and no folder can go
    for s in document["Statement"]:
        if s["Effect"] == "Deny":
            continue
        for resource in s["Resource"]:
            if resource.endswith("/secrets/dockerconfig") or not resource.count("/"):
                continue
            less = [dict(t, Resource=[r for r in t["Resource"] if r != resource]) for t in document["Statement"]]
            nodes.allow(dict(document, Statement=[t for t in less if t["Resource"]]))
            p = pull(nodes, role)
            assert p.returncode == 1 and "s3:GetObject" in p.stderr, (resource, p.stderr)
    # nor does it open what belongs to other roles
    nodes.allow(document)
    for other in GROUPS:
        if other != role:
            assert pull(nodes, other).returncode == 1
    shut = {"control-plane": ["config", "igconfig/node/nodes/nodeupconfig.yaml"],
            "apiserver": ["config", "pki/private/etcd-peers-ca-main/keyset.yaml"],
            "node": ["config", "pki/private/kubernetes-ca/keyset.yaml", "secrets/dockerconfig", "manifests/etcd/main-cp.yaml"]}
    for key in shut[role]:
        path = f"/{nodes.bucket}/state/{test_node.NAME}/{key}"
        assert servers.s3request(nodes.server.url, "GET", path)[0] == 200, key
        assert servers.s3request(nodes.server.url, "GET", path, access=USER, secret=USER_SECRET)[0] == 403, key


def test_the_denials_of_a_workers_policy_hold_against_a_wider_one(nodes):
    document = nodes.policy("--for", "node", "--role", "node", "--cluster", test_node.NAME)
    wide = {"Sid": "Wide", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{nodes.bucket}/*"]}
    nodes.allow(dict(document, Statement=[wide, *document["Statement"]]))
    codes = {}
    entry = f".ckops/journal/{test_node.NAME}/20260101T000000.000000Z-00000000"
    servers.s3request(nodes.server.url, "PUT", f"/{nodes.bucket}/state/{entry}", body=b"keys")
    for key in (f"{test_node.NAME}/config", f"{test_node.NAME}/pki/private/kubernetes-ca/keyset.yaml",
                f"{test_node.NAME}/secrets/dockerconfig", f"{test_node.NAME}/igconfig/control-plane/cp/nodeupconfig.yaml", entry):
        path = f"/{nodes.bucket}/state/{key}"
        codes[key] = servers.s3request(nodes.server.url, "GET", path, access=USER, secret=USER_SECRET)[0]
    assert list(codes.values()) == [200, 403, 403, 403, 403], codes


def covers(statements, action, resource):
    """Whether some Allow covers the action on the resource, wildcards by the rules of policies."""
    def fits(pattern, text):
        return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text)

    def listed(v):
        return v if isinstance(v, list) else [v]
    return any(any(fits(a, action) for a in listed(s["Action"])) and any(fits(r, resource) for r in listed(s["Resource"]))
               for s in statements if s["Effect"] == "Allow")


@pytest.mark.parametrize("role", ["control-plane", "apiserver"])
def test_what_a_node_may_is_within_what_update_cluster_gives_its_role(nodes, role):
    ours = nodes.policy("--for", "node", "--role", role, "--cluster", test_node.NAME)
    theirs = nodes.policy("--for", "node", "--role", role, "--cluster", test_node.NAME, "--kops")["Statement"]
    for s in ours["Statement"]:
        for action in s["Action"]:
            for resource in s["Resource"]:
                assert covers(theirs, action, resource), (action, resource)
    assert covers(theirs, "s3:GetBucketLocation", f"arn:aws:s3:::{nodes.bucket}")


# ---- other accounts ----

def test_a_bucket_policy_for_another_account(person):
    account = "123456789012"
    document = person.policy("--cross-account", account, "--allow-http")
    assert {s["Principal"]["AWS"] for s in document["Statement"]} == {f"arn:aws:iam::{account}:root"}
    assert actions(document) == OPERATOR
    person.allow(document)
    work(person)
    strict = person.policy("--cross-account", account)
    assert [s["Sid"] for s in strict["Statement"]][-1] == "OnlyEncryptedTransport"
    assert strict["Statement"][:-1] == document["Statement"]
    person.allow(strict)
    p = person.run("get", "clusters")
    assert p.returncode == 1 and "AccessDenied" in p.stderr  # this server is reached without TLS
    full = person.policy("--cross-account", account, "--full", "--allow-http")
    assert actions(full) == ["s3:*"]
    locate = person.policy("--for", "locate", "--cross-account", account, "--user", "kops", "--allow-http")["Statement"]
    assert locate == [{"Sid": "Bucket", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:user/kops"},
                       "Action": ["s3:GetBucketLocation"], "Resource": [f"arn:aws:s3:::{person.bucket}"]}]
    owner = person.policy("--cross-account", account, "--require-owner-acl")["Statement"][-1]
    assert owner["Effect"] == "Deny" and owner["Condition"] == {
        "StringNotEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}


@pytest.mark.parametrize("region,partition", [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_arns_name_the_partition_of_the_region(person, region, partition):
    text = person.ok("store", "policy", "--cross-account", "123456789012", S3_REGION=region)
    assert set(re.findall(r"arn:([a-z-]+):", text)) == {partition}


# ---- recording ----

def test_a_recorded_policy_allows_the_same_command_and_nothing_else(person):
    work(person, upto=7)
    document = person.policy("--record", "--", "ckops", "replace", "-f", write(person, GROUP))
    assert actions(document) == ["s3:GetObject", "s3:PutObject"]
    assert {r for s in document["Statement"] for r in s["Resource"]} == {
        f"arn:aws:s3:::{person.bucket}/state/{NAME}/*", f"arn:aws:s3:::{person.bucket}/state/.ckops/settings.yaml"}
    person.allow(document)
    person.ok("replace", "-f", write(person, GROUP))
    p = person.run("get", "clusters")
    assert p.returncode == 1 and "s3:ListBucket" in p.stderr
    for action in actions(document):
        person.allow(without(document, action))
        assert person.run("replace", "-f", write(person, GROUP)).returncode == 1


def write(person, text):
    path = pathlib.Path(person.store.root) / "manifest.yaml"
    path.write_text(text)
    return path


def test_recording_sees_batches_and_probes(person):
    work(person, upto=9)
    document = person.policy("--record", "--", "delete", "cluster", NAME, "--unregister", "--yes")
    assert {"s3:DeleteObject", "s3:ListBucket"} <= set(actions(document))
    assert person.below("") == []
    p = person.run("store", "policy", "--record", "--", "store", "doctor")
    document = json.loads(p.stdout)
    assert p.returncode == 2 and set(OPERATOR + HISTORY) < set(actions(document))
    assert f"arn:aws:s3:::{person.bucket}/state/.ckops/doctor-*" in [r for s in document["Statement"] for r in s["Resource"]]


def test_a_recorded_policy_opens_the_journal_of_the_cluster_alone(person):
    person.ok("store", "settings", "--journal=true", "--lock=true")
    work(person, upto=7)
    document = person.policy("--record", "--", "edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    own = f"arn:aws:s3:::{person.bucket}/state/.ckops/"
    assert {r[len(own):] for s in document["Statement"] for r in s["Resource"] if r.startswith(own)} == {
        f"journal/{NAME}/*", f"locks/{NAME}.lock", "settings.yaml"}
    person.allow(document)
    person.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=8")


def test_the_output_of_a_recorded_command_is_no_part_of_the_policy(person):
    work(person, upto=1)
    p = person.run("store", "policy", "--record", "--", "get", "clusters")
    assert p.returncode == 0 and json.loads(p.stdout) and NAME in p.stderr
    p = person.run("store", "policy", "--record", "--", "get", "cluster", "none.example.com")
    assert p.returncode == 1 and "s3:GetObject" in p.stdout and "ended with status 1" in p.stderr
    p = person.run("store", "policy", "--record", "--", "version")
    assert p.returncode == 1 and not p.stdout and "asked nothing of a store on S3" in p.stderr


def test_the_commands_of_the_page_run(person):
    person.server.make_bucket("my-store")
    person.ok("create", "-f", "-", "--state", "s3://my-store", stdin=ALL.replace(NAME, "my.example.com"))
    commands = [shlex.split(c)[1:] for c in test_docs.shown("docs/store-doctor.md")]
    assert len(commands) >= 15
    for words in commands:
        p = person.run(*words)
        assert p.returncode in ((0, 2) if words[1] == "doctor" else (0,)) and p.stdout, (words, p.stderr)


# ---- other clouds, and what is refused ----

def test_roles_of_other_clouds(tmp_path):
    def policy(url, *args):
        env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        p = subprocess.run([PROGRAM, "store", "policy", "--state", url, *args], env=env, text=True, capture_output=True, timeout=60)
        return json.loads(p.stdout) if p.returncode == 0 else p.stderr

    assert policy("gs://some-bucket/x")["includedPermissions"] == [
        "storage.objects.list", "storage.objects.get", "storage.objects.create", "storage.objects.delete"]
    assert policy("azureblob://account/container", "--for", "reader")["DataActions"] == [
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"]
    role = policy("k8s:///states")
    assert role["kind"] == "Role" and role["rules"][0]["resources"] == ["secrets"]
    assert sorted(role["rules"][0]["verbs"]) == sorted(test_k8s.documented_role())
    assert "has no policies" in policy("ssh://host/folder") and "has no policies" in policy(str(tmp_path))
    assert "docs/store-doctor.md" in policy("gs://some-bucket", "--for", "node", "--role", "node", "--cluster", NAME)


KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"


@pytest.mark.parametrize("args,text", [
    (["--for", "root"], "operator, reader, node"),
    (["--for", "node"], "--role belongs"),
    (["--for", "node", "--role", "king", "--cluster", "x"], "no role"),
    (["--for", "node", "--role", "node"], "needs --cluster"),
    (["--role", "node"], "--role belongs"),
    (["--user", "x"], "belong to --cross-account"),
    (["--cross-account", "12"], "12 digits"),
    (["--cross-account", "123456789012", "--user", "a*"], "no name of an IAM user"),
    (["--cluster", "*"], "wildcard"),
    (["--state", "s3://b/a*"], "wildcard"),
    (["--kms-key", "x"], "ARN"),
    (["--kms-key", "arn:aws:s3:::x"], "ARN"),
    (["--kms-key", KEY, "--cross-account", "123456789012"], "cannot grant a key"),
    (["--kms-key", KEY, "--for", "doctor"], "--kms-key belongs"),
    (["--record", "--kms-key", KEY, "--", "version"], "leave out"),
    (["--record", "--cross-account", "12", "--", "version"], "12 digits"),
    (["--cross-account", "123456789012", "--full", "--cluster", NAME], "leave out --cluster"),
    (["--cross-account", "123456789012", "--full", "--for", "reader"], "leave out --cluster and --for"),
    (["--for", "reader", "--history"], "writes and deletes nothing"),
    (["--cluster", ""], "--cluster is empty"),
    (["--cross-account", ""], "--cross-account is empty"),
    (["--cross-account", "123456789012", "--user", ""], "--user is empty"),
    (["--partition", "mars"], "aws-cn"),
    (["--record"], "needs a command"),
    (["--record", "--cluster", "x", "--", "version"], "leave out"),
    (["x"], "unexpected"),
])
def test_wrong_options_are_refused(tmp_path, args, text):
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KOPS_STATE_STORE": "s3://bucket"}
    p = subprocess.run([PROGRAM, "store", "policy", *args], env=env, text=True, capture_output=True, timeout=60)
    assert p.returncode == 1 and text in p.stderr and not p.stdout, p.stderr


# ---- servers with faults of their own ----

class Faulty(http.server.BaseHTTPRequestHandler):
    """A bucket that ignores conditions, lies in another region and lives in the past; its key refuses to encrypt."""
    protocol_version = "HTTP/1.1"
    behind_s, kms, objects = 0, False, {}

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() - self.behind_s)

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message=""):
        self.answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if "location" in query:
            return self.answer(200, b"<LocationConstraint>eu-west-3</LocationConstraint>")
        if "list-type" in query or "versions" in query:
            return self.answer(200, b"<ListBucketResult></ListBucketResult>")
        if query:
            return self.error(501, "NotImplemented")
        if path in self.objects:
            return self.answer(200, self.objects[path], ETag='"x"')
        return self.error(404, "NoSuchKey")

    do_HEAD = do_GET

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.kms:
            return self.error(403, "AccessDenied", "User: arn:aws:iam::1:user/u is not authorized to perform: "
                              "kms:GenerateDataKey on resource: arn:aws:kms:eu-west-3:1:key/k")
        self.objects[self.path] = body
        return self.answer(200, ETag='"x"')

    def do_DELETE(self):
        self.objects.pop(self.path, None)
        return self.answer(204)

    def log_message(self, *args):
        pass


@pytest.fixture
def faulty():
    Faulty.objects, Faulty.behind_s, Faulty.kms = {}, 0, False
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def examine(url, tmp_path, *args):
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "S3_ENDPOINT": url, "S3_ACCESS_KEY_ID": "k", "S3_SECRET_ACCESS_KEY": "s"}
    env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    p = subprocess.run([PROGRAM, "store", "doctor", "s3://bkt/a", "-o", "json", "--requests", "1", *args], env=env, text=True,
                       capture_output=True, timeout=60)
    found = json.loads(p.stdout)
    return p.returncode, {c["check"]: c for c in found["checks"]}, found["missing"]


def test_doctor_finds_ignored_conditions_another_region_and_a_wrong_clock(faulty, tmp_path):
    status, rows, missing = examine(faulty, tmp_path)
    assert status == 2 and missing == [] and Faulty.objects == {}
    assert rows["conditional-create"]["result"] == rows["conditional-update"]["result"] == "warn"
    assert "accepts" in rows["conditional-create"]["detail"]
    assert rows["region"]["result"] == "warn" and "S3_REGION=eu-west-3" in rows["region"]["detail"]
    assert rows["clock"]["result"] == "ok"
    for behind, result in ((120, "warn"), (-2000, "fail")):
        Faulty.behind_s = behind
        assert examine(faulty, tmp_path, "--read-only")[1]["clock"]["result"] == result


def test_doctor_names_the_action_of_another_service_that_is_refused(faulty, tmp_path):
    Faulty.kms = True
    status, rows, missing = examine(faulty, tmp_path)
    assert status == 2 and missing == ["kms:GenerateDataKey"] and rows["kms:GenerateDataKey"]["result"] == "fail"
    assert "arn:aws:kms:eu-west-3:1:key/k" in rows["kms:GenerateDataKey"]["detail"] and Faulty.objects == {}
