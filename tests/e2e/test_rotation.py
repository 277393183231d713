"""The rotation of a cluster's keys from end to end, and two who rotate at once, on every kind of store. CKOPS_BIN names
the program; CK_FULL=1 races a thousand rounds."""

import base64
import collections
import os
import random
import re
import shutil
import subprocess
import time

import pytest

import test_s3
from test_keys import CLUSTER, NAME, PROGRAM, SHARED, openssl
from test_s3 import gateway, servers  # noqa: F401

import clouds  # beside servers, whose folder test_s3 has put on the path

yaml = pytest.importorskip("yaml")
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

FULL = os.environ.get("CK_FULL") == "1"
KEYSETS = ["etcd-clients-ca", "kubernetes-ca", "service-account"]
CA = "kubernetes-ca"
DOCKER = b'{"auths":{}}'


class Place:
    """A store with one cluster: how to run the program on it, and its raw objects."""

    def __init__(self, root, url, env):
        self.root, self.url = root, url
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root), "KOPS_STATE_STORE": url, "TZ": "UTC",
                    "KOPS_RSA_PRIVATE_KEY_SIZE": "1024", **env}
        self.put("%s/config" % NAME, CLUSTER.encode())

    def start(self, *args):
        return subprocess.Popen([PROGRAM, *args, "--name", NAME], env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *args, stdin=b""):
        return subprocess.run([PROGRAM, *args, "--name", NAME], env=self.env, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False)

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stderr)
        return p.stdout.decode()

    def spec(self, keyset=CA):
        return yaml.safe_load(self.get("%s/pki/private/%s/keyset.yaml" % (NAME, keyset)))["spec"]

    def keys(self, keyset=CA):
        return {k["id"]: k for k in self.spec(keyset)["keys"]}

    def certificates(self, keyset=CA, trusted=True):
        return b"".join(base64.b64decode(k["publicMaterial"]) for _, k in sorted(self.keys(keyset).items(), key=lambda x: int(x[0]))
                        if not (trusted and "distrustTimestamp" in k))


class Folder(Place):
    def path(self, key):
        return self.root / "store" / key

    def put(self, key, data):
        self.path(key).parent.mkdir(parents=True, exist_ok=True)
        self.path(key).write_bytes(data)

    def get(self, key):
        return self.path(key).read_bytes()


class Bucket(Place):
    server = bucket = None

    def put(self, key, data):
        status, _, text = servers.s3request(self.server.url, "PUT", "/%s/%s" % (self.bucket, key), data)
        assert status == 200, text

    def get(self, key):
        status, _, data = servers.s3request(self.server.url, "GET", "/%s/%s" % (self.bucket, key))
        assert status == 200, data
        return data


class Gcs(Place):
    server = bucket = None

    def put(self, key, data):
        status, _, text = clouds.http("%s/upload/storage/v1/b/%s/o?uploadType=media&name=%s" %
                                      (self.server.url, self.bucket, key.replace("/", "%2F")), "POST", data)
        assert status == 200, text

    def get(self, key):
        return self.server.read(self.bucket, key)


@pytest.fixture(scope="module")
def gcs():
    s = test_s3.start(clouds.FakeGcs)
    s.buckets = 0
    yield s
    s.stop()


def bucket_of(kind, server, make, root, url, env):
    server.buckets += 1
    name = "rotation%d" % server.buckets
    make(name)
    k = type(kind.__name__, (kind,), {"server": server, "bucket": name})
    return k(root, url % name, env)


def place_of(kind, request, root):
    if kind == "file":
        return Folder(root, "file://%s/store" % root, {})
    if kind == "memfs":
        return Folder(root, "memfs://store", {"CKOPS_MEMFS_ROOT": str(root)})
    if kind == "s3":
        s = request.getfixturevalue("gateway")
        return bucket_of(Bucket, s, s.make_bucket, root, "s3://%s", s.env("custom"))
    s = request.getfixturevalue("gcs")
    return bucket_of(Gcs, s, s.make, root, "gs://%s", s.env())


@pytest.fixture(params=["file", "memfs", "s3", "gs"])
def place(request, tmp_path):
    return place_of(request.param, request, tmp_path)


@pytest.fixture(params=["file", "s3"])
def racing(request, tmp_path):
    return place_of(request.param, request, tmp_path)


def ids(text, verb):
    return dict(re.findall(r"^%s (\S+) (\d+)$" % verb, text, re.M))


def authority(place):
    """What kubectl is told to trust, and who signs for administrators now."""
    file = place.root / "kc"
    place.ok("export", "kubeconfig", "--admin=1h", "--kubeconfig", str(file))
    config = yaml.safe_load(file.read_text())
    trusted = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
    cert = place.root / "admin.crt"
    cert.write_bytes(base64.b64decode(config["users"][0]["user"]["client-certificate-data"]))
    signers = []
    for ident, k in place.keys().items():
        ca = place.root / "ca.crt"
        ca.write_bytes(base64.b64decode(k["publicMaterial"]))
        if openssl("verify", "-CAfile", str(ca), str(cert), check=False).returncode == 0:
            signers.append(ident)
    return trusted, signers


def test_a_rotation_from_creation_to_the_end(place):
    """The steps of kops' page on rotating secrets; after each, what clients trust and who signs."""
    old = {k: ids(place.ok("create", "keypair", k, "--primary"), "Created")[k] for k in KEYSETS}
    assert authority(place) == (place.certificates(), [old[CA]])

    # create: the new keys are trusted, the old ones sign
    new = ids(place.ok("create", "keypair", "all"), "Created")
    assert set(new) == set(KEYSETS)
    for k in KEYSETS:
        assert set(place.keys(k)) == {old[k], new[k]} and place.spec(k)["primaryId"] == old[k]
    trusted, signers = authority(place)
    assert trusted.count(b"BEGIN") == 2 and signers == [old[CA]]

    # promote: the new keys sign, the old ones are still trusted
    assert ids(place.ok("promote", "keypair", "all"), "Promoted") == new
    trusted, signers = authority(place)
    assert trusted.count(b"BEGIN") == 2 and signers == [new[CA]]
    assert place.ok("promote", "keypair", CA) == "No %s keypair newer than current primary %s\n" % (CA, new[CA])

    # distrust: the old ones are gone for clients, but not from the store
    assert ids(place.ok("distrust", "keypair", "all"), "Distrusted") == old
    trusted, signers = authority(place)
    assert trusted == base64.b64decode(place.keys()[new[CA]]["publicMaterial"]) and signers == [new[CA]]
    for k in KEYSETS:
        assert set(place.keys(k)) == {old[k], new[k]} and "privateMaterial" in place.keys(k)[old[k]]
    assert [x.split()[1] for x in place.ok("get", "keypairs", CA).splitlines()[1:]] == [new[CA]]
    assert [x.split()[1] for x in place.ok("get", "keypairs", CA, "--distrusted").splitlines()[1:]] == \
        sorted([old[CA], new[CA]], key=int)

    # a step back is possible until the end
    place.ok("trust", "keypair", CA, old[CA])
    place.ok("promote", "keypair", CA, old[CA])
    assert authority(place)[1] == [old[CA]]
    p = place.run("distrust", "keypair", CA, old[CA])
    assert p.returncode == 1 and b"cannot distrust the primary keypair" in p.stderr


def test_a_secret_is_made_replaced_and_deleted(place):
    key = "%s/secrets/dockerconfig" % NAME
    place.ok("create", "secret", "dockerconfig", "-f", "-", stdin=DOCKER)
    assert place.get(key) == b'{"Data":"%s"}' % base64.b64encode(DOCKER)
    assert b"already exists" in place.run("create", "secret", "dockerconfig", "-f", "-", stdin=b"{}").stderr
    place.ok("create", "secret", "dockerconfig", "-f", "-", "--force", stdin=b"{}")
    assert place.ok("get", "secrets", "dockerconfig", "-oplaintext") == "{}\n"
    place.ok("delete", "secret", "dockerconfig")
    assert b"no secrets found" in place.run("get", "secrets").stderr
    place.ok("create", "secret", "dockerconfig", "-f", "-", stdin=DOCKER)


# ---- two at once ----

def ended(p):
    out, err = p.communicate(timeout=120)
    assert p.returncode in (0, 3), err
    if p.returncode == 3:
        assert "was changed by someone else" in err and not out
    return p.returncode, ids(out, "Created").get(p.args[3], None)


def test_two_who_rotate_at_once_lose_no_key(racing):
    rounds, per_keyset, outcome = 1000 if FULL else 24, 25, collections.Counter()
    steps = [("create", "create"), ("create", "promote"), ("create", "distrust"), ("promote", "create")]
    for n in range(rounds):
        keyset = "r%d-ca" % (n // per_keyset)
        if n % per_keyset == 0:
            made = {ended(racing.start("create", "keypair", keyset, "--primary"))[1]}
        pair = [racing.start(step, "keypair", keyset) for step in steps[n % len(steps)]]
        done = [ended(p) for p in pair]
        made |= {ident for _, ident in done if ident}
        for status, _ in done:
            outcome[status] += 1
        assert any(status == 0 for status, _ in done)
        if n % 5 == 4 or n == rounds - 1:
            keys = racing.keys(keyset)
            assert set(keys) == made and all("privateMaterial" in k for k in keys.values())
            assert racing.spec(keyset)["primaryId"] in made
    assert outcome[3] > 0, outcome
    print("rounds %d, won %d, refused %d, lost keys 0" % (rounds, outcome[0], outcome[3]))


def test_who_is_killed_takes_no_key_along(racing):
    rnd = random.Random(7)
    racing.ok("create", "keypair", CA, "--primary")
    known = racing.keys()
    for n in range(200 if FULL else 30):
        step = ("create", "create", "promote", "distrust")[n % 4]
        p = racing.start(step, "keypair", CA)
        time.sleep(rnd.uniform(0, 0.08))
        p.kill()
        p.communicate()
        spec, keys = racing.spec(), racing.keys()
        assert set(known) <= set(keys) and spec["primaryId"] in keys
        assert all(keys[i]["privateMaterial"] == k["privateMaterial"] for i, k in known.items())
        assert "distrustTimestamp" not in keys[spec["primaryId"]]
        known = keys
    racing.ok("get", "keypairs", CA, "--distrusted")
    racing.ok("create", "keypair", CA)


# ---- with update cluster ----

CASE = SHARED / "goldens/update_cluster/minimal-1.35"
FACTS = SHARED / "goldens/fixtures/update_cluster.json"


class Updated:
    """A cluster that `update cluster` makes, with Terraform's part done by hand: objects go where the module says."""

    name = "minimal.example.com"

    def __init__(self, root):
        self.root, self.store = root, root / "tests" / self.name
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root), "KOPS_STATE_STORE": "memfs://tests",
                    "CKOPS_MEMFS_ROOT": str(root), "CKOPS_FIXTURES": str(FACTS), "KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}
        self.run("create", "-f", str(CASE / "in-v1alpha2.yaml"))
        self.run("create", "sshpublickey", "-i", str(CASE / "id_rsa.pub"), "--name", self.name)

    def run(self, *args):
        p = subprocess.run([PROGRAM, *args], env=self.env, cwd=self.root, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert p.returncode == 0, (args, p.stderr)
        return p.stdout.decode()

    def keys(self, *args):
        return self.run(*args, "--name", self.name)

    def update(self):
        out = self.root / "module"
        self.run("update", "cluster", self.name, "--target=terraform", "--out=%s" % out)
        objects = re.findall(r'resource "aws_s3_object" .*?\n}', (out / "kubernetes.tf").read_text(), re.S)
        assert objects
        for text in objects:
            key = re.search(r'^  key += "(.*)"$', text, re.M)[1]
            data = re.search(r'file\("\$\{path.module\}/(.*?)"\)', text)[1]
            target = self.root / key
            target = target if key.startswith("tests/") else self.root / "tests" / key
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((out / data).read_bytes())

    def pull(self, role, group):
        out = self.root / ("node-" + role)
        self.run("node", "pull", self.name, "--role", role, "--ig", group, "--out", str(out))
        return out / "current"

    def authority(self):
        """(certificates the control plane trusts, the id of the key it signs with)"""
        root = self.pull("control-plane", "master-us-test-1a")
        key = (root / "srv/kubernetes/kube-controller-manager/ca.key").read_bytes()
        spec = yaml.safe_load((self.store / "pki/private" / CA / "keyset.yaml").read_text())["spec"]
        signer = [k["id"] for k in spec["keys"] if base64.b64decode(k["privateMaterial"]) == key]
        # what it signed for itself is accepted by what it tells others to trust
        openssl("verify", "-CAfile", str(root / "srv/kubernetes/ca.crt"),
                str(root / "srv/kubernetes/kube-apiserver/server.crt"))
        return (root / "srv/kubernetes/ca.crt").read_bytes().count(b"BEGIN"), signer


@pytest.mark.skipif(not CASE.exists(), reason="no reference material")
def test_a_rotation_reaches_the_machines_with_each_update(tmp_path):
    c = Updated(tmp_path)
    c.update()
    old = yaml.safe_load((c.store / "pki/private" / CA / "keyset.yaml").read_text())["spec"]["primaryId"]
    assert c.authority() == (1, [old])
    assert set(x.name for x in c.pull("node", "nodes").iterdir()) >= {"nodeupconfig.yaml"}
    new = ids(c.keys("create", "keypair", "all"), "Created")
    assert len(new) == 8 and c.authority() == (1, [old])  # not before the update
    c.update()
    assert c.authority() == (2, [old])
    assert ids(c.keys("promote", "keypair", "all"), "Promoted") == new and c.authority() == (2, [old])
    c.update()
    assert c.authority() == (2, [new[CA]])
    c.keys("distrust", "keypair", "all")
    c.update()
    assert c.authority() == (1, [new[CA]])
    c.update()  # nothing left to do: the same keys
    assert c.authority() == (1, [new[CA]])
