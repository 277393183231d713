"""Real Swift and Keystone on loopback: Debian's packages, run as plain processes out of one folder.

`python3 tests/servers/swift_server.py build` makes the identities once and keeps them in the cache; Swift()
starts five processes on free ports from a copy of them."""
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import servers  # noqa: E402

PYTHON = os.environ.get("CKOPS_SWIFT_PYTHON", "/usr/bin/python3")
TEMPLATE = servers.CACHE / "swift" / "template-1"
PARTS = ("keystone", "proxy", "account", "container", "object")
PASSWORD, APPCRED_SECRET = "demo-pw-secret", "demo-appcred-secret"

KEYSTONE = """
import sys
from werkzeug.serving import make_server
port = int(sys.argv[1]); sys.argv[1:] = []
from keystone.server.wsgi import initialize_public_application
make_server("127.0.0.1", port, initialize_public_application(), threaded=True).serve_forever()
"""

MANAGE = """
import sys
from keystone.cmd.manage import main
sys.argv[0] = "keystone-manage"
sys.exit(main())
"""

SWIFT = """
import sys
from swift.common import utils
utils.set_swift_dir(sys.argv[1])
from swift.common.wsgi import run_wsgi
name = sys.argv[2] + "-server"
more = {}
if name == "object-server":
    from swift.obj import server
    more["global_conf_callback"] = server.global_conf_callback
sys.exit(run_wsgi("%s/%s.conf" % (sys.argv[1], name), name, verbose=True, **more))
"""

RINGS = """
import os, sys
from swift.common.ring import RingBuilder
for name, port in zip(("account", "container", "object"), sys.argv[2:]):
    b = RingBuilder(4, 1, 0)
    b.add_dev(dict(region=1, zone=1, ip="127.0.0.1", port=int(port), replication_ip="127.0.0.1",
                   replication_port=int(port), device="d1", weight=1.0, meta=""))
    b.rebalance(seed="test")
    b.get_ring().save(os.path.join(sys.argv[1], name + ".ring.gz"))
"""

# check_same_thread and the write-ahead log (set in build) let threads share the file; without a
# cache each check of a token takes hundreds of queries.
KEYSTONE_CONF = """
[DEFAULT]
use_stderr = true
default_log_levels = keystone=WARNING,oslo=WARNING
[database]
connection = sqlite:///{dir}/keystone.sqlite?check_same_thread=false
[token]
provider = fernet
expiration = {ttl}
[fernet_tokens]
key_repository = {dir}/fernet
[fernet_receipts]
key_repository = {dir}/fernet
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
[oslo_policy]
enforce_scope = false
"""

# container_update_timeout is long because no updater runs here: a late listing would stay wrong.
STORAGE_CONF = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = {workers}
user = {user}
swift_dir = {dir}/etc
devices = {dir}/devices
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
container_update_timeout = 30
node_timeout = 30
"""

PROXY_CONF = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {dir}/etc
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging listing_formats {bulk} authtoken keystoneauth copy slo dlo versioned_writes symlink proxy-logging proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = http://127.0.0.1:{keystone}/v3
auth_url = http://127.0.0.1:{keystone}/v3
auth_type = password
username = swift
password = swift-pw
user_domain_id = default
project_name = service
project_domain_id = default
interface = public
# -1: ask each time, so that it shows at once when a token has ended
token_cache_time = {token_cache}
delay_auth_decision = true
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
project_reader_roles = reader
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
[filter:symlink]
use = egg:swift#symlink
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
node_timeout = 30
conn_timeout = 5
# the default of 10 hides a single device for a minute after a few errors
error_suppression_limit = 100000
"""


def environment(folder):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "PYTHON"))}
    env.update(LC_ALL="C.UTF-8", PYTHONWARNINGS="ignore", HOME=str(folder),
               OS_KEYSTONE_CONFIG_FILES="keystone.conf", OS_KEYSTONE_CONFIG_DIR=str(folder))
    return env


def installed():
    return subprocess.run([PYTHON, "-c", "import swift, keystone, keystonemiddleware"], capture_output=True).returncode == 0


def spawn(folder, name, *command):
    log = open(folder / f"{name}.log", "ab")
    try:
        return subprocess.Popen([PYTHON, "-c", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                                env=environment(folder), start_new_session=True)
    finally:
        log.close()


def listens(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def end(processes, by=signal.SIGTERM):
    for p in processes:
        if p.poll() is None:
            os.killpg(p.pid, by)
    for p in processes:
        try:
            p.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()


def call(url, method, path, body=None, token=None):
    """(headers, decoded body) of one request to Keystone."""
    headers = {"content-type": "application/json", **({"x-auth-token": token} if token else {})}
    r = urllib.request.Request(url + path, method=method, headers=headers,
                               data=None if body is None else json.dumps(body).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(r, timeout=30) as f:
        raw = f.read()
        return f.headers, json.loads(raw) if raw else None


def sign_in(url, user, project):
    return call(url, "POST", "/auth/tokens", {"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": project}}})[0]["x-subject-token"]


def make_identities(url):
    default = {"id": "default"}
    admin = sign_in(url, {"name": "admin", "domain": default, "password": "admin-pw"}, {"name": "admin", "domain": default})

    def new(kind, **what):
        return call(url, "POST", f"/{kind}s", {kind: what}, admin)[1][kind]["id"]

    roles = {r["name"]: r["id"] for r in call(url, "GET", "/roles", token=admin)[1]["roles"]}

    def grant(project, user, role):
        call(url, "PUT", f"/projects/{project}/users/{user}/roles/{roles[role]}", token=admin)

    service = new("project", name="service", domain_id="default")
    grant(service, new("user", name="swift", password="swift-pw", domain_id="default"), "admin")
    store = new("service", name="swift", type="object-store")
    for interface in ("public", "internal", "admin"):
        new("endpoint", service_id=store, interface=interface, region_id="RegionOne",
            url="http://127.0.0.1:1/v1/AUTH_%(project_id)s")
    ids = {"domain": new("domain", name="aio")}
    for name in ("demo", "other"):
        ids["project_" + name] = new("project", name=name, domain_id=ids["domain"])
    for name, role in (("demo", "member"), ("reader", "reader"), ("norole", None)):
        ids["user_" + name] = new("user", name=name, password=PASSWORD, domain_id=ids["domain"])
        if role:
            grant(ids["project_demo"], ids["user_" + name], role)
    token = sign_in(url, {"id": ids["user_demo"], "password": PASSWORD}, {"id": ids["project_demo"]})
    ids["appcred"] = call(url, "POST", f"/users/{ids['user_demo']}/application_credentials", {"application_credential": {
        "name": "demo-cred", "secret": APPCRED_SECRET}}, token)[1]["application_credential"]["id"]
    return ids


def build():
    """Keystone's database, keys and identities, into the cache. Takes some ten seconds, once."""
    if (TEMPLATE / "ids.json").exists():
        return
    TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(dir=TEMPLATE.parent))
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/v3"
    (folder / "keystone.conf").write_text(KEYSTONE_CONF.format(dir=folder, ttl=3600))
    (folder / "fernet").mkdir(mode=0o700)

    def manage(*args):
        subprocess.run([PYTHON, "-c", MANAGE, "--config-file", str(folder / "keystone.conf"), *args], check=True,
                       capture_output=True, env=environment(folder), cwd=folder)

    manage("db_sync")
    with sqlite3.connect(folder / "keystone.sqlite") as db:
        db.execute("PRAGMA journal_mode=WAL")
    db.close()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
    manage("fernet_setup", "--keystone-user", user, "--keystone-group", group)
    manage("bootstrap", "--bootstrap-username", "admin", "--bootstrap-password", "admin-pw", "--bootstrap-project-name",
           "admin", "--bootstrap-role-name", "admin", "--bootstrap-service-name", "keystone", "--bootstrap-region-id",
           "RegionOne", "--bootstrap-public-url", url)
    p = spawn(folder, "keystone", KEYSTONE, str(port))
    try:
        deadline = time.monotonic() + 120
        while not listens(port):
            if p.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Keystone did not start: " + (folder / "keystone.log").read_text()[-2000:])
            time.sleep(0.05)
        ids = make_identities(url)
    finally:
        end([p])
    db = sqlite3.connect(folder / "keystone.sqlite")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    (folder / "ids.json").write_text(json.dumps(ids))
    try:
        folder.rename(TEMPLATE)
    except OSError:  # somebody else was faster
        shutil.rmtree(folder, ignore_errors=True)


class Swift(servers.Server):
    """Options: ttl (seconds a token lives), bulk=False (without that middleware), page (names per listing page),
    public (URLs of the public interface, in RegionOne, Region1, Region2 …), workers (processes per storage server), token_cache (seconds)."""

    def start(self):
        if not installed():
            raise servers.Missing("Swift and Keystone are not installed (tests/servers/build.sh swift)")
        build()
        self.ports = {name: servers.free_port() for name in PARTS}
        self.port = self.ports["keystone"]
        shutil.copytree(TEMPLATE, self.dir, dirs_exist_ok=True)
        self.ids = json.loads((self.dir / "ids.json").read_text())
        self.configure()
        self.processes = []
        for name in PARTS[2:] + PARTS[1:2]:
            self.processes.append(spawn(self.dir, name, SWIFT, str(self.dir / "etc"), name))
        self.processes.append(spawn(self.dir, "keystone", KEYSTONE, str(self.port)))
        self.await_all()
        return self

    def configure(self):
        d, ports = self.dir, self.ports
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("etc", "devices/d1"):
            (d / name).mkdir(parents=True)
        (d / "keystone.conf").write_text(KEYSTONE_CONF.format(dir=d, ttl=self.options.get("ttl", 3600)))
        (d / "etc/swift.conf").write_text("[swift-hash]\nswift_hash_path_prefix = test\nswift_hash_path_suffix = test\n"
                                          f"[swift-constraints]\ncontainer_listing_limit = {self.options.get('page', 100)}\n")
        for kind in ("account", "container", "object"):
            (d / f"etc/{kind}-server.conf").write_text(STORAGE_CONF.format(
                dir=d, port=ports[kind], kind=kind, user=user, workers=self.options.get("workers", 0)))
        (d / "etc/proxy-server.conf").write_text(PROXY_CONF.format(
            dir=d, port=ports["proxy"], keystone=ports["keystone"], user=user,
            bulk="bulk" if self.options.get("bulk", True) else "", token_cache=self.options.get("token_cache", 300)))
        subprocess.run([PYTHON, "-c", RINGS, str(d / "etc"), *(str(ports[x]) for x in ("account", "container", "object"))],
                       check=True, capture_output=True, env=environment(d))
        self.fill_catalog()

    def fill_catalog(self):
        """The public interfaces may be something in front of the store (option public), the internal one never is."""
        direct = f"http://127.0.0.1:{self.ports['proxy']}"
        db = sqlite3.connect(self.dir / "keystone.sqlite")
        change = "UPDATE endpoint SET url = ? WHERE interface LIKE ? AND service_id IN (SELECT id FROM service WHERE type = ?)"
        db.execute(change, (direct + "/v1/AUTH_%(project_id)s", "%", "object-store"))
        for i, url in enumerate(self.options.get("public", [])):
            if i:
                db.execute("INSERT INTO region VALUES (?, '', NULL, '{}')", (self.region(i),))
                db.execute("INSERT INTO endpoint SELECT ?, NULL, 'public', id, '', '{}', 1, ? FROM service WHERE type = 'object-store'",
                           (f"public{i}", self.region(i)))
            db.execute(change + " AND region_id = ?", (url + "/v1/AUTH_%(project_id)s", "public", "object-store", self.region(i)))
        db.execute(change, (self.url + "/v3", "%", "identity"))
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()

    def await_all(self):
        deadline = time.monotonic() + 120
        while not all(listens(p) for p in self.ports.values()):
            dead = [p for p in self.processes if p.poll() is not None]
            if dead or time.monotonic() > deadline:
                text = "".join(f.read_text(errors="replace")[-1500:] for f in sorted(self.dir.glob("*.log")))
                self.stop()
                raise RuntimeError("Swift did not start: " + text)
            time.sleep(0.05)

    def stop(self):
        end(getattr(self, "processes", []), signal.SIGKILL)  # nothing of it is kept
        shutil.rmtree(self.dir, ignore_errors=True)

    __enter__ = start

    @property
    def store_url(self):
        return f"http://127.0.0.1:{self.ports['proxy']}/v1/AUTH_{self.ids['project_demo']}"

    @staticmethod
    def region(i):
        return f"Region{i or 'One'}"

    def env(self, mode="names", url=None, user="demo"):
        """`url`: one of those of the option public, in front of Keystone too."""
        region = self.region(self.options["public"].index(url) if url else 0)
        e = {"OS_AUTH_URL": (url or self.url) + "/v3", "OS_REGION_NAME": region}
        if mode == "names":
            e.update(OS_USERNAME=user, OS_PASSWORD=PASSWORD, OS_PROJECT_NAME="demo", OS_USER_DOMAIN_NAME="aio",
                     OS_PROJECT_DOMAIN_NAME="aio")
        elif mode == "ids":
            e.update(OS_USERID=self.ids["user_" + user], OS_PASSWORD=PASSWORD, OS_PROJECT_ID=self.ids["project_demo"])
        elif mode == "kops":
            e.update(OS_USERNAME=user, OS_PASSWORD=PASSWORD, OS_TENANT_NAME="demo", OS_DOMAIN_NAME="aio")
        elif mode == "application credential":
            e.update(OS_APPLICATION_CREDENTIAL_ID=self.ids["appcred"], OS_APPLICATION_CREDENTIAL_SECRET=APPCRED_SECRET)
        else:
            e.update(OS_APPLICATION_CREDENTIAL_NAME="demo-cred", OS_APPLICATION_CREDENTIAL_SECRET=APPCRED_SECRET,
                     OS_USERNAME="demo", OS_USER_DOMAIN_ID=self.ids["domain"])
        return e

    def request(self, method, path, body=None, headers=()):
        """(status, headers, body) of a request on the account, independent of the program under test."""
        if not hasattr(self, "token"):
            self.token = sign_in(self.url + "/v3", {"id": self.ids["user_demo"], "password": PASSWORD},
                                 {"id": self.ids["project_demo"]})
        r = urllib.request.Request(self.store_url + path, method=method, data=body,
                                   headers={"x-auth-token": self.token, **dict(headers)})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(r, timeout=30) as f:
                return f.status, f.headers, f.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def store(self, container):
        return f"swift://{container}"

    def keys(self, container):
        keys = []
        while True:
            marker = urllib.parse.quote(keys[-1] if keys else "")
            status, _, body = self.request("GET", f"/{container}?format=json&marker={marker}")
            assert status == 200
            rows = json.loads(body)
            if not rows:
                return keys
            keys += [r["name"] for r in rows]

    def read(self, container, key):
        status, _, body = self.request("GET", f"/{container}/{urllib.parse.quote(key)}")
        return body if status == 200 else None

    def make_bucket(self, name):
        status, _, body = self.request("PUT", "/" + name)
        assert status in (201, 202), body


if __name__ == "__main__":
    if sys.argv[1:] != ["build"]:
        sys.exit("usage: swift_server.py build")
    if not installed():
        sys.exit("Swift and Keystone are not installed")
    build()
