"""The double of Alibaba Cloud OSS as a server for tests, with the calls of tests/servers/clouds.py. vendor() asks it through the
vendor's own library."""
import base64
import email.utils
import hashlib
import hmac
import http.client
import os
import pathlib
import subprocess
import urllib.parse
import xml.etree.ElementTree

from servers import CACHE, Missing, Server

DOUBLE = pathlib.Path(os.environ.get("CK_SHARED") or pathlib.Path(__file__).parents[3] / "shared") / "servers/oss_double.py"
ASK = """
import base64, json, sys, oss2
url, key, secret, region, bucket, op, *rest = sys.argv[1:]
b = oss2.Bucket(oss2.AuthV4(key, secret), url, bucket, region=region, is_path_style=True)
if op == "keys":
    print(json.dumps(sorted(o.key for o in oss2.ObjectIteratorV2(b))))
elif op == "read":
    print(base64.b64encode(b.get_object(rest[0]).read()).decode())
elif op == "put":
    b.put_object(rest[0], base64.b64decode(rest[1]))
elif op == "head":
    h = b.head_object(rest[0])
    print(json.dumps({k.lower(): v for k, v in h.headers.items()}))
"""


def python():
    p = CACHE / "vendors-oss/bin/python"
    if not os.access(p, os.X_OK):
        raise Missing("vendors-oss is not installed (tests/servers/build.sh)")
    return str(p)


class Oss(Server):
    """Options: args, more arguments of oss_server.py."""
    scheme, access, secret, region = "oss", "testid", "testsecret0123", "cn-hangzhou"
    role = ("stsid", "stssecret", "tok123")

    def command(self):
        if not DOUBLE.exists():
            raise Missing("the double of OSS is not there (CK_SHARED)")
        return [python(), str(pathlib.Path(__file__).with_name("oss_server.py")), str(DOUBLE), str(self.port), "--region", self.region,
                "--key", f"{self.access}:{self.secret}", "--key", ":".join(self.role), *self.options.get("args", [])]

    def ready(self):
        return self.get_ok("/")

    def env(self, url=None):
        return {"CKOPS_OSS_ENDPOINT": url or self.url, "OSS_REGION": "oss-" + self.region, "ALIYUN_ACCESS_KEY_ID": self.access,
                "ALIYUN_ACCESS_KEY_SECRET": self.secret}

    def store(self, container):
        return f"oss://{container}"

    def request(self, method, container, key="", query=(), body=b""):
        """One request with a signature of version 1, written apart from the program under test."""
        date = email.utils.formatdate(usegmt=True)
        sub = "&".join(k for k, v in query if k in ("acl", "delete"))
        text = f"{method}\n\n\n{date}\n/{container}/{key}" + ("?" + sub if sub else "")
        mac = base64.b64encode(hmac.new(self.secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
        path = urllib.parse.quote(f"/{container}/{key}") + ("?" + urllib.parse.urlencode(query) if query else "")
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            c.request(method, path, body, {"date": date, "authorization": f"OSS {self.access}:{mac}"})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def make(self, container):
        status, text = self.request("PUT", container)
        assert status == 200, text

    def keys(self, container):
        status, text = self.request("GET", container, query=[("max-keys", "1000")])
        assert status == 200, text
        return sorted(n.text for n in xml.etree.ElementTree.fromstring(text).iter("Key"))

    def read(self, container, key):
        status, body = self.request("GET", container, key)
        return body if status == 200 else None

    def put(self, container, key, data):
        status, text = self.request("PUT", container, key, body=data)
        assert status == 200, text

    def vendor(self, container, op, *rest):
        """The vendor's library in a process of its own."""
        p = subprocess.run([python(), "-c", ASK, self.url, self.access, self.secret, self.region, container, op, *rest],
                           capture_output=True, text=True, timeout=60)
        assert p.returncode == 0, p.stderr
        return p.stdout.strip()
