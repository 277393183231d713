"""export kubeconfig and helpers kubectl-auth: what is written, what is left alone, and whether certificates made from a
store open a TLS connection. CKOPS_BIN names the program."""

import base64
import datetime
import json
import os
import re
import shutil
import ssl
import stat
import subprocess
import threading
import time

import pytest

import test_keys
from test_keys import CA, NAME, PROGRAM, Box, openssl

yaml = pytest.importorskip("yaml")
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

SECRET_FIELDS = {"client-key-data"}
# What a careful user has in such a file: other clusters, fields of other tools, a namespace, an extension.
FOREIGN = """\
apiVersion: v1
kind: Config
clusters:
- name: zeta
  cluster: {server: "https://z", extensions: [{name: tool, extension: {a: 1}}]}
- name: c.example.com
  cluster: {server: "https://old", proxy-url: "http://proxy", insecure-skip-tls-verify: true, certificate-authority: /old}
contexts:
- name: c.example.com
  context: {cluster: c.example.com, user: my-oidc, namespace: team, extensions: [{name: x, extension: 7}]}
- name: zeta
  context: {cluster: zeta, user: zeta}
users:
- name: my-oidc
  user: {auth-provider: {name: oidc, config: {id-token: tok}}, x-unknown: kept}
- name: zeta
  user: {token: zzz}
current-context: zeta
preferences: {colors: true}
x-other-tool: {deep: [1, 2, {three: null}]}
"""


@pytest.fixture
def box(tmp_path):
    b = Box(tmp_path)
    b.create("--primary")
    b.kube = tmp_path / ".kube/config"
    return b


def read(path):
    return yaml.safe_load(path.read_text())


def entry(config, kind, name=NAME):
    found = [x[kind] for x in config[kind + "s"] or [] if x["name"] == name]
    assert len(found) == 1, (kind, name, config)
    return found[0]


def export(box, *args, **kw):
    out = box.ok("export", "kubeconfig", *args, **kw)
    assert out == "kOps has set your kubectl context to %s\n" % NAME
    return out


def client_pair(box, user):
    cert, key = box.root / "client.crt", box.root / "client.key"
    cert.write_bytes(base64.b64decode(user["client-certificate-data"]))
    key.write_bytes(base64.b64decode(user["client-key-data"]))
    return cert, key


def validity(cert):
    text = openssl("x509", "-in", str(cert), "-noout", "-startdate", "-enddate").stdout.decode()
    return [datetime.datetime.strptime(line.split("=")[1], "%b %d %H:%M:%S %Y GMT") for line in text.splitlines()]


# ---- merging ----

def test_nothing_of_others_is_lost(box):
    box.kube.parent.mkdir()
    box.kube.write_text(FOREIGN)
    export(box)
    before, after = yaml.safe_load(FOREIGN), read(box.kube)
    assert [x["name"] for x in after["clusters"]] == ["zeta", NAME]
    assert entry(after, "cluster", "zeta") == entry(before, "cluster", "zeta")
    assert entry(after, "context", "zeta") == entry(before, "context", "zeta")
    assert after["users"] == before["users"]
    assert after["preferences"] == before["preferences"] and after["x-other-tool"] == before["x-other-tool"]
    cluster = entry(after, "cluster")
    assert cluster["proxy-url"] == "http://proxy" and cluster["server"] == "https://api." + NAME
    assert cluster["tls-server-name"] == "api.internal." + NAME
    # an authority from the store leaves no room for these two
    assert "insecure-skip-tls-verify" not in cluster and "certificate-authority" not in cluster
    context = entry(after, "context")
    assert context == {"cluster": NAME, "user": "my-oidc", "namespace": "team",
                       "extensions": [{"name": "x", "extension": 7}]}
    assert after["current-context"] == NAME


def test_admin_replaces_a_plugin_and_the_other_way_round(box):
    export(box, "--auth-plugin")
    user = entry(read(box.kube), "user")
    assert set(user) == {"exec"} and user["exec"]["command"] == "ckops"
    assert user["exec"]["args"] == ["helpers", "kubectl-auth", "--cluster=" + NAME,
                                    "--state=" + box.env["KOPS_STATE_STORE"]]
    export(box, "--admin")
    assert set(entry(read(box.kube), "user")) == {"client-certificate-data", "client-key-data"}
    config = read(box.kube)
    config["users"][0]["user"]["x-kept"] = 1
    box.kube.write_text(yaml.safe_dump(config))
    export(box, "--auth-plugin")
    assert set(entry(read(box.kube), "user")) == {"exec", "x-kept"}
    assert entry(read(box.kube), "context")["user"] == NAME


def test_a_user_of_the_file_is_put_into_the_context(box):
    box.kube.parent.mkdir()
    box.kube.write_text(FOREIGN)
    export(box, "--user", "zeta")
    assert entry(read(box.kube), "context")["user"] == "zeta"
    before = box.kube.read_bytes()
    assert box.refused("export", "kubeconfig", "--user", "nobody") == 'Error: could not find user "nobody"'
    assert box.kube.read_bytes() == before


@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_the_file_is_the_owners_alone(box, mode):
    box.kube.parent.mkdir()
    box.kube.write_text(FOREIGN)
    box.kube.chmod(mode)
    export(box, "--admin")
    assert stat.S_IMODE(box.kube.stat().st_mode) == 0o600
    assert sorted(p.name for p in box.kube.parent.iterdir()) == ["config"]


def test_a_new_file_and_its_folder_are_the_owners_alone(box):
    old = os.umask(0)
    try:
        export(box, "--admin", "--kubeconfig", box.root / "deep/er/kc")
    finally:
        os.umask(old)
    assert stat.S_IMODE((box.root / "deep/er/kc").stat().st_mode) == 0o600
    assert stat.S_IMODE((box.root / "deep/er").stat().st_mode) == 0o700
    assert not box.kube.exists()


def test_a_symbolic_link_stays_one(box):
    box.kube.parent.mkdir()
    real = box.root / "real-config"
    real.write_text(FOREIGN)
    box.kube.symlink_to(real)
    export(box)
    assert box.kube.is_symlink() and entry(read(real), "cluster")["server"] == "https://api." + NAME


def test_entries_stay_in_the_file_they_are_in(box):
    first, second = box.root / "one", box.root / "two"
    config = yaml.safe_load(FOREIGN)
    first.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "clusters": None, "contexts": [],
                                     "users": [], "current-context": ""}))
    second.write_text(FOREIGN)
    export(box, "--admin", env={"KUBECONFIG": "%s:%s:%s" % (box.root / "absent", first, second)})
    assert not (box.root / "absent").exists()
    one, two = read(first), read(second)
    assert entry(two, "cluster")["server"] == "https://api." + NAME and one["clusters"] is None
    assert entry(one, "user")["client-key-data"] and [x["name"] for x in two["users"]] == ["my-oidc", "zeta"]
    assert entry(two, "context")["user"] == NAME
    assert one["current-context"] == NAME and two["current-context"] == config["current-context"]


def test_an_unchanged_file_is_not_written_again(box):
    export(box)
    before = box.kube.stat()
    export(box)
    after = box.kube.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    box.kube.chmod(0o644)
    export(box)
    assert stat.S_IMODE(box.kube.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["[1, 2]\n", "a: [\n", "clusters: *x\n"])
def test_what_is_no_kubeconfig_is_left_alone(box, text):
    box.kube.parent.mkdir()
    box.kube.write_text(text)
    assert 'error loading config file "%s": ' % box.kube in box.refused("export", "kubeconfig", "--admin")
    assert box.kube.read_text() == text and sorted(p.name for p in box.kube.parent.iterdir()) == ["config"]


def test_kubectls_lock_is_respected(box):
    box.kube.parent.mkdir()
    lock = box.kube.with_name("config.lock")
    lock.write_text("")
    assert "another program is changing the kubeconfig" in box.refused("export", "kubeconfig")
    assert lock.exists() and not box.kube.exists()
    threading.Timer(0.4, lock.unlink).start()
    export(box)


def test_twenty_at_once_lose_nothing(box):
    """Each exports another cluster into the same file."""
    names = ["c%02d.example.com" % i for i in range(20)]
    for n in names:
        shutil.copytree(box.store / NAME, box.store / n)
        config = box.store / n / "config"
        config.write_text(config.read_text().replace(NAME, n))
    p = [subprocess.Popen([PROGRAM, "export", "kubeconfig", n], env=box.env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) for n in names]
    done = [(x.communicate(timeout=60), x.returncode) for x in p]
    won = [n for n, (_, rc) in zip(names, done) if rc == 0]
    assert [x["name"] for x in read(box.kube)["clusters"]] == won and len(won) > 0
    for (_, err), rc in done:
        assert rc == 0 or b"another program is changing the kubeconfig" in err


# ---- addresses and clusters ----

def test_internal_public_and_given_addresses(box):
    def server(*args):
        export(box, *args)
        return entry(read(box.kube), "cluster")["server"]
    assert server() == "https://api." + NAME
    assert server("--internal") == "https://api.internal." + NAME
    assert server("--api-server", "https://10.0.0.1:6443") == "https://10.0.0.1:6443"
    config = box.store / NAME / "config"
    config.write_text(config.read_text() + "  masterPublicName: k8s.example.org\n")
    assert server() == "https://k8s.example.org"
    assert server("--internal") == "https://api.internal." + NAME


def test_a_balancer_with_a_certificate_of_its_own(box):
    config = box.store / NAME / "config"
    config.write_text(config.read_text() +
                      "  api:\n    loadBalancer:\n      class: Network\n      type: Public\n"
                      "      sslCertificate: arn:aws:acm:eu-west-1:123456789012:certificate/x\n")
    export(box)
    cluster = entry(read(box.kube), "cluster")
    assert cluster["server"] == "https://api." + NAME and "certificate-authority-data" not in cluster
    export(box, "--admin")
    cluster = entry(read(box.kube), "cluster")
    assert cluster["server"] == "https://api.%s:8443" % NAME and cluster["certificate-authority-data"]


def test_all_exports_every_cluster(box):
    other = "d.example.com"
    shutil.copytree(box.store / NAME, box.store / other)
    config = box.store / other / "config"
    config.write_text(config.read_text().replace(NAME, other))
    p = subprocess.run([PROGRAM, "export", "kubeconfig", "--all"], env=box.env, stdout=subprocess.PIPE, check=True)
    assert p.stdout.decode().splitlines() == ["kOps has set your kubectl context to " + n for n in (NAME, other)]
    assert [x["name"] for x in read(box.kube)["contexts"]] == [NAME, other]
    config.write_text("kind: [")
    p = subprocess.run([PROGRAM, "export", "kubeconfig", "--all"], env=box.env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, check=False)
    assert p.returncode == 1 and b'cluster "%s"' % other.encode() in p.stderr


def test_every_trusted_authority_is_exported(box):
    first = box.keyset()["primaryId"]
    second = box.create()
    export(box)
    pem = base64.b64decode(entry(read(box.kube), "cluster")["certificate-authority-data"])
    assert pem == b"".join(base64.b64decode(box.keys()[i]["publicMaterial"]) for i in (first, second))
    box.ok("promote", "keypair", CA)
    box.ok("distrust", "keypair", CA, first)
    export(box)
    pem = base64.b64decode(entry(read(box.kube), "cluster")["certificate-authority-data"])
    assert pem == base64.b64decode(box.keys()[second]["publicMaterial"])


# ---- certificates ----

@pytest.mark.parametrize("args,hours", [(["--admin"], 18), (["--admin=90m"], 1.5)])
def test_the_certificate_is_that_of_an_administrator_for_a_while(box, args, hours):
    export(box, *args)
    cert, key = client_pair(box, entry(read(box.kube), "user"))
    ca = box.pem("ca")[0]
    openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", str(ca), str(cert))
    subject = openssl("x509", "-in", str(cert), "-noout", "-subject", "-nameopt", "RFC2253").stdout.decode().strip()
    login = subprocess.run(["id", "-un"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    assert subject == "subject=CN=kubecfg-%s,O=system:masters" % login
    start, end = validity(cert)
    now = datetime.datetime.utcnow()
    assert abs((end - now).total_seconds() - hours * 3600) < 60
    assert abs((now - start).total_seconds() - 48 * 3600) < 60
    modulus = [openssl(kind, "-in", str(p), "-noout", "-modulus").stdout for kind, p in (("x509", cert), ("rsa", key))]
    assert modulus[0] == modulus[1]
    assert openssl("verify", "-purpose", "sslserver", "-CAfile", str(ca), str(cert), check=False).returncode != 0


def fields(pem):
    """`openssl x509 -text` without what differs between any two certificates: key, serial, times, signature."""
    text = openssl("x509", "-noout", "-text", "-certopt", "no_pubkey,no_sigdump", stdin=pem).stdout.decode()
    text = re.sub(r"(Serial Number:).*?(?=\n +Signature Algorithm)", r"\1", text, flags=re.S)
    text = re.sub(r"(Not (Before|After) *: ).*", r"\1", text)
    return re.sub(r"CN = kubecfg-.*", "CN = kubecfg-", text)


def test_the_certificate_has_every_field_of_kops_own(box):
    case = test_keys.SHARED / "corpus/285-export-kubeconfig-admin"
    if not case.exists():
        pytest.skip("no reference material")
    name = "w.example.com"
    shutil.copytree(case / "before" / name, box.store / name)
    config = box.store / name / "config"
    config.write_text(config.read_text().replace("${STORE}", str(box.store)))
    p = subprocess.run([PROGRAM, "export", "kubeconfig", name, "--admin"], env=box.env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, check=False)
    assert p.returncode == 0, p.stderr
    ours = base64.b64decode(entry(read(box.kube), "user", name)["client-certificate-data"])
    theirs = base64.b64decode(entry(read(case / "home-after/.kube/config"), "user", name)["client-certificate-data"])
    assert fields(ours) == fields(theirs) and "X509v3 Authority Key Identifier" in fields(ours)


def test_tls_between_a_server_and_a_client_of_the_store(box):
    """Both sides show certificates of the store's authority and check the other's, with OpenSSL doing the talking."""
    export(box, "--admin")
    client = client_pair(box, entry(read(box.kube), "user"))
    ca, ca_key = box.pem("ca")
    server_key, request, server = box.root / "s.key", box.root / "s.csr", box.root / "s.crt"
    openssl("req", "-new", "-nodes", "-newkey", "rsa:2048", "-keyout", str(server_key), "-out", str(request), "-subj",
            "/CN=kubernetes")
    ext = box.root / "ext"
    ext.write_text("subjectAltName=DNS:api.internal.%s\nextendedKeyUsage=serverAuth\n" % NAME)
    openssl("x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial", "-out",
            str(server), "-extfile", str(ext))
    s = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    s.load_cert_chain(server, server_key)
    s.load_verify_locations(ca)
    s.verify_mode = ssl.CERT_REQUIRED
    c = ssl.create_default_context(cafile=ca)
    c.load_cert_chain(*client)
    names = handshake(s, c, "api.internal." + NAME)
    assert ("organizationName", "system:masters") in names
    stranger = ssl.create_default_context(cafile=ca)
    with pytest.raises(ssl.SSLError):
        handshake(s, stranger, "api.internal." + NAME)


def handshake(server, client, name):
    """The client's subject as the server sees it, over memory."""
    to_s, to_c = ssl.MemoryBIO(), ssl.MemoryBIO()
    a = server.wrap_bio(to_s, to_c, server_side=True)
    b = client.wrap_bio(to_c, to_s, server_hostname=name)
    done = set()
    for _ in range(20):
        for side in (b, a):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                pass
        if len(done) == 2:
            b.write(b"hello")
            assert a.read(5) == b"hello"
            return [pair for rdn in a.getpeercert()["subject"] for pair in rdn]
    raise AssertionError("no handshake")


# ---- the plugin ----

def test_the_plugin_prints_a_credential_kubectl_takes(box):
    p = subprocess.run([PROGRAM, "helpers", "kubectl-auth", "--cluster=" + NAME, "--lifetime=10m"], env=box.env,
                       stdout=subprocess.PIPE, check=True)
    got = json.loads(p.stdout)
    assert got["kind"] == "ExecCredential" and got["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    cert = box.root / "c.crt"
    cert.write_text(got["status"]["clientCertificateData"])
    openssl("verify", "-purpose", "sslclient", "-CAfile", str(box.pem("ca")[0]), str(cert))
    openssl("rsa", "-check", "-noout", stdin=got["status"]["clientKeyData"].encode())
    assert got["status"]["expirationTimestamp"] == validity(cert)[1].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert not (box.root / ".kube").exists()  # nothing is cached


@pytest.mark.parametrize("args,text", [
    ([], "ClusterName is required"),
    (["--cluster=" + NAME, "--api-version=v7"], 'api-version "v7" is not supported'),
    (["--cluster=" + NAME, "--api-version="], "api-version must be specified"),
    (["--cluster=nope.example.com"], "not found"),
    (["--cluster=" + NAME, "--lifetime=-1h"], "--lifetime must be at least one second"),
])
def test_the_plugin_says_what_is_wrong_on_standard_error(box, args, text):
    p = subprocess.run([PROGRAM, "helpers", "kubectl-auth", *args], env=box.env, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, check=False)
    assert p.returncode == 1 and p.stdout == b""
    message = [x for x in p.stderr.decode().split("\n") if text in x]
    assert len(message) == 1 and ("\n" + p.stderr.decode()).endswith("\n\n%s\n" % message[0])


# ---- what is refused ----

def test_an_authority_that_cannot_sign_is_refused(box):
    doc = yaml.safe_load(box.path().read_text())
    good = box.path().read_bytes()
    key = doc["spec"]["keys"][0].pop("privateMaterial")
    box.path().write_text(yaml.safe_dump(doc))
    assert "has no private key" in box.refused("export", "kubeconfig", "--admin")
    export(box)  # the authority alone is enough for this
    box.path().write_bytes(good)
    other = Box(box.root / "other")
    other.create("--primary")
    doc["spec"]["keys"][0]["privateMaterial"] = other.keyset()["keys"][0]["privateMaterial"]
    assert doc["spec"]["keys"][0]["privateMaterial"] != key
    box.path().write_text(yaml.safe_dump(doc))
    assert "do not belong together" in box.refused("export", "kubeconfig", "--admin")


def test_without_an_authority_there_is_no_kubeconfig(box):
    shutil.rmtree(box.path().parent)
    assert box.refused("export", "kubeconfig") == "Error: cannot find CA certificate"
    assert not box.kube.exists()


def test_contradicting_options_are_refused(box):
    assert box.refused("export", "kubeconfig", "--admin", "--user", "x") == \
        "Error: cannot use both --admin and --user"
    assert box.refused("export", "kubeconfig", NAME, "--all") == \
        "Error: cannot use both --all flag and positional arguments"
    assert "at least one second" in box.refused("export", "kubeconfig", "--admin=-3h")
