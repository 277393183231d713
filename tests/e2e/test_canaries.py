"""Fifty planted secrets, one per kind and place, and everything the program says and leaves behind searched for them:
standard output of commands not asked to print them, standard error at -v 10, temporary folders, the home folder, core
files, command lines and environments of children. CKOPS_BIN names the program."""

import base64
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading

import pytest

import test_node
import test_s3
from test_keys import CA, NAME, PROGRAM, openssl
from test_s3 import gateway, servers  # noqa: F401

yaml = pytest.importorskip("yaml")
pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")]

RANDOM = random.Random(20261121)


class Canaries:
    """Where each was planted, and the forms it could show up in."""

    def __init__(self):
        self.forms = {}

    def text(self, place):
        """A new one, for `place`."""
        value = "cnry" + "".join(RANDOM.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(24))
        self.add(place, value.encode())
        return value

    def add(self, place, data):
        assert place not in self.forms
        forms = {data, data.hex().encode()}
        for shift in range(3):  # base64 of it, wherever it begins in the encoded text
            coded = base64.b64encode(b"x" * shift + data)
            forms.add(coded[4 if shift else 0:len(coded) // 4 * 4 - 4])
        self.forms[place] = forms

    def key(self, place, pem):
        """A private key: the middle of its DER, of its PEM and of the base64 of its PEM."""
        lines = [x for x in pem.split(b"\n") if x and not x.startswith(b"-")]
        der = base64.b64decode(b"".join(lines))
        self.add(place, der[len(der) // 2:len(der) // 2 + 24])
        coded = base64.b64encode(pem)
        self.forms[place] |= {lines[len(lines) // 2], coded[len(coded) // 2:len(coded) // 2 + 32]}

    def found(self, data):
        return sorted(place for place, forms in self.forms.items() if any(f in data for f in forms))


class Sampler:
    """Command lines of all processes and environments of the program's children, as long as it runs."""

    def __init__(self):
        self.lines, self.stop, self.samples = set(), threading.Event(), 0

    def look(self):
        while not self.stop.is_set():
            for p in pathlib.Path("/proc").iterdir():
                if p.name.isdigit():
                    with contextlib.suppress(OSError):
                        self.lines.add((p / "cmdline").read_bytes())
            self.samples += 1
            self.stop.wait(0.02)

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()


class World:
    def __init__(self, root):
        self.canaries = Canaries()
        self.cluster = c = test_node.Cluster(root)
        self.env = {**c.env, "TMPDIR": str(root / "tmp"), "XDG_RUNTIME_DIR": str(root / "run"),
                    "XDG_CACHE_HOME": str(root / "cache"), "KOPS_RSA_PRIVATE_KEY_SIZE": "1024"}
        self.said = []
        for name in ("tmp", "run", "cache", "work"):
            (root / name).mkdir(mode=0o700)
        self.root, self.work = root, root / "work"

    def file(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def run(self, *args, stdin=b"", name=NAME, env=None, status=None):
        argv = [PROGRAM, *map(str, args), *(["--name", name] if name else []), "-v", "10"]
        p = subprocess.run(argv, env={**self.env, **(env or {})}, cwd=self.work, input=stdin, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=120, check=False)
        assert p.returncode >= 0, (args, p.stderr)
        if status is not None:
            assert p.returncode == status, (args, p.returncode, p.stderr)
        self.said.append((args, p.stdout + p.stderr))
        return p


# ---- planting and poking, place by place ----

def keys_of_the_store(w):
    c = w.cluster
    for k in test_node.KEYSETS:
        w.canaries.key("key of keyset " + k, base64.b64decode(c.keyset(k)["keys"][0]["privateMaterial"]))
    for args in (["get", "keypairs"], ["get", "keypairs", "--distrusted", "-oyaml"], ["get", "keypairs", "-ojson"],
                 ["create", "keypair", CA], ["create", "keypair", "all"], ["promote", "keypair", "all"],
                 ["distrust", "keypair", "all"], ["secrets", "inventory"], ["secrets", "inventory", "-oyaml"],
                 ["export", "kubeconfig"], ["export", "kubeconfig", "--admin"], ["export", "kubeconfig", "--auth-plugin"],
                 ["__complete", "promote", "keypair", CA, ""]):
        w.run(*args, status=None if args[0].startswith("__") else 0, name=None if args[0].startswith("__") else NAME)
    old = sorted(c.keys(), key=int)[0]
    w.run("trust", "keypair", CA, old, status=0)


def keys_of_the_user(w):
    for form in ("pkcs1", "pkcs8", "sec1", "locked", "torn", "foreign", "ssh"):
        if form == "sec1":
            pem = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout").stdout
        else:
            pem = openssl("genrsa", *(["-traditional"] if form != "pkcs8" else []), "2048").stdout
        w.canaries.key("key file, " + form, pem)
        if form == "locked":
            phrase = w.canaries.text("passphrase of a key file")
            pem = openssl("rsa", "-aes128", "-passout", "pass:" + phrase, stdin=pem).stdout
        if form == "torn":
            pem = pem[:len(pem) // 3 * 2]
        path = w.file("keys/%s.pem" % form, pem)
        if form == "ssh":  # the private half in place of the public one
            w.run("create", "sshpublickey", "-i", path, status=1)
        elif form == "foreign":
            cert = w.file("keys/own.crt", openssl("req", "-x509", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
                                                  "/dev/null", "-subj", "/CN=x").stdout)
            w.run("create", "keypair", CA, "--cert", cert, "--key", path, status=1)
        else:
            w.run("create", "keypair", CA, "--key", path, status=1 if form in ("locked", "torn") else 0)


def broken_keysets(w):
    c = w.cluster
    good = c.path().read_bytes()
    for how in ("yaml", "base64", "pem", "field"):
        doc = yaml.safe_load(good)
        key = doc["spec"]["keys"][0]
        text = w.canaries.text("keyset with broken " + how)
        if how == "pem":
            key["privateMaterial"] = base64.b64encode(b"-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n"
                                                      % text.encode()).decode()
        elif how == "field":
            key["privateMaterialX"] = text
        else:
            key["privateMaterial"] = text + "!"
        data = yaml.safe_dump(doc)
        c.path().write_text(data + ("  x: [%s\n" % text if how == "yaml" else ""))
        for args in (["get", "keypairs"], ["promote", "keypair", CA], ["create", "keypair", CA],
                     ["export", "kubeconfig", "--admin"], ["secrets", "inventory"], c.args("control-plane")):
            w.run(*args)
    c.path().write_bytes(good)


def secrets(w):
    for kind in ("dockerconfig", "encryptionconfig", "ciliumpassword"):
        good = w.canaries.text("secret " + kind)
        text = {"dockerconfig": '{"auths":{"r":{"auth":"%s"}}}', "encryptionconfig": "kind: X\nsecret: %s\n",
                "ciliumpassword": "keys: 3 rfc4106(gcm(aes)) %s 128\n"}[kind] % good
        w.run("create", "secret", kind, "-f", w.file("in/" + kind, text), "--force", status=0)
        w.run("create", "secret", kind, "-f", "-", stdin=text.encode(), status=1)
        bad = w.canaries.text("refused secret " + kind)
        for broken in ('{"a": %s}', '["%s"', "%s", "a: [%s", "- %s\n", '{"a":"\x01%s"}', "a: %s: b\n"):
            w.run("create", "secret", kind, "-f", "-", "--force", stdin=(broken % bad).encode())
        damaged = w.canaries.text("damaged secret " + kind)
        path = w.cluster.store / NAME / "secrets" / kind
        keep = path.read_bytes()
        for broken in ('{"Data":"%s!"}', '{"Data":%s}', '["%s"]', "%s"):
            path.write_text(broken % damaged)
            w.run("get", "secrets", kind, "-oplaintext", status=1)
        path.write_bytes(keep)
        w.run("get", "secrets", status=0)
    w.run("get", "secrets", "-oyaml")
    w.run("__complete", "get", "secrets", "", name=None)


def files_of_kubectl(w):
    fields = ("token", "password", "client-key-data", "id-token", "exec-env")
    c = {f: w.canaries.text("kubeconfig, " + f) for f in fields}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "x", "contexts": [], "clusters": [], "users": [
        {"name": "x", "user": {"token": c["token"], "username": "u", "password": c["password"],
                               "client-key-data": c["client-key-data"],
                               "auth-provider": {"name": "oidc", "config": {"id-token": c["id-token"]}},
                               "exec": {"command": "x", "env": [{"name": "A", "value": c["exec-env"]}]}}}]}
    kc = w.file("kc", yaml.safe_dump(config))
    for args in ([], ["--admin"], ["--user", "x"], ["--user", "y"], ["--auth-plugin"]):
        w.run("export", "kubeconfig", "--kubeconfig", kc, *args)
    w.run("get", "clusters", name=None, env={"KUBECONFIG": kc})
    broken = w.canaries.text("kubeconfig that is no YAML")
    w.run("export", "kubeconfig", "--kubeconfig", w.file("kc-broken", "users: [{token: %s\n" % broken), status=1)


def machines(w):
    c = w.cluster
    asset = w.canaries.text("file of a node configuration")
    c.update(FileAssets=[{"path": "/etc/x", "content": asset}])
    for role in ("control-plane", "apiserver", "node"):
        w.run(*c.args(role), status=0)
    outside = w.canaries.text("file of a node configuration, refused")
    c.update(FileAssets=[{"path": "/../x", "content": outside}])
    w.run(*c.args("control-plane"), status=1)
    binary = w.canaries.text("file of a node configuration, not base64")
    c.update(FileAssets=[{"path": "/x", "content": binary + "!", "isBase64": True}])
    w.run(*c.args("control-plane"), status=1)
    backup = c.store / NAME / "backups/etcd/main/1"
    backup.mkdir(parents=True)
    (backup / "etcd.backup").write_text(w.canaries.text("backup of etcd"))
    w.run("secrets", "inventory", status=0)
    c.update()


def credentials(w, server):
    """Of stores and proxies: right ones that are refused, and wrong ones."""
    url = "s3://bkt/state"
    for name in ("S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        secret = w.canaries.text("variable " + name)
        env = {"S3_ENDPOINT": server.url, "S3_REGION": "us-east-1", "S3_ACCESS_KEY_ID": servers.ACCESS,
               "S3_SECRET_ACCESS_KEY": secret} if name[0] == "S" else \
              {"AWS_ENDPOINT_URL_S3": server.url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": servers.ACCESS,
               "AWS_SECRET_ACCESS_KEY": "wrong", name: secret}
        for args in (["get", "keypairs"], ["secrets", "inventory"], w.cluster.args("node")):
            w.run(*args, "--state", url, env={"AWS_EC2_METADATA_DISABLED": "true", **env}, status=1)
    files = {"aws/credentials": "[default]\naws_access_key_id=%s\naws_secret_access_key=%%s\n" % servers.ACCESS,
             "aws/process": "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"x\",\"SecretAccessKey\":\"%s\"}'\n"}
    secret = w.canaries.text("credentials file of AWS")
    path = w.file("aws/credentials", files["aws/credentials"] % secret)
    common = {"AWS_ENDPOINT_URL_S3": server.url, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    w.run("get", "keypairs", "--state", url, env={**common, "AWS_SHARED_CREDENTIALS_FILE": path}, status=1)
    secret = w.canaries.text("reply of a credential process")
    script = w.file("aws/process", files["aws/process"] % secret)
    os.chmod(script, 0o700)
    config = w.file("aws/config", "[default]\ncredential_process = %s\n" % script)
    w.run("get", "keypairs", "--state", url, env={**common, "AWS_CONFIG_FILE": config}, status=1)
    for variable in ("http_proxy", "HTTPS_PROXY"):
        secret = w.canaries.text("password of " + variable)
        w.run("get", "keypairs", "--state", url, status=1,
              env={**common, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", variable: "http://u:%s@127.0.0.1:9" % secret,
                   "AWS_ENDPOINT_URL_S3": "%s://s3.test.invalid" % variable.split("_")[0].lower()})
    password = w.canaries.text("password in a location")
    w.run("get", "clusters", "--state", "s3://user:%s@bkt/state" % password, name=None, status=1)
    w.run("create", "-f", "https://user:%s@127.0.0.1:9/x.yaml" % password, name=None, status=1)


def other_clouds(w):
    """Credentials of the other stores; nobody answers, or what answers refuses."""
    nobody = "http://127.0.0.1:9"
    common = {"http_proxy": nobody, "https_proxy": nobody, "HTTPS_PROXY": nobody}
    pem = openssl("genrsa", *["-traditional"], "2048").stdout
    w.canaries.key("key of a service account of Google", pem)
    account = {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key_id": "1",
               "private_key": pem.decode(), "token_uri": "https://oauth2.test.invalid/token", "project_id": "p"}
    w.run("get", "keypairs", "--state", "gs://bkt", status=1,
          env={**common, "GOOGLE_APPLICATION_CREDENTIALS": w.file("aws/google.json", json.dumps(account))})
    refresh = w.canaries.text("refresh token of Google")
    user = {"type": "authorized_user", "client_id": "c", "client_secret": w.canaries.text("client secret of Google"),
            "refresh_token": refresh}
    w.run("get", "keypairs", "--state", "gs://bkt", status=1,
          env={**common, "GOOGLE_APPLICATION_CREDENTIALS": w.file("aws/user.json", json.dumps(user))})
    w.run("get", "keypairs", "--state", "swift://bkt", status=1,
          env={**common, "OS_AUTH_URL": nobody, "OS_USERNAME": "u", "OS_PROJECT_NAME": "p", "OS_DOMAIN_NAME": "d",
               "OS_PASSWORD": w.canaries.text("password of OpenStack")})
    w.run("get", "keypairs", "--state", "azureblob://account/bkt", status=1,
          env={**common, "AZURE_STORAGE_ACCOUNT": "account", "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c",
               "AZURE_CLIENT_SECRET": w.canaries.text("client secret of Azure")})
    token = w.file("aws/token", w.canaries.text("web identity token"))
    w.run("get", "keypairs", "--state", "s3://bkt", status=1,
          env={**common, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/x",
               "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"})


def everyday(w):
    """Commands that have no business with keys, on a store full of them."""
    for args in (["get", "clusters"], ["get", "clusters", "-oyaml"], ["get", "all"], ["get", "all", "-ojson"]):
        w.run(*args, name=None if "clusters" in args else NAME)
    env = {"EDITOR": w.file("editor", '#!/bin/sh\nenv >"$HOME/editor.env"\necho "# x" >>"$1"\n')}
    os.chmod(env["EDITOR"], 0o700)
    w.run("edit", "cluster", env=env)
    w.said.append((["environment of the editor"], (w.root / "editor.env").read_bytes()))
    w.run("delete", "cluster", NAME, "--unregister", name=None)


def scan_folders(w):
    """What was left behind. Files that are meant to hold a secret are those the test or the user's command wrote."""
    meant = {w.root / x for x in ("store", "keys", "in", "kc", "kc-broken", "aws", "out", "editor")}
    left = []
    for folder in (w.root, pathlib.Path("/tmp"), pathlib.Path("/var/tmp"), pathlib.Path("/dev/shm")):
        for p in folder.rglob("*") if folder == w.root else folder.glob("*"):
            if any(m == p or m in p.parents for m in meant) or p.is_symlink():
                continue
            with contextlib.suppress(OSError):
                if p.is_file() and p.stat().st_size < 32 << 20:
                    left += [(str(p), found) for found in w.canaries.found(p.read_bytes())]
    stray = [p for p in (w.root / "store").rglob("*") if p.is_file() and (p.name.startswith(("tmp", ".")))]
    cores = [p for p in (*w.root.rglob("core*"), *pathlib.Path("/tmp").glob("core*")) if p.is_file() and "store" not in p.parts]
    return left, stray, cores


def test_fifty_canaries_stay_where_they_were_planted(tmp_path, gateway):
    w = World(tmp_path)
    gateway.make_bucket("bkt")
    with Sampler() as sampler:
        keys_of_the_store(w)
        keys_of_the_user(w)
        broken_keysets(w)
        secrets(w)
        files_of_kubectl(w)
        machines(w)
        credentials(w, gateway)
        other_clouds(w)
        everyday(w)
    assert len(w.canaries.forms) >= 50, len(w.canaries.forms)
    leaks = [(args, place) for args, said in w.said for place in w.canaries.found(said)]
    assert not leaks
    ours = [line for line in sampler.lines if PROGRAM.encode() in line]
    assert ours and sampler.samples > 20
    # what the test itself typed is in its own command lines: the locations with a password
    typed = {"password in a location", "passphrase of a key file"}
    assert not [(line, x) for line in sampler.lines for x in w.canaries.found(line) if x not in typed]
    left, stray, cores = scan_folders(w)
    # the user's kubeconfig is asked for; nothing planted belongs into it
    assert not left and not stray and not cores
    print("canaries %d, runs %d, samples of command lines %d, found 0" %
          (len(w.canaries.forms), len(w.said), sampler.samples))


def test_the_search_finds_what_is_there(tmp_path):
    """A search that cannot find anything proves nothing: each form of each canary, in the middle of other text."""
    c = Canaries()
    value = c.text("plain")
    pem = openssl("genrsa", "-traditional", "2048").stdout
    c.key("key", pem)
    for data in (value.encode(), json.dumps({"a": value}).encode(), base64.b64encode(b"a" + value.encode() + b"zz"),
                 base64.b64encode(b"bb" + value.encode()), value.encode().hex().encode()):
        assert c.found(b"x" + data + b"y") == ["plain"]
    der = base64.b64decode(b"".join(x for x in pem.split(b"\n") if not x.startswith(b"-")))
    for data in (pem, base64.b64encode(pem), der, der.hex().encode()):
        assert c.found(b"text " + data) == ["key"]
    assert c.found(b"nothing here") == []


def test_a_crash_leaves_no_core(tmp_path):
    """The limit is set by the program itself, whatever the shell allows."""
    script = "ulimit -c unlimited; exec %s node pull --watch --role node --ig x --out out --name x --state file://%s" % (
        PROGRAM, tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x/config").write_text("kind: Cluster")
    p = subprocess.Popen(["sh", "-c", script], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in p.stderr:
        if b"there is no" in line:
            break
    limit = [x for x in pathlib.Path("/proc/%d/limits" % p.pid).read_text().splitlines() if x.startswith("Max core")]
    # A sanitizer catches SIGSEGV and exits; SIGABRT makes a core as well and is left alone by all of them.
    p.send_signal(signal.SIGABRT)
    assert p.wait(10) == -signal.SIGABRT
    assert limit[0].split()[4:6] == ["0", "0"]
    assert not list(tmp_path.glob("core*"))


FORMAT = """#include "base/err.h"
#include "base/secret.h"
int f(struct ck_err *err, struct ck_secret *s, struct ck_secret_ref r);
int f(struct ck_err *err, struct ck_secret *s, struct ck_secret_ref r) { %s }
"""


@pytest.mark.parametrize("line,ok", [
    ("return ck_fail(err, CK_INVALID, \"%zu\", ck_secret_view(s).len + ck_secret_ref_view(r).len);", True),
    ("return ck_fail(err, CK_INVALID, \"%s\", *s);", False), ("return ck_fail(err, CK_INVALID, \"%s\", s);", False),
    ("return ck_fail(err, CK_INVALID, \"%s\", r);", False),
    ("return ck_fail(err, CK_INVALID, \"%s\", ck_secret_view(s));", False)])
def test_the_compiler_refuses_to_format_a_secret(line, ok):
    source = pathlib.Path(__file__).parents[2] / "src"
    p = subprocess.run(["cc", "-std=c17", "-Wall", "-Werror", "-fsyntax-only", "-I", str(source), "-x", "c", "-"],
                       input=(FORMAT % line).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert (p.returncode == 0) == ok, p.stderr
