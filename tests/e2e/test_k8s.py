"""k8s:// against a real API server: the contract, everyday commands, races, a fault at every request,
the least role, kubectl in both directions.

CKOPS_BIN and CKOPS_BUILD name the program and the build. Counts are small; CK_FULL=1 asks for the full
ones. Without the servers the tests skip with the reason, or fail where CKOPS_SERVERS_REQUIRED=1."""

import atexit
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import urllib.parse

import pytest

from faults import FaultProxy
from sweeps import side_by_side, sweep
from test_conformance import FAULTS, bad_network, passed
from test_everyday import ALL, GROUP, NAME

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import k8s_server  # noqa: E402
import servers  # noqa: E402
from k8s_server import hand_made, name_of  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
BUILD = pathlib.Path(os.environ.get("CKOPS_BUILD") or ROOT / "build")
FULL = os.environ.get("CK_FULL") == "1"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

COUNTS = {"CK_RACE_ROUNDS": "100", "CK_CAS_STEPS": "200", "CK_CAS_WRITERS": "64", "CK_MANY": "2500"} if FULL else \
         {"CK_RACE_ROUNDS": "1", "CK_CAS_STEPS": "3", "CK_CAS_WRITERS": "8", "CK_MANY": "510", "CK_READ_ROUNDS": "20",
          "CK_LARGE_READS": "2"}
TINY = COUNTS if FULL else dict(COUNTS, CK_RACE_ROUNDS="1", CK_CAS_STEPS="1", CK_MANY="30")
EXTRA = GROUP.replace("name: nodes", "name: extra")
SECRETS = [k8s_server.ADMIN_TOKEN, k8s_server.PLAIN_TOKEN]


@pytest.fixture(scope="module")
def api():
    try:
        s = k8s_server.Kubernetes().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    yield s
    s.stop()


HOME = tempfile.mkdtemp(prefix="ckops-k8s-home-")  # kubectl keeps a cache there
atexit.register(shutil.rmtree, HOME, ignore_errors=True)


def clean_env(**more):
    env = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    env.update(PATH=os.environ["PATH"], HOME=HOME, **more)
    return env


class Store:
    def __init__(self, api, root, kubeconfig=None, namespace=None, prefix="state"):
        self.api, self.root = api, root
        self.namespace = namespace or api.namespace()
        self.prefix = prefix
        self.env = clean_env(KUBECONFIG=kubeconfig or api.env()["KUBECONFIG"],
                             KOPS_STATE_STORE=f"k8s:///{self.namespace}/{prefix}")

    def run(self, *args, stdin="", **env):
        p = subprocess.run([PROGRAM, *args], env=dict(self.env, **env), cwd=self.root, input=stdin, text=True,
                           capture_output=True, timeout=120)
        assert p.returncode in (0, 1, 3, 4), (args, p.stderr)
        assert not [s for s in SECRETS if s in p.stdout + p.stderr]
        return p

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return p

    def keys(self):
        return self.api.paths(self.namespace)

    def put(self, key, text):
        self.api.put(self.namespace, f"{self.prefix}/{key}", text.encode())

    def read(self, key):
        return self.api.read(self.namespace, f"{self.prefix}/{key}")


@pytest.fixture
def store(api, tmp_path):
    return Store(api, tmp_path)


# ---- the contract

def program(name, api, url, counts=COUNTS, only=None, kubeconfig=None):
    path = BUILD / "tests/conformance" / name
    if not os.access(path, os.X_OK):
        (pytest.fail if REQUIRED else pytest.skip)(f"{path} is not built (CKOPS_BUILD)")
    env = clean_env(KUBECONFIG=kubeconfig or api.env()["KUBECONFIG"], CK_STORE_URL=url, **counts)
    if only:
        env["CK_ONLY"] = only
    p = subprocess.run([path], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                       timeout=7200 if FULL else 300)
    return passed(p)


@pytest.mark.slow
def test_the_contract_holds(api):
    ns = api.namespace()
    program("conformance", api, f"k8s:///{ns}/a/prefix")
    assert api.secrets(ns) == []  # nothing is left behind, parts included


@pytest.mark.slow
def test_the_contract_holds_at_the_top_of_a_named_context_with_a_token(api):
    ns = api.namespace()
    program("conformance", api, f"k8s://c/{ns}", TINY, kubeconfig=api.env("token")["KUBECONFIG"])


@pytest.mark.slow
def test_large_files(api):
    ns = api.namespace()
    program("large", api, f"k8s:///{ns}")
    left = api.secrets(ns)  # of the writers that were killed: parts alone, and few
    assert all("ckops.dev/part-of" in s["metadata"]["labels"] for s in left) and len(left) <= 12


def test_parts_belong_to_the_file_that_names_them(api, new_proxy):
    """Kubernetes deletes what belongs to a Secret that is gone: also when it goes while the parts are on their way."""
    ns, content = api.namespace(), bytes(range(256)) * 4200
    api.put(ns, "big", b"small")
    secret = f"/api/v1/namespaces/{ns}/secrets/{name_of('big')}"
    heads = []

    def pass_on(head):
        heads.append(head)
        if len(heads) == 3:  # the second part
            assert api.api("DELETE", secret)[0] == 200
            api.put(ns, "big", b"somebody else's")
        return head

    with new_proxy() as proxy:
        proxy.alter = pass_on
        env = clean_env(KUBECONFIG=proxy.kubeconfig)
        p = subprocess.run([BUILD / "tests/unit/vfs_cli", f"k8s:///{ns}", "put", "big"], env=env, input=content, capture_output=True,
                           timeout=60)
        assert p.returncode == 0, p.stderr
        p = subprocess.run([BUILD / "tests/unit/vfs_cli", f"k8s:///{ns}", "get", "big"], env=env, capture_output=True, timeout=60)
        assert p.stdout == content, p.stderr
    status, file = api.api("GET", secret)
    parts = [s for s in api.secrets(ns) if "ckops.dev/part-of" in s["metadata"]["labels"]]
    owners = [o["uid"] for s in parts for o in s["metadata"].get("ownerReferences", [])]
    assert status == 200 and len(parts) == 2 and owners == 2 * [file["metadata"]["uid"]]


# ---- everyday

def test_everyday_commands(store):
    store.ok("create", "-f", "-", stdin=ALL)
    assert store.keys() == [f"state/{NAME}/{x}" for x in ("config", "instancegroup/cp", "instancegroup/nodes")]
    assert NAME in store.ok("get", "clusters").stdout
    assert "nodes" in store.ok("get", "ig", "--name", NAME).stdout
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert "maxSize: 7" in store.read(f"{NAME}/instancegroup/nodes")
    store.ok("replace", "-f", "-", stdin=GROUP)
    assert "maxSize: 2" in store.read(f"{NAME}/instancegroup/nodes")
    again = store.run("create", "-f", "-", stdin=ALL)
    assert again.returncode == 1 and "already exists" in again.stderr
    store.ok("delete", "ig", "nodes", "--name", NAME, "--yes")
    assert store.read(f"{NAME}/instancegroup/nodes") is None
    store.ok("create", "secret", "dockerconfig", "--name", NAME, "-f", "-", stdin='{"auths":{}}')
    assert store.read(f"{NAME}/secrets/dockerconfig")


def test_the_current_context_and_its_namespace(api, tmp_path):
    ns = api.namespace()
    config = api.kubeconfig("here", {"token": k8s_server.ADMIN_TOKEN}, namespace=ns)
    store = Store(api, tmp_path, config, ns)
    store.env["KOPS_STATE_STORE"] = "k8s://"
    store.ok("create", "-f", "-", stdin=ALL)
    assert f"{NAME}/config" in store.keys()
    store.env["KOPS_STATE_STORE"] = "k8s://c/"
    assert NAME in store.ok("get", "clusters").stdout


def test_listing_costs_one_request_however_much_lies_beneath(api, tmp_path):
    store = Store(api, tmp_path)
    store.ok("create", "-f", "-", stdin=ALL)
    p = store.ok("get", "clusters", "-v", "6")
    assert len(re.findall(r" GET https://\S+ 200 ", p.stderr)) == 1


@pytest.mark.slow
def test_what_lists_cost_does_not_depend_on_what_lies_beneath(api, new_proxy, tmp_path):
    """Requests for the list of clusters, and for that of folders, with several pages of files in them."""
    clusters, beneath = (100, 100) if FULL else (9, 70)
    ns = api.namespace()
    names = [f"c{i:03}.example.com" for i in range(clusters)]
    config = "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: {}\nspec: {{}}\n"
    files = [(f"state/{n}/config", config.format(n).encode()) for n in names]
    files += [(f"state/{n}/backups/etcd/main/{i}", b"x") for n in names for i in range(beneath)]
    api.put_many(ns, files)
    with new_proxy() as proxy:
        store = Store(api, tmp_path, proxy.kubeconfig, ns)
        out = store.ok("get", "clusters").stdout
        assert [n for n in names if n not in out] == [] and proxy.n == 1
        proxy.arm(0, None, 0)
        p = subprocess.run([BUILD / "tests/unit/vfs_cli", f"k8s:///{ns}", "dirs", "state"], env=store.env, text=True,
                           capture_output=True, timeout=60)
        assert [line.split()[0] for line in p.stdout.splitlines()] == names, p.stderr
        assert proxy.n <= 3 and len(files) > 600, proxy.seen
        proxy.arm(0, None, 0)
        p = subprocess.run([BUILD / "tests/unit/vfs_cli", f"k8s:///{ns}", "dirs", "."], env=store.env, text=True,
                           capture_output=True, timeout=60)
        assert p.stdout.split()[0] == "state" and proxy.n == 2  # the second finds nothing outside of the first


@pytest.mark.slow
def test_a_listing_whose_pages_expire_starts_over_and_is_complete(api, new_proxy):
    """The server has forgotten the state that the first page is of; meanwhile files come and go."""
    ns = api.namespace()
    api.put_many(ns, [(f"d/{i:04}", b"x") for i in range(510)])
    heads = []

    def grown_old(head):
        token = re.search(rb"continue=([^& ]*)", head).group(1)
        state = json.loads(base64.urlsafe_b64decode(urllib.parse.unquote(token.decode()) + "=="))
        state = json.dumps(dict(state, rv=2), separators=(",", ":")).encode()
        return head.replace(token, base64.urlsafe_b64encode(state).rstrip(b"="))

    def pass_on(head):
        heads.append(head)
        if len(heads) != 2:
            return head
        assert api.api("DELETE", f"/api/v1/namespaces/{ns}/secrets/{name_of('d/0003')}")[0] == 200
        api.put(ns, "d/new", b"x")
        api.forget_history()
        return grown_old(head)

    with new_proxy() as proxy:
        proxy.alter = pass_on
        p = subprocess.run([BUILD / "tests/unit/vfs_cli", f"k8s:///{ns}", "list", "d"], env=clean_env(KUBECONFIG=proxy.kubeconfig),
                           text=True, capture_output=True, timeout=60)
    assert [b"continue=" in h.split(b"\r\n")[0] for h in heads] == [False, True, False, True], p.stderr
    assert [line.split()[0] for line in p.stdout.splitlines()] == [f"{i:04}" for i in range(510) if i != 3] + ["new"]


@pytest.mark.slow
def test_sixty_four_processes_create_one_group_once(store):
    store.ok("create", "-f", "-", stdin=ALL)
    procs = []
    for i in range(64):
        p = subprocess.Popen([PROGRAM, "create", "-f", "-"], env=store.env, cwd=store.root, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(EXTRA.replace("maxSize: 2", f"maxSize: {i + 2}"))
        procs.append(p)
    for p in procs:
        p.stdin.close()
        p.stdin = None
    ends = [(i, p.communicate(timeout=120), p.returncode) for i, p in enumerate(procs)]
    won = [i for i, _, code in ends if code == 0]
    assert len(won) == 1, [e[1] for e in ends][:3]
    assert all("already exists" in err for i, (_, err), code in ends if code)
    assert f"maxSize: {won[0] + 2}\n" in store.read(f"{NAME}/instancegroup/extra")


# ---- a fault at each request

API_ERRORS = {"500": (500, [("content-type", "application/json")], b'{"kind":"Status","reason":"InternalError","code":500}')}


@pytest.fixture(scope="module")
def new_proxy(api):
    """Makes proxies, each with the kubeconfig that leads through it."""
    context = ssl.create_default_context(cafile=f"{api.pki}/ca.crt")

    def new():
        p = FaultProxy(api.url, context, API_ERRORS)
        p.kubeconfig = api.kubeconfig("proxied-" + p.url.rsplit(":", 1)[1], {"token": k8s_server.ADMIN_TOKEN},
                                      {"server": p.url, "certificate-authority": None})
        return p

    return new


ONCE = ["500", "429", "break before", "break after", "truncate"]


@pytest.mark.slow
@pytest.mark.parametrize("command", ["create", "get", "list", "edit", "replace", "delete"] + ["delete cluster"] * FULL)
def test_fault_at_each_request(api, new_proxy, tmp_path, command):
    # A fault that stays costs all attempts: one kind of it will do.
    faults = [(f, 1) for f in ONCE + ["duplicate"] * FULL] + [(f, 1000) for f in (ONCE if FULL else ["500"])]
    sweep(new_proxy, lambda proxy: Store(api, tmp_path, proxy.kubeconfig), command, faults)


@pytest.mark.slow
def test_a_create_with_an_unknown_end_is_completed_by_another(api, new_proxy, tmp_path):
    """The last write takes effect and nobody learns of it, nor of anything after it: what was written before stays."""
    with new_proxy() as proxy:
        store = Store(api, tmp_path, proxy.kubeconfig)
        store.ok("create", "-f", "-", stdin=ALL)
        writes = [i for i, what in enumerate(proxy.seen, 1) if what.startswith("POST ")]
        store = Store(api, tmp_path, proxy.kubeconfig)
        proxy.arm(writes[1], "break after", 1000)
        p = store.run("create", "-f", "-", stdin=ALL)
        assert p.returncode == 1 and "the outcome of the write is unknown" in p.stderr
        proxy.arm(0, None, 0)
        store.ok("create", "-f", "-", stdin=ALL)
        assert len(store.keys()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["reading", "conditional", "remove_tree", "listings"] + ["streamed"] * FULL)
def test_operations_of_the_contract_under_a_fault_at_each_request(api, new_proxy, operation):
    """One fault at the n-th request of a whole conformance test is never seen by the caller."""
    only = {"reading": "*what_was_written_is_read", "streamed": "*bulk_reads*", "conditional": "*second_create*",
            "remove_tree": "*prefix_is_not_a_folder", "listings": "*find_sees_nested*"}[operation]
    ns = api.namespace()

    def perform(fault, n):
        with new_proxy() as proxy:
            proxy.arm(n, fault, 1)
            program("conformance", api, f"k8s:///{ns}/{fault or 'none'}{n}".replace(" ", "-"), TINY, only=only,
                    kubeconfig=proxy.kubeconfig)
            assert proxy.n >= n
            return proxy.n

    total = perform(None, 0)
    step = 1 if FULL else max(1, total // 3)
    side_by_side(perform, [(fault, n) for fault in ONCE if fault != "429" for n in {1, 2, *range(1, total + 1, step)}])


TOXICS = {
    "latency": ("latency", 1.0, {"latency": 10, "jitter": 5}),
    "reset": ("reset_peer", 0.1, {"timeout": 0}),
    "slow-close": ("slow_close", 1.0, {"delay": 20}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TOXICS)
def test_races_end_well_on_a_bad_network(api, name):
    try:
        toxi = servers.Toxiproxy().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    with toxi:
        url = toxi.proxy(name, api.url).replace("http://", "https://")
        kind, toxicity, attributes = TOXICS[name]
        toxi.toxic(name, name, kind, toxicity=toxicity, **attributes)
        config = api.kubeconfig(f"toxic-{name}", {"token": k8s_server.ADMIN_TOKEN}, {"server": url})
        for only in ("*twelve_processes*", "*increments*"):
            program("conformance", api, f"k8s:///{api.namespace()}", COUNTS, only=only, kubeconfig=config)


# One at a time, so that each can be run alone: 64 writers of 200 steps take minutes.
RACES = {"creators": "*sixty_four_processes*" if FULL else "*twelve_processes*", "increments": "*increments*"}


@pytest.mark.slow
@pytest.mark.parametrize("race", RACES)
@pytest.mark.parametrize("fault", FAULTS if FULL else ["any"])
def test_races_end_well_behind_faults(api, fault, race):
    """No write that landed is called a conflict, and none lands twice: the contract compares every answer."""
    context = ssl.create_default_context(cafile=f"{api.pki}/ca.crt")
    patience, hold = (15000, 3) if FULL else (6000, 1)  # two slow processes and a proxy answer sixty-four
    with bad_network(api.url, fault, patience, hold, context=context, replies=API_ERRORS) as (url, counts):
        config = api.kubeconfig(f"faulty-{fault}-{race}", {"token": k8s_server.ADMIN_TOKEN},
                                {"server": url, "certificate-authority": None})
        program("conformance", api, f"k8s:///{api.namespace()}", dict(COUNTS, **counts), only=RACES[race], kubeconfig=config)


# ---- the least role

def documented_role():
    text = (ROOT / "docs/stores.md").read_text()
    block = re.search(r"```yaml\n# k8s-role\.yaml\n(.*?)```", text, re.S).group(1)
    verbs = re.search(r"verbs: (\[.*\])", block).group(1)
    assert re.search(r'resources: \["secrets"\]', block) and "kind: Role\n" in block
    return json.loads(verbs)


def give(api, ns, verbs):
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "ckops"},
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": verbs}]}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "ckops"},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "ckops"},
               "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "plain"}]}
    assert api.api("POST", rbac + "/roles", role)[0] == 201
    assert api.api("POST", rbac + "/rolebindings", binding)[0] == 201


def workflow(store):
    """Everything a user does; the first step that fails, or None."""
    steps = [(["create", "-f", "-"], ALL), (["get", "clusters"], ""), (["get", "ig", "--name", NAME], ""),
             (["edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7"], ""),
             (["delete", "ig", "nodes", "--name", NAME, "--yes"], "")]
    for args, text in steps:
        p = store.run(*args, stdin=text)
        if p.returncode:
            return args[0], p.stderr
    return None


def wait_for_role(api, ns, verbs):
    """RBAC is eventually consistent: ask until the last verb given is allowed."""
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": ns, "verb": verbs[-1], "resource": "secrets"}}}
    for _ in range(200):
        status, doc = api.api("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body,
                              token=k8s_server.PLAIN_TOKEN)
        if status == 201 and doc["status"]["allowed"]:
            return
    raise AssertionError("the role does not come into force")


@pytest.fixture(scope="module")
def plain(api):
    return api.kubeconfig("plain", {"token": k8s_server.PLAIN_TOKEN})


def test_the_documented_role_is_enough(api, plain, tmp_path):
    ns = api.namespace()
    give(api, ns, documented_role())
    wait_for_role(api, ns, documented_role())
    assert workflow(Store(api, tmp_path, plain, ns)) is None
    program("conformance", api, f"k8s:///{ns}", TINY, only="test_V*", kubeconfig=plain)


@pytest.mark.parametrize("dropped", ["get", "list", "create", "update", "delete"])
def test_each_verb_of_the_role_is_needed(api, plain, tmp_path, dropped):
    verbs = [v for v in documented_role() if v != dropped]
    assert len(verbs) == 4
    ns = api.namespace()
    give(api, ns, verbs)
    wait_for_role(api, ns, verbs)
    failed = workflow(Store(api, tmp_path, plain, ns))
    assert failed, f"nothing needs {dropped}"
    assert "403 Forbidden" in failed[1] and f'cannot {dropped} resource "secrets"' in failed[1], failed
    assert "get, list, create, update and delete on secrets" in failed[1]
    # store doctor names it, too
    found = json.loads(subprocess.run([PROGRAM, "store", "doctor", f"k8s:///{ns}", "--requests", "1", "-o", "json"],
                                      env=clean_env(KUBECONFIG=plain), capture_output=True, text=True, timeout=60).stdout)
    assert f"{dropped} secrets" in found["missing"], found


# ---- kubectl

def kubectl(api, *args, stdin=""):
    try:
        found = k8s_server.find("kubectl")
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    p = subprocess.run([found, *args], env=clean_env(KUBECONFIG=api.env()["KUBECONFIG"]), input=stdin, text=True,
                       capture_output=True, timeout=60)
    assert p.returncode == 0, p.stderr
    return p.stdout


def test_kubectl_reads_what_ckops_wrote(api, store):
    store.ok("create", "-f", "-", stdin=ALL)
    path = f"state/{NAME}/config"
    doc = json.loads(kubectl(api, "get", "secret", "-n", store.namespace, name_of(path), "-o", "json"))
    content = base64.b64decode(doc["data"]["content"])
    notes = doc["metadata"]["annotations"]
    assert doc["type"] == "ckops.dev/file" and notes["ckops.dev/path"] == path
    assert notes["ckops.dev/md5"] == hashlib.md5(content).hexdigest()
    assert notes["ckops.dev/sha256"] == hashlib.sha256(content).hexdigest()
    assert notes["ckops.dev/size"] == str(len(content))
    assert content.decode().startswith("apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n")
    names = kubectl(api, "get", "secrets", "-n", store.namespace, "-l", f"ckops.dev/cluster={NAME}", "-o", "name").split()
    assert len(names) == 3
    table = kubectl(api, "get", "secrets", "-n", store.namespace, "-l", f"ckops.dev/cluster={NAME}", "-o",
                    r"custom-columns=PATH:.metadata.annotations.ckops\.dev/path", "--no-headers")
    assert sorted(table.split()) == store.keys()


def test_ckops_reads_what_kubectl_wrote(api, store, tmp_path):
    other = Store(api, tmp_path)
    other.ok("create", "-f", "-", stdin=ALL)
    for path in other.keys():
        text = api.read(other.namespace, path)
        kubectl(api, "create", "-n", store.namespace, "-f", "-", stdin=json.dumps(hand_made(path, text.encode())))
    assert store.ok("get", "clusters").stdout == other.ok("get", "clusters").stdout
    assert store.ok("get", "ig", "--name", NAME).stdout == other.ok("get", "ig", "--name", NAME).stdout
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert "maxSize: 7" in store.read(f"{NAME}/instancegroup/nodes")
    # the same Secret as ckops makes it: labels included
    ours = {s["metadata"]["name"]: s["metadata"]["labels"] for s in api.secrets(other.namespace)}
    for path in other.keys():
        want = hand_made(path, b"")["metadata"]["labels"]
        assert want.items() <= ours[name_of(path)].items()


def test_a_content_edited_under_its_hash_is_refused(api, store):
    store.ok("create", "-f", "-", stdin=ALL)
    path = f"state/{NAME}/config"
    patch = json.dumps({"data": {"content": base64.b64encode(b"kind: Cluster\n").decode()}})
    kubectl(api, "patch", "secret", "-n", store.namespace, name_of(path), "--type=merge", "-p", patch)
    p = store.run("get", "cluster", NAME)
    assert p.returncode and "ckops.dev/sha256" in p.stderr


@pytest.mark.parametrize("how", [{"type": "Opaque"}, {"immutable": True}], ids=lambda h: next(iter(h)))
def test_a_secret_that_cannot_be_changed_is_read_and_says_so(api, store, how):
    store.ok("create", "-f", "-", stdin=ALL)
    path = f"state/{NAME}/instancegroup/nodes"
    text = api.read(store.namespace, path)
    kubectl(api, "delete", "secret", "-n", store.namespace, name_of(path))
    kubectl(api, "create", "-n", store.namespace, "-f", "-", stdin=json.dumps({**hand_made(path, text.encode()), **how}))
    assert "nodes" in store.ok("get", "ig", "--name", NAME).stdout
    p = store.run("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert p.returncode == 1 and "422 Invalid" in p.stderr and "delete the Secret and write the file again" in p.stderr, p.stderr


def test_a_copied_secret_is_refused(api, store):
    store.ok("create", "-f", "-", stdin=ALL)
    doc = hand_made(f"state/{NAME}/config", b"x")
    doc["metadata"]["name"] = name_of("state/d.example.com/config")
    kubectl(api, "create", "-n", store.namespace, "-f", "-", stdin=json.dumps(doc))
    p = store.run("get", "cluster", "d.example.com")
    assert p.returncode and "it was copied or edited" in p.stderr


# ---- kOps' custom resources beside the files

def definition(plural, kind, spec):
    """As kOps ships it, with fewer fields: the API server drops what is not named."""
    schema = {"type": "object", "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                                               "spec": {"type": "object", "properties": spec}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.kops.k8s.io"},
            "spec": {"group": "kops.k8s.io", "scope": "Namespaced", "preserveUnknownFields": False,
                     "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": kind + "List"},
                     "versions": [{"name": "v1alpha2", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]}}


TEXT = {"type": "string"}
KEYS = {"type": "array", "items": {"type": "object", "properties": {k: TEXT for k in ("id", "publicMaterial", "privateMaterial")}}}
DEFINITIONS = [definition("clusters", "Cluster", {"channel": TEXT, "configBase": TEXT, "kubernetesVersion": TEXT}),
               definition("instancegroups", "InstanceGroup", {"role": TEXT, "maxSize": {"type": "integer", "format": "int32"}}),
               definition("keysets", "Keyset", {"type": TEXT, "primaryId": TEXT, "keys": KEYS}),
               definition("sshcredentials", "SSHCredential", {"publicKey": TEXT})]


@pytest.mark.slow
def test_objects_are_published_as_custom_resources_as_documented(api, store, tmp_path):
    text = (ROOT / "docs/stores.md").read_text().split("### Clusters as kOps' custom resources")[1]
    commands = re.search(r"```sh\n(.*?)```", text, re.S).group(1)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout",
                    "ca.key", "-out", "ca.pem", "-subj", "/CN=x", "-addext", "keyUsage=critical,keyCertSign"], cwd=tmp_path, check=True,
                   capture_output=True)
    store.ok("create", "-f", "-", stdin=ALL)
    store.ok("create", "keypair", "kubernetes-ca", "--cert", "ca.pem", "--key", "ca.key", "--primary", "--name", NAME)
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAAC3Nza someone@example\n")
    (tmp_path / "crds").mkdir()
    for d in DEFINITIONS:
        (tmp_path / "crds" / d["metadata"]["name"]).with_suffix(".json").write_text(json.dumps(d))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/ckops").symlink_to(PROGRAM)
    kubectl(api, "version", "--client")  # skips where there is none
    (tmp_path / "bin/kubectl").symlink_to(k8s_server.find("kubectl"))
    env = dict(store.env, PATH=f"{tmp_path}/bin:{os.environ['PATH']}", HOME=HOME)

    def run(script):
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, cwd=tmp_path, text=True, capture_output=True, timeout=120)

    once, rest = commands.split("kubectl create namespace", 1)
    p = run(once + "kubectl wait --for=condition=Established --timeout=60s "
            + " ".join("crd/" + d["metadata"]["name"] for d in DEFINITIONS) + "\nkubectl create namespace" + rest)
    assert p.returncode == 0, p.stdout + p.stderr

    def resource(kind, name):
        return json.loads(kubectl(api, "get", kind, name, "-n", "c-example-com", "-o", "json"))

    cluster = resource("clusters.kops.k8s.io", NAME)
    assert cluster["spec"] == {"channel": "stable", "configBase": cluster["spec"]["configBase"]} | (
        {"kubernetesVersion": cluster["spec"]["kubernetesVersion"]} if "kubernetesVersion" in cluster["spec"] else {})
    assert resource("instancegroups.kops.k8s.io", "nodes")["spec"] == {"role": "Node", "maxSize": 2}
    assert resource("sshcredentials.kops.k8s.io", "admin")["spec"]["publicKey"].startswith("ssh-ed25519 AAAAC3Nza")
    keyset = resource("keysets.kops.k8s.io", "kubernetes-ca")["spec"]
    assert keyset["type"] == "Keypair" and keyset["keys"][0]["privateMaterial"] and not (tmp_path / "copy").exists()
    # The files are the truth: what the definitions do not know is in them alone, and changes are published anew.
    assert "cloudProvider: aws" in store.read(f"{NAME}/config")
    store.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7")
    assert resource("instancegroups.kops.k8s.io", "nodes")["spec"]["maxSize"] == 2
    again = next(line for line in rest.splitlines() if line.startswith("ckops get ig"))
    assert run(again).returncode == 0 and resource("instancegroups.kops.k8s.io", "nodes")["spec"]["maxSize"] == 7


# ---- namespaces

def test_a_missing_namespace_is_named_by_the_first_write(api, tmp_path):
    store = Store(api, tmp_path, namespace="no-such-ns")
    assert "no clusters found" in store.run("get", "clusters").stderr
    p = store.run("create", "-f", "-", stdin=ALL)
    assert p.returncode == 1 and "kubectl create namespace no-such-ns" in p.stderr


ILLEGAL = ["k8s:///Kops_State", "k8s:///a.b", "k8s:///-", "k8s:///ns/a\nb", "k8s:///ns/a%0ab", "k8s:///ns/a\x1b[2J",
           "k8s:///ns/../x", "k8s://user:hunter2@c/ns", "k8s:///ns/%zz", "k8s:///" + "a" * 64,
           "k8s:///ns/a?x", "k8s:///ns#x"]


@pytest.mark.parametrize("url", ILLEGAL, ids=ascii)
def test_illegal_location_is_refused_before_any_request(new_proxy, store, url):
    with new_proxy() as proxy:
        store.env["KUBECONFIG"] = proxy.kubeconfig
        p = store.run("get", "clusters", "--state", url)
        assert p.returncode == 1 and p.stderr.startswith("Error: ") and proxy.n == 0
    assert "hunter2" not in p.stderr and "\x1b" not in p.stderr


def test_no_secret_at_the_highest_verbosity(store):
    text = "very-secret-content-of-a-file"
    store.ok("create", "-f", "-", stdin=ALL)
    p = store.ok("create", "secret", "dockerconfig", "--name", NAME, "-v", "10", "-f", "-", stdin=json.dumps({"auths": {text: {}}}))
    coded = base64.b64encode(text.encode()).decode()[:20]
    assert text not in p.stderr and coded not in p.stderr and "POST " in p.stderr
