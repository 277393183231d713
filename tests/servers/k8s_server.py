"""A real Kubernetes API for tests: etcd and kube-apiserver with TLS, RBAC, client certificates and
tokens, on loopback and free ports. No kubelet and no controllers: nothing but the API.

    with Kubernetes() as k: run([...], env=k.env())"""
import base64
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import servers

ADMIN_TOKEN = "admin-token-0123456789"
PLAIN_TOKEN = "plain-token-0123456789"
NAMESPACE = "kops-state"


def name_of(path):
    return "ckf-" + hashlib.sha256(path.encode()).hexdigest()[:40]


def hand_made(path, data):
    """The Secret of a file as docs/stores.md describes it, made without ckops."""
    def h(text):
        return hashlib.sha256(text.encode()).hexdigest()[:16]
    steps = path.split("/")
    labels = {"ckops.dev/dir": h("/".join(steps[:-1])), "ckops.dev/file": steps[-1]}
    labels.update({f"ckops.dev/in-{i}": h("/".join(steps[:i])) for i in range(1, len(steps))})
    return {"apiVersion": "v1", "kind": "Secret", "type": "ckops.dev/file",
            "metadata": {"name": name_of(path), "labels": labels, "annotations": {"ckops.dev/path": path}},
            "data": {"content": base64.b64encode(data).decode()}}


def find(name):
    """A program in the cache, else in PATH."""
    cached = servers.CACHE / "bin" / name
    if os.access(cached, os.X_OK):
        return str(cached)
    found = shutil.which(name)
    if not found:
        raise servers.Missing(f"{name} is not built or installed (tests/servers/build.sh k8s)")
    return found


class Etcd(servers.Server):
    stop_signal = signal.SIGKILL  # it takes seconds to say goodbye, and nothing of it is kept

    def __init__(self):
        super().__init__()
        self.peer = servers.free_port()

    def command(self):
        return [find("etcd"), "--name", "t", "--data-dir", str(self.dir / "data"), "--unsafe-no-fsync",
                "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                "--listen-peer-urls", f"http://127.0.0.1:{self.peer}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{self.peer}",
                "--initial-cluster", f"t=http://127.0.0.1:{self.peer}"]

    def ready(self):
        return self.get_ok("/health")


class Kubernetes(servers.Server):
    tls = True
    stop_signal = signal.SIGKILL  # as for etcd

    def __init__(self, **options):
        super().__init__(**options)
        self.pki = pathlib.Path(tempfile.mkdtemp(prefix="ckops-k8s-"))
        self.etcd = None
        self.namespaces = itertools.count(1)

    # ---- certificates

    def openssl(self, *args):
        try:
            subprocess.run(["openssl", *args], cwd=self.pki, check=True, capture_output=True)
        except FileNotFoundError:
            raise servers.Missing("openssl is not installed")

    def ca(self, name):
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN=test {name}",
                     "-addext", "keyUsage=critical,keyCertSign")

    def cert(self, name, user, group, san="", ca="ca"):
        (self.pki / f"{name}.ext").write_text(
            "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
            + (f"subjectAltName={san}\n" if san else ""))
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr", "-subj", f"/O={group}/CN={user}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial",
                     "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    # ---- the server

    def command(self):
        p = self.pki
        return [find("kube-apiserver"), f"--etcd-servers={self.etcd.url}", f"--secure-port={self.port}",
                "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
                f"--tls-cert-file={p}/server.crt", f"--tls-private-key-file={p}/server.key",
                f"--client-ca-file={p}/ca.crt", f"--token-auth-file={p}/tokens.csv",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={p}/sa.pub", f"--service-account-signing-key-file={p}/sa.key",
                "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
                "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none",
                f"--cert-dir={self.dir}"]

    def ready(self):
        return self.get_ok("/readyz") and self.api("GET", "/readyz")[0] == 200

    def start(self):
        find("kube-apiserver"), find("etcd")
        self.ca("ca")
        self.cert("server", "kube-apiserver", "k8s", "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.test")
        self.cert("admin", "admin", "system:masters")
        self.openssl("genrsa", "-out", "sa.key", "2048")
        self.openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
        (self.pki / "tokens.csv").write_text(f"{ADMIN_TOKEN},admin,1,system:masters\n{PLAIN_TOKEN},plain,2,\n")
        try:
            self.etcd = Etcd().start()
            super().start()
            self.kubeconfig("admin", {"client-certificate": f"{self.pki}/admin.crt", "client-key": f"{self.pki}/admin.key"})
            self.kubeconfig("token", {"token": ADMIN_TOKEN})
            self.namespace(NAMESPACE)
        except BaseException:
            self.stop()
            raise
        return self

    __enter__ = start

    def stop(self):
        super().stop()
        if self.etcd:
            self.etcd.stop()
            self.etcd = None
        shutil.rmtree(self.pki, ignore_errors=True)

    # ---- what a client needs

    def config(self, user, cluster=None, namespace=None):
        """A kubeconfig as a document (JSON is YAML)."""
        c = {"server": self.url, "certificate-authority": f"{self.pki}/ca.crt"}
        for k, v in (cluster or {}).items():
            c.pop(k, None) if v is None else c.update({k: v})
        context = {"cluster": "c", "user": "u", **({"namespace": namespace} if namespace else {})}
        return {"apiVersion": "v1", "kind": "Config", "current-context": "c",
                "clusters": [{"name": "c", "cluster": c}], "contexts": [{"name": "c", "context": context}],
                "users": [{"name": "u", "user": user}]}

    def kubeconfig(self, name, user, cluster=None, namespace=None):
        path = self.pki / f"{name}.kubeconfig"
        path.write_text(json.dumps(self.config(user, cluster, namespace)))
        return str(path)

    def env(self, name="admin"):
        """A kubeconfig of this name; with a URL, one that leads there."""
        if "://" in name:
            self.kubeconfig("elsewhere", {"token": ADMIN_TOKEN}, {"server": name.replace("http://", "https://")})
            name = "elsewhere"
        return {"KUBECONFIG": f"{self.pki}/{name}.kubeconfig"}

    # ---- as a row of bench/stores.py has it: a namespace is a container

    def make(self, namespace):
        self.namespace(namespace)

    def store(self, namespace):
        return f"k8s:///{namespace}"

    def put(self, namespace, path, data):
        status, doc = self.api("POST", f"/api/v1/namespaces/{namespace}/secrets", hand_made(path, data))
        assert status == 201, doc

    def put_many(self, namespace, files):
        """(path, data) of many files, over kept connections."""
        def some(part):
            context = ssl._create_unverified_context()
            c = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=60)
            for path, data in part:
                c.request("POST", f"/api/v1/namespaces/{namespace}/secrets", json.dumps(hand_made(path, data)),
                          {"Authorization": f"Bearer {ADMIN_TOKEN}", "Content-Type": "application/json"})
                reply = c.getresponse()
                assert reply.status == 201, reply.read()
                reply.read()
            c.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(some, (files[i::8] for i in range(8))))

    def api(self, method, path, body=None, token=ADMIN_TOKEN, kind="application/json"):
        """(status, document) as the admin, independent of the program under test."""
        req = urllib.request.Request(self.url + path, method=method,
                                     data=json.dumps(body).encode() if body is not None else None,
                                     headers={"Authorization": f"Bearer {token}", "Content-Type": kind})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=ssl._create_unverified_context()))
        try:
            with opener.open(req, timeout=10) as r:
                status, text = r.status, r.read()
        except urllib.error.HTTPError as e:
            status, text = e.code, e.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def namespace(self, name=None):
        """Make a namespace; a fresh one without a name."""
        if not name:
            name = f"ns{next(self.namespaces)}"
        status, text = self.api("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        assert status in (201, 409), text
        return name

    def forget_history(self):
        """Compact etcd: what continues a list of an earlier state is answered 410."""
        def etcd(path, body):
            req = urllib.request.Request(self.etcd.url + path, method="POST", data=json.dumps(body).encode())
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(req, timeout=10) as r:
                return json.loads(r.read())

        revision = etcd("/v3/maintenance/status", {})["header"]["revision"]
        etcd("/v3/kv/compaction", {"revision": revision, "physical": True})

    def secrets(self, namespace, selector=""):
        status, doc = self.api("GET", f"/api/v1/namespaces/{namespace}/secrets?labelSelector={selector}")
        assert status == 200, doc
        return doc["items"]

    def paths(self, namespace):
        return sorted(s["metadata"]["annotations"]["ckops.dev/path"] for s in self.secrets(namespace, "ckops.dev/dir"))

    def read(self, namespace, path):
        for s in self.secrets(namespace, "ckops.dev/dir"):
            if s["metadata"]["annotations"]["ckops.dev/path"] == path:
                return base64.b64decode(s["data"].get("content", "")).decode()
        return None
