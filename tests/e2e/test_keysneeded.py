"""The keysets a cluster needs, made as `update cluster` makes them: against kops' own ones field by field, by OpenSSL's
verifier, and by many who make them at once. CKOPS_BUILD is the folder of a build with tests."""

import base64
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from test_keys import CLUSTER, NAME, SHARED, openssl

yaml = pytest.importorskip("yaml")
BUILD = os.environ.get("CKOPS_BUILD", "")
DRIVER = pathlib.Path(BUILD, "tests/unit/keys_cli") if BUILD else None
pytestmark = [pytest.mark.skipif(not DRIVER or not DRIVER.exists(), reason="CKOPS_BUILD names no build with tests"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

GOLDENS = SHARED / "goldens/fixtures/keysets/private"
ETCD = ["main", "events", "leases", "cilium"]


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store" / NAME
    folder.mkdir(parents=True)
    etcd = [{"name": e, "etcdMembers": [{"name": "a", "instanceGroup": "cp"}]} for e in ETCD]
    doc = yaml.safe_load(CLUSTER)
    doc["spec"]["etcdClusters"] = etcd
    (folder / "config").write_text(yaml.safe_dump(doc))
    return tmp_path / "store"


def start(store, **env):
    return subprocess.Popen([DRIVER, "file://%s" % store, NAME], env={"KOPS_RSA_PRIVATE_KEY_SIZE": "1024", **env},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def made(p):
    out, err = p.communicate(timeout=300)
    assert p.returncode == 0, err
    return dict(line.split() for line in out.splitlines())


def keysets(store):
    return {p.parent.name: yaml.safe_load(p.read_text())["spec"] for p in store.rglob("keyset.yaml")}


def certificates(spec):
    return [base64.b64decode(k["publicMaterial"]) for k in spec["keys"] if "publicMaterial" in k]


def fields(pem):
    """`openssl x509 -text` without key, serial, dates and signature. The subject key identifier is made of the key; it is
    checked by itself."""
    text = openssl("x509", "-noout", "-text", "-certopt", "no_pubkey,no_sigdump", stdin=pem).stdout.decode()
    text = re.sub(r"(Serial Number:).*?(?=\n +Signature Algorithm)", r"\1", text, flags=re.S)
    text = re.sub(r"(Not (Before|After) *: ).*", r"\1", text)
    return re.sub(r"(Subject Key Identifier: \n +)[0-9A-F:]+", r"\1", text)


def der_text(pem):
    """Every DER element with its tag and depth: what -text leaves out, such as string types."""
    out = []
    for line in openssl("asn1parse", stdin=pem).stdout.decode().splitlines():
        m = re.match(r" *\d+:d=(\d+) +hl=\d+ +l= *\d+ (\w+): ([A-Z0-9a-z \[\]]+?) *(?::(.*))?$", line)
        depth, how, tag, value = m.groups()
        out.append((depth, how, tag, value if tag in ("OBJECT", "BOOLEAN", "PRINTABLESTRING") else ""))
    return out


def test_every_field_of_kops_own_certificates(store):
    if not GOLDENS.exists():
        pytest.skip("no reference material")
    names = made(start(store))
    ours = keysets(store)
    golden = {p.stem: yaml.safe_load(p.read_text())["spec"] for p in sorted(GOLDENS.glob("*.yaml"))}
    assert set(names) == set(ours) == set(golden)
    compared = 0
    for name, spec in golden.items():
        mine = certificates(ours[name])[0]
        for theirs in certificates(spec):
            if "CN = %s\n" % name not in fields(theirs):
                continue  # the reference uses one certificate for several etcd clusters
            assert fields(mine) == fields(theirs), name
            assert der_text(mine) == der_text(theirs), name
            compared += 1
    assert compared >= 16 and ours[name]["type"] == spec["type"] == "Keypair"
    print("compared %d certificates of %d keysets" % (compared, len(golden)))


def test_openssl_accepts_every_keyset(store, tmp_path):
    names = made(start(store, KOPS_RSA_PRIVATE_KEY_SIZE="2048"))
    for name, spec in keysets(store).items():
        cert, key = tmp_path / "c", tmp_path / "k"
        cert.write_bytes(certificates(spec)[0])
        key.write_bytes(base64.b64decode(spec["keys"][0]["privateMaterial"]))
        openssl("verify", "-x509_strict", "-CAfile", str(cert), str(cert))
        openssl("rsa", "-in", str(key), "-check", "-noout")
        one = openssl("x509", "-in", str(cert), "-noout", "-serial").stdout.decode().split("=")[1]
        assert str(int(one, 16)) == names[name] == spec["primaryId"] == spec["keys"][0]["id"]
        # the identifier is the first 20 bytes of SHA-256 of the key
        public = openssl("rsa", "-in", str(key), "-RSAPublicKey_out", "-outform", "DER").stdout
        digest = openssl("dgst", "-sha256", "-binary", stdin=public).stdout[:20]
        text = openssl("x509", "-in", str(cert), "-noout", "-ext", "subjectKeyIdentifier").stdout.decode()
        assert digest.hex().upper() == text.splitlines()[1].strip().replace(":", "")
        # and a certificate it signs is accepted
        request = openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=leaf").stdout
        leaf = tmp_path / "l"
        leaf.write_bytes(openssl("x509", "-req", "-CA", str(cert), "-CAkey", str(key), "-CAcreateserial", "-days", "1",
                                 stdin=request).stdout)
        openssl("verify", "-CAfile", str(cert), str(leaf))


def test_of_many_who_make_them_at_once_each_keyset_is_made_once(store):
    results = [made(p) for p in [start(store) for _ in range(6)]]
    stored = {name: spec["primaryId"] for name, spec in keysets(store).items()}
    assert len(stored) == 13 and all(len(s["keys"]) == 1 for s in keysets(store).values())
    for name, ident in stored.items():
        assert [r[name] for r in results if name in r] == [ident]


def test_a_second_run_changes_nothing(store):
    made(start(store))
    before = {p: p.read_bytes() for p in store.rglob("*") if p.is_file()}
    assert made(start(store)) == {}
    assert {p: p.read_bytes() for p in store.rglob("*") if p.is_file()} == before


def test_who_is_killed_leaves_whole_keysets_and_the_next_goes_on(store):
    for i in range(12):
        p = start(store)
        try:
            p.communicate(timeout=0.02 * (i + 1))
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
        for spec in keysets(store).values():
            assert spec["primaryId"] == spec["keys"][0]["id"] and spec["keys"][0]["privateMaterial"]
    before = {name: s["primaryId"] for name, s in keysets(store).items()}
    made(start(store))
    after = {name: s["primaryId"] for name, s in keysets(store).items()}
    assert len(after) == 13 and {n: after[n] for n in before} == before
