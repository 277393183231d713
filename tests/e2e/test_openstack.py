"""Where the OpenStack credentials of a store come from: each source alone, each failing, each before
the sources that come after it. One fake server plays Keystone v3 and v2 and Swift, and notes who
signed in and which token reaches the store."""

import datetime
import http.server
import itertools
import json
import os
import pathlib
import ssl
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

SECRET = "s3cr3t-of-tests"


def stamp(seconds):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body, headers=()):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def token(self):
        s = self.server
        s.tokens += 1
        return f"token-{s.tokens}-{SECRET}"

    def endpoint(self, region):
        return f"{self.server.scheme}://127.0.0.1:{self.server.server_address[1]}/{region}/v1/AUTH_x"

    def serve(self):
        s, path = self.server, self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        s.seen.append((self.command, path))
        if path in s.failing:
            return self.reply(s.failing[path], s.words)
        if path == "/":
            ids = [v for v in (("v3.14", "stable"), ("v2.0", "deprecated")) if v[0][:2] in s.versions]
            return self.reply(300, {"versions": {"values": [{"id": i, "status": st} for i, st in ids]}})
        if path == "/v3/auth/tokens":
            s.logins.append(json.loads(body)["auth"])
            endpoints = [{"interface": i, "region": r, "region_id": r, "url": self.endpoint(r + i)}
                         for r in ("One", "Two") for i in ("public", "internal")]
            return self.reply(201, {"token": {"expires_at": stamp(s.lifetime), "catalog": [
                {"type": "identity", "endpoints": endpoints[:1]},
                {"type": "object-store", "name": "swift", "endpoints": endpoints}] if s.catalog else []}},
                [("x-subject-token", self.token())])
        if path == "/v2.0/tokens":
            s.logins.append(json.loads(body)["auth"])
            endpoints = [{"region": r, "publicURL": self.endpoint(r + "public"), "internalURL": self.endpoint(r + "internal")}
                         for r in ("One", "Two")]
            return self.reply(200, {"access": {"token": {"id": self.token(), "expires": stamp(s.lifetime)},
                                               "serviceCatalog": [{"type": "object-store", "endpoints": endpoints}]}})
        s.store.append((path.split("/")[1], self.headers.get("x-auth-token")))
        if s.refuse:
            s.refuse -= 1
            return self.reply(401, "")
        return self.reply(200, "[]")

    do_GET = do_PUT = do_POST = do_HEAD = serve


class World:
    def __init__(self, home):
        self.home = home
        s = self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        s.daemon_threads = True
        s.seen, s.logins, s.store, s.failing = [], [], [], {}
        s.scheme, s.words = "http", {"error": {"message": "text of the server"}}
        s.tokens, s.lifetime, s.versions, s.catalog, s.refuse = 0, 3600, ("v3", "v2"), True, 0
        threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % s.server_address[1]
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})

    def file(self, name, text):
        p = self.home / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)
        return str(p)

    def set(self, **variables):
        for k, v in variables.items():
            self.env.pop("OS_" + k, None)
            if v is not None:
                self.env["OS_" + k] = v

    def run(self, *args):
        p = subprocess.run([PROGRAM, "get", "clusters", "--state", "swift://ctr", *args], env=self.env, text=True,
                           capture_output=True, timeout=60)
        assert SECRET not in p.stdout + p.stderr, p.stderr
        return p

    @property
    def login(self):
        assert len(self.server.logins) == 1, self.server.logins
        return self.server.logins[0]


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    yield w
    w.server.shutdown()
    w.server.server_close()


def basic(w, who="env", **more):
    w.set(AUTH_URL=w.url + "/v3", USERNAME=who, PASSWORD=SECRET, PROJECT_NAME="proj", USER_DOMAIN_NAME="udom",
          PROJECT_DOMAIN_NAME="pdom")
    w.set(**more)


def password(user, scope="same"):
    return {"identity": {"methods": ["password"], "password": {"user": {**user, "password": SECRET}}},
            **({"scope": {"project": scope}} if scope else {})}


NAMED = {"name": "env", "domain": {"name": "udom"}}
PROJECT = {"name": "proj", "domain": {"name": "pdom"}}
SHAPES = {
    "names": ({}, password(NAMED, PROJECT)),
    "project id": ({"PROJECT_ID": "pid"}, password(NAMED, {"id": "pid"})),
    "tenant id": ({"TENANT_ID": "tid"}, password(NAMED, {"id": "tid"})),
    "project id before tenant id": ({"TENANT_ID": "tid", "PROJECT_ID": "pid"}, password(NAMED, {"id": "pid"})),
    "tenant name": ({"PROJECT_NAME": None, "TENANT_NAME": "ten"}, password(NAMED, {"name": "ten", "domain": {"name": "pdom"}})),
    "user id": ({"USERID": "uid"}, password({"id": "uid"}, PROJECT)),
    "user id, as other clients call it": ({"USER_ID": "uid"}, password({"id": "uid"}, PROJECT)),
    "user domain id": ({"USER_DOMAIN_ID": "did"}, password({"name": "env", "domain": {"id": "did"}}, PROJECT)),
    "project domain id": ({"PROJECT_DOMAIN_ID": "did"}, password(NAMED, {"name": "proj", "domain": {"id": "did"}})),
    "one domain name for both": ({"USER_DOMAIN_NAME": None, "PROJECT_DOMAIN_NAME": None, "DOMAIN_NAME": "dom"},
                                 password({"name": "env", "domain": {"name": "dom"}}, {"name": "proj", "domain": {"name": "dom"}})),
    "one domain id for both": ({"USER_DOMAIN_NAME": None, "PROJECT_DOMAIN_NAME": None, "DOMAIN_ID": "dom"},
                               password({"name": "env", "domain": {"id": "dom"}}, {"name": "proj", "domain": {"id": "dom"}})),
    "the project's domain is the user's": ({"PROJECT_DOMAIN_NAME": None},
                                           password(NAMED, {"name": "proj", "domain": {"name": "udom"}})),
    "no project": ({"PROJECT_NAME": None}, password(NAMED, None)),
    "user id and project id alone": ({"USERNAME": None, "USERID": "u", "PROJECT_NAME": None, "PROJECT_ID": "p",
                                      "USER_DOMAIN_NAME": None, "PROJECT_DOMAIN_NAME": None},
                                     password({"id": "u"}, {"id": "p"})),
    "application credential by id": ({"PASSWORD": None, "USERNAME": None, "APPLICATION_CREDENTIAL_ID": "ac",
                                      "APPLICATION_CREDENTIAL_SECRET": SECRET},
                                     {"identity": {"methods": ["application_credential"],
                                                   "application_credential": {"id": "ac", "secret": SECRET}}}),
    "application credential by name": ({"PASSWORD": None, "APPLICATION_CREDENTIAL_NAME": "ac",
                                        "APPLICATION_CREDENTIAL_SECRET": SECRET},
                                       {"identity": {"methods": ["application_credential"], "application_credential": {
                                           "name": "ac", "secret": SECRET, "user": NAMED}}}),
    "application credential by name and user id": ({"PASSWORD": None, "USERID": "u", "APPLICATION_CREDENTIAL_NAME": "ac",
                                                    "APPLICATION_CREDENTIAL_SECRET": SECRET},
                                                   {"identity": {"methods": ["application_credential"], "application_credential": {
                                                       "name": "ac", "secret": SECRET, "user": {"id": "u"}}}}),
    "a password before an application credential": ({"APPLICATION_CREDENTIAL_ID": "ac", "APPLICATION_CREDENTIAL_SECRET": SECRET},
                                                    password(NAMED, PROJECT)),
    "the type decides": ({"APPLICATION_CREDENTIAL_ID": "ac", "APPLICATION_CREDENTIAL_SECRET": SECRET,
                          "AUTH_TYPE": "v3applicationcredential"},
                         {"identity": {"methods": ["application_credential"],
                                       "application_credential": {"id": "ac", "secret": SECRET}}}),
    "a one-time code": ({"PASSCODE": SECRET}, {"identity": {
        "methods": ["password", "totp"], "password": {"user": {**NAMED, "password": SECRET}},
        "totp": {"user": {**NAMED, "passcode": SECRET}}}, "scope": {"project": PROJECT}}),
    "the whole system": ({"SYSTEM_SCOPE": "all"}, {**password(NAMED, None), "scope": {"system": {"all": True}}}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_environment(world, name):
    variables, auth = SHAPES[name]
    basic(world, **variables)
    p = world.run()
    assert world.login == auth, p.stderr
    assert {t for _, t in world.server.store} == {f"token-1-{SECRET}"}
    assert world.server.seen[0] == ("POST", "/v3/auth/tokens")  # the version is known from the URL


# ---- version 2 and discovery

@pytest.mark.parametrize("variables,scope", [
    ({"TENANT_NAME": "t"}, {"tenantName": "t"}), ({"TENANT_ID": "t"}, {"tenantId": "t"}),
    ({"PROJECT_ID": "p"}, {"tenantId": "p"}), ({}, {})], ids=lambda v: "-".join(v) or "none")
@pytest.mark.parametrize("how", ["url", "variable", "discovery"])
def test_version_2(world, how, variables, scope):
    url = world.url + ("/v2.0/" if how == "url" else "")
    if how == "discovery":
        world.server.versions = ("v2",)
    world.set(AUTH_URL=url, USERNAME="u", PASSWORD=SECRET, IDENTITY_API_VERSION="2.0" if how == "variable" else None, **variables)
    if how == "discovery":  # nothing says yet that no domain is needed
        world.set(DOMAIN_NAME="d")
    p = world.run()
    assert world.login == {"passwordCredentials": {"username": "u", "password": SECRET}, **scope}, p.stderr
    assert world.server.store


@pytest.mark.parametrize("suffix", ["", "/"])
def test_version_3_is_found_by_asking(world, suffix):
    basic(world, AUTH_URL=world.url + suffix)
    world.run()
    assert world.server.seen[:2] == [("GET", "/"), ("POST", "/v3/auth/tokens")] and world.server.store


def test_version_3_is_taken_at_its_word(world):
    basic(world, AUTH_URL=world.url, IDENTITY_API_VERSION="3")
    world.run()
    assert ("GET", "/") not in world.server.seen and world.server.store


# ---- region and interface

@pytest.mark.parametrize("variables,where", [
    ({}, "Onepublic"), ({"REGION_NAME": "Two"}, "Twopublic"), ({"REGION_NAME": "'Two'"}, "Twopublic"),
    ({"REGION_NAME": "Two", "INTERFACE": "internal"}, "Twointernal"), ({"ENDPOINT_TYPE": "internalURL"}, "Oneinternal"),
], ids=lambda v: str(v))
@pytest.mark.parametrize("version", ["v3", "v2.0"])
def test_region_and_interface(world, variables, where, version):
    basic(world, AUTH_URL=f"{world.url}/{version}", **variables)
    p = world.run()
    assert world.server.store[0][0] == where, p.stderr


# ---- the sources, in the order in which they are asked

def cloud_named(w):
    w.file(".config/openstack/clouds.yaml", f"""
clouds:
  lab:
    auth: {{auth_url: '{w.url}/v3', username: cloud, password: {SECRET}, project_id: 7, user_domain_name: d}}
    region_name: Two
  other:
    auth: {{auth_url: '{w.url}/v3', username: other, password: {SECRET}, project_id: p, user_domain_id: d}}
""")
    w.set(CLOUD="lab")


def environment(w):
    basic(w)


def ini(w, who="file", path=".openstack/config", **more):
    values = {"identity": w.url + "/v3", "user": who, "password": SECRET, "domain_name": "d", "tenant_name": "t", **more}
    return w.file(path, "[Default]\n" + "".join(f"{k} = {v}\n" for k, v in values.items() if v is not None) +
                  "[Global]\nregion = Two\n")


def file_named(w):
    w.env["OPENSTACK_CREDENTIAL_FILE"] = ini(w, "named", "elsewhere.ini")


SOURCES = [(cloud_named, "cloud"), (environment, "env"), (file_named, "named"), (ini, "file")]


def who(world):
    return world.login["identity"]["password"]["user"]["name"]


@pytest.mark.parametrize("source,name", SOURCES, ids=lambda x: getattr(x, "__name__", ""))
def test_source_alone(world, source, name):
    source(world)
    p = world.run()
    assert who(world) == name, p.stderr
    assert world.server.store[0][0] == ("Onepublic" if source is environment else "Twopublic")


@pytest.mark.parametrize("first,second", list(itertools.combinations(range(len(SOURCES)), 2)), ids=lambda i: SOURCES[i][0].__name__)
def test_earlier_source_wins(world, first, second):
    (a, name), (b, _) = SOURCES[first], SOURCES[second]
    b(world)
    a(world)
    p = world.run()
    assert who(world) == name, p.stderr


def test_an_incomplete_environment_gives_way_to_the_file(world):
    world.set(AUTH_URL=world.url + "/v3", USERNAME="env")
    ini(world)
    world.run()
    assert who(world) == "file"


def test_the_file_by_ids(world):
    ini(world, user=None, user_id="uid", domain_name=None, domain_id="did", tenant_name=None, tenant_id="tid")
    world.run()
    assert world.login == password({"id": "uid"}, {"id": "tid"})


def test_the_stores_own_cloud_comes_before_the_one_of_the_cloud(world):
    cloud_named(world)
    world.env["CKOPS_STORE_PROFILE"] = "other"
    world.run()
    assert who(world) == "other"


def test_secrets_may_lie_beside_or_in_the_environment(world):
    cloud = f"clouds: {{x: {{auth: {{auth_url: '{world.url}/v3', username: u, project_id: p, user_domain_id: d}}}}}}"
    path = world.file("dir/clouds.yaml", cloud)
    world.env["OS_CLIENT_CONFIG_FILE"] = path
    world.set(CLOUD="x")
    assert "OS_PASSWORD" in world.run().stderr
    world.set(PASSWORD=SECRET)
    world.run()
    assert who(world) == "u"
    world.server.logins.clear()
    world.set(PASSWORD=None)
    world.file("dir/secure.yaml", f"clouds: {{x: {{auth: {{password: {SECRET}}}}}}}")
    world.run()
    assert who(world) == "u"


def test_an_application_credential_in_clouds_yaml(world):
    world.file(".config/openstack/clouds.yaml", f"""
clouds: {{x: {{auth_type: v3applicationcredential, auth: {{auth_url: '{world.url}/v3', application_credential_id: ac,
  application_credential_secret: {SECRET}}}}}}}
""")
    world.set(CLOUD="x")
    world.run()
    assert world.login["identity"]["application_credential"] == {"id": "ac", "secret": SECRET}


def test_clouds_yaml_of_the_working_directory_is_left_alone(world, monkeypatch):
    world.file("cwd/clouds.yaml", f"clouds: {{x: {{auth: {{auth_url: '{world.url}/v3'}}}}}}")
    monkeypatch.chdir(world.home / "cwd")
    world.set(CLOUD="x")
    p = world.run()
    assert p.returncode == 1 and "no clouds.yaml" in p.stderr and not world.server.seen


# ---- what fails, in one message and without waiting

def without(*names):
    return lambda w: basic(w, **{n: None for n in names})


def refused(status, path="/v3/auth/tokens", **more):
    def f(w):
        basic(w, **more)
        w.server.failing[path] = status
    return f


def appcred(w, status):
    basic(w, PASSWORD=None, APPLICATION_CREDENTIAL_ID="ac", APPLICATION_CREDENTIAL_SECRET=SECRET)
    w.server.failing["/v3/auth/tokens"] = status


def unscoped(w):
    basic(w, PROJECT_NAME=None)
    w.server.catalog = False


def appcred_on_version_2(w):
    basic(w, AUTH_URL=w.url, PASSWORD=None, APPLICATION_CREDENTIAL_ID="ac", APPLICATION_CREDENTIAL_SECRET=SECRET)
    w.server.versions = ("v2",)


def no_version(w):
    basic(w, AUTH_URL=w.url)
    w.server.versions = ()


def unknown_cloud(w):
    cloud_named(w)
    w.set(CLOUD="nobody")


def cloud_of_another_type(w):
    w.file(".config/openstack/clouds.yaml", f"clouds: {{x: {{auth_type: v3oidcpassword, auth: {{auth_url: '{w.url}'}}}}}}")
    w.set(CLOUD="x")


def of_another_service(w):
    refused(400)(w)
    w.server.words = "<html><h1>Bad Request</h1></html>"


def incomplete_cloud(w):
    w.file(".config/openstack/clouds.yaml", f"clouds: {{x: {{auth: {{auth_url: '{w.url}'}}}}}}")
    w.set(CLOUD="x")


FAILING = {
    "nothing": (lambda w: None, ["no OpenStack credentials were found; tried:", "OS_CLOUD: not set",
                                 "environment: Missing environment variable [OS_AUTH_URL]", ".openstack/config"]),
    "no user": (without("USERNAME"), ["Missing one of the following environment variables [OS_USERID, OS_USERNAME]"]),
    "no password": (without("PASSWORD"), ["Missing environment variable [OS_PASSWORD]"]),
    "no secret": (lambda w: basic(w, APPLICATION_CREDENTIAL_ID="ac"), ["[OS_APPLICATION_CREDENTIAL_SECRET]"]),
    "a secret alone": (lambda w: basic(w, PASSWORD=None, USERNAME=None, APPLICATION_CREDENTIAL_SECRET=SECRET),
                       ["Missing environment variable [OS_PASSWORD]"]),
    "no domain of the project": (without("USER_DOMAIN_NAME", "PROJECT_DOMAIN_NAME"), [
        "Missing environment variable [OS_PROJECT_ID]", "without OS_PROJECT_DOMAIN_NAME or OS_PROJECT_DOMAIN_ID"]),
    "no domain of the user": (without("USER_DOMAIN_NAME", "PROJECT_NAME", "PROJECT_DOMAIN_NAME"), ["[OS_USER_DOMAIN_NAME]"]),
    "another auth type": (lambda w: basic(w, AUTH_TYPE="v3oidcpassword"), ['the auth type "v3oidcpassword" is not offered']),
    "wrong password": (refused(401), ["refused user env of project proj (from the environment): 401: text of the server",
                                      "check user, password, domain and project"]),
    "wrong secret": (lambda w: appcred(w, 401), ["refused application credential ac", "its secret is wrong"]),
    "unknown application credential": (lambda w: appcred(w, 404), ["refused application credential ac", "does not exist"]),
    "forbidden": (refused(403), ["403: text of the server"]),
    "malformed": (refused(400), ["400: text of the server", "do not fit together"]),
    "another service": (of_another_service, ["400; OS_AUTH_URL names no identity service"]),
    "no identity service": (refused(404), ["names no identity service"]),
    "server error": (refused(500), ["refused user env", "500"]),
    "no project": (unscoped, ["without a service catalog", "OS_PROJECT_ID"]),
    "no such region": (lambda w: basic(w, REGION_NAME="Nowhere"), [
        "No suitable endpoint could be found in the service catalog", "region Nowhere", "One public", "Two internal"]),
    "no such interface": (lambda w: basic(w, INTERFACE="admin"), ["the admin interface (OS_INTERFACE) in "]),
    "application credential on version 2": (appcred_on_version_2, ["need version 3"]),
    "no version": (no_version, ["offers neither version 3 nor version 2"]),
    "bad URL": (lambda w: basic(w, AUTH_URL="keystone.example.com"), ["OS_AUTH_URL (from the environment)"]),
    "nobody listens": (lambda w: basic(w, AUTH_URL="http://127.0.0.1:1/v3"), ["cannot sign in as user env", "connection refused"]),
    "unknown cloud": (unknown_cloud, ['has no cloud "nobody"; it has: lab, other']),
    "no clouds.yaml": (lambda w: w.set(CLOUD="x"), ["there is no clouds.yaml"]),
    "clouds.yaml named and missing": (lambda w: w.set(CLOUD="x", CLIENT_CONFIG_FILE="/nonexistent/c.yaml"), ["does not exist"]),
    "broken clouds.yaml": (lambda w: (cloud_named(w), w.file(".config/openstack/clouds.yaml", "a: [")), ["clouds.yaml"]),
    "incomplete cloud": (incomplete_cloud, ["cloud x of ", "is incomplete", "without OS_, in small letters",
                                            "Missing one of the following environment variables [OS_USERID"]),
    "cloud of another type": (cloud_of_another_type, ['"v3oidcpassword" is not offered']),
    "file named and missing": (lambda w: w.env.update(OPENSTACK_CREDENTIAL_FILE="/nonexistent/x"), ["does not exist"]),
    "file in place of half an environment": (lambda w: (w.set(USERNAME="env"), ini(w, identity="http://127.0.0.1:1/v3")),
                                             ["(from ", ".openstack/config; the environment is incomplete: Missing environment variable [OS_AUTH_URL])"]),
    "file without a section": (lambda w: w.file(".openstack/config", "[Global]\nregion=x\n"), ["error getting section of Default"]),
    "file without an identity": (lambda w: ini(w, identity=None), ["missing identity in section of Default"]),
    "file without a user": (lambda w: ini(w, user=None), ["missing user and user_id in section of Default"]),
    "file without a domain": (lambda w: ini(w, domain_name=None), ["missing domain_name and domain_id"]),
    "broken file": (lambda w: w.file(".openstack/config", "[Default\n"), [".openstack/config:1"]),
}


@pytest.mark.parametrize("name", FAILING)
def test_one_clear_message(world, name):
    setup, texts = FAILING[name]
    setup(world)
    began = time.monotonic()
    p = world.run("-v", "10")
    assert time.monotonic() - began < 2
    assert p.returncode == 1 and not world.server.store
    errors = [line for line in p.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, p.stderr
    for t in texts:
        assert t in p.stderr.split("\nError: ")[-1], p.stderr


def test_no_secret_at_the_highest_verbosity(world):
    cloud_named(world)
    world.run("-v", "10")
    assert world.server.store  # run() looks for secrets


# ---- tokens that end

def test_a_refused_token_is_renewed_once(world):
    basic(world)
    world.server.refuse = 1
    p = world.run()
    assert [t.split("-")[1] for _, t in world.server.store[:2]] == ["1", "2"], p.stderr
    assert len(world.server.logins) == 2


def test_a_token_that_is_always_refused_is_no_endless_loop(world):
    basic(world)
    world.server.refuse = 1000
    p = world.run()
    assert p.returncode == 1 and "401 Unauthorized" in p.stderr and "refused twice" in p.stderr
    assert len(world.server.logins) <= 3


def test_a_clock_that_is_wrong_does_not_matter(world):
    basic(world)
    world.server.lifetime = -3600
    world.run()
    assert len(world.server.logins) == 1 and world.server.store


# ---- TLS

@pytest.fixture
def tls_world(tmp_path):
    """The same server with a certificate of an authority of its own."""
    d = tmp_path / "pki"
    d.mkdir()
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout",
                        "key", "-out", "cert", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"], cwd=d, check=True,
                       capture_output=True)
    except FileNotFoundError:
        (pytest.fail if os.environ.get("CKOPS_SERVERS_REQUIRED") == "1" else pytest.skip)("openssl is not installed")
    w = World(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(d / "cert", d / "key")
    w.server.socket = context.wrap_socket(w.server.socket, server_side=True, do_handshake_on_connect=False)
    w.server.scheme = "https"
    w.url = w.url.replace("http:", "https:")
    w.cert = str(d / "cert")
    yield w
    w.server.shutdown()
    w.server.server_close()


def cert_of_clouds_yaml(w):
    cloud_named(w)
    p = w.home / ".config/openstack/clouds.yaml"
    p.write_text(p.read_text().replace("region_name: Two", f"region_name: Two\n    cacert: {w.cert}"))


@pytest.mark.parametrize("trust", [lambda w: (basic(w), w.set(CACERT=w.cert)), cert_of_clouds_yaml,
                                   lambda w: (basic(w), w.env.update(CKOPS_STORE_CA_BUNDLE=w.cert)),
                                   lambda w: (basic(w), w.env.update(KOPS_OS_TLS_INSECURE_SKIP_VERIFY="true")),
                                   lambda w: (basic(w), w.env.update(KOPS_OS_TLS_INSECURE_SKIP_VERIFY="1"))],
                         ids=["OS_CACERT", "clouds.yaml", "CKOPS_STORE_CA_BUNDLE", "skip true", "skip 1"])
def test_an_authority_of_ones_own(tls_world, trust):
    trust(tls_world)
    p = tls_world.run()
    assert tls_world.server.store, p.stderr


@pytest.mark.parametrize("value", [None, "yes", "TRUE", ""])
def test_an_unknown_authority_is_refused(tls_world, value):
    basic(tls_world)
    if value is not None:
        tls_world.env["KOPS_OS_TLS_INSECURE_SKIP_VERIFY"] = value
    p = tls_world.run()
    assert p.returncode == 1 and "is not trusted" in p.stderr and "OS_CACERT" in p.stderr and not tls_world.server.logins
