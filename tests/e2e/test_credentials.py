"""Where the AWS credentials of a store come from: each source alone, each failing, each before the
sources that come after it. One fake server plays the instance metadata, the container agent, STS,
the SSO portal and S3, and notes the access key that reaches S3."""

import datetime
import hashlib
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
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

SECRET = "s3cr3t-of-tests"


def stamp(seconds):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, body="", kind="text/plain"):
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def keys(self, access, token="Token"):
        self.reply(200, json.dumps({"Version": 1, "AccessKeyId": access, "SecretAccessKey": SECRET, token: "t-" + access,
                                    "Expiration": stamp(self.server.lifetime)}))

    def signer(self):
        m = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        return m.group(1) if m else None

    def serve(self):
        s, path = self.server, self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        query = dict(urllib.parse.parse_qsl(self.path.partition("?")[2], keep_blank_values=True))
        service = ("imds" if path.startswith("/latest/") else "container" if path == "/container" else
                   "sts" if path == "/" else "sso" if path.startswith("/federation") else
                   "oidc" if path == "/token" else "s3")
        s.seen.append((service, self.command, path, dict(self.headers), body))
        if service in s.failing:
            return self.reply(s.failing[service], "<Error/>")
        if service == "imds":
            if path == "/latest/api/token":
                return self.reply(200 if self.command == "PUT" else 405, "imds-token")
            if self.headers.get("x-aws-ec2-metadata-token") != "imds-token":
                return self.reply(401)
            if path.endswith("/security-credentials/"):
                return self.reply(200, "the-role\n")
            return self.keys("AKIMDS")
        if service == "container":
            if s.agent_token and self.headers.get("authorization") != s.agent_token:
                return self.reply(401)
            return self.keys("AKCONTAINER")
        if service == "sts":
            form = dict(urllib.parse.parse_qsl(body))
            action = form["Action"]
            if action == "GetCallerIdentity":
                time.sleep(s.arn_delay)
                return self.reply(200, f"<{action}Response><{action}Result><Arn>{s.arn}</Arn></{action}Result></{action}Response>")
            access = "AKWEB" if action.endswith("WebIdentity") else "AS" + str(self.signer())
            return self.reply(200, f"<{action}Response><{action}Result><Credentials><AccessKeyId>{access}</AccessKeyId>"
                              f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>t-{access}</SessionToken>"
                              f"<Expiration>{stamp(s.lifetime)}</Expiration></Credentials></{action}Result></{action}Response>")
        if service == "oidc":
            return self.reply(200, json.dumps({"accessToken": "fresh-sso", "expiresIn": 3600, "refreshToken": "r2"}))
        if service == "sso":
            if self.headers.get("x-amz-sso_bearer_token") not in ("valid-sso", "fresh-sso"):
                return self.reply(401)
            return self.reply(200, json.dumps({"roleCredentials": {
                "accessKeyId": "AKSSO", "secretAccessKey": SECRET, "sessionToken": "t-AKSSO",
                "expiration": int(time.time() + s.lifetime) * 1000}}))
        s.keys.append((self.signer(), self.headers.get("x-amz-security-token")))
        assert query.get("list-type") == "2", self.path
        self.reply(200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", "application/xml")

    do_GET = do_PUT = do_POST = do_HEAD = serve


class World:
    def __init__(self, home):
        self.home = home
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *a: None
        self.server.seen, self.server.keys, self.server.failing = [], [], {}
        self.server.lifetime, self.server.agent_token = 3600, None
        self.server.arn, self.server.arn_delay = "arn:aws:sts::123456789012:assumed-role/ops/me", 0
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"], "AWS_REGION": "us-east-1",
                    "AWS_ENDPOINT_URL_S3": self.url, "AWS_ENDPOINT_URL_STS": self.url, "AWS_ENDPOINT_URL_SSO": self.url,
                    "AWS_ENDPOINT_URL_SSO_OIDC": self.url, "AWS_EC2_METADATA_DISABLED": "true"}
        self.env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        self.profile = []  # lines of [default]

    def file(self, name, text):
        p = self.home / name
        p.parent.mkdir(parents=True, exist_ok=True)
        p.write_text(text)
        return str(p)

    def run(self, *args):
        if self.profile:
            self.file(".aws/config", "[default]\n" + "\n".join(self.profile) + EXTRA_SECTIONS)
        p = subprocess.run([PROGRAM, "get", "clusters", "--state", "s3://bkt", *args], env=self.env, text=True,
                           capture_output=True, timeout=60)
        assert SECRET not in p.stdout + p.stderr
        for secret in ("valid-sso", "fresh-sso", "imds-token", "jwt-of-tests", "refresh-of-tests"):
            assert secret not in p.stdout + p.stderr
        return p

    def services(self):
        return [s[0] for s in self.server.seen]


EXTRA_SECTIONS = """
[profile base]
aws_access_key_id = AKBASE
aws_secret_access_key = %s
[sso-session main]
sso_start_url = https://sso.example.com/start
sso_region = us-east-1
[profile storeonly]
aws_access_key_id = AKSTORE
aws_secret_access_key = %s
""" % (SECRET, SECRET)


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    yield w
    w.server.shutdown()
    w.server.server_close()


# ---- the sources, in the order in which they are asked: set up, and the key that is to reach S3

def environment(w):
    w.env.update(AWS_ACCESS_KEY_ID="AKENV", AWS_SECRET_ACCESS_KEY=SECRET)


def web_identity(w):
    w.env.update(AWS_WEB_IDENTITY_TOKEN_FILE=w.file("jwt", "jwt-of-tests\n"), AWS_ROLE_ARN="arn:aws:iam::1:role/web")


def source_profile(w):
    w.profile += ["source_profile = base", "role_arn = arn:aws:iam::1:role/r"]


def profile_keys(w):
    w.profile += ["aws_access_key_id = AKPROFILE", f"aws_secret_access_key = {SECRET}"]


def profile_web_identity(w):
    w.profile += ["web_identity_token_file = " + w.file("jwt2", "jwt-of-tests"), "role_arn = arn:aws:iam::1:role/r"]


def sso(w):
    w.profile += ["sso_session = main", "sso_account_id = 1", "sso_role_name = dev"]
    sso_cache(w, 3600 * 8)


def sso_cache(w, seconds, **more):
    w.file(".aws/sso/cache/%s.json" % hashlib.sha1(b"main").hexdigest(),
           json.dumps(dict({"accessToken": "valid-sso", "expiresAt": stamp(seconds)}, **more)))


def process(w):
    answer = json.dumps({"Version": 1, "AccessKeyId": "AKPROCESS", "SecretAccessKey": SECRET})
    w.profile += ["credential_process = cat " + w.file("answer.json", answer)]


def container(w):
    w.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = w.url + "/container"


def metadata(w):
    w.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = w.url
    w.env["AWS_EC2_METADATA_DISABLED"] = "false"


SOURCES = [(environment, "AKENV"), (web_identity, "AKWEB"), (source_profile, "ASAKBASE"), (profile_keys, "AKPROFILE"),
           (profile_web_identity, "AKWEB"), (sso, "AKSSO"), (process, "AKPROCESS"), (container, "AKCONTAINER"),
           (metadata, "AKIMDS")]


@pytest.mark.parametrize("source,key", SOURCES, ids=lambda x: getattr(x, "__name__", ""))
def test_source_alone(world, source, key):
    source(world)
    p = world.run()
    assert [k for k, _ in world.server.keys] == [key], p.stderr
    temporary = source not in (environment, profile_keys, process)
    assert world.server.keys[0][1] == ("t-" + key if temporary else None)


@pytest.mark.parametrize("first,second", list(itertools.combinations(range(len(SOURCES)), 2)),
                         ids=lambda i: SOURCES[i][0].__name__)
def test_earlier_source_wins(world, first, second):
    (a, key), (b, _) = SOURCES[first], SOURCES[second]
    b(world)
    a(world)
    if {a, b} & {source_profile, profile_web_identity} and a not in (environment, web_identity) and \
            b not in (container, metadata):
        # One profile with both: the role is assumed with what the earlier one yields.
        key = {profile_keys: "ASAKPROFILE"}.get(a, key)
    p = world.run()
    assert [k for k, _ in world.server.keys] == [key], p.stderr


# ---- variants of a source

def test_session_token_of_the_environment(world):
    environment(world)
    world.env["AWS_SESSION_TOKEN"] = "session"
    world.run()
    assert world.server.keys == [("AKENV", "session")]


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "CKOPS_STORE_PROFILE"])
def test_profile_by_name(world, variable):
    profile_keys(world)
    world.env[variable] = "storeonly"
    world.run()
    assert [k for k, _ in world.server.keys] == ["AKSTORE"]


def test_store_profile_comes_before_the_environment(world):
    environment(world)
    profile_keys(world)
    world.env["CKOPS_STORE_PROFILE"] = "storeonly"
    world.run()
    assert [k for k, _ in world.server.keys] == ["AKSTORE"]


def test_credentials_file_wins_over_the_config_file(world):
    profile_keys(world)
    world.file(".aws/credentials", f"[default]\naws_access_key_id = AKFILE\naws_secret_access_key = {SECRET}\n")
    world.run()
    assert [k for k, _ in world.server.keys] == ["AKFILE"]


@pytest.mark.parametrize("source,setup,key", [
    ("Environment", environment, "ASAKENV"), ("EcsContainer", container, "ASAKCONTAINER"),
    ("Ec2InstanceMetadata", metadata, "ASAKIMDS")], ids=["environment", "container", "metadata"])
def test_credential_source(world, source, setup, key):
    setup(world)
    world.file(".aws/config", f"[profile r]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = {source}\n"
               "external_id = ext-1\n")
    world.env["CKOPS_STORE_PROFILE"] = "r"
    p = world.run()
    assert [k for k, _ in world.server.keys] == [key], p.stderr
    form = dict(urllib.parse.parse_qsl(next(b for s, _, _, _, b in world.server.seen if s == "sts")))
    assert form["ExternalId"] == "ext-1" and form["RoleArn"] == "arn:aws:iam::1:role/r"


@pytest.mark.parametrize("how", ["AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
def test_container_agent_with_a_token(world, how):
    container(world)
    world.server.agent_token = "agent-token"
    world.env[how] = world.file("agent", "agent-token") if how.endswith("FILE") else "agent-token"
    world.run()
    assert [k for k, _ in world.server.keys] == ["AKCONTAINER"]


def test_sso_session_is_refreshed(world):
    sso(world)
    sso_cache(world, -60, clientId="c", clientSecret="cs", refreshToken="refresh-of-tests")
    p = world.run()
    assert [k for k, _ in world.server.keys] == ["AKSSO"], p.stderr
    cache = next((world.home / ".aws/sso/cache").iterdir())
    assert json.loads(cache.read_text())["refreshToken"] == "r2" and cache.stat().st_mode & 0o777 == 0o600


# ---- sources that are configured and fail: nothing later is asked, and the message names the source

def missing_token_file(w):
    web_identity(w)
    w.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = str(w.home / "none")


def without_role(w):
    web_identity(w)
    del w.env["AWS_ROLE_ARN"]


def failing(service, status, setup):
    def f(w):
        setup(w)
        w.server.failing[service] = status
    return f


def expired(setup):
    def f(w):
        setup(w)
        w.server.lifetime = -10
    return f


def half_a_profile(w):
    w.profile += ["aws_access_key_id = AKPROFILE"]


def circle(w):
    w.file(".aws/config", "[profile x]\nrole_arn=a\nsource_profile=y\n[profile y]\nrole_arn=b\nsource_profile=x\n")
    w.env["AWS_PROFILE"] = "x"


def no_such_profile(w):
    w.env["AWS_PROFILE"] = "nobody"


def role_without_source(w):
    w.profile += ["role_arn = arn:aws:iam::1:role/r"]


def unknown_source(w):
    w.profile += ["role_arn = arn:aws:iam::1:role/r", "credential_source = Elsewhere"]


def signed_out(w):
    sso(w)
    next((w.home / ".aws/sso/cache").iterdir()).unlink()


def sso_expired(w):
    sso(w)
    sso_cache(w, -60)


def sso_not_refreshed(w):
    sso(w)
    sso_cache(w, -60, clientId="c", clientSecret="cs", refreshToken="refresh-of-tests")
    w.server.failing["oidc"] = 400


def sso_revoked(w):
    sso(w)
    sso_cache(w, 3600 * 8, accessToken="revoked")


def process_says(text):
    def f(w):
        w.profile += ["credential_process = " + text]
    return f


def plain_http_elsewhere(w):
    w.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://192.0.2.1/creds"


def broken_file(w):
    w.file(".aws/config", "[default\nregion = x\n")


FAILING = {
    "web identity: no file": (missing_token_file, "web identity"),
    "web identity: no role": (without_role, "AWS_ROLE_ARN is not"),
    "web identity: refused": (failing("sts", 403, web_identity), "sts:AssumeRoleWithWebIdentity: 403"),
    "profile: half": (half_a_profile, "aws_access_key_id and aws_secret_access_key go together"),
    "profile: circle": (circle, "goes in a circle"),
    "profile: unknown": (no_such_profile, "profile nobody does not exist"),
    "profile: role alone": (role_without_source, "nothing says with which credentials"),
    "profile: unknown source": (unknown_source, "credential_source Elsewhere"),
    "role refused": (failing("sts", 403, source_profile), "sts:AssumeRole: 403"),
    "sso: signed out": (signed_out, "aws sso login --profile default"),
    "sso: expired": (sso_expired, "aws sso login --profile default"),
    "sso: not refreshed": (sso_not_refreshed, "could not be refreshed; run: aws sso login"),
    "sso: revoked": (sso_revoked, "no longer valid; run: aws sso login"),
    "sso: no access": (failing("sso", 403, sso), "role dev in account 1: 403"),
    "process: status": (process_says("false"), "the command failed with status 1"),
    "process: no JSON": (process_says("echo hello"), "did not print JSON"),
    "process: no version": (process_says("echo '{}'"), "Version is not 1"),
    "container: status": (failing("container", 404, container), "answered 404"),
    "container: expired": (expired(container), "the credentials expired at"),
    "container: plain http": (plain_http_elsewhere, "plain http to 192.0.2.1 is not allowed"),
    "broken file": (broken_file, ".aws/config"),
}


@pytest.mark.parametrize("name", FAILING)
def test_configured_source_that_fails_ends_the_search(world, name):
    setup, text = FAILING[name]
    metadata(world)
    setup(world)
    p = world.run()
    assert p.returncode == 1 and text in p.stderr, p.stderr
    assert not world.server.keys and "imds" not in world.services()


@pytest.mark.parametrize("setup,text", [
    (lambda w: None, "AWS_EC2_METADATA_DISABLED is true"),
    (lambda w: w.env.update(AWS_ACCESS_KEY_ID="AKENV"), "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"),
    (failing("imds", 403, metadata), "the token request was answered with 403"),
    (failing("imds", 500, metadata), "instance metadata:"),
], ids=["nothing", "half an environment", "metadata 403", "metadata 500"])
def test_nothing_found_names_every_source(world, setup, text):
    setup(world)
    p = world.run()
    assert p.returncode == 1 and "no AWS credentials were found; tried:" in p.stderr and text in p.stderr
    tried = [line.split(":")[0].strip() for line in p.stderr.splitlines() if line.startswith("  ")]
    assert tried == ["environment", "web identity", "profile default", "container", "instance metadata"]
    assert not world.server.keys


def test_metadata_that_does_not_answer_costs_a_moment(world):
    metadata(world)
    world.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://192.0.2.1"
    began = time.monotonic()
    p = world.run()
    assert p.returncode == 1 and "no AWS credentials were found" in p.stderr
    assert time.monotonic() - began < 5


def test_no_secret_at_the_highest_verbosity(world):
    source_profile(world)
    assert world.run("-v", "10").returncode in (0, 1) and world.server.keys  # run() looks for secrets


# ---- whom a denial is about

def denied(w):
    environment(w)
    w.server.failing["s3"] = 403
    return w.run()


def test_a_denial_names_the_arn(world):
    p = denied(world)
    assert p.returncode == 1
    assert f"s3:ListBucket as {world.server.arn} (AKENV from environment) in us-east-1: 403 Forbidden" in p.stderr, p.stderr
    assert world.services().count("sts") == 1


@pytest.mark.parametrize("why", ["another endpoint", "STS fails", "STS is slow", "no ARN"])
def test_a_denial_without_an_arn_names_the_key(world, why):
    if why == "another endpoint":
        del world.env["AWS_ENDPOINT_URL_STS"]
    if why == "STS fails":
        world.server.failing["sts"] = 500
    if why == "STS is slow":
        world.server.arn_delay = 4
    if why == "no ARN":
        world.server.arn = "\x1b[2Jarn:aws"
    began = time.monotonic()
    p = denied(world)
    assert p.returncode == 1 and time.monotonic() - began < 5
    assert "s3:ListBucket as AKENV (from environment) in us-east-1: 403 Forbidden" in p.stderr, p.stderr
    assert ("sts" in world.services()) == (why != "another endpoint") and "\x1b" not in p.stderr


def test_other_errors_do_not_ask_who_it_was(world):
    environment(world)
    world.server.failing["s3"] = 404
    assert world.run().returncode == 1 and "sts" not in world.services()


# ---- what else a profile says

@pytest.mark.parametrize("also", [None, "AWS_CA_BUNDLE", "CKOPS_STORE_CA_BUNDLE"])
def test_ca_bundle_of_the_profile_comes_after_the_variables(world, also):
    world.profile = ["aws_access_key_id = AKPROFILE", f"aws_secret_access_key = {SECRET}", "ca_bundle = /nonexistent/profile.pem"]
    world.env["AWS_ENDPOINT_URL_S3"] = world.url.replace("http://", "https://")
    if also:
        world.env[also] = "/nonexistent/variable.pem"
    p = world.run()
    assert p.returncode == 1
    assert f"trusted authorities cannot be read: /nonexistent/{'variable' if also else 'profile'}.pem" in p.stderr, p.stderr
