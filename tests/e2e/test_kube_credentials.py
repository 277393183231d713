"""Where the credentials of k8s:// come from: each form of a kubeconfig alone, failing, and before the
ones that come after it; the service account of a pod; renewal in the middle of a run. A fake API notes
what reaches it; what only TLS can tell is asked of a real API server."""

import base64
import datetime
import http.server
import json
import os
import pathlib
import re
import socket
import socketserver
import stat
import subprocess
import sys
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import k8s_server  # noqa: E402
import servers  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
BUILD = pathlib.Path(os.environ.get("CKOPS_BUILD") or ROOT / "build")
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

SECRET = "s3cr3t-of-tests"
# Seconds for a message; a sanitized program, or a machine with other work, tells nothing about it.
LIMIT = 2.0 if os.getloadavg()[0] < 2 * os.cpu_count() and not os.environ.get("CKOPS_SANITIZED") else 20.0


def stamp(seconds):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


class Fake(http.server.ThreadingHTTPServer):
    """Answers every listing with an empty one, or 401 to credentials that are not accepted."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.seen, self.accepted = [], None
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]


class FakeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        s = self.server
        who = self.headers.get("authorization")
        s.seen.append((self.path, who, self.headers))
        ok = s.accepted is None or who in s.accepted
        doc = {"kind": "SecretList", "metadata": {}, "items": []} if ok else \
              {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized", "code": 401}
        body = json.dumps(doc).encode()
        self.send_response(200 if ok else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class World:
    def __init__(self, home):
        self.home, self.fake = home, Fake()
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.cluster = {"server": self.fake.url}

    def file(self, name, text, mode=0o600):
        p = self.home / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)
        p.chmod(mode)
        return str(p)

    def config(self, user, cluster=None, name=".kube/config", context="c", **more):
        doc = {"apiVersion": "v1", "kind": "Config", "current-context": context,
               "clusters": [{"name": "c", "cluster": cluster or self.cluster}],
               "contexts": [{"name": context, "context": {"cluster": "c", "user": "u", **more}}],
               "users": [{"name": "u", "user": user}]}
        return self.file(name, json.dumps(doc))

    def plugin(self, name, *answers, head=""):
        """A plug-in that gives its answers in turn, the last one for ever; counts its runs."""
        runs = self.home / f"{name}.runs"
        cases = "".join(f"{i + 1}) cat {self.file(f'{name}.{i}', a)} ;;\n" for i, a in enumerate(answers))
        last = self.home / f"{name}.{len(answers) - 1}"
        return self.file(name, f"#!/bin/sh\n{head}\necho x >>{runs}\ncase $(wc -l <{runs}) in\n{cases}*) cat {last} ;;\nesac\n", 0o700)

    def runs(self, name):
        p = self.home / f"{name}.runs"
        return len(p.read_text().splitlines()) if p.exists() else 0

    def run(self, *args, state="k8s://", limit=LIMIT):
        began = time.monotonic()
        p = subprocess.run([PROGRAM, "get", "clusters", "--state", state, *args], env=self.env, text=True,
                           capture_output=True, timeout=60, cwd=self.home)
        took = time.monotonic() - began
        assert SECRET not in p.stdout + p.stderr
        assert base64.b64encode(SECRET.encode()).decode()[:16] not in p.stdout + p.stderr
        assert k8s_server.ADMIN_TOKEN not in p.stdout + p.stderr
        assert took < limit, took
        return p

    def reaches(self, who, **kw):
        """The listing succeeds, and this is what reached the API."""
        p = self.run("-v", "10", **kw)
        assert "no clusters found" in p.stderr, p.stderr
        assert self.fake.seen[-1][1] == who
        return self.fake.seen[-1]

    def fails(self, *texts, requests=0, **kw):
        """One clear message, in time, without a secret."""
        p = self.run("-v", "10", **kw)
        assert p.returncode == 1, p.stderr
        message = re.findall(r"^Error: .*", p.stderr, re.M | re.S)
        assert len(message) == 1 and p.stderr.count("Error: ") == 1, p.stderr
        for t in texts:
            assert t in message[0], p.stderr
        assert len(self.fake.seen) == requests, self.fake.seen
        return message[0]


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    yield w
    w.fake.shutdown()
    w.fake.server_close()


def answer(version="v1", **status):
    return json.dumps({"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential", "status": status})


def exec_user(command, version="v1", **more):
    return {"exec": {"apiVersion": f"client.authentication.k8s.io/{version}", "command": command, **more}}


# ---- each form alone

def test_a_token(world):
    world.config({"token": SECRET})
    path, _, headers = world.reaches(f"Bearer {SECRET}")
    assert path.startswith("/api/v1/namespaces/kops-state/secrets?")


def test_a_token_file_relative_to_the_kubeconfig(world):
    world.file("conf/tok", f"{SECRET}\n")
    world.env["KUBECONFIG"] = world.config({"tokenFile": "tok"}, name="conf/k.yaml")
    world.reaches(f"Bearer {SECRET}")


def test_a_password(world):
    world.config({"username": "me", "password": SECRET})
    world.reaches("Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode())


def test_no_credentials_at_all(world):
    world.config({})
    world.reaches(None)


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_an_exec_plugin(world, version):
    p = world.plugin("plug", answer(version, token=SECRET))
    world.config(exec_user(p, version))
    world.reaches(f"Bearer {SECRET}")
    assert world.runs("plug") == 1


def test_an_exec_plugin_by_path_with_arguments_and_variables(world):
    world.plugin("bin/plug", answer(token=SECRET), head=f'[ "$1 $2 $MINE" = "a b yes" ] || exit 9\nread x && exit 8')
    world.env["PATH"] = f"{world.home}/bin:" + world.env["PATH"]
    world.config(exec_user("plug", args=["a", "b"], env=[{"name": "MINE", "value": "yes"}]))
    world.reaches(f"Bearer {SECRET}")


def test_an_exec_plugin_beside_the_kubeconfig_learns_of_the_cluster(world):
    world.plugin("conf/plug", answer(token=SECRET), head=f'printf %s "$KUBERNETES_EXEC_INFO" >{world.home}/info')
    cluster = dict(world.cluster, **{"tls-server-name": "n.example.com", "extensions": [
        {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}]})
    world.env["KUBECONFIG"] = world.config(exec_user("./plug", provideClusterInfo=True), cluster, name="conf/k")
    world.reaches(f"Bearer {SECRET}")
    info = json.loads((world.home / "info").read_text())
    assert info == {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                    "spec": {"interactive": False, "cluster": {"server": world.fake.url, "tls-server-name": "n.example.com",
                                                               "config": {"audience": "x"}}}}


def test_impersonation(world):
    world.config({"token": SECRET, "as": "other", "as-uid": "u1", "as-groups": ["g1", "g2"], "as-user-extra": {"a/b": ["x"]}})
    headers = world.reaches(f"Bearer {SECRET}")[2]
    assert headers["Impersonate-User"] == "other" and headers["Impersonate-Uid"] == "u1"
    assert headers.get_all("Impersonate-Group") == ["g1", "g2"] and headers["Impersonate-Extra-a%2Fb"] == "x"


def test_the_service_account_of_a_pod(world, real):
    d = world.home / "sa"
    world.file("sa/token", k8s_server.ADMIN_TOKEN)
    world.file("sa/ca.crt", (real.pki / "ca.crt").read_text())
    world.file("sa/namespace", real.namespace())
    world.env.update(KUBERNETES_SERVICE_HOST="127.0.0.1", KUBERNETES_SERVICE_PORT=str(real.port), CKOPS_SERVICE_ACCOUNT_DIR=str(d))
    assert "no clusters found" in world.run().stderr
    world.env["CKOPS_SERVICE_ACCOUNT_DIR"] = str(world.home / "none")
    world.fails("the pod's service account has no usable")


# ---- which configuration

def test_kubeconfig_files_are_merged_and_the_first_wins(world):
    a = world.config({"token": SECRET}, name="a", context="one")
    b = world.config({"token": "of-b"}, name="b", context="two")
    world.env["KUBECONFIG"] = f"{world.home}/missing:{a}:{b}:{a}"
    world.reaches(f"Bearer {SECRET}")
    world.reaches(f"Bearer {SECRET}", state="k8s://two")  # context of b, user "u" of a
    world.fails('there is no context "three"', "there are: one, two", state="k8s://three", requests=2)


def test_a_slash_in_the_name_of_a_context(world):
    world.config({"token": SECRET}, context="arn:aws:eks:r:1:cluster/main")
    world.reaches(f"Bearer {SECRET}", state="k8s://arn:aws:eks:r:1:cluster%2Fmain")
    world.fails('there is no context "arn:aws:eks:r:1:cluster"', "is written %2F", state="k8s://arn:aws:eks:r:1:cluster/main", requests=1)


def test_kubeconfig_comes_before_home(world):
    world.config({"token": "of-home"})
    world.env["KUBECONFIG"] = world.config({"token": SECRET}, name="a")
    world.reaches(f"Bearer {SECRET}")


def test_a_kubeconfig_comes_before_the_service_account(world):
    world.config({"token": SECRET})
    world.env.update(KUBERNETES_SERVICE_HOST="127.0.0.1", KUBERNETES_SERVICE_PORT="1")
    world.reaches(f"Bearer {SECRET}")


@pytest.mark.slow
def test_a_kubeconfig_of_thousands_of_clusters(world):
    pem = base64.b64encode(b"x" * 1600).decode()
    many = [f"kubeconfig-{i}" for i in range(3000)]
    text = "".join(["clusters:\n- {name: c, cluster: {server: '%s'}}\n" % world.fake.url,
                    *(f"- name: {n}\n  cluster:\n    server: https://{n}\n    certificate-authority-data: {pem}\n" for n in many),
                    "contexts:\n",
                    *(f"- name: {n}\n  context:\n    cluster: {n}\n    user: {n}\n" for n in many),
                    "- {name: c, context: {cluster: c, user: u}}\ncurrent-context: c\nusers:\n",
                    *(f"- name: {n}\n  user:\n    client-certificate-data: {pem}\n    client-key-data: {pem}\n" for n in many),
                    f"- {{name: u, user: {{token: {SECRET}}}}}\n"])
    assert len(text) > 16 << 20
    world.file(".kube/config", text)
    world.fails('there is no context "x"', "and 2993 more", state="k8s://x")
    world.reaches(f"Bearer {SECRET}")


def test_a_context_name_with_slashes_is_percent_encoded(world):
    world.config({"token": SECRET}, context="arn:aws:eks:eu-west-1:1:cluster/main", namespace="theirs")
    path = world.reaches(f"Bearer {SECRET}", state="k8s://arn:aws:eks:eu-west-1:1:cluster%2Fmain")[0]
    assert "/namespaces/theirs/" in path
    path = world.reaches(f"Bearer {SECRET}", state="k8s://arn:aws:eks:eu-west-1:1:cluster%2Fmain/mine/p")[0]
    assert "/namespaces/mine/" in path


def test_a_path_in_the_server_url(world):
    world.config({"token": SECRET}, {"server": world.fake.url + "/k8s/clusters/c-1/"})
    assert world.reaches(f"Bearer {SECRET}")[0].startswith("/k8s/clusters/c-1/api/v1/namespaces/")


# ---- precedence of pairs

def test_a_token_file_comes_before_the_token(world):
    world.config({"token": "other", "tokenFile": world.file("tok", SECRET)})
    world.reaches(f"Bearer {SECRET}")


def test_the_token_serves_while_the_token_file_cannot_be_read(world):
    world.config({"token": SECRET, "tokenFile": "none"})
    world.reaches(f"Bearer {SECRET}")


@pytest.mark.parametrize("fixed,who", [({"token": SECRET}, f"Bearer {SECRET}"),
                                       ({"username": "a", "password": "b"}, "Basic YTpi")])
def test_fixed_credentials_come_before_a_plugin(world, fixed, who):
    world.config({**exec_user(world.plugin("plug", answer(token="of-plugin"))), **fixed})
    world.reaches(who)
    assert world.runs("plug") == 0


def test_data_comes_before_files(real, world):
    def b64(name):
        return base64.b64encode((real.pki / name).read_bytes()).decode()
    cluster = {"server": real.url, "certificate-authority": "/nonexistent", "certificate-authority-data": b64("ca.crt")}
    world.config({"client-certificate": "/nonexistent", "client-certificate-data": b64("admin.crt"),
                  "client-key": "/nonexistent", "client-key-data": b64("admin.key")}, cluster)
    assert "no clusters found" in world.run().stderr


# ---- failing

FAILING = {
    "wrong token": ({"token": SECRET}, ["user \"u\" of context \"c\": 401 Unauthorized; its token is not accepted there"], 1),
    "wrong password": ({"username": "a", "password": SECRET}, ["401", "its user name and password are not accepted there"], 1),
    "missing token file": ({"tokenFile": "/nonexistent/t"}, ["its token file /nonexistent/t cannot be read"], 0),
    "missing certificate": ({"client-certificate": "/nonexistent/c", "client-key": "/nonexistent/k"},
                            ["client-certificate", "/nonexistent/c"], 0),
    "certificate without key": ({"client-certificate-data": base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()},
                                ["it has a client certificate and no client key"], 0),
    "bad base64": ({"client-certificate-data": SECRET + "!", "client-key-data": "x"}, ["client-certificate-data is not base64"], 0),
    "no PEM": ({"client-certificate-data": base64.b64encode(SECRET.encode()).decode()}, ["there is no PEM text in client-certificate-data"], 0),
    "password and token": ({"username": "a", "password": SECRET, "token": SECRET}, ["both a password and a token"], 0),
    "token that is a number": ({"token": 12345}, ["token is not a text"], 0),
    "auth-provider": ({"auth-provider": {"name": "gcp", "config": {"access-token": SECRET}}}, ['auth-provider "gcp" is gone'], 0),
    "groups without a user": ({"token": SECRET, "as-groups": ["g"]}, ['need "as"'], 0),
    "plugin not installed": (exec_user("no-such-plugin", installHint="get it from example.com"),
                             ["the exec plug-in no-such-plugin was not found", "get it from example.com"], 0),
    "plugin without a version": ({"exec": {"command": "x"}}, ["the apiVersion of its exec plug-in"], 0),
    "plugin of an old version": (exec_user("x", "v1alpha1"), ["the apiVersion of its exec plug-in"], 0),
    "plugin that must ask": (exec_user("x", interactiveMode="Always"), ["wants to ask on the terminal"], 0),
    "plugin without a command": (exec_user(""), ["has no command"], 0),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_credential_that_fails(world, name):
    user, texts, requests = FAILING[name]
    world.fake.accepted = []
    world.config(user)
    world.fails(*texts, requests=requests)


ANSWERS = {
    "status": (None, "failed with status 3", "exit 3"),
    "no JSON": (SECRET, "did not print JSON", ""),
    "another kind": ('{"kind":"Pod"}', "did not print an ExecCredential", ""),
    "another version": (answer("v1beta1", token=SECRET), "answered in version", ""),
    "nothing in it": (answer(), "neither a token nor a client certificate", ""),
    "a bad time": (answer(token=SECRET, expirationTimestamp="soon"), "that is no time", ""),
    "two lines": (answer(token=SECRET + "\r\nX: y"), "white space", ""),
    "a certificate alone": (answer(clientCertificateData="-----BEGIN"), "client certificate and no client key", ""),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_plugin_that_fails(world, name):
    text, message, head = ANSWERS[name]
    world.config(exec_user(world.plugin("plug", text or "", head=head)))
    world.fails(message, 'kubeconfig user "u"', "plug")


def test_a_plugin_whose_token_is_refused_runs_once_more(world):
    world.fake.accepted = ["Bearer good"]
    world.config(exec_user(world.plugin("plug", answer(token=SECRET))))
    world.fails("what the exec plug-in", "is not accepted there", requests=2)
    assert world.runs("plug") == 2


def test_nothing_is_configured(world):
    message = world.fails("no way to reach a Kubernetes API was found; tried:", "KUBECONFIG: not set", ".kube/config: no such file",
                          "service account of a pod: KUBERNETES_SERVICE_HOST")
    assert len(message.splitlines()) == 4
    world.fails('there is no kubeconfig to look for context "x" in', state="k8s://x")


BROKEN = {
    "no current-context": ({"clusters": [{"name": "c", "cluster": {"server": "x"}}]}, "has no current-context"),
    "no cluster": ({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "gone"}}]}, 'there is no cluster "gone"'),
    "no user": ({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "a", "user": "gone"}}],
                 "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}]}, 'there is no user "gone"'),
    "no server": ({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "a"}}],
                   "clusters": [{"name": "a", "cluster": {}}]}, "it names no server"),
    "bad server": ({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "a"}}],
                    "clusters": [{"name": "a", "cluster": {"server": "ftp://x"}}]}, "not a usable http(s) URL"),
    "ca and insecure": ({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "a"}}],
                         "clusters": [{"name": "a", "cluster": {"server": "https://x", "insecure-skip-tls-verify": True,
                                       "certificate-authority-data": base64.b64encode(b"-----BEGIN X").decode()}}]},
                        "both a certificate-authority and insecure-skip-tls-verify"),
    "bad namespace": ({"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "a", "namespace": "A_b"}}],
                       "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}]}, 'the nearest that works is "a-b"'),
    "a list": ([], "is not a mapping"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_kubeconfig_that_cannot_be_used(world, name):
    doc, text = BROKEN[name]
    world.file(".kube/config", json.dumps(doc))
    world.fails(text)


def test_a_kubeconfig_that_is_no_yaml(world):
    world.file(".kube/config", f"token: {SECRET}\n  x: [")
    world.fails("kubeconfig", ".kube/config: yaml: line")


def test_credentials_are_not_sent_in_the_clear_to_other_machines(world):
    world.config({"token": SECRET}, {"server": "http://k8s.example.com"})
    world.fails("are not sent to http://k8s.example.com without TLS")
    world.config({"token": SECRET}, {"server": "http://127.0.0.1.example.com"})
    world.fails("are not sent to http://127.0.0.1.example.com without TLS")


# ---- renewal

def conformance(world, url, only, **counts):
    p = BUILD / "tests/conformance/conformance"
    if not os.access(p, os.X_OK):
        (pytest.fail if REQUIRED else pytest.skip)(f"{p} is not built (CKOPS_BUILD)")
    return subprocess.run([p], env={**world.env, "CK_STORE_URL": url, "CK_ONLY": only, **counts}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)


def test_a_plugin_is_asked_again_when_its_token_ends_in_the_middle_of_a_run(real, world):
    # Three seconds from when it runs: the program renews two seconds before the end.
    world.plugin("plug", "", head=f"""echo x >>{world.home}/plug.runs
printf '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"{k8s_server.ADMIN_TOKEN}","expirationTimestamp":"%s"}}}}' $(date -u -d '+3 seconds' +%Y-%m-%dT%H:%M:%SZ)
exit 0""")
    world.config(exec_user(str(world.home / "plug")), {"server": real.url, "certificate-authority": f"{real.pki}/ca.crt"})
    p = conformance(world, f"k8s:///{real.namespace()}", "*listings_of_many*", CK_MANY="400")
    assert p.returncode == 0 or "races" in p.stdout, p.stdout[-2000:]
    assert "[       OK ] test_V035_listings_of_many_objects_are_complete" in p.stdout
    assert 2 <= world.runs("plug") < 200


def test_a_refused_token_is_renewed_once_in_the_middle_of_a_run(world):
    world.fake.accepted = ["Bearer second"]
    world.config(exec_user(world.plugin("plug", answer(token="first"), answer(token="second"))))
    world.reaches("Bearer second")
    assert world.runs("plug") == 2 and len(world.fake.seen) == 2


def test_a_rotated_token_file_is_read_again_after_a_refusal(world):
    world.fake.accepted = ["Bearer new"]
    tok = world.file("tok", "old")
    world.config({"tokenFile": tok})
    world.fails("the token in", "is not accepted there", requests=1)
    # rotated between two requests of one process: the second attempt has it
    original = world.fake.RequestHandlerClass.do_GET

    class Rotating(FakeHandler):
        def do_GET(self):
            if self.headers.get("authorization") == "Bearer old":
                pathlib.Path(tok).write_text("new")
            original(self)

    world.fake.RequestHandlerClass = Rotating
    world.reaches("Bearer new")


# ---- TLS, on a real API server

@pytest.fixture(scope="module")
def real():
    try:
        s = k8s_server.Kubernetes().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    s.ca("other")
    s.cert("stranger", "admin", "system:masters", ca="other")
    s.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "old.key", "-out", "old.csr", "-subj", "/O=system:masters/CN=admin")
    s.openssl("x509", "-req", "-in", "old.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "-1", "-out", "old.crt")
    s.openssl("ec", "-in", "admin.key", "-aes128", "-passout", "pass:" + SECRET, "-out", "locked.key")
    yield s
    s.stop()


def certificate(real, name="admin", key=None):
    return {"client-certificate": f"{real.pki}/{name}.crt", "client-key": f"{real.pki}/{key or name}.key"}


def cluster_of(real, **more):
    return {"server": real.url, "certificate-authority": f"{real.pki}/ca.crt", **{k.replace("_", "-"): v for k, v in more.items()}}


GOOD_TLS = {
    "certificate": lambda r: (certificate(r), cluster_of(r)),
    "token": lambda r: ({"token": k8s_server.ADMIN_TOKEN}, cluster_of(r)),
    "server name": lambda r: (certificate(r), cluster_of(r, tls_server_name="kubernetes.test")),
    "insecure": lambda r: (certificate(r), {"server": r.url, "insecure-skip-tls-verify": True}),
}


@pytest.mark.parametrize("name", GOOD_TLS)
def test_tls_that_works(real, world, name):
    world.config(*GOOD_TLS[name](real))
    assert "no clusters found" in world.run("-v", "10").stderr


BAD_TLS = {
    "unknown authority": (lambda r: (certificate(r), {"server": r.url}), ["is not trusted", 'kubeconfig cluster "c"', "certificate-authority"]),
    "another authority": (lambda r: (certificate(r), cluster_of(r, certificate_authority=f"{r.pki}/other.crt")), ["is not trusted"]),
    "another name": (lambda r: (certificate(r), cluster_of(r, tls_server_name="wrong.test")), ["is not trusted"]),
    "a stranger": (lambda r: (certificate(r, "stranger"), cluster_of(r)), ["401 Unauthorized", "its client certificate is not accepted there"]),
    "expired": (lambda r: (certificate(r, "old"), cluster_of(r)), ["401 Unauthorized", "its client certificate ended at "]),
    "another's key": (lambda r: (certificate(r, "admin", "stranger"), cluster_of(r)), ["do not belong together"]),
    "locked key": (lambda r: (certificate(r, "admin", "locked"), cluster_of(r)), ["its client key is encrypted"]),
    "nobody": (lambda r: ({}, cluster_of(r)), ["403 Forbidden", "; the kubeconfig has no credentials for it"]),
    "no rights": (lambda r: ({"token": k8s_server.PLAIN_TOKEN}, cluster_of(r)), ["403 Forbidden", "a role is needed"]),
}


@pytest.mark.parametrize("name", BAD_TLS)
def test_tls_that_fails(real, world, name):
    make, texts = BAD_TLS[name]
    world.config(*make(real))
    world.fails(*texts)


def test_a_plugin_that_gives_a_client_certificate(real, world):
    pem = {k: (real.pki / f"admin.{k}").read_text() for k in ("crt", "key")}
    world.config(exec_user(world.plugin("plug", answer(clientCertificateData=pem["crt"], clientKeyData=pem["key"]))), cluster_of(real))
    p = world.run("-v", "10")
    assert "no clusters found" in p.stderr and "PRIVATE KEY" not in p.stderr
    world.config({**exec_user(world.plugin("plug", answer(token="x"))), **certificate(real)}, cluster_of(real))
    (world.home / "plug.runs").unlink()
    assert "no clusters found" in world.run().stderr
    assert world.runs("plug") == 0  # a certificate comes before a plug-in


class Connect(socketserver.ThreadingTCPServer):
    """An HTTP proxy that knows CONNECT."""
    daemon_threads = allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ConnectHandler)
        self.asked = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]


class ConnectHandler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode()
        while self.rfile.readline().strip():
            pass
        self.server.asked.append(line.split()[1])
        host, port = line.split()[1].rsplit(":", 1)
        up = socket.create_connection((host, int(port)))
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        t = threading.Thread(target=self.pump, args=(up, self.connection), daemon=True)
        t.start()
        self.pump(self.connection, up)
        t.join(5)

    @staticmethod
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.parametrize("name", [None, "kubernetes.test"], ids=["", "with a server name"])
def test_the_proxy_of_the_kubeconfig(real, world, name):
    proxy = Connect()
    more = {"tls_server_name": name} if name else {}
    world.config(certificate(real), cluster_of(real, proxy_url=proxy.url, **more))
    world.env.update(HTTPS_PROXY="http://127.0.0.1:1", NO_PROXY="*")  # the kubeconfig's comes first
    assert "no clusters found" in world.run().stderr
    assert proxy.asked == [f"127.0.0.1:{real.port}"]
    proxy.shutdown()
    proxy.server_close()
    world.fails("cannot connect to the proxy")
    world.config(certificate(real), cluster_of(real, proxy_url="gopher://x"))
    world.fails("proxies of the kind")


def test_nothing_listens(world):
    world.config({"token": SECRET}, {"server": f"http://127.0.0.1:{servers.free_port()}"})
    world.fails("connection refused", "127.0.0.1")


def test_no_file_is_written_and_none_is_needed_to_be_readable_by_others(world):
    world.config({"token": SECRET})
    before = sorted(str(p) for p in world.home.rglob("*"))
    world.reaches(f"Bearer {SECRET}")
    assert sorted(str(p) for p in world.home.rglob("*")) == before
    assert stat.S_IMODE((world.home / ".kube/config").stat().st_mode) == 0o600
