"""Servers of gs:// and azureblob://: fake-gcs-server and azurite, with the same few calls on both:
env(), store(container), make(container), put(container, key, data), keys(container),
read(container, key).

What is asked of them here is written apart from the program under test."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree

from servers import CACHE, Missing, Server, program


def http(url, method="GET", body=None, headers=None):
    """(status, headers, body); no proxy, no certificate check."""
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(urllib.request.Request(url, data=body, method=method, headers=headers or {}), timeout=30) as r:
            return r.status, dict(r.headers), r.read()
    except urllib.error.HTTPError as e:
        return e.code, dict(e.headers), e.read()


class FakeGcs(Server):
    scheme, secret = "gs", None

    def command(self):
        at = f"127.0.0.1:{self.port}"
        return [program("bin", "fake-gcs-server"), "-backend", "memory", "-scheme", "http", "-host", "127.0.0.1",
                "-port", str(self.port), "-public-host", at, "-external-url", f"http://{at}"]

    def ready(self):
        return self.get_ok("/_internal/healthcheck")

    def env(self, url=None):
        return {"STORAGE_EMULATOR_HOST": url or self.url}

    def store(self, container):
        return f"gs://{container}"

    def make(self, container):
        status, _, text = http(self.url + "/storage/v1/b?project=p", "POST", json.dumps({"name": container}).encode(),
                               {"content-type": "application/json"})
        assert status == 200, text

    def object(self, container, key, query=""):
        return f"{self.url}/storage/v1/b/{container}/o/{urllib.parse.quote(key, safe='')}{query}"

    def keys(self, container):
        status, _, text = http(f"{self.url}/storage/v1/b/{container}/o?maxResults=100000")
        assert status == 200, text
        return sorted(o["name"] for o in json.loads(text).get("items", []))

    def read(self, container, key):
        status, _, body = http(self.object(container, key, "?alt=media"))
        return body if status == 200 else None

    def put(self, container, key, data):
        status, _, text = http(f"{self.url}/upload/storage/v1/b/{container}/o?uploadType=media&name={urllib.parse.quote(key, safe='')}",
                               "POST", data, {"content-type": "text/plain; charset=utf-8"})
        assert status == 200, text


class GcsEmulator(FakeGcs):
    """The one that resumes uploads: it says how far a session is, and takes a piece that comes again for the same one.
    fake-gcs-server (v1.56.1, fakestorage/upload.go, uploadFileContent) appends whatever comes, without a look at where it
    begins, and takes the question "bytes */N" for the end: "Content-Range: bytes */20971520" after a first piece of
    16 MiB gets 200 and leaves an object of 16 MiB; it has forgotten by then which sums were declared."""

    def command(self):
        return [program("bin", "gcsemulator"), "-host", "127.0.0.1", "-port", str(self.port), "-verbose=false"]

    def ready(self):
        return self.get_ok("/storage/v1/b/nothere")


class Azurite(Server):
    """Options: cert and key (TLS, which bearer tokens need)."""
    scheme, account = "azureblob", "kopstest"
    secret = base64.b64encode(b"kops-test-key-kops-test-key-kops-test-key-").decode()

    @property
    def tls(self):
        return "cert" in self.options

    def command(self):
        main = CACHE / "azurite/node_modules/azurite/dist/src/blob/main.js"
        if not main.exists():
            raise Missing("azurite is not installed (tests/servers/build.sh)")
        tls = ["--oauth", "basic", "--cert", self.options["cert"], "--key", self.options["key"]] if self.tls else []
        return ["node", str(main), "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--inMemoryPersistence",
                "--disableTelemetry", "--skipApiVersionCheck", "--silent", *tls]

    def extra_env(self):
        return {"AZURITE_ACCOUNTS": f"{self.account}:{self.secret}"}

    def ready(self):
        return self.get_ok("/")

    def env(self, url=None):
        return {"CKOPS_AZURE_ENDPOINT": f"{url or self.url}/{self.account}", "AZURE_STORAGE_KEY": self.secret}

    def store(self, container):
        return f"azureblob://{self.account}/{container}"

    def request(self, method, path, query=(), body=b"", headers=None):
        """One request signed by SharedKey; path as on the wire, beginning with the account."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        h = {"x-ms-date": now, "x-ms-version": "2021-12-02", "content-type": "application/octet-stream", **(headers or {})}
        if body and method == "PUT":
            h["x-ms-blob-type"] = "BlockBlob"
        signed = "".join(f"{k}:{h[k]}\n" for k in sorted(h) if k.startswith("x-ms-"))
        resource = f"/{self.account}{path}" + "".join(f"\n{k}:{v}" for k, v in sorted(query))
        text = "\n".join([method, "", "", str(len(body) or ""), "", h["content-type"], "", "", "", "", "", "", signed + resource])
        mac = hmac.new(base64.b64decode(self.secret), text.encode(), hashlib.sha256).digest()
        h["authorization"] = f"SharedKey {self.account}:{base64.b64encode(mac).decode()}"
        url = self.url + path + ("?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote) if query else "")
        return http(url, method, body if method == "PUT" else None, h)

    def make(self, container):
        status, _, text = self.request("PUT", f"/{self.account}/{container}", [("restype", "container")])
        assert status == 201, text

    def keys(self, container):
        status, _, text = self.request("GET", f"/{self.account}/{container}", [("comp", "list"), ("restype", "container")])
        assert status == 200, text
        return sorted(n.text for n in xml.etree.ElementTree.fromstring(text).iter("Name"))

    def read(self, container, key):
        status, _, body = self.request("GET", f"/{self.account}/{container}/{urllib.parse.quote(key)}")
        return body if status == 200 else None

    def put(self, container, key, data):
        status, _, text = self.request("PUT", f"/{self.account}/{container}/{urllib.parse.quote(key)}", body=data)
        assert status == 201, text


def vendor_python():
    """The interpreter that has the vendors' own clients."""
    python = CACHE / "vendors-gcs-azure/bin/python"
    if not os.access(python, os.X_OK):
        raise Missing("the vendors' clients are not installed (tests/servers/build.sh)")
    return str(python)


ALL = [FakeGcs, Azurite]
