"""An independent verifier of AWS Signature Version 4, from AWS's public description of it.

It starts from the bytes of an HTTP request, as a server would: takes the path and query apart,
decodes them, encodes them again by AWS's rules, sorts, and compares signatures. Standard library
only; shares no code with the program.

  sigv4_verifier.py lines          reads requests in hex from standard input, one per line
  sigv4_verifier.py run CLI N      runs the driver CLI for N printed requests and N/10 sent ones
"""

import hashlib
import hmac
import http.server
import re
import subprocess
import sys
import threading
from urllib.parse import unquote_to_bytes

SECRETS = {b"AKIDEXAMPLE": b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class Rejected(Exception):
    pass


def uri_encode(data, keep_slash):
    return b"".join(bytes([c]) if c in UNRESERVED or (keep_slash and c == 0x2F) else b"%%%02X" % c
                    for c in data)


def remove_dots(path):
    """RFC 3986 section 5.2.4, then runs of slashes made one."""
    out = []
    parts = path.split(b"/")[1:]
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if part == b"..":
            if out:
                out.pop()
            if last:
                out.append(b"")
        elif part in (b".", b""):
            if last:
                out.append(b"")
        else:
            out.append(part)
    return b"/" + b"/".join(out)


def canonical_path(raw, service):
    if service == b"s3":
        return uri_encode(unquote_to_bytes(raw), True)
    once = uri_encode(unquote_to_bytes(raw), True)
    return uri_encode(remove_dots(once), True)


def query_pairs(raw):
    pairs = []
    for item in raw.split(b"&") if raw else []:
        name, _, value = item.partition(b"=")
        pairs.append((unquote_to_bytes(name.replace(b"+", b"%20")),
                      unquote_to_bytes(value.replace(b"+", b"%20"))))
    return pairs


def parse(request):
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    method, target, version = lines[0].split(b" ")
    if version != b"HTTP/1.1" or not re.fullmatch(rb"[\x21-\x7e]+", target):
        raise Rejected("request line %r" % lines[0])
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name):
            raise Rejected("header line %r" % line)
        headers.append((name.lower(), value))
    return method, target, headers, body


def verify(request):
    """Raises Rejected unless the signature of the raw request is right."""
    method, target, headers, body = parse(request)
    raw_path, _, raw_query = target.partition(b"?")
    pairs = query_pairs(raw_query)
    query, given = dict(pairs), {}
    for name, value in headers:
        given.setdefault(name, []).append(value)
    presigned = b"X-Amz-Signature" in query
    if presigned:
        credential, signed = query[b"X-Amz-Credential"], query[b"X-Amz-SignedHeaders"]
        signature, date = query[b"X-Amz-Signature"], query[b"X-Amz-Date"]
        if query[b"X-Amz-Algorithm"] != b"AWS4-HMAC-SHA256" or not 1 <= int(query[b"X-Amz-Expires"]) <= 604800:
            raise Rejected("algorithm or expiry")
        pairs = [p for p in pairs if p[0] != b"X-Amz-Signature"]
    else:
        m = re.fullmatch(rb" *AWS4-HMAC-SHA256 Credential=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})",
                         given.get(b"authorization", [b""])[0])
        if not m:
            raise Rejected("authorization header")
        credential, signed, signature = m.groups()
        date = given[b"x-amz-date"][0].strip()
    access, day, region, service, end = credential.split(b"/")
    if end != b"aws4_request" or not date.startswith(day + b"T"):
        raise Rejected("scope")
    names = signed.split(b";")
    if names != sorted(set(names)) or b"host" not in names:
        raise Rejected("list of signed headers")
    for name in given:
        if name.startswith(b"x-amz-") and name not in names:
            raise Rejected("%r is not signed" % name)
    if b"content-type" in given and b"content-type" not in names:
        raise Rejected("content-type is not signed")
    real = hashlib.sha256(body).hexdigest().encode()
    if presigned:
        payload = b"UNSIGNED-PAYLOAD" if service == b"s3" else real
    elif service == b"s3":
        payload = given[b"x-amz-content-sha256"][0].strip()
        if payload not in (real, b"UNSIGNED-PAYLOAD"):
            raise Rejected("payload hash")
    else:
        payload = real
    encoded = sorted((uri_encode(n, False), uri_encode(v, False)) for n, v in pairs)
    lines = [method, canonical_path(raw_path, service), b"&".join(n + b"=" + v for n, v in encoded)]
    for name in names:
        values = [b" ".join(v.replace(b"\t", b" ").split(b" ")).strip(b" ") for v in given[name]]
        lines.append(name + b":" + b",".join(re.sub(rb" +", b" ", v) for v in values))
    lines += [b"", b";".join(names), payload]
    canonical = b"\n".join(lines)
    text = b"\n".join([b"AWS4-HMAC-SHA256", date, b"/".join([day, region, service, end]),
                       hashlib.sha256(canonical).hexdigest().encode()])
    key = b"AWS4" + SECRETS[access]
    for part in (day, region, service, end):
        key = hmac.new(key, part, hashlib.sha256).digest()
    want = hmac.new(key, text, hashlib.sha256).hexdigest().encode()
    if want != signature:
        raise Rejected("signature; canonical request:\n" + canonical.decode("latin-1"))


class Handler(http.server.BaseHTTPRequestHandler):
    """A server that answers 200 to what verifies; it reads the request's bytes as they came."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def handle_one_request(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(65536)
            if not line:
                self.close_connection = True
                return
            head += line
        m = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
        body = self.rfile.read(int(m.group(1))) if m else b""
        try:
            verify(head + body)
            status, text = 200, b""
        except (Rejected, KeyError, ValueError) as e:
            status, text = 403, ("%s: %s" % (type(e).__name__, e)).encode()
        if head.startswith(b"HEAD "):
            text = b""
        self.wfile.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(text)) + text)
        self.wfile.flush()
        self.close_connection = False


def check_lines(lines):
    good = 0
    for line in lines:
        request = bytes.fromhex(line.strip())
        verify(request)
        good += 1
    return good


def self_check(line):
    """The verifier must refuse a request that was changed in any part."""
    request = bytes.fromhex(line.strip())
    changed = [request.replace(b" /", b" /x", 1), request.replace(b"Signature=", b"Signature=0", 1),
               re.sub(rb"Host: ", b"Host: x", request, count=1)]
    for c in changed:
        if c == request:
            continue
        try:
            verify(c)
        except (Rejected, KeyError, ValueError):
            continue
        raise SystemExit("the verifier accepts a changed request: %r" % c)


def run(cli, count):
    out = subprocess.run([cli, str(count), "1"], check=True, capture_output=True, text=True).stdout
    lines = out.splitlines()
    if len(lines) != count:
        raise SystemExit("%d requests instead of %d" % (len(lines), count))
    for line in lines[:200]:
        self_check(line)
    print("%d printed requests verified" % check_lines(lines))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    p = subprocess.run([cli, str(count // 10), "2", "http://127.0.0.1:%d" % server.server_port],
                       capture_output=True)
    print("sent: " + p.stdout.decode().strip())
    if p.returncode:
        raise SystemExit(p.stderr[:3000].decode("latin-1"))


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "run":
        run(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:] == ["lines"]:
        print("%d requests verified" % check_lines(sys.stdin))
    else:
        raise SystemExit(__doc__)
