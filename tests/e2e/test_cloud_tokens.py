"""Where the tokens of gs:// and azureblob:// come from: each source alone, each failing, each before
the sources that come after it, and renewal. One fake server plays the token services, the metadata
servers and both stores, and notes what reaches them. Every run is at -v 10, and no secret may show."""

import base64
import http.server
import itertools
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
BUILD = pathlib.Path(os.environ.get("CKOPS_BUILD") or ROOT / "build")
VFS = BUILD / "tests/unit/vfs_cli"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

SECRETS = ["client-s3cret", "refresh-s3cret", "subject-s3cret", "c3RvcmFnZS1rZXktb2YtdGVzdHM=", "sas-s3cret", "role-s3cret",
           "session-s3cret", "aws-s3cret"]
EMAIL = "robot@project.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
LISTINGS = {"gs": ("{}", "application/json"),
            "azure": ("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>", "application/xml")}


def unpack(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body="", kind="application/json", headers=()):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(data)

    def token(self, who, name="access_token"):
        w = self.server.world
        w.serial += 1
        text = f"tok-{who}-{w.serial}"
        w.valid[text] = time.time() + w.lifetime
        return {name: text, "expires_in": w.lifetime, "token_type": "Bearer",
                "expireTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + w.lifetime))}

    def serve(self):
        w, path = self.server.world, self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2], keep_blank_values=True))
        service = ("gs" if path.startswith("/storage/") else "azure" if path.startswith("/az/") else
                   "gce" if path.startswith("/computeMetadata/") else "imds" if path.startswith("/metadata/") else
                   "entra" if path.endswith("/oauth2/v2.0/token") else
                   "iam" if path.endswith(":generateAccessToken") else "aws" if path.startswith("/latest/") else path[1:])
        form = dict(urllib.parse.parse_qsl(body))
        w.seen.append((service, path, dict(self.headers), form, query, body))
        if service in w.failing:
            return self.reply(w.failing[service], {"error": "invalid_grant", "error_description": "words of the service"})
        return getattr(self, "at_" + service)(w, form, query, body)

    def at_token(self, w, form, query, body):
        if form["grant_type"] == "refresh_token":
            ok = form["refresh_token"] == "refresh-s3cret" and form["client_secret"] == "client-s3cret"
            return self.reply(200, self.token("user")) if ok else self.reply(400, {"error": "invalid_grant"})
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        head, claims, signature = form["assertion"].split(".")
        h, c = json.loads(unpack(head)), json.loads(unpack(claims))
        assert h == {"alg": "RS256", "typ": "JWT", "kid": "key-1"} and c["iss"] == EMAIL and c["scope"] in (SCOPE, CLOUD)
        assert c["aud"] == w.url + "/token" and abs(c["iat"] - time.time()) < 60 and c["exp"] - c["iat"] == 3600
        if not w.verify((head + "." + claims).encode(), unpack(signature)):
            return self.reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        return self.reply(200, self.token("sa" if c["scope"] == SCOPE else "cloud"))

    def at_sts(self, w, form, query, body):
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange" and form["audience"] == "//iam/pool"
        w.subjects.append(form["subject_token"])
        if form["subject_token_type"] == "urn:ietf:params:aws:token-type:aws4_request":
            return self.reply(200, self.token("aws"))  # whether it is signed well is looked at afterwards
        assert form["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
        if form["subject_token"] != "subject-s3cret":
            return self.reply(400, {"error": "invalid_grant", "error_description": "not a token"})
        assert form["scope"] in (SCOPE, CLOUD)
        return self.reply(200, self.token("federated" if form["scope"] == SCOPE else "cloud"))

    def at_iam(self, w, form, query, body):
        assert self.headers["authorization"].startswith("Bearer tok-cloud-")
        want = json.loads(body)
        assert want["scope"] == [SCOPE] and want["lifetime"] in ("3600s", "1800s")
        return self.reply(200, self.token("impersonated", "accessToken"))

    def at_subject(self, w, form, query, body):
        assert self.headers["authorization"] == "bearer client-s3cret"
        return self.reply(200, {"value": "subject-s3cret"})

    def at_aws(self, w, form, query, body):
        path = self.path
        if path == "/latest/api/token":
            ok = self.command == "PUT" and self.headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "300"
            return self.reply(200, "session-1", "text/plain") if ok else self.reply(405)
        if self.headers.get("x-aws-ec2-metadata-token") != w.aws_session:
            return self.reply(401)
        self.reply(200, {"/latest/zone": "eu-central-1b", "/latest/roles": w.aws_role,
                         "/latest/roles/kops": {"AccessKeyId": "ASIAROLE", "SecretAccessKey": "role-s3cret", "Token": "session-s3cret+/="}}[path])

    def at_gce(self, w, form, query, body):
        if self.headers.get("metadata-flavor") != "Google" or query.get("scopes") != SCOPE:
            return self.reply(403)
        return self.reply(200, self.token("gce"), headers=[("metadata-flavor", "Google")])

    def at_entra(self, w, form, query, body):
        assert form["grant_type"] == "client_credentials" and form["scope"] == "https://storage.azure.com/.default"
        assert form["client_id"] == "client-1" and self.path.startswith("/tenant-1/")
        if "client_assertion" in form:
            assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            ok, who = form["client_assertion"] == "subject-s3cret", "workload"
        else:
            ok, who = form["client_secret"] == "client-s3cret", "secret"
        return self.reply(200, self.token(who)) if ok else \
            self.reply(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."})

    def at_imds(self, w, form, query, body):
        if self.headers.get("metadata") != "true" or query.get("resource") != "https://storage.azure.com":
            return self.reply(400)
        return self.reply(200, self.token("managed"))

    def store(self, w, kind, query):
        auth = self.headers.get("authorization", "")
        m = re.fullmatch(r"Bearer (tok-([a-z]+)-\d+)", auth)
        who = m.group(2) if m else auth.split(":")[0] or ("sas" if query.get("sig") == "sas-s3cret" else "nobody")
        if m and w.valid.get(m.group(1), 0) < time.time():
            return self.reply(401, {"error": {"message": "Invalid Credentials"}})
        w.reached.append(who)
        body, kind = LISTINGS[kind] if "/k" not in self.path else ("content", "text/plain")
        self.reply(200, body, kind, [("etag", '"1"'), ("x-goog-generation", "1")])

    def at_gs(self, w, form, query, body):
        self.store(w, "gs", query)

    def at_azure(self, w, form, query, body):
        self.store(w, "azure", query)

    do_GET = do_POST = do_PUT = serve


class World:
    def __init__(self, home, key):
        self.home, self.key = home, key
        self.seen, self.reached, self.failing, self.valid = [], [], {}, {}
        self.lifetime, self.serial = 3600, 0
        self.subjects, self.aws_session, self.aws_role = [], "session-1", "kops"
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.world = self
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "NO_GCE_CHECK": "true",
                    "CKOPS_GS_ENDPOINT": self.url, "CKOPS_AZURE_ENDPOINT": self.url + "/az",
                    "AZURE_AUTHORITY_HOST": self.url}
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def verify(self, text, signature):
        (self.home / "text").write_bytes(text)
        (self.home / "signature").write_bytes(signature)
        p = subprocess.run(["openssl", "dgst", "-sha256", "-verify", self.key["public"], "-signature",
                            self.home / "signature", self.home / "text"], capture_output=True)
        return p.returncode == 0

    def file(self, name, content):
        p = self.home / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(p)

    def check(self, p):
        text = p.stdout + p.stderr
        for secret in [*SECRETS, "tok-", self.key["line"], "assertion=ey"]:
            assert secret not in text, secret
        return p

    def run(self, store):
        began = time.monotonic()
        p = subprocess.run([PROGRAM, "get", "clusters", "-v", "10", "--state", STORES[store]], env=self.env, text=True,
                           capture_output=True, timeout=60)
        self.took = time.monotonic() - began
        self.message = "\n".join(line for line in p.stderr.splitlines() if not re.match(r"[IWE]\d{4} ", line))
        return self.check(p)

    def services(self):
        return [s[0] for s in self.seen]


STORES = {"gs": "gs://bkt", "azure": "azureblob://acct/cont"}


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    d = tmp_path_factory.mktemp("key")
    try:
        subprocess.run(["openssl", "genrsa", "-out", d / "key.pem", "2048"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", "rsa", "-in", d / "key.pem", "-pubout", "-out", d / "pub.pem"], check=True, capture_output=True)
    pem = (d / "key.pem").read_text()
    return {"pem": pem, "public": str(d / "pub.pem"), "line": pem.splitlines()[2]}


@pytest.fixture
def world(tmp_path, key):
    w = World(tmp_path, key)
    yield w
    w.server.shutdown()
    w.server.server_close()


# ---- the files of Google's credentials

def service_account(w, **more):
    return dict({"type": "service_account", "client_email": EMAIL, "private_key_id": "key-1", "private_key": w.key["pem"],
                 "token_uri": w.url + "/token"}, **more)


def authorized_user(w, **more):
    return dict({"type": "authorized_user", "client_id": "id", "client_secret": "client-s3cret",
                 "refresh_token": "refresh-s3cret", "token_uri": w.url + "/token"}, **more)


def external(w, source, **more):
    return dict({"type": "external_account", "audience": "//iam/pool", "token_url": w.url + "/sts",
                 "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": source}, **more)


def subject_file(w):
    return {"file": w.file("subject", "subject-s3cret\n")}


def subject_json(w):
    return {"file": w.file("subject.json", {"id": "subject-s3cret"}),
            "format": {"type": "json", "subject_token_field_name": "id"}}


def subject_url(w):
    return {"url": w.url + "/subject", "headers": {"Authorization": "bearer client-s3cret"},
            "format": {"type": "json", "subject_token_field_name": "value"}}


def impersonation(w):
    return f"{w.url}/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"


FILES = {
    "service account": (service_account, "sa"),
    "authorized user": (authorized_user, "user"),
    "external: file": (lambda w: external(w, subject_file(w)), "federated"),
    "external: JSON file": (lambda w: external(w, subject_json(w)), "federated"),
    "external: URL": (lambda w: external(w, subject_url(w)), "federated"),
    "external, impersonating": (lambda w: external(w, subject_file(w), service_account_impersonation_url=impersonation(w),
                                                   service_account_impersonation={"token_lifetime_seconds": 1800}), "impersonated"),
    "impersonated": (lambda w: {"type": "impersonated_service_account", "source_credentials": service_account(w),
                                "service_account_impersonation_url": impersonation(w)}, "impersonated"),
}


@pytest.mark.parametrize("name", FILES)
def test_each_kind_of_google_file(world, name):
    make, who = FILES[name]
    world.env["GOOGLE_APPLICATION_CREDENTIALS"] = world.file("creds.json", make(world))
    p = world.run("gs")
    assert world.reached == [who], p.stderr


# ---- sources, in the order in which they are asked: how it is set up, and who reaches the store

def named_file(w):
    w.env["GOOGLE_APPLICATION_CREDENTIALS"] = w.file("creds.json", service_account(w))


def gcloud_file(w):
    w.file(".config/gcloud/application_default_credentials.json", authorized_user(w))


def gce(w):
    w.env["GCE_METADATA_HOST"] = w.url.split("://")[1]


def storage_key(w):
    w.env["AZURE_STORAGE_KEY"] = SECRETS[3]


def sas(w):
    w.env["AZURE_STORAGE_SAS_TOKEN"] = "sv=2023-11-03&sp=rl&sig=sas-s3cret"


def client_secret(w):
    w.env.update(AZURE_TENANT_ID="tenant-1", AZURE_CLIENT_ID="client-1", AZURE_CLIENT_SECRET="client-s3cret")


def workload(w):
    w.env.update(AZURE_TENANT_ID="tenant-1", AZURE_CLIENT_ID="client-1",
                 AZURE_FEDERATED_TOKEN_FILE=w.file("federated", "subject-s3cret\n"))


def managed(w):
    w.env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = w.url


SOURCES = {"gs": [(named_file, "sa"), (gcloud_file, "user"), (gce, "gce")],
           "azure": [(storage_key, "SharedKey acct"), (sas, "sas"), (client_secret, "secret"), (workload, "workload"),
                     (managed, "managed")]}
ALONE = [(store, s, who) for store in SOURCES for s, who in SOURCES[store]]
PAIRS = [(store, a, b) for store in SOURCES for a, b in itertools.combinations(SOURCES[store], 2)]


@pytest.mark.parametrize("store,source,who", ALONE, ids=[s.__name__ for _, s, _ in ALONE])
def test_source_alone(world, store, source, who):
    source(world)
    p = world.run(store)
    assert world.reached == [who], p.stderr


@pytest.mark.parametrize("store,first,second", PAIRS, ids=[f"{a[0].__name__}-{b[0].__name__}" for _, a, b in PAIRS])
def test_earlier_source_wins(world, store, first, second):
    second[0](world)
    first[0](world)
    p = world.run(store)
    assert world.reached == [first[1]], p.stderr


def test_an_emulator_gets_no_token(world):
    named_file(world)
    del world.env["CKOPS_GS_ENDPOINT"]
    world.env["STORAGE_EMULATOR_HOST"] = world.url
    world.run("gs")
    assert world.reached == ["nobody"] and world.services() == ["gs"]


def test_quota_project(world):
    world.env["GOOGLE_APPLICATION_CREDENTIALS"] = world.file("creds.json", authorized_user(world, quota_project_id="payer"))
    world.run("gs")
    assert world.seen[-1][2].get("x-goog-user-project") == "payer"
    world.env["GOOGLE_CLOUD_QUOTA_PROJECT"] = "other"
    world.run("gs")
    assert world.seen[-1][2].get("x-goog-user-project") == "other"


@pytest.mark.parametrize("choice,who", [("prod", "workload"), ("WorkloadIdentityCredential", "workload"),
                                        ("managedidentitycredential", "managed"), ("EnvironmentCredential", None),
                                        ("AzureCLICredential", None)])
def test_azure_token_credentials_narrows_the_choice(world, choice, who):
    workload(world)
    managed(world)
    world.env["AZURE_TOKEN_CREDENTIALS"] = choice
    p = world.run("azure")
    assert world.reached == ([who] if who else []), p.stderr
    assert who or f'AZURE_TOKEN_CREDENTIALS is "{choice}"' in world.message


# ---- sources that are configured and fail: nothing later is asked, one clear message, within two seconds

def creds(make):
    def setup(w):
        content = make(w) if callable(make) else make
        w.env["GOOGLE_APPLICATION_CREDENTIALS"] = w.file("creds.json", content)
    return setup


def failing(service, status, setup):
    def f(w):
        setup(w)
        w.failing[service] = status
    return f


def no_file(w):
    w.env["GOOGLE_APPLICATION_CREDENTIALS"] = str(w.home / "none.json")


def other_key(w):
    named_file(w)
    text = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    w.file("creds.json", service_account(w, private_key=text))


def broken_gcloud_file(w):
    w.file(".config/gcloud/application_default_credentials.json", '{"refresh_token": "refresh-s3cret", ')


def variables(**kw):
    return lambda w: w.env.update(kw)


def wrong_secret(w):
    client_secret(w)
    w.env["AZURE_CLIENT_SECRET"] = "client-wrong"


def no_assertion(w):
    workload(w)
    w.env["AZURE_FEDERATED_TOKEN_FILE"] = str(w.home / "none")


FAILING = {
    "gs": {
        "no such file": (no_file, "none.json: no such file"),
        "not JSON": (creds("refresh-s3cret"), "creds.json is not a JSON object"),
        "no type": (creds({"a": 1}), "does not say its type"),
        "unknown type": (creds({"type": "gdch_service_account"}), 'unsupported type "gdch_service_account"'),
        "an OAuth client": (creds({"installed": {"client_id": "x"}}), "names an OAuth client"),
        "half a service account": (creds({"type": "service_account", "client_email": EMAIL}), "it has no private_key"),
        "a key that is none": (creds(lambda w: service_account(w, private_key="client-s3cret")), "its private_key: "),
        "another key": (other_key, f"key key-1 of {EMAIL}: token service: 127.0.0.1 answered 400 invalid_grant: Invalid JWT"),
        "token service refuses": (failing("token", 401, named_file), "answered 401 invalid_grant: words of the service"),
        "token service over plain http": (creds(lambda w: service_account(w, token_uri="http://192.0.2.1/token")),
                                          "credentials are not sent to 192.0.2.1 without TLS"),
        "token service that looks local": (creds(lambda w: service_account(w, token_uri="http://127.1.example.com/token")),
                                           "credentials are not sent to 127.1.example.com without TLS"),
        "user: signed out": (failing("token", 400, creds(authorized_user)), "gcloud auth application-default login"),
        "user: half": (creds({"type": "authorized_user", "client_id": "x"}), "it has no client_secret"),
        "gcloud's file broken": (broken_gcloud_file, "application_default_credentials.json is not a JSON object"),
        "external: no subject": (creds(lambda w: external(w, {"file": str(w.home / "none")})), "subject token: open "),
        "external: empty": (creds(lambda w: external(w, {"file": w.file("s", " \n")})), "source is empty"),
        "external: no field": (creds(lambda w: external(w, dict(subject_json(w), format={"type": "json",
                               "subject_token_field_name": "other"}))), 'has no field "other"'),
        "external: URL refuses": (failing("subject", 403, creds(lambda w: external(w, subject_url(w)))),
                                  "subject token: 127.0.0.1 answered 403"),
        "external: refused": (failing("sts", 400, creds(lambda w: external(w, subject_file(w)))), "token exchange: 127.0.0.1 answered 400"),
        "external: executable": (creds(lambda w: external(w, {"executable": {"command": "x"}})),
                                 "run only with GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"),
        "external: nothing": (creds(lambda w: external(w, {"x": 1})), "neither a file, a URL, an executable nor AWS"),
        "external: half": (creds({"type": "external_account"}), "it has no audience"),
        "impersonation refused": (failing("iam", 403, creds(FILES["impersonated"][0])), "impersonation: 127.0.0.1 answered 403"),
        "impersonation without a source": (creds({"type": "impersonated_service_account"}), "it has no source_credentials"),
    },
    "azure": {
        "key is no base64": (variables(AZURE_STORAGE_KEY="no base64!"), "AZURE_STORAGE_KEY is not base64"),
        "container on request": (variables(AZURE_STORAGE_KEY="a2V5", CKOPS_AZURE_CREATE_CONTAINER="true"), "it must be yes or no"),
        "signature is none": (variables(AZURE_STORAGE_SAS_TOKEN="sas-s3cret"), "AZURE_STORAGE_SAS_TOKEN is no shared access"),
        "wrong client secret": (wrong_secret, "client secret: client client-1 of tenant tenant-1: sign-in service: 127.0.0.1 "
                                              "answered 401 invalid_client: AADSTS7000215"),
        "tenant": (lambda w: (client_secret(w), w.env.update(AZURE_TENANT_ID="a/b")), "AZURE_TENANT_ID holds characters"),
        "authority over plain http": (lambda w: (client_secret(w), w.env.update(AZURE_AUTHORITY_HOST="http://192.0.2.1")),
                                      "credentials are not sent to 192.0.2.1 without TLS"),
        "workload: no file": (no_assertion, "workload identity: AZURE_FEDERATED_TOKEN_FILE: open "),
        "workload: refused": (failing("entra", 400, workload), "workload identity: client client-1 of tenant tenant-1"),
    },
}
FAILING_CASES = [(store, name) for store in FAILING for name in FAILING[store]]


@pytest.mark.parametrize("store,name", FAILING_CASES, ids=[f"{s}: {n}" for s, n in FAILING_CASES])
def test_configured_source_that_fails_ends_the_search(world, store, name):
    setup, text = FAILING[store][name]
    (gce if store == "gs" else managed)(world)
    setup(world)
    p = world.run(store)
    assert p.returncode == 1 and text in world.message, world.message
    assert not world.reached and not {"gce", "imds"} & set(world.services())
    assert world.took < 2 and world.message.count("Error: ") == 1


@pytest.mark.parametrize("store,status,text", [
    ("gs", 404, "this machine has no service account"), ("gs", 403, "metadata server: 127.0.0.1 answered 403"),
    ("gs", 500, "metadata server: 127.0.0.1 answered 500"),
    ("azure", 400, "managed identity: metadata service: 127.0.0.1 answered 400"),
    ("azure", 500, "managed identity: metadata service: 127.0.0.1 answered 500")])
def test_metadata_that_fails(world, store, status, text):
    (gce if store == "gs" else managed)(world)
    world.failing["gce" if store == "gs" else "imds"] = status
    p = world.run(store)
    assert p.returncode == 1 and text in world.message and world.took < 2, world.message


def test_nothing_found_names_every_source(world):
    p = world.run("gs")
    assert p.returncode == 1 and "no Google Cloud credentials were found; tried:" in world.message
    tried = [line.split(":")[0].strip() for line in world.message.splitlines() if line.startswith("  ")]
    assert tried == ["GOOGLE_APPLICATION_CREDENTIALS", "gcloud's file", "metadata server"] and world.took < 2
    assert not world.seen
    world.env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = "http://127.0.0.1:9"
    world.env["AZURE_TOKEN_CREDENTIALS"] = "WorkloadIdentityCredential"
    p = world.run("azure")
    assert p.returncode == 1 and "no Azure credentials were found; tried:" in world.message
    tried = [line.split(":")[0].strip() for line in world.message.splitlines() if line.startswith("  ")]
    every = ["shared key", "shared access signature", "client secret", "workload identity", "managed identity"]
    assert tried == every and world.took < 2
    del world.env["AZURE_TOKEN_CREDENTIALS"]
    p = world.run("azure")
    assert p.returncode == 1 and "managed identity: metadata service: " in world.message
    tried = [line.split(":")[0].strip() for line in world.message.splitlines() if line.startswith("  ")]
    assert tried == every[:-1]


@pytest.mark.parametrize("store", STORES)
def test_metadata_that_does_not_answer_costs_a_moment(world, store):
    world.env.update(GCE_METADATA_HOST="192.0.2.1", AZURE_POD_IDENTITY_AUTHORITY_HOST="http://169.254.0.1")
    p = world.run(store)
    assert p.returncode == 1 and world.took < 2, world.message


@pytest.mark.parametrize("store", STORES)
def test_tokens_are_not_sent_without_tls(world, store):
    named_file(world)
    client_secret(world)
    world.env.update(CKOPS_GS_ENDPOINT="http://192.0.2.1", CKOPS_AZURE_ENDPOINT="http://192.0.2.1/az")
    world.run(store)
    assert "tokens are not sent to 192.0.2.1 without TLS" in world.message and not world.seen
    # a name that begins like an address of this machine is not this machine
    other = "http://127.0.0.1.example.com"
    world.env.update(CKOPS_GS_ENDPOINT=other, CKOPS_AZURE_ENDPOINT=other)
    world.run(store)
    assert "tokens are not sent to 127.0.0.1.example.com without TLS" in world.message and not world.seen


# ---- renewal

RENEWED = {"gs": (named_file, "token"), "azure": (client_secret, "entra")}


def repeat(w, store, times, ms):
    p = subprocess.run([VFS, STORES[store], "repeat", "k", str(times), str(ms)], env=dict(w.env, CK_VERBOSITY="10"),
                       text=True, capture_output=True, timeout=60)
    return w.check(p)


def after_the_first_read(w, fn, *args):
    def wait():
        n, deadline = len(w.reached), time.monotonic() + 30
        while len(w.reached) == n and time.monotonic() < deadline:
            time.sleep(0.02)
        fn(*args)
    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_a_token_that_expires_is_renewed_before(world, store):
    setup, service = RENEWED[store]
    setup(world)
    world.lifetime = 4
    p = repeat(world, store, 9, 700)
    assert p.returncode == 0 and len(world.reached) == 9, p.stderr
    assert 2 <= world.services().count(service) < 9


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_a_token_that_cannot_be_renewed_is_used_to_its_end(world, store):
    setup, service = RENEWED[store]
    setup(world)
    world.lifetime = 8  # to be renewed after six seconds
    after_the_first_read(world, world.failing.update, {service: 503})
    p = repeat(world, store, 2, 6200)
    assert p.returncode == 0 and len(world.reached) == 2, p.stderr
    assert world.services().count(service) > 1
    world.lifetime = 1
    world.failing.clear()
    after_the_first_read(world, world.failing.update, {service: 400})
    p = repeat(world, store, 2, 3000)
    assert p.returncode == 1 and "answered 400" in p.stderr, p.stderr


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_a_token_that_is_taken_back_is_replaced_once(world, store):
    setup, service = RENEWED[store]
    setup(world)
    after_the_first_read(world, world.valid.clear)
    p = repeat(world, store, 2, 5500)
    assert p.returncode == 0 and len(world.reached) == 2, p.stderr
    assert world.services().count(service) == 2


@pytest.mark.parametrize("store", STORES)
def test_a_token_that_is_refused_at_once_is_reported_at_once(world, store):
    setup, service = RENEWED[store]
    setup(world)
    world.lifetime = 3600
    world.failing[store if store == "gs" else "azure"] = 401
    p = world.run(store)
    assert p.returncode == 1 and "401" in world.message and "not accepted" in world.message, world.message
    assert world.services() == [service, store] and world.took < 2
