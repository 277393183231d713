"""The HTTP layer with the real library against a real server: what curl does on our behalf.

The program is tests/unit/http_cli of the build directory: CK_BUILD, or where CKOPS_BIN is."""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import time
import warnings

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "wire"))
from server import Server  # noqa: E402

BUILD = os.environ.get("CK_BUILD") or os.path.dirname(os.environ.get("CKOPS_BIN", ""))
if not BUILD or not os.access(os.path.join(BUILD, "tests/unit/http_cli"), os.X_OK):
    pytest.skip("CK_BUILD names no build directory with tests/unit/http_cli",
                allow_module_level=True)
CLI = os.path.join(BUILD, "tests/unit/http_cli")
PROXY_VARS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SANITIZED = any(k.endswith("SAN_OPTIONS") for k in os.environ)


def run(*args, timeout=60, **env):
    e = {k: v for k, v in os.environ.items()
         if k.lower() not in PROXY_VARS and k not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    e.update(env)
    began = time.monotonic()
    p = subprocess.run([CLI, *map(str, args)], env=e, capture_output=True, text=True,
                       errors="replace", timeout=timeout)
    assert p.returncode in (0, 1), p.stderr
    p.lines = p.stdout.splitlines()
    p.seconds = time.monotonic() - began
    return p


@pytest.fixture
def server():
    with Server() as s:
        s.url = "http://127.0.0.1:%d" % s.port
        yield s


def echo(server, *args):
    p = run("-o", *args, server.url + "/echo")
    assert p.lines[0].startswith("200 ")
    e = json.loads(p.lines[1])
    e["h"] = {k.lower(): v for k, v in e["headers"]}
    return e


# ---- what is sent

def test_only_known_headers_are_sent(server):
    e = echo(server)
    assert sorted(e["h"]) == ["accept-encoding", "host", "user-agent"]
    assert e["h"]["accept-encoding"] == "identity"
    assert e["h"]["user-agent"].startswith("ckops/")
    assert e["h"]["host"] == "127.0.0.1:%d" % server.port


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_is_sent_as_it_is_without_expect(server, method):
    body = "a\r\nb=é" + "x" * 5000
    e = echo(server, "-m", method, "-d", body)
    assert e["method"] == method
    assert e["body"].encode("latin-1").decode() == body
    assert e["h"]["content-length"] == str(len(body.encode()))
    assert "expect" not in e["h"] and "content-type" not in e["h"]


@pytest.mark.parametrize("method,length", [("POST", "0"), ("PUT", "0"), ("DELETE", None)])
def test_without_a_body_the_length_is_what_servers_expect(server, method, length):
    assert echo(server, "-m", method)["h"].get("content-length") == length


def test_headers_of_the_request_are_sent_even_when_empty(server):
    e = echo(server, "-H", "X-Empty:", "-H", "Content-Type: text/plain", "-H", "X-A: 1", "-H", "X-A: 2")
    assert e["h"]["x-empty"] == "" and e["h"]["content-type"] == "text/plain"
    assert [v for k, v in e["headers"] if k == "X-A"] == ["1", "2"]


def test_head_has_no_body(server):
    p = run("-m", "HEAD", server.url + "/echo")
    assert p.lines[0].split()[:2] == ["200", "0"]


@pytest.mark.parametrize("path", [
    "/a/../b/./c//d", "/%20%25%2B", "/a%2Fb", "/%C3%A9?x=%26&y&z=", "/.%2F..", "/..", "/a/..?b=%2E",
])
def test_the_path_travels_untouched(server, path):
    run(server.url + path)
    assert server.requests[-1][1] == path.replace("%2E", ".")


def test_ipv6():
    with Server(family=socket.AF_INET6) as s:
        p = run("http://[::1]:%d/echo" % s.port, "-o")
        assert p.lines[0].startswith("200 ")
        assert ["Host", "[::1]:%d" % s.port] in json.loads(p.lines[1])["headers"]


# ---- replies

def test_chunked_and_interim_replies(server):
    assert run("-o", server.url + "/chunked").lines[1] == "onetwothree"
    p = run("-i", server.url + "/continue")
    assert p.lines[0].startswith("201 2 ") and "link: x" not in p.lines


@pytest.mark.parametrize("path", ["/big?200000", "/big-chunked?262144"])
def test_a_reply_over_the_limit_is_cut_off_while_it_arrives(server, path):
    p = run("-x", 100000, "-r", "safe", server.url + path)
    assert p.lines[0].startswith("error limit ") and "larger than 100000 bytes" in p.lines[0]
    assert len(server.requests) == 1


def test_a_reply_of_exactly_the_limit_is_fine(server):
    assert run("-x", 100000, server.url + "/big?100000").lines[0].startswith("200 100000 ")


def test_of_an_error_at_most_a_mebibyte_is_kept(server):
    assert run(server.url + "/big-error?3000000").lines[0].startswith("400 1048576 ")


def test_a_stream_is_not_held_in_memory(server):
    p = run("-s", server.url + "/big?20000000")
    assert p.lines[0].startswith("200 0 ") and p.lines[1] == "streamed 20000000"


def test_headers_without_end_are_cut(server):
    p = run("-i", server.url + "/many-headers?2000")
    assert len(p.lines) <= 202


# ---- faults

@pytest.mark.parametrize("path,text", [
    ("/reset", "the connection broke before the reply"),
    ("/close", "the connection broke before the reply"),
    ("/truncate", "the connection broke before the reply was complete"),
    ("/truncate-chunk", "the connection broke before the reply was complete"),
    ("/garbage", "does not speak HTTP/1.1"),
])
def test_faults_are_named_and_tried_again_only_where_safe(server, path, text):
    p = run("-r", "safe", server.url + path)
    assert p.lines[0].startswith("error unavailable ") and text in p.lines[0], p.lines
    assert len(server.requests) == 3
    server.requests.clear()
    p = run("-m", "POST", "-d", "x", "-r", "none", server.url + path)
    assert p.lines[0].startswith("error unavailable ") and text in p.lines[0]
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("where", ["status", "header", "line"])
def test_a_head_that_is_cut_off_is_no_reply(server, method, where):
    """The library takes it for a whole one where no body is due: headers that tell a version would be missing."""
    p = run("-m", method, "-r", "none", f"{server.url}/truncate-head?{where}")
    assert p.lines[0].startswith("error unavailable ") and "the connection broke before the reply was complete" in p.lines[0], p.lines


def test_a_reset_connection_is_made_good(server):
    assert run("-r", "safe", server.url + "/reset-once").lines[0].startswith("200 7 ")


def test_a_busy_server_is_asked_again(server):
    p = run("-r", "safe", server.url + "/fail?2")
    assert p.lines[0].startswith("200 7 ") and p.lines[0].endswith(" 3")


def test_nobody_listens():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    p = run("-r", "safe", "http://127.0.0.1:%d/" % s.getsockname()[1])
    assert "connection refused" in p.lines[0] and p.lines[0].startswith("error unavailable ")


def test_a_name_that_does_not_exist():
    p = run("-t", 5000, "http://nonexistent.invalid/")
    assert p.lines[0].startswith("error ")
    assert "nonexistent.invalid" in p.lines[0]
    assert p.seconds < 8


@pytest.mark.parametrize("path", ["/stall", "/stall-body", "/drip"])
def test_a_server_that_stalls_costs_one_deadline(server, path):
    p = run("-r", "safe", "-t", 400, server.url + path)
    assert p.lines[0].startswith("error timeout "), p.lines
    assert p.seconds < (6 if SANITIZED else 1.5)


def test_a_server_that_stalls_ends_a_batch_in_one_deadline(server):
    p = run("-n", 200, "-p", 8, "-r", "safe", "-t", 400, server.url + "/stall")
    assert len(p.lines) == 200 and all(x.startswith("error timeout ") for x in p.lines)
    assert p.seconds < (6 if SANITIZED else 2)
    assert len(server.requests) <= 16


def test_an_accepting_socket_that_never_answers_tls():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(8)
    p = run("-t", 3000, "-c", 300, "-a", 1, "https://127.0.0.1:%d/" % s.getsockname()[1])
    assert p.lines[0].startswith("error timeout ") and "TLS handshake" in p.lines[0]
    assert p.seconds < 2.5


def test_a_request_that_must_not_be_sent_twice_is_not_resent_on_a_dead_connection(server):
    p = run("-R", 2, "-m", "POST", "-d", "x", "-r", "none", server.url + "/die-when-idle")
    assert p.lines[0].startswith("200 ")
    assert p.lines[1].startswith("error unavailable "), p.lines
    assert len(server.requests) == 1


# ---- many

def test_a_thousand_slow_requests_share_32_connections(server):
    p = run("-n", 1000, "-p", 32, server.url + "/delay?30")
    assert sum(x.startswith("200 4 ") for x in p.lines) == 1000
    assert server.connections <= 32 and server.open_most <= 32
    assert server.open_most >= 30
    assert p.seconds < (10 if SANITIZED else 3)


def test_connections_are_kept_between_calls(server):
    run("-R", 10, server.url + "/echo")
    assert len(server.requests) == 10 and server.connections == 1


def test_a_callback_may_send_while_others_are_under_way(server):
    p = run("-n", 60, "-p", 8, "-E", server.url + "/delay?5")
    assert p.lines.count("inner 200") == 60
    assert sum(x.startswith("200 4 ") for x in p.lines) == 60
    assert server.connections <= 9


# ---- redirects

def test_secrets_do_not_follow_to_another_port(server):
    with Server() as other:
        target = "http://127.0.0.1:%d/echo" % other.port
        p = run("-f", "-H", "Authorization: geheim", "-H", "X-Plain: 1", server.url + "/redirect?" + target)
        assert p.lines[0].startswith("200 ")
        names = [k.lower() for k, v in other.requests[0][2]]
        assert "authorization" not in names and "x-plain" in names
        assert len(run(server.url + "/redirect?" + target).lines) == 1


def test_a_redirect_to_a_file_is_refused(server):
    p = run("-f", server.url + "/redirect?file:///etc/passwd")
    assert p.lines[0].startswith("error invalid ")


# ---- proxies

def test_plain_requests_go_through_the_proxy(server):
    p = run("-o", "http://target.example/x?y=1", http_proxy=server.url)
    assert p.lines[1] == "proxied http://target.example/x?y=1"


def test_no_proxy_is_obeyed_by_us_not_by_the_library(server):
    p = run("-o", server.url + "/echo", http_proxy="http://127.0.0.1:1", NO_PROXY="127.0.0.0/8")
    assert p.lines[0].startswith("200 ")
    p = run("-N", "-o", server.url + "/echo", ALL_PROXY="http://127.0.0.1:1")
    assert p.lines[0].startswith("200 ")


def test_a_proxy_that_is_down_is_named_without_its_password():
    p = run("-a", 1, "http://target.example/", HTTP_PROXY="http://user:geheim@127.0.0.1:1")
    assert "proxy 127.0.0.1:1" in p.lines[0] and "geheim" not in p.stdout + p.stderr


def test_a_proxy_that_wants_a_password_says_so(server):
    p = run("-r", "safe", "https://auth.example/", HTTPS_PROXY=server.url)
    assert p.lines[0].startswith("error unauthenticated ") and "407" in p.lines[0], p.lines
    assert len(server.requests) == 1


def test_a_proxy_that_refuses_is_named(server):
    p = run("-a", 1, "https://other.example/", HTTPS_PROXY=server.url)
    assert "refused the connection (403)" in p.lines[0], p.lines


# ---- TLS

def openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("the openssl command makes the certificates")
    d = tmp_path_factory.mktemp("ca")
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl(*new, "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.pem", cwd=d)
    leaf(d, "good", "IP:127.0.0.1")
    leaf(d, "wrong", "DNS:elsewhere.example")
    leaf(d, "tunnel", "DNS:tunnel.example")
    return d


def leaf(d, name, san, days="2"):
    (d / (name + ".ext")).write_text("subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % san)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
            "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr", cwd=d)
    openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", days,
            "-CAcreateserial", "-extfile", name + ".ext", "-out", name + ".pem", cwd=d)


def context(ca, name, newest=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(ca / (name + ".pem"), ca / (name + ".key"))
    if newest:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            c.minimum_version = c.maximum_version = newest
        c.set_ciphers("DEFAULT@SECLEVEL=0")
    return c


def test_a_given_authority_is_trusted(ca):
    with Server(tls=context(ca, "good")) as s:
        url = "https://127.0.0.1:%d/" % s.port
        assert run("-C", ca / "ca.pem", url).lines[0].startswith("200 5 ")
        assert run(url, SSL_CERT_FILE=str(ca / "ca.pem")).lines[0].startswith("200 5 ")


def test_an_unknown_authority_is_refused_with_host_and_remedy(ca):
    with Server(tls=context(ca, "good")) as s:
        p = run("-r", "safe", "https://127.0.0.1:%d/" % s.port)
        assert p.lines[0].startswith("error invalid ")
        for word in ("127.0.0.1", "not trusted", "AWS_CA_BUNDLE", "SSL_CERT_FILE"):
            assert word in p.lines[0]
        assert not s.requests and s.connections == 1


def test_a_given_authority_replaces_the_others(ca):
    with Server(tls=context(ca, "good")) as s:
        p = run("-C", ca / "wrong.pem", "https://127.0.0.1:%d/" % s.port, SSL_CERT_FILE=str(ca / "ca.pem"))
        assert p.lines[0].startswith("error invalid ")


def test_a_certificate_of_another_host_is_refused(ca):
    with Server(tls=context(ca, "wrong")) as s:
        p = run("-C", ca / "ca.pem", "https://127.0.0.1:%d/" % s.port)
        assert p.lines[0].startswith("error invalid ") and "127.0.0.1" in p.lines[0]
        assert not s.requests


def test_a_certificate_whose_time_is_over_is_not_blamed_on_its_authority(ca):
    leaf(ca, "old", "IP:127.0.0.1", days="-1")
    with Server(tls=context(ca, "old")) as s:
        p = run("-C", ca / "ca.pem", "https://127.0.0.1:%d/" % s.port)
        assert p.lines[0].startswith("error invalid ") and "this machine's clock" in p.lines[0], p.lines
        assert "authority" not in p.lines[0] and not s.requests


def test_an_authority_file_that_is_missing_is_named(ca):
    with Server(tls=context(ca, "good")) as s:
        p = run("-C", "/nonexistent/ca.pem", "https://127.0.0.1:%d/" % s.port)
        assert p.lines[0].startswith("error invalid ") and "/nonexistent/ca.pem" in p.lines[0]


def test_tls_through_a_proxy_is_verified_and_hides_headers_from_it(ca, server):
    with Server(tls=context(ca, "tunnel")) as s:
        p = run("-C", ca / "ca.pem", "-H", "Authorization: geheim", "https://tunnel.example:%d/" % s.port,
                https_proxy="http://user:pass@127.0.0.1:%d" % server.port)
        assert p.lines[0].startswith("200 5 "), p.lines
        method, target, headers, _ = server.requests[0]
        assert (method, target) == ("CONNECT", "tunnel.example:%d" % s.port)
        names = {k.lower(): v for k, v in headers}
        assert "authorization" not in names and names["proxy-authorization"].startswith("Basic ")
        assert ("Authorization", "geheim") in s.requests[0][2]
        p = run("https://tunnel.example:%d/" % s.port, https_proxy=server.url)
        assert p.lines[0].startswith("error invalid ") and "not trusted" in p.lines[0]


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused(ca, version):
    with Server(tls=context(ca, "good", getattr(ssl.TLSVersion, version))) as s:
        p = run("-a", 1, "-C", ca / "ca.pem", "https://127.0.0.1:%d/" % s.port)
        assert p.lines[0].startswith("error ") and "TLS" in p.lines[0]
        assert not s.requests


def test_tls_1_2_is_accepted(ca):
    with Server(tls=context(ca, "good", ssl.TLSVersion.TLSv1_2)) as s:
        assert run("-C", ca / "ca.pem", "https://127.0.0.1:%d/" % s.port).lines[0].startswith("200 ")


# ---- traces

def test_traces_show_requests_and_mask_secrets(server):
    url = server.url + ("/echo?list-type=2&X-Amz-Signature=geheim&sig=geheim&X-Amz-Credential=geheim"
                        "&X-Amz-Security-Token=geheim")
    args = ["-H", "Authorization: geheim", "-H", "X-Amz-Security-Token: geheim", "-H", "Cookie: geheim",
            "-H", "X-Auth-Token: geheim", "-H", "X-Plain: shown", "-m", "PUT", "-d", "geheim"]
    quiet = run(*args, url)
    assert quiet.stderr == ""
    p = run("-v", 6, *args, url)
    assert len(p.stderr.splitlines()) == 1
    assert "PUT %s/echo 200 in" % server.url in p.stderr and "attempt 1" in p.stderr
    p = run("-v", 10, *args, url)
    assert "geheim" not in p.stderr
    assert "list-type=2" in p.stderr and "X-Plain: \"shown\"" in p.stderr
    assert "Authorization: ***" in p.stderr and "X-Amz-Signature=***" in p.stderr


def test_traces_of_a_redirect_hide_the_query(server):
    p = run("-v", 8, server.url + "/signed-redirect")
    assert "geheim" not in p.stderr
    assert "location: \"http://127.0.0.1:1/x\"?***" in p.stderr


# ---- without the library

def test_a_missing_library_is_one_sentence(tmp_path):
    """The loader finds an empty file under the library's name first."""
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        (tmp_path / name).write_bytes(b"")
    p = run("http://127.0.0.1:1/", LD_LIBRARY_PATH=str(tmp_path))
    assert p.lines[-1].startswith("failed: libcurl is needed for this and cannot be loaded (")
    assert len(p.lines) == 1


def test_a_missing_crypto_library_is_one_sentence(tmp_path):
    (tmp_path / "libcrypto.so.3").write_bytes(b"")
    p = subprocess.run([os.path.join(BUILD, "tests/unit/sigv4_cli"), "1", "1"], capture_output=True,
                       text=True, env=dict(os.environ, LD_LIBRARY_PATH=str(tmp_path)))
    assert p.stdout.startswith("failed: OpenSSL 3 is needed for this and cannot be loaded (")
    assert len(p.stdout.splitlines()) == 1
