"""Real servers for tests, on loopback and free ports, stopped by whoever started them.

    with Versitygw() as s3: run([...], env=s3.env)

A server whose program is not in the cache raises Missing with the reason; with
CKOPS_SERVERS_REQUIRED=1 that is a failure, otherwise tests skip. tests/servers/build.sh fills the
cache."""
import contextlib
import fcntl
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

CACHE = pathlib.Path(os.environ.get("CKOPS_TEST_CACHE", pathlib.Path.home() / ".cache/ckops-test"))
ACCESS, SECRET = "AKIDTEST", "secrettest123"


class Missing(Exception):
    pass


PORTS = []  # locks on ports that were given out, kept until this process ends


def free_port():
    """A port of 127.0.0.1 that no other test is given while this process lives. The kernel picks ports of
    clients, and those bound as 0, from 32768 on: a port beneath is not taken between this and the server's start."""
    folder = pathlib.Path(tempfile.gettempdir(), f"ckops-test-ports-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    for _ in range(10000):
        port = random.randrange(12000, 32000)
        lock = open(folder / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        PORTS.append(lock)
        return port
    raise RuntimeError("no free port")


def program(*parts):
    p = CACHE.joinpath(*parts)
    if not os.access(p, os.X_OK):
        raise Missing(f"{parts[-1]} is not built (tests/servers/build.sh)")
    return str(p)


class Server:
    """A child process with a folder of its own and a readiness check."""
    tls = False
    stop_signal = signal.SIGTERM

    def __init__(self, **options):
        self.options = options
        self.port = free_port()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ckops-server-"))
        self.process = None

    def command(self):
        raise NotImplementedError

    def extra_env(self):
        return {}

    def ready(self):
        raise NotImplementedError

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def get_ok(self, path, method="GET"):
        ctx = ssl._create_unverified_context() if self.tls else None
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *([urllib.request.HTTPSHandler(context=ctx)] if ctx else []))
        try:
            with opener.open(urllib.request.Request(self.url + path, method=method), timeout=10) as r:
                return r.status < 500
        except urllib.error.HTTPError as e:
            return e.code < 500
        except OSError:
            return False

    def start(self):
        """Another port when somebody else was faster."""
        for _ in range(3):
            text = self.start_once()
            if text is None:
                return self
            if "address already in use" not in text.lower():
                break
            self.port = free_port()
        self.stop()
        raise RuntimeError(f"{type(self).__name__} did not start: {text}")

    def start_once(self):
        """None, or what the log says of why it did not start."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3_"))}
        env.update(self.extra_env())
        self.log = open(self.dir / "log", "wb")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, env=env, cwd=self.dir, start_new_session=True)
        deadline = time.monotonic() + 120  # on a machine with much else to do
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self.ready():
                return None
            time.sleep(0.05)
        return (self.dir / "log").read_text(errors="replace")[-2000:]

    def stop(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, self.stop_signal)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if getattr(self, "log", None):
            self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        """One that has been started is not started again: the first would stay."""
        return self if self.process and self.process.poll() is None else self.start()

    def __exit__(self, *exc):
        self.stop()

    # what a client needs
    def env(self, mode="custom", url=None):
        url = url or self.url
        base = {"AWS_EC2_METADATA_DISABLED": "true"}
        if mode == "custom":
            base.update(S3_ENDPOINT=url, S3_REGION="us-east-1", S3_ACCESS_KEY_ID=ACCESS, S3_SECRET_ACCESS_KEY=SECRET)
        else:
            base.update(AWS_ENDPOINT_URL_S3=url, AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET)
        return base

    def make_bucket(self, name):
        s3request(self.url, "PUT", f"/{name}")


class Versitygw(Server):
    def command(self):
        root = self.dir / "root"
        for d in ("root", "ver", "iam"):
            (self.dir / d).mkdir(exist_ok=True)
        tls = ["--cert", self.options["cert"], "--key", self.options["key"]] if "cert" in self.options else []
        self.tls = bool(tls)
        # A host name for virtual-host addressing, e.g. "s3.test".
        vhost = ["--virtual-domain", self.options["domain"]] if "domain" in self.options else []
        return [program("bin", "versitygw"), "-p", f"127.0.0.1:{self.port}", "--region", "us-east-1", "--quiet",
                "--keep-alive", "--health", "/health", "--iam-dir", str(self.dir / "iam"), *vhost, *tls,
                "posix", "--versioning-dir", str(self.dir / "ver"), str(root)]

    def extra_env(self):
        return {"ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}

    def ready(self):
        return self.get_ok("/health")


class Minio(Server):
    def command(self):
        return [program("bin", "minio"), "server", "--quiet", "--address", f"127.0.0.1:{self.port}", str(self.dir / "data")]

    def extra_env(self):
        import base64
        return {"MINIO_ROOT_USER": ACCESS, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_REGION": "us-east-1",
                "MINIO_BROWSER": "off", "MINIO_UPDATE": "off",
                "MINIO_KMS_SECRET_KEY": "test-key:" + base64.b64encode(os.urandom(32)).decode()}

    def ready(self):
        return self.get_ok("/minio/health/ready")


class Moto(Server):
    def command(self):
        return [program("moto", "bin", "python"), str(pathlib.Path(__file__).with_name("moto_server.py")), "127.0.0.1",
                str(self.port)]

    def ready(self):
        return self.get_ok("/moto-api/")


class Toxiproxy(Server):
    """Fault injection. proxy(upstream_url) → URL; toxic(...) per toxiproxy's API."""

    def command(self):
        return [program("bin", "toxiproxy"), "-host", "127.0.0.1", "-port", str(self.port)]

    def ready(self):
        return self.get_ok("/version")

    def api(self, method, path, body=None):
        import json
        req = urllib.request.Request(self.url + path, method=method, data=json.dumps(body).encode() if body is not None else None,
                                     headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(req, timeout=5) as r:
            return r.read()

    def proxy(self, name, upstream):
        port = free_port()
        self.api("POST", "/proxies", {"name": name, "listen": f"127.0.0.1:{port}",
                                      "upstream": upstream.split("://", 1)[1], "enabled": True})
        return f"http://127.0.0.1:{port}"

    def toxic(self, proxy, name, kind, stream="downstream", toxicity=1.0, **attributes):
        self.api("POST", f"/proxies/{proxy}/toxics", {"name": name, "type": kind, "stream": stream,
                                                      "toxicity": toxicity, "attributes": attributes})

    def clear(self, proxy, name):
        self.api("DELETE", f"/proxies/{proxy}/toxics/{name}")


def s3request(url, method, path, body=b"", query=(), headers=None, access=ACCESS, secret=SECRET, region="us-east-1", service="s3"):
    """One signed S3 request by the AWS rules, independent of the program under test.
    Returns (status, headers, body)."""
    import datetime
    import hashlib
    import hmac
    import http.client
    from urllib.parse import quote, urlsplit
    u = urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc)
    date, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    signed = {"host": u.netloc, "x-amz-date": date, "x-amz-content-sha256": digest}
    for k, v in (headers or {}).items():
        signed[k.lower()] = v
    qs = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(query))
    wire = quote(path, safe="/~")
    names = ";".join(sorted(signed))
    canonical = "\n".join([method, wire, qs, *(f"{k}:{signed[k].strip()}" for k in sorted(signed)), "", names, digest])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    signed["authorization"] = f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
    cls = http.client.HTTPSConnection if u.scheme == "https" else http.client.HTTPConnection
    extra = {"context": ssl._create_unverified_context()} if u.scheme == "https" else {}
    c = cls(u.hostname, u.port, timeout=30, **extra)
    try:
        c.request(method, wire + ("?" + qs if qs else ""), body=body, headers=signed)
        r = c.getresponse()
        return r.status, dict((k.lower(), v) for k, v in r.getheaders()), r.read()
    finally:
        c.close()


def put_many(url, bucket, keys, body=b"x", workers=32):
    """Store the same body under many keys, concurrently."""
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(workers) as pool:
        for status, _, text in pool.map(lambda k: s3request(url, "PUT", f"/{bucket}/{k}", body), keys):
            assert status == 200, text
