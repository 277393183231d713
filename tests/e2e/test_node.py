"""node pull: what a machine of each role gets from a store, that it gets it all at once, and that it gets no more than
it may have. CKOPS_BIN names the program."""

import base64
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import ssl
import stat
import subprocess
import threading
import time

import pytest

import test_kubeconfig
import test_s3
from test_keys import NAME, PROGRAM, SHARED, Box, openssl
from test_s3 import gateway, servers  # noqa: F401

yaml = pytest.importorskip("yaml")
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

SMALL = {"KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}
ETCD = ["main", "events"]
KEYSETS = ["kubernetes-ca", "apiserver-aggregator-ca", "service-account", "etcd-clients-ca",
           *["etcd-%s-ca-%s" % (kind, e) for e in ETCD for kind in ("manager", "peers")]]
K8S, PKI, API = "srv/kubernetes/", "etc/kubernetes/pki/etcd-manager-", "srv/kubernetes/kube-apiserver/"
ENCRYPTION, DOCKER = b"kind: EncryptionConfig\n", b'{"auths":{}}'
LEAVES = ("server", "kubelet-api", "etcd-client", "apiserver-aggregator")
API_FILES = {"nodeupconfig.yaml", K8S + "ca.crt", "root/.docker/config.json", "var/lib/kubelet/config.json",
             *[API + x for x in ("apiserver-aggregator-ca.crt", "etcd-ca.crt", "service-account.pub",
                                 "service-account.key", "encryptionconfig.yaml")],
             *[API + x + end for x in LEAVES for end in (".crt", ".key")]}
CP_FILES = API_FILES | {K8S + "kube-controller-manager/" + x for x in ("ca.crt", "ca.key", "service-account.key")} | {
    PKI + "%s/etcd-%s-ca.%s" % (e, kind, end) for e in ETCD for kind in ("manager", "peers", "clients")
    for end in ("crt", "key")} | {
    "var/lib/kube-scheduler/config.yaml", "etc/kubernetes/manifests/kube-apiserver-healthcheck.manifest",
    *["etc/kubernetes/manifests/etcd-%s-cp.manifest" % e for e in ETCD]}


class Cluster(Box):
    """A store as `update cluster` leaves it, with one group of each role."""

    def __init__(self, root):
        super().__init__(root)
        self.env.update(SMALL)
        self.out = root / "out"
        for name in KEYSETS:
            self.create("--primary", keyset=name)
        self.ok("create", "secret", "encryptionconfig", "-f", "-", stdin=ENCRYPTION)
        self.ok("create", "secret", "dockerconfig", "-f", "-", stdin=DOCKER)
        for path in [*["etcd/%s-cp.yaml" % e for e in ETCD], "static/kube-apiserver-healthcheck.yaml"]:
            self.write("manifests/" + path, "kind: Pod # %s\n" % path)
        self.update()

    def write(self, path, text):
        """Write below the cluster's folder, as a store does: never half."""
        target = self.store / NAME / path
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(".new")
        new.write_text(text)
        new.rename(target)

    def where(self, path):
        return "%s/%s/%s" % (self.store, NAME, path)

    def certs(self, keyset):
        keys = sorted(self.keyset(keyset)["keys"], key=lambda k: int(k["id"]))
        return "".join(base64.b64decode(k["publicMaterial"]).decode() for k in keys if "distrustTimestamp" not in k)

    def public_keys(self):
        out = ""
        for k in sorted(self.keyset("service-account")["keys"], key=lambda k: int(k["id"])):
            out += openssl("rsa", "-RSAPublicKey_out", stdin=base64.b64decode(k["privateMaterial"])).stdout.decode()
        return out

    def update(self, **changes):
        """Write node configurations for the keysets as they are now."""
        worker = {"ClusterName": NAME, "CAs": {}, "KeypairIDs": {"kubernetes-ca": self.keyset()["primaryId"]},
                  "Networking": {"serviceClusterIPRange": "100.64.0.0/13"}}
        api = dict(worker, CAs={k: self.certs(k) for k in KEYSETS if k != "service-account"},
                   KeypairIDs={k: self.keyset(k)["primaryId"] for k in KEYSETS},
                   APIServerConfig={"API": {"publicName": "api." + NAME}, "ClusterDNSDomain": "cluster.local",
                                    "EncryptionConfigSecretHash": "x", "ServiceAccountPublicKeys": self.public_keys()},
                   configStore={"keypairs": self.where("pki"), "secrets": self.where("secrets")})
        control = dict(api, EtcdClusterNames=ETCD,
                       FileAssets=[{"path": "/var/lib/kube-scheduler/config.yaml", "content": "a: b\n"}],
                       etcdManifests=[self.where("manifests/etcd/%s-cp.yaml" % e) for e in ETCD],
                       staticManifests=[{"key": "kube-apiserver-healthcheck",
                                         "path": "manifests/static/kube-apiserver-healthcheck.yaml"}])
        for role, ig, config in (("node", "nodes", worker), ("apiserver", "api", api), ("control-plane", "cp", control)):
            self.write("igconfig/%s/%s/nodeupconfig.yaml" % (role, ig), yaml.safe_dump(dict(config, **changes)))

    def args(self, role, *args):
        ig = {"control-plane": "cp", "apiserver": "api", "node": "nodes"}.get(role, "nodes")
        return ["node", "pull", "--role", role, "--ig", ig, "--out", self.out, *args]

    def pull(self, role, *args, **kw):
        return self.ok(*self.args(role, *args), **kw)

    def no_pull(self, role, *args, **kw):
        """The error; what was there before is still there."""
        before = self.got() if (self.out / "current").exists() else None
        error = self.refused(*self.args(role, *args), **kw)
        assert (self.got() if (self.out / "current").exists() else None) == before
        return error

    def got(self):
        root = self.out / "current"
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Cluster(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def box(made, tmp_path):
    """A copy: tests change it."""
    b = Cluster.__new__(Cluster)
    b.__dict__.update(made.__dict__)
    b.root, b.store, b.out = tmp_path, tmp_path / "store", tmp_path / "out"
    shutil.copytree(made.store, b.store)
    b.env = {**made.env, "HOME": str(tmp_path), "KOPS_STATE_STORE": "file://%s" % b.store}
    b.update()
    return b


# ---- what each role gets ----

@pytest.mark.parametrize("role,files", [("control-plane", CP_FILES), ("apiserver", API_FILES),
                                        ("node", {"nodeupconfig.yaml", K8S + "ca.crt"})])
def test_a_role_gets_its_files_and_no_others(box, role, files):
    ca = box.root / "ca.pem"
    ca.write_text(box.certs("kubernetes-ca"))
    assert box.pull(role, "--ca", ca) == "Wrote %d files to %s/current\n" % (len(files), box.out)
    got = box.got()
    assert set(got) == files
    for path in box.out.rglob("*"):
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    private = {f for f, data in got.items() if b"PRIVATE KEY" in data}
    assert private == {f for f in files if f.endswith(".key")}
    assert (private == set()) == (role == "node")


def test_files_hold_what_the_store_holds(box):
    box.pull("control-plane")
    got = box.got()
    for path, keyset in [(K8S + "kube-controller-manager/ca", "kubernetes-ca"),
                         (PKI + "main/etcd-peers-ca", "etcd-peers-ca-main"),
                         (PKI + "events/etcd-manager-ca", "etcd-manager-ca-events"),
                         (PKI + "events/etcd-clients-ca", "etcd-clients-ca")]:
        key = box.keyset(keyset)["keys"][0]
        assert got[path + ".crt"] == base64.b64decode(key["publicMaterial"])
        assert got[path + ".key"] == base64.b64decode(key["privateMaterial"])
    assert got[API + "encryptionconfig.yaml"] == ENCRYPTION and got["root/.docker/config.json"] == DOCKER
    assert got[API + "service-account.pub"].decode() == box.public_keys()
    assert got["etc/kubernetes/manifests/etcd-main-cp.manifest"] == b"kind: Pod # etcd/main-cp.yaml\n"
    assert got["var/lib/kube-scheduler/config.yaml"] == b"a: b\n"


def test_the_keys_are_those_the_node_configuration_names(box):
    """A rotation reaches a node with the next update, not before."""
    first = box.keyset()["primaryId"]
    box.create("--primary")
    box.pull("control-plane")
    key = base64.b64decode(box.keys()[first]["privateMaterial"])
    assert box.got()[K8S + "kube-controller-manager/ca.key"] == key
    box.update()
    box.pull("control-plane")
    key = base64.b64decode(box.keys()[box.keyset()["primaryId"]]["privateMaterial"])
    assert box.keyset()["primaryId"] != first and box.got()[K8S + "kube-controller-manager/ca.key"] == key
    assert box.got()[K8S + "ca.crt"].count(b"BEGIN") == 2


def test_openssl_accepts_what_the_machine_signed(box):
    box.pull("control-plane", "--address", "10.1.2.3,host.example.com")
    api = box.out / "current" / API
    for leaf, ca, purpose in (("server", "../ca.crt", "sslserver"), ("kubelet-api", "../ca.crt", "sslclient"),
                              ("etcd-client", "etcd-ca.crt", "sslclient"),
                              ("apiserver-aggregator", "apiserver-aggregator-ca.crt", "sslclient")):
        openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(api / ca), str(api / (leaf + ".crt")))
    text = openssl("x509", "-in", str(api / "server.crt"), "-noout", "-ext", "subjectAltName").stdout.decode()
    names = {x.strip() for x in text.splitlines()[1].split(",")}
    assert names == {"DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc",
                     "DNS:kubernetes.default.svc.cluster.local", "DNS:api." + NAME, "DNS:api.internal." + NAME,
                     "DNS:host.example.com", "IP Address:100.64.0.1", "IP Address:127.0.0.1", "IP Address:10.1.2.3"}


def test_the_api_server_and_an_administrator_trust_each_other(box):
    """Both certificates come from the store; OpenSSL does the talking."""
    box.env.pop("KOPS_RSA_PRIVATE_KEY_SIZE")
    box.create("--primary")
    box.update()
    box.pull("control-plane")
    box.ok("export", "kubeconfig", "--admin")
    user = test_kubeconfig.entry(test_kubeconfig.read(box.root / ".kube/config"), "user")
    api = box.out / "current" / API
    s = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    s.load_cert_chain(api / "server.crt", api / "server.key")
    s.load_verify_locations(api / "../ca.crt")
    s.verify_mode = ssl.CERT_REQUIRED
    s.set_ciphers("DEFAULT:@SECLEVEL=1")  # the first authority of the tests has 1024 bits
    c = ssl.create_default_context(cafile=api / "../ca.crt")
    c.set_ciphers("DEFAULT:@SECLEVEL=1")
    c.load_cert_chain(*test_kubeconfig.client_pair(box, user))
    for name in ("api.internal." + NAME, "kubernetes", "127.0.0.1"):
        assert ("organizationName", "system:masters") in test_kubeconfig.handshake(s, c, name)


def test_a_worker_without_its_authority_is_told(box):
    p = box.run(*box.args("node"))
    assert p.returncode == 0 and b"give it with --ca" in p.stderr
    assert set(box.got()) == {"nodeupconfig.yaml"}


# ---- all at once ----

def test_a_pull_without_news_changes_nothing(box):
    box.pull("control-plane")
    link, before = os.readlink(box.out / "current"), box.got()
    assert box.pull("control-plane") == "%d files in %s/current are up to date\n" % (len(before), box.out)
    assert os.readlink(box.out / "current") == link and box.got() == before


def test_what_someone_changed_is_put_right(box):
    box.pull("control-plane")
    key = box.out / "current" / K8S / "kube-controller-manager/ca.key"
    for spoil in (lambda: key.write_bytes(b"x"), lambda: key.chmod(0o644), key.unlink,
                  lambda: key.with_name("extra").write_bytes(b"")):
        good = box.got()
        spoil()
        assert "Wrote" in box.pull("control-plane")
        assert box.got() == good


def test_certificates_are_renewed_when_they_do_not_fit_any_more(box):
    box.pull("control-plane")
    first = box.got()
    box.pull("control-plane", "--address", "10.9.9.9")
    second = box.got()
    assert second[API + "server.crt"] != first[API + "server.crt"]
    assert second[API + "etcd-client.crt"] == first[API + "etcd-client.crt"]
    box.create("--primary", keyset="etcd-clients-ca")
    box.update()
    box.pull("control-plane", "--address", "10.9.9.9")
    assert box.got()[API + "server.crt"] == second[API + "server.crt"]
    assert box.got()[API + "etcd-client.crt"] != first[API + "etcd-client.crt"]


def test_old_sets_do_not_stay(box):
    for i in range(4):
        box.write("manifests/static/kube-apiserver-healthcheck.yaml", "kind: Pod # %d\n" % i)
        box.pull("control-plane")
    assert len(list(box.out.glob("set-*"))) == 2  # someone may be reading the one before
    box.pull("control-plane")
    assert len(list(box.out.glob("set-*"))) == 1


def whole(box):
    """One set, seen through the link once, is of one update."""
    root = box.out / os.readlink(box.out / "current")
    try:
        config = yaml.safe_load((root / "nodeupconfig.yaml").read_text())
        ca = (root / K8S / "ca.crt").read_text()
        key = (root / K8S / "kube-controller-manager/ca.key").read_bytes()
    except FileNotFoundError:
        return None  # the set was replaced twice meanwhile
    assert config["CAs"]["kubernetes-ca"] == ca
    assert key == base64.b64decode(box.keys()[config["KeypairIDs"]["kubernetes-ca"]]["privateMaterial"])
    return config["KeypairIDs"]["kubernetes-ca"]


def test_a_reader_never_sees_half_an_update(box):
    box.pull("control-plane")
    seen, stop, failed = set(), threading.Event(), []

    def look():
        while not stop.is_set():
            try:
                seen.add(whole(box))
            except (AssertionError, OSError) as e:
                failed.append(e)
    t = threading.Thread(target=look)
    t.start()
    for _ in range(6):
        box.create("--primary")
        box.update()
        box.pull("control-plane")
    stop.set()
    t.join()
    assert not failed and len(seen - {None}) > 2


def test_a_killed_pull_leaves_the_set_before(box):
    box.pull("control-plane")
    for i in range(25):
        box.write("manifests/static/kube-apiserver-healthcheck.yaml", "kind: Pod # %d\n" % i)
        p = subprocess.Popen([PROGRAM, *map(str, box.args("control-plane")), "--name", NAME], env=box.env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.002 * i)
        p.kill()
        p.wait()
        assert whole(box) and set(box.got()) == CP_FILES
    box.pull("control-plane")
    box.pull("control-plane")
    assert len(list(box.out.glob("set-*"))) == 1


# ---- watching ----

class Watch:
    def __init__(self, box, *args, **kw):
        self.p = subprocess.Popen([PROGRAM, *map(str, box.args("control-plane", "--watch", "--interval", "1s", *args)),
                                   "--name", NAME], env=box.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        os.set_blocking(self.p.stderr.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.p.kill()
        self.p.wait()


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_watching_follows_the_store_and_survives_its_absence(box):
    manifest = "etc/kubernetes/manifests/kube-apiserver-healthcheck.manifest"

    def holds(text):
        return lambda: (box.out / "current").exists() and box.got().get(manifest) == text
    with Watch(box) as w:
        until(holds(b"kind: Pod # static/kube-apiserver-healthcheck.yaml\n"))
        box.write("manifests/static/kube-apiserver-healthcheck.yaml", "kind: Pod # new\n")
        until(holds(b"kind: Pod # new\n"))
        good = box.got()
        moved = box.root / "away"
        (box.store / NAME / "igconfig").rename(moved)
        text = b""

        def complained():
            nonlocal text
            text += w.p.stderr.read() or b""
            return b"there is no " in text
        until(complained)
        assert box.got() == good and w.p.poll() is None
        moved.rename(box.store / NAME / "igconfig")
        box.write("manifests/static/kube-apiserver-healthcheck.yaml", "kind: Pod # newer\n")
        until(holds(b"kind: Pod # newer\n"))
        w.p.send_signal(signal.SIGTERM)
        assert w.p.wait(5) != 0


# ---- what is refused ----

def test_configurations_that_do_not_fit_are_refused(box):
    box.pull("control-plane")
    assert "either the group has another name or role" in box.no_pull("node", "--ig", "nope")
    assert 'there is no role "boss"' in box.no_pull("boss")
    good = (box.store / NAME / "igconfig/control-plane/cp/nodeupconfig.yaml").read_bytes()
    digest = base64.b64encode(hashlib.sha256(good).digest()).decode()
    box.pull("control-plane", "--config-hash", digest)
    box.update(ClusterName=NAME, x=1)
    assert "is not the one expected" in box.no_pull("control-plane", "--config-hash", digest)
    box.update(ClusterName="other.example.com")
    assert 'belongs to the cluster "other.example.com"' in box.no_pull("control-plane")
    box.update(CAs={})
    assert "has no certificate of" in box.no_pull("control-plane")


def test_a_key_the_store_has_not_got_is_named(box):
    ids = {k: box.keyset(k)["primaryId"] for k in KEYSETS}
    box.update(KeypairIDs={**ids, "etcd-peers-ca-main": "17"})
    assert 'wants key 17 of keyset "etcd-peers-ca-main"' in box.no_pull("control-plane")
    box.update(KeypairIDs={k: v for k, v in ids.items() if k != "service-account"})
    assert 'names no key of keyset "service-account"' in box.no_pull("control-plane")


@pytest.mark.parametrize("path", ["/../../etc/passwd", "a/../../b", "//x//y", "/a\nb", "/dir/"])
def test_a_file_outside_the_folder_is_refused(box, path):
    box.update(FileAssets=[{"path": path, "content": "x"}])
    assert "is no path of a file below the folder" in box.no_pull("control-plane")


def test_two_sources_of_one_file_are_refused(box):
    box.update(FileAssets=[{"path": "/srv/kubernetes/ca.crt", "content": "x"}])
    assert "would be written twice" in box.no_pull("control-plane")


@pytest.mark.parametrize("field,value", [("configStore", {"keypairs": "s3://elsewhere/pki", "secrets": ""}),
                                         ("configStore", {"keypairs": "", "secrets": "/etc"}),
                                         ("etcdManifests", ["/etc/passwd"])])
def test_locations_outside_the_clusters_store_are_refused(box, field, value):
    box.update(**{field: value})
    assert "points out of the cluster's store" in box.no_pull("control-plane")


def test_a_folder_others_may_write_to_is_refused(box):
    box.out.mkdir()
    box.out.chmod(0o777)
    assert "can be written by other users" in box.no_pull("control-plane")


def test_one_pull_at_a_time(box):
    box.pull("control-plane")
    with open(box.out / ".lock", "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        assert "another process is writing" in box.no_pull("control-plane")
    box.pull("control-plane")


def test_a_key_that_does_not_fit_its_certificate_is_refused(box):
    doc = yaml.safe_load(box.path("etcd-peers-ca-main").read_text())
    doc["spec"]["keys"][0]["privateMaterial"] = box.keyset("etcd-peers-ca-events")["keys"][0]["privateMaterial"]
    box.path("etcd-peers-ca-main").write_text(yaml.safe_dump(doc))
    error = box.no_pull("control-plane")
    assert 'keyset "etcd-peers-ca-main"' in error and "do not belong together" in error


# ---- on S3, under a policy for workers ----

WORKER, WORKER_SECRET = "AKIDWORKER", "workersecret123"


def policy(bucket):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": [WORKER]}, "Action": ["s3:GetObject"],
         "Resource": ["arn:aws:s3:::%s/state/%s/igconfig/node/*" % (bucket, NAME)]}]}


@pytest.fixture
def shared(box, gateway, tmp_path):
    """The store in a bucket, and a user who may read workers' configurations alone."""
    s = test_s3.Store(gateway, tmp_path)
    root = "s3://%s/state/%s" % (s.bucket, NAME)
    for path, data in box.files().items():
        data = data.replace(("%s/%s" % (box.store, NAME)).encode(), root.encode())
        assert servers.s3request(gateway.url, "PUT", "/%s/state/%s" % (s.bucket, path), data)[0] == 200
    admin = [servers.program("bin", "versitygw"), "admin", "--access", servers.ACCESS, "--secret", servers.SECRET,
             "--endpoint-url", gateway.url]
    subprocess.run([*admin, "create-user", "--access", WORKER, "--secret", WORKER_SECRET, "--role", "user"], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status, _, body = servers.s3request(gateway.url, "PUT", "/" + s.bucket, json.dumps(policy(s.bucket)).encode(),
                                        query=[("policy", "")])
    assert status in (200, 204), body
    s.worker = {"S3_ACCESS_KEY_ID": WORKER, "S3_SECRET_ACCESS_KEY": WORKER_SECRET}
    s.out = box.out
    return s


def s3_pull(s, role, ig, **env):
    return s.run("node", "pull", NAME, "--role", role, "--ig", ig, "--out", s.out, **env)


def test_a_worker_gets_its_files_and_is_refused_the_control_planes(box, shared):
    p = s3_pull(shared, "node", "nodes", **shared.worker)
    assert p.returncode == 0, p.stderr
    assert set(box.got()) == {"nodeupconfig.yaml"}
    # asking for another role does not help
    before = box.got()
    p = s3_pull(shared, "control-plane", "cp", **shared.worker)
    assert p.returncode == 1 and box.got() == before
    assert "a node of role control-plane needs its node configuration, which the identity of this machine may not " \
           "read" in p.stderr
    # nor does a configuration that found its way to it
    for key in ("pki/private/kubernetes-ca/keyset.yaml", "secrets/dockerconfig", "config"):
        assert servers.s3request(shared.server.url, "GET", "/%s/state/%s/%s" % (shared.bucket, NAME, key),
                                 access=WORKER, secret=WORKER_SECRET)[0] == 403
    # the control plane's own identity reads all of it
    p = s3_pull(shared, "control-plane", "cp", **SMALL)
    assert p.returncode == 0, p.stderr
    assert set(box.got()) == CP_FILES


def test_a_worker_that_has_the_control_planes_configuration_is_refused_its_keys(box, shared):
    wide = policy(shared.bucket)
    wide["Statement"][0]["Resource"] = ["arn:aws:s3:::%s/state/%s/%s/*" % (shared.bucket, NAME, x)
                                        for x in ("igconfig", "manifests")]
    status, _, body = servers.s3request(shared.server.url, "PUT", "/" + shared.bucket, json.dumps(wide).encode(),
                                        query=[("policy", "")])
    assert status in (200, 204), body
    p = s3_pull(shared, "control-plane", "cp", **shared.worker)
    assert p.returncode == 1 and not box.out.exists()
    assert "a node of role control-plane needs the keys of the control plane, which the identity of this machine may " \
           "not read: error reading keyset " in p.stderr
    assert s3_pull(shared, "node", "nodes", **shared.worker).returncode == 0


# ---- node configurations that kops wrote ----

CASES = sorted(p.parent for p in (SHARED / "goldens/update_cluster").glob("*/data"))


def lay_out(case, root):
    """The store a golden case would have: its node configurations, the reference's keysets, and something at each
    location they name. Gives the store, and (role, group, configuration) of each."""
    found = []
    files = sorted((case / "data").glob("aws_s3_object_nodeupconfig-*_content"))
    stores = {x.read_text().split("keypairs: memfs://")[1].split("/")[0] for x in files if "keypairs: " in x.read_text()}
    assert len(stores) == 1
    state = stores.pop()
    for file in files:
        config = yaml.safe_load(file.read_text())
        role = "control-plane" if "ControlPlaneConfig" in config else "apiserver" if "APIServerConfig" in config else \
            "bastion" if not config.get("KeypairIDs") else "node"
        group = file.name[len("aws_s3_object_nodeupconfig-"):-len("_content")]
        base = root / state / config["ClusterName"]
        target = base / "igconfig" / role / group / "nodeupconfig.yaml"
        target.parent.mkdir(parents=True)
        target.write_bytes(file.read_bytes())
        places = [x.split("://")[1] for x in config.get("etcdManifests") or []]
        places += ["%s/%s/%s" % (state, config["ClusterName"], x["path"]) for x in config.get("staticManifests") or []]
        for place in places:
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text("kind: Pod\n")
        for keyset in (SHARED / "goldens/fixtures/keysets/private").glob("*.yaml"):
            at = base / "pki/private" / keyset.stem / "keyset.yaml"
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(keyset.read_bytes())
        (base / "secrets").mkdir(exist_ok=True)
        (base / "secrets/encryptionconfig").write_text('{"Data":"YQ=="}')
        found.append((role, group, config))
    return "memfs://" + state, found


@pytest.mark.skipif(not CASES, reason="no reference material")
@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_node_configurations_of_kops_own_are_understood(case, tmp_path):
    state, found = lay_out(case, tmp_path)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CKOPS_MEMFS_ROOT": str(tmp_path),
           "KOPS_STATE_STORE": state, **SMALL}
    for role, group, config in found:
        out = tmp_path / ("out-" + group)
        p = subprocess.run([PROGRAM, "node", "pull", config["ClusterName"], "--role", role, "--ig", group, "--out", out],
                           env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert p.returncode == 0, (group, p.stderr)
        root = out / "current"
        got = {str(x.relative_to(root)): x.read_text() for x in root.rglob("*") if x.is_file()}
        private = {x for x, text in got.items() if "PRIVATE KEY" in text}
        assert (private != set()) == (role in ("control-plane", "apiserver"))
        for name, pem in config.get("CAs", {}).items():
            assert pem in got.values(), name
        for f in config.get("FileAssets") or []:
            assert got[f["path"].lstrip("/")] == f["content"] or f.get("isBase64")
        assert len([x for x in got if x.startswith("etc/kubernetes/manifests/")]) == \
            len(config.get("etcdManifests") or []) + len(config.get("staticManifests") or [])
