"""Google's external accounts whose subject token comes from a program or from AWS: each source alone, failing, and before
the next; what is handed to Google equals what the vendor's library makes of the same inputs."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

import test_cloud_tokens as tokens
from test_cloud_tokens import EMAIL, creds, external, impersonation, key, pytestmark, world  # noqa: F401

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import clouds  # noqa: E402
import servers  # noqa: E402

REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
GOOD = {"version": 1, "success": True, "token_type": ID_TOKEN, "id_token": "subject-s3cret"}


# ---- programs

def program(w, answer, before="", status=0, **more):
    """Credentials with a program that notes its environment and prints the answer."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    w.file("answer", text)
    path = w.file("a program", f"#!/bin/sh\nenv | sort > '{w.home}/environment'\necho \"$@\" > '{w.home}/args'\n"
                               f"{before}\ncat '{w.home}/answer'\nexit {status}\n")
    os.chmod(path, 0o755)
    source = {"executable": {"command": f"'{path}' --one \"two three\" fo\\ ur", **more}}
    w.env["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"] = "1"
    w.env["GOOGLE_APPLICATION_CREDENTIALS"] = w.file("creds.json", external(w, source))
    return source


def ran(w):
    return (w.home / "environment").exists()


KINDS = {"id_token": GOOD, "jwt": dict(GOOD, token_type="urn:ietf:params:oauth:token-type:jwt"),
         "saml": {"version": 1, "success": True, "token_type": "urn:ietf:params:oauth:token-type:saml2", "saml_response": "subject-s3cret"},
         "with a time": dict(GOOD, expiration_time=int(time.time()) + 3600)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_gives_the_subject_token(world, kind):  # noqa: F811
    program(world, KINDS[kind])
    p = world.run("gs")
    assert world.reached == ["federated"], p.stderr
    env = dict(line.split("=", 1) for line in (world.home / "environment").read_text().splitlines() if "=" in line)
    assert {k: v for k, v in env.items() if k.startswith("GOOGLE_EXTERNAL_ACCOUNT_")} == {
        "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1", "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE": "//iam/pool",
        "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE": "urn:ietf:params:oauth:token-type:jwt",
        "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE": "0", "GOOGLE_EXTERNAL_ACCOUNT_REVOKE": "0"}
    assert (world.home / "args").read_text() == "--one two three fo ur\n"


def test_a_program_is_told_whom_its_token_impersonates(world):  # noqa: F811
    source = program(world, GOOD)
    world.file("creds.json", external(world, source, service_account_impersonation_url=impersonation(world)))
    p = world.run("gs")
    assert world.reached == ["impersonated"], p.stderr
    assert f"GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL={EMAIL}\n" in (world.home / "environment").read_text()


@pytest.mark.parametrize("allowed", [None, "", "0", "true"])
def test_no_program_runs_without_leave(world, allowed):  # noqa: F811
    program(world, GOOD)
    del world.env["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"]
    if allowed is not None:
        world.env["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"] = allowed
    world.run("gs")
    assert "run only with GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1" in world.message and not ran(world)


CACHED = {
    "valid": (dict(GOOD, expiration_time=int(time.time()) + 3600), False),
    "expired": (dict(GOOD, id_token="old", expiration_time=1), True),
    "without a time": (dict(GOOD, id_token="old"), True),
    "a failure": ({"version": 1, "success": False, "code": "1", "message": "x"}, True),
    "not JSON": ("{", True),
    "not there": (None, True),
}


@pytest.mark.parametrize("name", CACHED)
def test_the_output_file_is_a_cache(world, name):  # noqa: F811
    content, runs = CACHED[name]
    path = world.home / "cache.json"
    if content is not None:
        world.file("cache.json", content)
    program(world, GOOD, output_file=str(path))
    p = world.run("gs")
    assert world.reached == ["federated"] and ran(world) == runs, p.stderr
    if runs:
        assert f"GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE={path}\n" in (world.home / "environment").read_text()


def test_a_program_may_answer_in_its_output_file_alone(world):  # noqa: F811
    path = world.home / "cache.json"
    program(world, "", before=f"echo '{json.dumps(GOOD)}' > '{path}'", output_file=str(path))
    p = world.run("gs")
    assert world.reached == ["federated"], p.stderr


def without(*names):
    return {k: v for k, v in GOOD.items() if k not in names}


BROKEN = {
    "a status": (dict(status=3), GOOD, "the executable failed with status 3"),
    "not JSON": ({}, "subject-s3cret", "did not print JSON"),
    "nothing": ({}, "", "did not print JSON"),
    "a failure": ({}, {"version": 1, "success": False, "code": "401", "message": "sign in first"}, "answered 401: sign in first"),
    "no version": ({}, without("version"), "answered in no version 1"),
    "another version": ({}, dict(GOOD, version=2), "answered in no version 1"),
    "no success": ({}, without("success"), "did not say whether it succeeded"),
    "no type": ({}, without("token_type"), 'answered with token_type ""'),
    "no token": ({}, without("id_token"), "answered without id_token"),
    "an expired token": ({}, dict(GOOD, expiration_time=1), "a token that has expired"),
    "too much": (dict(before="head -c 100000 /dev/zero"), GOOD, "printed more than 65536 bytes"),
    "timeout_millis": (dict(timeout_millis=100), GOOD, "timeout_millis is not between 5000 and 120000"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_program_that_fails_ends_the_search(world, name):  # noqa: F811
    how, answer, text = BROKEN[name]
    tokens.gce(world)
    program(world, answer, **how)
    p = world.run("gs")
    assert p.returncode == 1 and text in world.message, world.message
    assert not world.reached and "gce" not in world.services() and world.took < 2 and world.message.count("Error: ") == 1


@pytest.mark.parametrize("command,text", [("", "no command that can be read"), ("'open", "no command that can be read"),
                                          ("nosuchprogram-of-tests x", "nosuchprogram-of-tests was not found"),
                                          ("/nonexistent/x", "/nonexistent/x was not found")])
def test_a_program_that_is_not_there(world, command, text):  # noqa: F811
    program(world, GOOD)
    world.file("creds.json", external(world, {"executable": {"command": command}}))
    world.run("gs")
    assert text in world.message and world.took < 2, world.message


# ---- AWS

AWS_TYPE = "urn:ietf:params:aws:token-type:aws4_request"
ENV = {"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "aws-s3cret", "AWS_REGION": "us-east-2"}


def aws(w, leave_out=(), **more):
    source = {"environment_id": "aws1", "region_url": w.url + "/latest/zone", "url": w.url + "/latest/roles",
              "imdsv2_session_token_url": w.url + "/latest/api/token",
              "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15", **more}
    content = external(w, {k: v for k, v in source.items() if k not in leave_out}, subject_token_type=AWS_TYPE)
    w.env["GOOGLE_APPLICATION_CREDENTIALS"] = w.file("creds.json", content)


# What google-auth makes of the credentials file, the environment and the metadata service at the time of a given token. It leaves the
# audience out of the signature; its own signer is asked to sign it too, as Google recommends and its other libraries do.
GOOGLE_AUTH = r"""
import datetime, json, os, sys, urllib.parse
from google.auth import _helpers, aws
import google.auth.transport.requests
plain = aws.RequestSigner.get_request_options
for line in sys.stdin:
    path, token, env = json.loads(line)
    os.environ.clear()
    os.environ.update(env)
    date = next(h["value"] for h in json.loads(urllib.parse.unquote(token))["headers"] if h["key"] == "x-amz-date")
    info = json.load(open(path))
    _helpers.utcnow = lambda: datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
    aws.RequestSigner.get_request_options = lambda self, credentials, url, method: plain(
        self, credentials, url, method, additional_headers={"x-goog-cloud-target-resource": info["audience"]})
    print(aws.Credentials.from_info(info).retrieve_subject_token(google.auth.transport.requests.Request()), flush=True)
"""


@pytest.fixture(scope="module")
def googles():
    """token(world, ours): what google-auth makes of the same."""
    try:
        python = clouds.vendor_python()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    p = subprocess.Popen([python, "-c", GOOGLE_AUTH], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def token(w, ours):
        p.stdin.write(json.dumps([w.env["GOOGLE_APPLICATION_CREDENTIALS"], ours, w.env]) + "\n")
        p.stdin.flush()
        return p.stdout.readline().rstrip("\n")

    yield token
    p.stdin.close()
    assert p.wait(30) == 0


AWS = {
    "environment": (ENV, {}),
    "environment with a session": ({**ENV, "AWS_SESSION_TOKEN": "session-s3cret+/="}, {}),
    "default region": ({**{k: v for k, v in ENV.items() if k != "AWS_REGION"}, "AWS_DEFAULT_REGION": "eu-west-3"}, {}),
    "AWS_REGION comes before the default": ({**ENV, "AWS_DEFAULT_REGION": "eu-west-3"}, {}),
    "keys of the environment, region of the instance": ({k: v for k, v in ENV.items() if k != "AWS_REGION"}, {}),
    "region of the environment, keys of the instance": ({"AWS_REGION": "us-east-2"}, {}),
    "instance": ({}, {}),
    "instance, without sessions": ({}, {"leave_out": ["imdsv2_session_token_url"]}),
    "a partition of its own": ({**ENV, "AWS_REGION": "cn-north-1"},
                               {"regional_cred_verification_url": "https://sts.{region}.amazonaws.com.cn/?Action=GetCallerIdentity&Version=2011-06-15"}),
}


@pytest.mark.parametrize("name", AWS)
def test_the_subject_token_on_aws_is_googles_own(world, googles, name):  # noqa: F811
    env, how = AWS[name]
    aws(world, **how)
    world.env.update(env)
    if "leave_out" in how:
        world.aws_session = None
    p = world.run("gs")
    assert world.reached == ["aws"], p.stderr
    token, = world.subjects
    assert ("ASIAROLE" in token) == ("AWS_ACCESS_KEY_ID" not in env)
    assert ("aws" in world.services()) == ("instance" in name)
    assert token == googles(world, token)
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "eu-central-1"
    assert f"https%3A//sts.{region}.amazonaws.com" in token


@pytest.mark.parametrize("half", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_half_a_key_in_the_environment_is_none(world, half):  # noqa: F811
    aws(world)
    world.env.update({half: ENV[half], "AWS_REGION": "us-east-2"})
    world.run("gs")
    assert world.reached == ["aws"] and "ASIAROLE" in world.subjects[0], world.message


FAILING = {
    "another environment": (lambda w: aws(w, environment_id="aws2"), 'environment_id "aws2"; aws1 is supported'),
    "no region": (lambda w: aws(w, ["region_url"]), "its credential_source has no region_url"),
    "no keys": (lambda w: aws(w, ["url"]), "its credential_source has no url"),
    "no role": (lambda w: (aws(w), setattr(w, "aws_role", "")), "this instance has no role"),
    "a role that is a path": (lambda w: (aws(w), setattr(w, "aws_role", "../x")), "this instance has no role"),
    "the session is refused": (lambda w: (aws(w), setattr(w, "aws_session", "x")), "metadata: 127.0.0.1 answered 401 to region_url"),
    "the service refuses": (tokens.failing("aws", 403, aws), "metadata: 127.0.0.1 answered 403 to imdsv2_session_token_url"),
    "a region that is none": (lambda w: (aws(w), w.env.update(ENV, AWS_REGION="a/b")), '"a/b" is no region'),
    "elsewhere": (lambda w: aws(w, url="http://192.0.2.1/roles"), "url is not at AWS' metadata service but at 192.0.2.1"),
    "not by TLS": (lambda w: (aws(w, regional_cred_verification_url="http://sts.example.com/"), w.env.update(ENV)),
                   "regional_cred_verification_url is not https"),
    "refused by Google": (lambda w: (tokens.failing("sts", 400, aws)(w), w.env.update(ENV)), "token exchange: 127.0.0.1 answered 400"),
}


@pytest.mark.parametrize("name", FAILING)
def test_aws_that_fails_ends_the_search(world, name):  # noqa: F811
    setup, text = FAILING[name]
    tokens.gce(world)
    setup(world)
    p = world.run("gs")
    assert p.returncode == 1 and text in world.message, world.message
    assert not world.reached and "gce" not in world.services() and world.took < 2 and world.message.count("Error: ") == 1


# ---- renewal

@pytest.mark.slow
@pytest.mark.parametrize("source", [aws, lambda w: program(w, GOOD)], ids=["aws", "program"])
def test_expiry_in_the_middle_asks_the_source_again(world, source):  # noqa: F811
    source(world)
    world.lifetime = 2
    p = tokens.repeat(world, "gs", 6, 500)
    assert p.returncode == 0 and len(world.reached) == 6, p.stderr
    assert len(world.subjects) >= 2
