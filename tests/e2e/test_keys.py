"""Keysets and secrets as a user sees them: rotation from end to end, what OpenSSL says about the keys, two people
rotating at once, and input that must be refused without a trace. CKOPS_BIN names the program."""

import base64
import collections
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pytest

import test_s3
from test_s3 import gateway, servers  # noqa: F401

yaml = pytest.importorskip("yaml")

PROGRAM = os.environ.get("CKOPS_BIN", "")
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

ROOT = pathlib.Path(__file__).parents[2]
SHARED = pathlib.Path(os.environ.get("CK_SHARED") or ROOT / "../shared")
NAME = "c.example.com"
CA = "kubernetes-ca"
CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: c.example.com
spec:
  channel: stable
  cloudProvider: aws
  kubernetesVersion: 1.34.0
"""


def openssl(*args, stdin=None, check=True):
    p = subprocess.run(["openssl", *args], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                       timeout=60)
    assert not check or p.returncode == 0, p.stderr
    return p


class Box:
    """A store with one cluster."""

    def __init__(self, root):
        self.root = root
        self.store = root / "store"
        (self.store / NAME).mkdir(parents=True)
        (self.store / NAME / "config").write_text(CLUSTER)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root), "KOPS_STATE_STORE": "file://%s" % self.store,
                    "TZ": "UTC"}

    def run(self, *args, stdin=b"", env=None):
        return subprocess.run([PROGRAM, *map(str, args), "--name", NAME], env={**self.env, **(env or {})},
                              cwd=self.root, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              check=False)

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stderr)
        return p.stdout.decode()

    def refused(self, *args, status=1, **kw):
        """The error line; whatever is refused must leave the store as it was."""
        before = self.files()
        p = self.run(*args, **kw)
        assert p.returncode == status, (args, p.returncode, p.stdout, p.stderr)
        assert self.files() == before
        line = [x for x in p.stderr.decode().splitlines() if x.startswith("Error: ")]
        return line[0] if line else p.stderr.decode()

    def create(self, *args, keyset=CA, **kw):
        """Create a keypair and give its id."""
        return re.search(r"^Created %s (\d+)$" % keyset, self.ok("create", "keypair", keyset, *args, **kw), re.M)[1]

    def files(self):
        return {p.relative_to(self.store): p.read_bytes() for p in self.store.rglob("*") if p.is_file()}

    def path(self, keyset=CA):
        return self.store / NAME / "pki/private" / keyset / "keyset.yaml"

    def keyset(self, keyset=CA):
        return yaml.safe_load(self.path(keyset).read_text())["spec"]

    def keys(self, keyset=CA):
        return {k["id"]: k for k in self.keyset(keyset)["keys"]}

    def pem(self, name, keyset=CA, ident=None):
        """Write certificate and key of one item as files; gives their paths."""
        spec = self.keyset(keyset)
        item = self.keys(keyset)[ident or spec["primaryId"]]
        cert, key = self.root / (name + ".crt"), self.root / (name + ".key")
        cert.write_bytes(base64.b64decode(item["publicMaterial"]))
        key.write_bytes(base64.b64decode(item["privateMaterial"]))
        return cert, key

    def authority(self, name, *extra, days="100", new=("rsa:2048",), ca=True):
        """A pair of the user's own, made by OpenSSL."""
        cert, key = self.root / (name + ".pem"), self.root / (name + ".key")
        openssl("req", "-x509", "-nodes", "-newkey", *new, "-keyout", str(key), "-out", str(cert), "-subj",
                "/CN=own", "-days", days, "-addext", "basicConstraints=critical,CA:" + ("TRUE" if ca else "FALSE"),
                *extra)
        return cert, key


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


# ---- rotation ----

def test_rotation_from_create_to_trust(box):
    first = box.create("--primary")
    second = box.create()
    assert box.keyset()["primaryId"] == first and sorted(box.keys(), key=int) == [first, second]
    assert box.ok("promote", "keypair", CA) == "Promoted %s %s\n" % (CA, second)
    assert box.keyset()["primaryId"] == second
    assert box.ok("promote", "keypair", CA) == "No %s keypair newer than current primary %s\n" % (CA, second)
    assert box.ok("distrust", "keypair", CA) == "Distrusted %s %s\n" % (CA, first)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", box.keys()[first]["distrustTimestamp"])
    assert first not in box.ok("get", "keypairs") and first in box.ok("get", "keypairs", "--distrusted")
    assert box.refused("promote", "keypair", CA, first) == "Error: keypair is distrusted"
    assert box.ok("trust", "keypair", CA, first) == "Trusted %s %s\n" % (CA, first)
    assert "distrustTimestamp" not in box.keys()[first]
    assert box.ok("promote", "keypair", CA, first) == "Promoted %s %s\n" % (CA, first)
    assert sorted(box.keys(), key=int) == [first, second]


def test_all_adds_promotes_and_distrusts_in_every_rotatable_keyset(box):
    names = ["etcd-clients-ca", CA, "service-account"]
    old = {n: box.create("--primary", keyset=n) for n in names}
    shutil.copytree(box.path().parent, box.path("other").parent)
    assert [x.split()[1] for x in box.ok("create", "keypair", "all").splitlines()] == names
    assert [x.split()[1] for x in box.ok("promote", "keypair", "all").splitlines()] == names
    assert box.ok("distrust", "keypair", "all").splitlines() == ["Distrusted %s %s" % (n, old[n]) for n in names]
    for n in names:
        new = box.keyset(n)["primaryId"]
        assert new != old[n] and set(box.keys(n)) == {new, old[n]}


@pytest.mark.parametrize("verb", ["create", "promote", "distrust"])
def test_all_writes_nothing_when_one_keyset_cannot_be_read(box, verb):
    for name in ("etcd-clients-ca", CA):
        box.create("--primary", keyset=name)
        box.create(keyset=name)
    box.path("service-account").parent.mkdir()
    box.path("service-account").write_text("kind: [")
    assert 'error reading keyset "service-account"' in box.refused(verb, "keypair", "all")


def test_unchanged_keys_stay_byte_for_byte(box):
    box.create("--primary")
    before = box.path().read_text()
    box.create()
    box.ok("promote", "keypair", CA)
    after = box.path().read_text()
    for line in before.splitlines():
        if "Material" in line:
            assert line in after.splitlines()


def test_a_keyset_of_an_older_name_is_read_and_written_under_the_new_one(box):
    old = box.create("--primary")
    shutil.move(box.path().parent, box.path("ca").parent)
    before = box.path("ca").read_bytes()
    new = box.create()
    assert set(box.keys()) == {old, new} and box.path("ca").read_bytes() == before


# ---- what OpenSSL says ----

@pytest.mark.parametrize("bits", [None, "3072"])
def test_openssl_accepts_the_certificate_and_the_key(box, bits):
    ident = box.create("--primary", env={"KOPS_RSA_PRIVATE_KEY_SIZE": bits} if bits else None)
    cert, key = box.pem("own")
    openssl("verify", "-x509_strict", "-CAfile", str(cert), str(cert))
    openssl("rsa", "-in", str(key), "-check", "-noout")
    assert key.read_text().startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    modulus = [openssl(kind, "-in", str(p), "-noout", "-modulus").stdout for kind, p in (("x509", cert), ("rsa", key))]
    assert modulus[0] == modulus[1]
    text = openssl("x509", "-in", str(cert), "-noout", "-text").stdout.decode()
    assert "Public-Key: (%s bit)" % (bits or "2048") in text and "sha256WithRSAEncryption" in text
    assert "X509v3 Key Usage: critical\n                Certificate Sign, CRL Sign\n" in text
    assert "CA:TRUE\n" in text and "pathlen" not in text and "Authority Key" not in text
    serial = openssl("x509", "-in", str(cert), "-noout", "-serial").stdout.decode().strip().split("=")[1]
    assert str(int(serial, 16)) == ident
    subject = openssl("x509", "-in", str(cert), "-noout", "-subject", "-issuer", "-nameopt", "RFC2253").stdout.decode()
    assert subject.count("serialNumber=%s,CN=%s" % (ident, CA)) == 2


def shape(der_text):
    """`openssl asn1parse` without what differs between any two keys."""
    out = re.sub(r"^ *\d+:", "", der_text, flags=re.M)
    out = re.sub(r"(INTEGER +|UTCTIME +|PRINTABLESTRING +):\d[0-9A-FZ]+$", r"\1", out, flags=re.M)
    return re.sub(r":?\[HEX DUMP\]:.*|hl=\d+ l= *\d+", "", out)


def test_certificates_have_the_shape_of_kops_own(box):
    case = SHARED / "corpus/099-create-keypair-all/tree/minimal-aws.example.com/pki/private/kubernetes-ca/keyset.yaml"
    if not case.exists():
        pytest.skip("no reference material")
    box.create("--primary")
    ours = openssl("asn1parse", "-in", str(box.pem("own")[0])).stdout.decode()
    ref = base64.b64decode(yaml.safe_load(case.read_text())["spec"]["keys"][0]["publicMaterial"])
    assert shape(ours) == shape(openssl("asn1parse", stdin=ref).stdout.decode())


def test_every_reference_keyset_is_read(box):
    found = sorted((SHARED / "goldens/fixtures/keysets").rglob("*.yaml"))
    if not found:
        pytest.skip("no reference material")
    for i, p in enumerate(found):
        target = box.path("k%d" % i)
        target.parent.mkdir(parents=True)
        target.write_bytes(p.read_bytes())
    got = json.loads(box.ok("get", "keypairs", "--distrusted", "-ojson"))
    seen = collections.Counter(x["name"] for x in got)
    for i, p in enumerate(found):
        spec = yaml.safe_load(p.read_text())["spec"]
        assert seen["k%d" % i] == len(spec["keys"] or []), p


@pytest.mark.parametrize("form", ["pkcs1", "pkcs8", "sec1"])
def test_a_pair_of_the_users_own_is_stored_in_kops_form(box, form):
    box.create("--primary")
    new = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256") if form == "sec1" else ("rsa:2048",)
    cert, key = box.authority("own", "-addext", "subjectAltName=DNS:a.example.com,IP:10.0.0.1", new=new)
    if form != "pkcs8":
        plain = openssl("pkey", "-in", str(key), "-traditional").stdout
        key.write_bytes(plain)
    out = box.ok("create", "keypair", CA, "--cert", cert, "--key", key)
    assert out.startswith("using user provided cert: %s\nusing user provided private key: %s\nCreated " % (cert, key))
    ident = out.split()[-1]
    stored = box.pem("stored", ident=ident)
    want = "EC" if form == "sec1" else "RSA"
    assert stored[1].read_text().startswith("-----BEGIN %s PRIVATE KEY-----\n" % want)
    assert stored[0].read_bytes() == openssl("x509", "-in", str(cert)).stdout
    publics = [openssl("pkey", "-in", str(k), "-pubout").stdout for k in (key, stored[1])]
    assert publics[0] == publics[1]
    row = [x for x in json.loads(box.ok("get", "keypairs", "-ojson")) if x["id"] == ident][0]
    assert row["alternateNames"] == ["a.example.com", "10.0.0.1"] and row["subject"] == "CN=own"
    assert row["keyLength"] == (256 if want == "EC" else 2048)


def test_a_certificate_alone_sorts_before_the_primary_and_cannot_be_promoted(box):
    primary = box.create("--primary")
    ident = box.create("--cert", box.authority("own")[0])
    assert ident == "0" and "privateMaterial" not in box.keys()["0"]
    assert box.refused("promote", "keypair", CA, "0") == "Error: keypair has no private key"
    assert box.ok("promote", "keypair", CA).split()[-1] == primary


# ---- what is refused ----

def test_pairs_that_cannot_work_are_refused(box):
    box.create("--primary")
    good, good_key = box.authority("good")
    _, other_key = box.authority("other")
    leaf, leaf_key = box.authority("leaf", ca=False)
    assert "do not belong together" in box.refused("create", "keypair", CA, "--cert", good, "--key", other_key)
    assert "not the certificate of a certificate authority" in \
        box.refused("create", "keypair", CA, "--cert", leaf, "--key", leaf_key)
    locked = box.root / "locked.key"
    for args in (["-traditional"], []):
        locked.write_bytes(openssl("rsa", "-in", str(good_key), "-aes128", "-passout", "pass:canary", *args).stdout)
        assert "the key is encrypted" in box.refused("create", "keypair", CA, "--cert", good, "--key", locked)
    assert "there is no private key" in box.refused("create", "keypair", CA, "--cert", good, "--key", good)
    assert "there is no certificate" in box.refused("create", "keypair", CA, "--cert", good_key)
    ed = openssl("genpkey", "-algorithm", "ed25519").stdout
    locked.write_bytes(ed)
    assert "unknown private key type" in box.refused("create", "keypair", CA, "--key", locked)
    locked.write_text(good_key.read_text()[:400] + "\n-----END PRIVATE KEY-----\n")
    assert "Error: " in box.refused("create", "keypair", CA, "--key", locked)
    assert "no such file" in box.refused("create", "keypair", CA, "--key", box.root / "absent")
    assert "must have a private key" in box.refused("create", "keypair", CA, "--cert", good, "--primary")


def test_an_expired_certificate_is_refused(box):
    box.create("--primary")
    key = box.root / "old.key"
    openssl("genrsa", "-out", str(key), "2048")
    csr = box.root / "old.csr"
    openssl("req", "-new", "-key", str(key), "-subj", "/CN=old", "-out", str(csr))
    conf = box.root / "ca.cnf"
    conf.write_text("[ca]\ndefault_ca=c\n[c]\ndatabase=%s/db\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
                    "policy=p\nx509_extensions=v3\n[p]\ncommonName=supplied\n[v3]\nbasicConstraints=critical,CA:TRUE\n"
                    % (box.root, box.root))
    (box.root / "db").write_text("")
    cert = box.root / "old.pem"
    openssl("ca", "-batch", "-selfsign", "-config", str(conf), "-keyfile", str(key), "-in", str(csr), "-out", str(cert),
            "-startdate", "20100101000000Z", "-enddate", "20200101000000Z", "-notext")
    assert "it expired on 2020-01-01T00:00:00Z" in box.refused("create", "keypair", CA, "--cert", cert, "--key", key)


def test_keysets_that_are_no_keysets_are_refused(box):
    assert box.refused("create", "keypair", CA) == "Error: the first keypair added to a keyset must be primary"
    assert box.refused("create", "keypair", "foo", "--primary") == 'Error: adding keypair to "foo" is not supported'
    assert box.refused("promote", "keypair", "foo") == 'Error: promoting keypairs for "foo" is not supported'
    assert box.refused("promote", "keypair", CA) == "Error: keyset not found"
    assert "Error: " in box.refused("create", "keypair", "../../x-ca", "--primary")
    box.create("--primary")
    assert box.refused("promote", "keypair", CA, "17") == "Error: keypair not found"
    assert "KOPS_RSA_PRIVATE_KEY_SIZE" in box.refused("create", "keypair", CA, env={"KOPS_RSA_PRIVATE_KEY_SIZE": "x"})
    assert "Error: " in box.refused("create", "keypair", CA, env={"KOPS_RSA_PRIVATE_KEY_SIZE": "512"})


def test_a_keyset_without_a_primary_is_refused_until_it_is_mended(box):
    first = box.create("--primary")
    doc = yaml.safe_load(box.path().read_text())
    doc["spec"]["keys"][0]["distrustTimestamp"] = "2026-01-01T00:00:00Z"
    box.path().write_text(yaml.safe_dump(doc))
    assert "has no primary keypair" in box.refused("create", "keypair", CA)
    assert "no keypair can be the primary" in box.refused("promote", "keypair", CA)
    assert "must have a primary key" in box.refused("distrust", "keypair", CA)
    assert box.ok("trust", "keypair", CA, first) == "Trusted %s %s\n" % (CA, first)
    assert box.keyset()["primaryId"] == first


def test_a_damaged_keyset_is_not_rewritten(box):
    box.create("--primary")
    good = box.path().read_text()
    for text in (good.replace("publicMaterial: LS0t", "publicMaterial: !!!!"),
                 good.replace("LS0tLS1CRUdJTiBSU0E", "AAAA"), good[:300], "", good + "\nx: [\n",
                 good.replace("type: Keypair", "type: Keypair\n  later: 1")):
        box.path().write_text(text)
        box.refused("create", "keypair", CA)
    box.path().write_text(good)
    box.create()


# ---- two at once ----

def test_of_two_that_rotate_at_once_one_wins_and_no_key_is_lost(box):
    ids = {box.create("--primary", env={"KOPS_RSA_PRIVATE_KEY_SIZE": "1024"})}
    outcome = collections.Counter()
    for _ in range(40):
        results = []
        threads = [threading.Thread(target=lambda: results.append(
            box.run("create", "keypair", CA, env={"KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}))) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for p in results:
            outcome[p.returncode] += 1
            if p.returncode == 0:
                ids.add(p.stdout.decode().split()[-1])
            else:
                assert p.returncode == 3 and b"was changed by someone else" in p.stderr and not p.stdout
        assert any(p.returncode == 0 for p in results)
        assert set(box.keys()) == ids
        assert all("privateMaterial" in k for k in box.keys().values())
    assert outcome[3] > 0, outcome


def test_of_two_that_make_a_keyset_one_wins(box):
    key = box.authority("own")[1]
    for i in range(10):
        name = "n%d-ca" % i
        procs = [subprocess.Popen([PROGRAM, "create", "keypair", name, "--primary", "--key", str(key), "--name", NAME],
                                  env=box.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
        done = [(p.communicate()[0].decode(), p.returncode) for p in procs]
        created = {out.split()[-1] for out, rc in done if rc == 0}
        assert created and set(box.keys(name)) == created and {rc for _, rc in done} <= {0, 3}


def test_a_killed_rotation_leaves_the_primary_as_it_was(box):
    primary = box.create("--primary", env={"KOPS_RSA_PRIVATE_KEY_SIZE": "1024"})
    kept = box.keys()[primary]
    for i in range(40):
        p = subprocess.Popen([PROGRAM, "create", "keypair", CA, "--name", NAME],
                             env={**box.env, "KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(0.001 * i)
        p.kill()
        p.wait()
        assert box.keyset()["primaryId"] == primary and box.keys()[primary] == kept
    assert box.create()
    assert box.ok("get", "keypairs").count(CA) == len(box.keys())


# ---- on S3 ----

def test_rotation_and_races_on_s3(gateway, tmp_path):
    store = test_s3.Store(gateway, tmp_path)
    config = "state/%s/config" % NAME
    assert servers.s3request(gateway.url, "PUT", "/%s/%s" % (store.bucket, config), CLUSTER.encode())[0] == 200
    env = {**store.env, "KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}

    def run(*args):
        return subprocess.Popen([PROGRAM, *args, "--name", NAME], env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def ended(p):
        out, err = p.communicate(timeout=60)
        assert p.returncode in (0, 3), err
        return out.split()[-1] if p.returncode == 0 else None

    ids = {ended(run("create", "keypair", CA, "--primary"))}
    lost = 0
    for _ in range(15):
        got = [ended(p) for p in [run("create", "keypair", CA) for _ in range(2)]]
        ids |= {x for x in got if x}
        lost += got.count(None)
        assert any(got)
    spec = yaml.safe_load(store.read("%s/pki/private/%s/keyset.yaml" % (NAME, CA)))["spec"]
    assert {k["id"] for k in spec["keys"]} == ids and all("privateMaterial" in k for k in spec["keys"])
    assert lost > 0
    newest = max(ids, key=int)
    assert ended(run("promote", "keypair", CA)) == newest
    assert ended(run("distrust", "keypair", CA)) in ids - {newest}
    out, _ = run("get", "keypairs").communicate(timeout=60)
    assert [x.split()[1] for x in out.splitlines()[1:]] == [newest]


# ---- secrets ----

DOCKER = b'{"auths":{"r.example.com":{"auth":"Y2FuYXJ5LXNlY3JldA=="}}}'


@pytest.mark.parametrize("kind,data", [("dockerconfig", DOCKER), ("encryptionconfig", b"kind: EncryptionConfig\n"),
                                       ("ciliumpassword", b"keys: 3 rfc4106(gcm(aes)) 00 128\n")])
def test_a_secret_comes_back_as_it_went_in(box, kind, data):
    box.ok("create", "secret", kind, "-f", "-", stdin=data)
    file = box.store / NAME / "secrets" / kind
    assert file.read_bytes() == b'{"Data":"%s"}' % base64.b64encode(data)
    assert file.stat().st_mode & 0o777 == 0o600
    assert box.ok("get", "secrets") == "NAME\n%s\n" % kind
    assert box.ok("get", "secrets", kind, "-oplaintext") == data.decode() + "\n"
    assert "already exists" in box.refused("create", "secret", kind, "-f", "-", stdin=data)
    box.ok("create", "secret", kind, "-f", "-", "--force", stdin=data + b" ")
    assert box.ok("get", "secrets", kind, "-oplaintext") == data.decode() + " \n"
    box.ok("delete", "secret", kind)
    assert box.refused("get", "secrets") == "Error: no secrets found"
    assert "no such file" in box.refused("delete", "secret", kind)


@pytest.mark.parametrize("text,why", [
    (b"{not json", "invalid character 'n' looking for beginning of object key string"),
    (b"", "unexpected end of JSON input"),
    (b'{"a":1', "unexpected end of JSON input"),
    (b'{"a" 1}', "invalid character '1' after object key"),
    (b'{"a":1 2}', "invalid character '2' after object key:value pair"),
    (b'{"a":[1 2]}', "invalid character '2' after array element"),
    (b'{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
    (b'{"a":"\x01"}', "invalid character '\\x01' in string literal"),
    (b'{"a":"\\x"}', "invalid character 'x' in string escape code"),
    (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
    (b"{} x", "invalid character 'x' after top-level value"),
    (b'["canary"]', "json: cannot unmarshal array into Go value of type map[string]interface {}"),
])
def test_a_docker_configuration_that_is_no_json_object_is_refused(box, text, why):
    assert box.refused("create", "secret", "dockerconfig", "-f", "-", stdin=text) == \
        "Error: unable to parse JSON -: " + why


@pytest.mark.parametrize("text", [b"canary-secret", b"a: [canary-secret\n", b"- canary-secret\n", b"a: 'canary\n",
                                  b"canary-secret: x: y\n", b""])
def test_bad_yaml_is_refused_without_showing_it(box, text):
    for args in ([], ["-v", "10"]):
        before = box.files()
        p = box.run("create", "secret", "ciliumpassword", "-f", "-", *args, stdin=text)
        assert p.returncode == 1 and b"unable to parse YAML -: " in p.stderr and b"canary" not in p.stderr + p.stdout
        assert box.files() == before


def test_a_damaged_secret_is_refused_without_showing_it(box):
    box.ok("create", "secret", "dockerconfig", "-f", "-", stdin=DOCKER)
    file = box.store / NAME / "secrets/dockerconfig"
    for text in ('{"Data":"canary-secret!"}', '{"Data":canary-secret}', '["canary-secret"]', ""):
        file.write_text(text)
        p = box.run("get", "secrets", "-oplaintext", "-v", "10")
        assert p.returncode == 1 and b"parsing secret from" in p.stderr and b"canary" not in p.stderr and not p.stdout


def test_nothing_private_is_logged(box):
    box.create("--primary")
    logs = []
    for args in (["create", "keypair", CA], ["promote", "keypair", CA], ["distrust", "keypair", CA],
                 ["get", "keypairs"], ["get", "keypairs", "--distrusted", "-oyaml"],
                 ["get", "keypairs", "-ojson"]):
        p = box.run(*args, "-v", "10")
        assert p.returncode == 0
        logs.append(p.stdout + p.stderr)
    for k in box.keys().values():
        body = k["privateMaterial"]
        pem = base64.b64decode(body).split(b"\n")
        for piece in (body[60:90].encode(), pem[5], pem[10]):
            assert not any(piece in x for x in logs)
