"""The double of Alibaba Cloud OSS as a server for tests, with the calls of tests/servers/clouds.py. What is asked of it
here goes through the vendor's library, in a child process."""
import json
import os
import pathlib
import subprocess

from servers import CACHE, Missing, Server

DOUBLE = pathlib.Path(os.environ.get("CK_SHARED") or pathlib.Path(__file__).parents[3] / "shared") / "servers/oss_double.py"
ASK = """
import base64, json, sys, oss2
url, key, secret, region, bucket, op, *rest = sys.argv[1:]
b = oss2.Bucket(oss2.AuthV4(key, secret), url, bucket, region=region, is_path_style=True)
if op == "make":
    b.create_bucket()
elif op == "keys":
    print(json.dumps(sorted(o.key for o in oss2.ObjectIteratorV2(b))))
elif op == "read":
    try:
        print(base64.b64encode(b.get_object(rest[0]).read()).decode())
    except oss2.exceptions.NoSuchKey:
        print("null")
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

    def ask(self, container, op, *rest):
        p = subprocess.run([python(), "-c", ASK, self.url, self.access, self.secret, self.region, container, op, *rest],
                           capture_output=True, text=True, timeout=60)
        assert p.returncode == 0, p.stderr
        return p.stdout

    def make(self, container):
        self.ask(container, "make")

    def keys(self, container):
        return json.loads(self.ask(container, "keys"))

    def read(self, container, key):
        import base64
        out = self.ask(container, "read", key).strip()
        return None if out == "null" else base64.b64decode(out)

    def put(self, container, key, data):
        import base64
        self.ask(container, "put", key, base64.b64encode(data).decode())

    def head(self, container, key):
        return json.loads(self.ask(container, "head", key))
