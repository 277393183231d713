"""secrets inventory: everything that is secret is listed, with who can read it; nothing secret is printed."""

import base64
import json
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import test_s3
from test_keys import CA, NAME, PROGRAM, Box, openssl
from test_s3 import gateway, servers  # noqa: F401

yaml = pytest.importorskip("yaml")
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

DOCKER = b'{"auths":{"r":{"auth":"Y2FuYXJ5LWRvY2tlcg=="}}}'


@pytest.fixture
def box(tmp_path):
    b = Box(tmp_path)
    b.env["KOPS_RSA_PRIVATE_KEY_SIZE"] = "1024"
    b.create("--primary")
    b.ok("create", "secret", "dockerconfig", "-f", "-", stdin=DOCKER)
    return b


def inventory(box, *args, status=0):
    p = box.run("secrets", "inventory", "-ojson", *args)
    assert p.returncode == status, p.stderr
    return json.loads(p.stdout)


def rows(box, kind, *args, **kw):
    return [x for x in inventory(box, *args, **kw) if x["kind"] == kind]


def test_keys_secrets_and_backups_are_listed(box):
    second = box.create()
    box.create("--cert", box.authority("own")[0])
    config = box.store / NAME / "config"
    config.write_text(config.read_text() + "  etcdClusters:\n  - name: main\n    etcdMembers:\n"
                                           "    - {name: a, instanceGroup: cp}\n")
    backup = box.store / NAME / "backups/etcd/main"
    (backup / "2026-01-01T00:00:00Z-000001").mkdir(parents=True)
    (backup / "2026-01-01T00:00:00Z-000001/etcd.backup.gz").write_bytes(b"canary-backup")
    (backup / "control").mkdir()
    (backup / "control/etcd-cluster-spec").write_text("{}")
    got = inventory(box)
    primary = box.keyset()["primaryId"]
    assert [(x["kind"], x["name"], x.get("id", "")) for x in got] == [
        ("backup", "main", ""), ("certificate", CA, "0"), ("keypair", CA, primary), ("keypair", CA, second),
        ("secret", "dockerconfig", "")]
    assert [x.get("isPrimary", False) for x in got] == [False, False, True, False, False]
    assert [x.get("hasPrivateKey", False) for x in got] == [False, False, True, True, False]
    assert got[0]["files"] == 1 and got[0]["path"] == str(backup)
    assert got[2]["path"] == str(box.path()) and got[2]["expires"] > "2036"
    assert all(x["cluster"] == NAME and x["reach"] in ("owner", "unknown") for x in got if x["kind"] != "backup")


def test_nothing_secret_is_printed_or_read(box):
    secret = box.store / NAME / "secrets/dockerconfig"
    key = base64.b64decode(box.keyset()["keys"][0]["privateMaterial"]).split(b"\n")[3]
    for output in ("table", "yaml", "json"):
        p = box.run("secrets", "inventory", "-o", output, "-v", "10")
        assert p.returncode == 0
        for canary in (b"canary-docker", b"Y2FuYXJ5", base64.b64encode(DOCKER)[:20], key):
            assert canary not in p.stdout + p.stderr
    secret.write_bytes(b"\xff not even a secret")
    assert [x["name"] for x in rows(box, "secret")] == ["dockerconfig"]


def test_the_table_says_what_state_a_key_is_in(box):
    old = box.keyset()["primaryId"]
    box.create("--primary")
    box.ok("distrust", "keypair", CA)
    lines = box.ok("secrets", "inventory").splitlines()
    assert lines[0].split() == ["CLUSTER", "KIND", "NAME", "ID", "STATE", "AGE", "EXPIRES", "READERS", "FINDINGS"]
    assert [x.split()[4] for x in lines if old in x] == ["distrusted"] and "0d" in lines[1]


@pytest.mark.parametrize("mode,reach,finding", [(0o600, "owner", []), (0o640, "group", ["readable by a group"]),
                                                (0o644, "everyone", ["readable by everyone"])])
def test_modes_of_files_say_who_can_read(mode, reach, finding):
    with tempfile.TemporaryDirectory() as root:  # pytest's own folders are closed to others
        box = Box(pathlib.Path(root))
        box.create("--primary", env={"KOPS_RSA_PRIVATE_KEY_SIZE": "1024"})
        for folder in (box.root, *box.path().parents):
            if folder.is_relative_to(box.root):
                folder.chmod(0o755)
        box.path().chmod(mode)
        row = rows(box, "keypair")[0]
        assert row["reach"] == reach and row["findings"] == finding
        # a closed folder above closes everything beneath it
        box.root.chmod(0o700)
        assert rows(box, "keypair")[0]["reach"] == "owner"


def test_certificates_that_end_soon_are_findings(box):
    cert, key = box.authority("short", days="20")
    ident = box.ok("create", "keypair", CA, "--cert", cert, "--key", key).split()[-1]

    def findings(*args):
        return [x["findings"] for x in rows(box, "keypair", *args) if x["id"] == ident][0]
    assert findings("--expires-within=1h") == []
    assert findings() in (["expires in 19 days"], ["expires in 20 days"])
    assert box.run("secrets", "inventory").returncode == 0
    assert box.run("secrets", "inventory", "--detailed-exitcode").returncode == 2
    assert box.run("secrets", "inventory", "--detailed-exitcode", "--expires-within=1h").returncode == 0
    box.ok("distrust", "keypair", CA, ident)
    assert findings() == []  # nobody relies on it any more


def test_an_expired_certificate_is_a_finding(box):
    """kops stores such a keyset; ckops would not."""
    key, request, cert = box.root / "k", box.root / "r", box.root / "c"
    openssl("req", "-new", "-nodes", "-newkey", "rsa:1024", "-keyout", str(key), "-out", str(request), "-subj", "/CN=old")
    conf = box.root / "ca.cnf"
    conf.write_text("[ca]\ndefault_ca=c\n[c]\ndatabase=%s/db\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\n"
                    "policy=p\nx509_extensions=v3\n[p]\ncommonName=supplied\n[v3]\nbasicConstraints=critical,CA:TRUE\n"
                    % (box.root, box.root))
    (box.root / "db").write_text("")
    openssl("ca", "-batch", "-selfsign", "-config", str(conf), "-keyfile", str(key), "-in", str(request), "-out",
            str(cert), "-startdate", "20100101000000Z", "-enddate", "20200101000000Z", "-notext")
    doc = yaml.safe_load(box.path().read_text())
    doc["spec"]["keys"][0]["publicMaterial"] = base64.b64encode(cert.read_bytes()).decode()
    doc["spec"]["keys"][0]["privateMaterial"] = base64.b64encode(
        openssl("rsa", "-in", str(key), "-traditional").stdout).decode()
    box.path().write_text(yaml.safe_dump(doc))
    row = rows(box, "keypair")[0]
    assert "expired" in row["findings"] and row["expires"] == "2020-01-01T00:00:00Z"


def test_what_cannot_be_read_or_is_not_kops_own_is_a_finding(box):
    broken = box.path("etcd-clients-ca")
    broken.parent.mkdir()
    broken.write_text("kind: [")
    (box.path().parent / "6977.key").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    got = {x["name"]: x["findings"] for x in rows(box, "file")}
    assert got == {"etcd-clients-ca/keyset.yaml": ["cannot be read"],
                   CA + "/6977.key": ["not used any more, or not of kOps"]}
    assert len(rows(box, "keypair")) == 1


def test_all_clusters_of_a_store_and_one_that_cannot_be_read(box):
    other = "d.example.com"
    shutil.copytree(box.store / NAME, box.store / other)
    config = box.store / other / "config"
    config.write_text(config.read_text().replace(NAME, other))

    def run(*args):
        return subprocess.run([PROGRAM, "secrets", "inventory", "-ojson", *args], env=box.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    assert {x["cluster"] for x in json.loads(run().stdout)} == {NAME, other}
    assert {x["cluster"] for x in json.loads(run(other).stdout)} == {other}
    config.write_text("kind: [")
    p = run()
    assert p.returncode == 4 and {x["cluster"] for x in json.loads(p.stdout)} == {NAME}
    assert b'cluster "%s" cannot be read' % other.encode() in p.stderr
    assert run("nope.example.com").returncode == 1
    bad = run("-o", "xml")
    assert bad.returncode == 1 and b"xml" in bad.stderr


def test_an_empty_cluster_has_nothing(tmp_path):
    assert json.loads(Box(tmp_path).ok("secrets", "inventory", "-ojson")) == []


# ---- S3 ----

PUBLIC = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"]}]}


@pytest.fixture(scope="module")
def moto():
    s = test_s3.start(servers.Moto)
    yield s
    s.stop()


def bucket(server, name, box):
    assert servers.s3request(server.url, "PUT", "/" + name)[0] == 200
    for path, data in box.files().items():
        assert servers.s3request(server.url, "PUT", "/%s/state/%s" % (name, path), data)[0] == 200
    env = {**box.env, "KOPS_STATE_STORE": "s3://%s/state" % name, **server.env("custom")}

    def run():
        p = subprocess.run([PROGRAM, "secrets", "inventory", "-ojson", "--name", NAME], env=env, check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert p.returncode == 0, p.stderr
        return json.loads(p.stdout)
    return run


def put(server, path, body, query):
    import hashlib
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    status, _, text = servers.s3request(server.url, "PUT", path, body, query=[(query, "")], headers={"Content-MD5": md5})
    assert status in (200, 204), text


def test_a_bucket_tells_policy_block_acl_and_encryption(moto, box):
    run = bucket(moto, "inv", box)
    for row in run():
        assert row["reach"] == "owner" and row["encryption"] == "none" and row["findings"] == ["not encrypted at rest"]
    put(moto, "/inv", b'<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule>'
                      b'<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>'
                      b'</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>', "encryption")
    assert all(row["encryption"] == "AES256" and row["findings"] == [] for row in run())
    # one object is opened by its ACL
    key = "/inv/state/%s/secrets/dockerconfig" % NAME
    servers.s3request(moto.url, "PUT", key, (box.store / NAME / "secrets/dockerconfig").read_bytes(),
                      headers={"x-amz-acl": "public-read"})
    got = {row["kind"]: row for row in run()}
    assert got["secret"]["reach"] == "everyone" and got["secret"]["findings"] == ["readable by everyone"]
    assert got["keypair"]["reach"] == "owner"
    # then everything by a policy
    doc = json.loads(json.dumps(PUBLIC))
    doc["Statement"][0]["Resource"] = ["arn:aws:s3:::inv/*"]
    put(moto, "/inv", json.dumps(doc).encode(), "policy")
    assert {row["reach"] for row in run()} == {"everyone"}
    # and nothing any more when the bucket forbids it
    put(moto, "/inv", b'<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                      b'<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>'
                      b'<BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>'
                      b'</PublicAccessBlockConfiguration>', "publicAccessBlock")
    assert {row["reach"] for row in run()} == {"owner"}


def test_a_server_that_does_not_answer_leaves_it_unknown(gateway, box):
    """versitygw does not know half of the questions; that must not read as an all-clear."""
    run = bucket(gateway, "inventory-gw", box)
    got = run()
    assert [x["kind"] for x in got] == ["keypair", "secret"]
    assert all(x["reach"] in ("owner", "unknown") for x in got)
    doc = json.loads(json.dumps(PUBLIC))
    doc["Statement"][0]["Resource"] = ["arn:aws:s3:::inventory-gw/*"]
    status, _, body = servers.s3request(gateway.url, "PUT", "/inventory-gw", json.dumps(doc).encode(),
                                        query=[("policy", "")])
    assert status in (200, 204), body
    assert {x["reach"] for x in run()} == {"everyone"}
