"""The given double of Alibaba Cloud OSS (its signatures are checked by the vendor's two client libraries), with what a
state store needs beside: user metadata (x-oss-meta-*) is kept and given back; --versioning makes buckets that keep
versions (forbid-overwrite has no effect there, replies name a version); --regional-error makes every bucket elsewhere;
--deny PREFIX refuses keys below it; --keep PREFIX makes batch deletion leave keys below it.

    oss_server.py DOUBLE PORT [options of the double]"""
import argparse
import importlib.util
import re
import sys
import threading
import uuid

double_path, port = sys.argv[1:3]
spec = importlib.util.spec_from_file_location("oss_double", double_path)
d = importlib.util.module_from_spec(spec)
spec.loader.exec_module(d)
ap = argparse.ArgumentParser()
ap.add_argument("--region", default="cn-hangzhou")
ap.add_argument("--key", action="append", default=[])
ap.add_argument("--versioning", action="store_true")
ap.add_argument("--deny")
ap.add_argument("--keep")
args = ap.parse_args(sys.argv[3:])
current = threading.local()


class Carrier(str):
    """The checksum of an object, which the double puts into its replies; it carries the metadata there too."""
    more = {}


class Obj(d.Obj):
    def __init__(self, *a):
        super().__init__(*a)
        self.crc = Carrier(self.crc)
        self.crc.more = {k.lower(): v for k, v in current.headers.items() if k.lower().startswith("x-oss-meta-")}
        if args.versioning:
            self.crc.more["x-oss-version-id"] = uuid.uuid4().hex


class H(d.H):
    # A reply is sent in one piece and at once: in two, the second waits for the client to confirm the first.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def reply(self, status, body=b"", hdrs=None, ctype="application/xml"):
        if args.keep and isinstance(body, str):
            body = re.sub("<Deleted><Key>%s[^<]*</Key></Deleted>" % re.escape(args.keep), "", body)
        more = getattr((hdrs or {}).get("x-oss-hash-crc64ecma"), "more", {})
        super().reply(status, body, {**(hdrs or {}), **more}, ctype)

    def dispatch(self):
        if args.deny and (self.key or "").startswith(args.deny):
            raise d.Err(403, "AccessDenied", "You have no right to access this object because of bucket acl.")
        super().dispatch()

    def obj_put(self, bucket):
        current.headers = dict(self.headers.items())
        if args.versioning and "x-oss-forbid-overwrite" in self.headers:
            del self.headers["x-oss-forbid-overwrite"]
        super().obj_put(bucket)

    def multi_delete(self, bucket):
        kept = {k: v for k, v in bucket.items() if args.keep and k.startswith(args.keep)}
        super().multi_delete(_Keeping(bucket, kept))

    def handle_all(self):
        try:
            super().handle_all()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_all


class _Keeping(dict):
    """A bucket for one batch deletion."""

    def __init__(self, bucket, kept):
        super().__init__(bucket)
        self.bucket, self.kept = bucket, kept

    def pop(self, key, default=None):
        return default if key in self.kept else self.bucket.pop(key, default)


d.Obj = Obj
d.CFG = argparse.Namespace(region=args.region, keys={}, log=None)
for k in args.key or ["testid:testsecret"]:
    i, secret, *token = k.split(":", 2)
    d.CFG.keys[i] = (secret, token[0] if token else "")
d.Srv(("127.0.0.1", int(port)), H).serve_forever()
