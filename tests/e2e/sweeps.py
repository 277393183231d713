"""A fault at each request of everyday commands, for every store that speaks HTTP."""
import concurrent.futures
import os

from test_everyday import ALL, GROUP, NAME

FULL = os.environ.get("CK_FULL") == "1"


def side_by_side(case, arguments, jobs=6):
    """case(*a) for each: most of it is waiting for the next attempt. The first failure is raised."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for f in [pool.submit(case, *a) for a in arguments]:
            f.result()


FILES = ("config", "instancegroup/cp", "instancegroup/nodes")  # of ALL
# Command: its arguments, its input, what the store held before.
EVERYDAY = {
    "create": (["create", "-f", "-"], ALL, None),
    "get": (["get", "ig", "--name", NAME], "", ALL),
    "list": (["get", "clusters"], "", ALL),
    "edit": (["edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9"], "", ALL),
    "replace": (["replace", "-f", "-"], GROUP.replace("maxSize: 2", "maxSize: 9"), ALL),
    "delete": (["delete", "ig", "nodes", "--name", NAME, "--yes"], "", ALL),
    "delete cluster": (["delete", "cluster", NAME, "--unregister", "--yes"], "", ALL),
}


def done(store, command):
    """Whether the store holds what the command leaves there."""
    if command == "delete cluster":
        # A lock whose removal was refused may stay (oss://): nobody waits for it.
        return [k for k in store.keys() if not k.startswith(".ckops/locks/")] == []
    group = store.read(f"{NAME}/instancegroup/nodes")
    whole = all(store.read(f"{NAME}/{x}") for x in FILES[:2])
    if command == "delete":
        return whole and group is None
    return whole and group and ("maxSize: 9" in group) == (command in ("edit", "replace"))


def repaired(store, command, first):
    """The same command again, as it stands, completes the work or says that it is complete."""
    args, text, _ = EVERYDAY[command]
    q = store.run(*args, stdin=text)
    if q.returncode:
        assert command in ("create", "delete", "delete cluster"), (first, q.stderr)
        assert "already exists" in q.stderr or "not found" in q.stderr, (first, q.stderr)
    assert done(store, command), (first, q.stderr)


def sweep(new_proxy, open_store, command, faults, jobs=6):
    """The command with each (fault, count) at each of its requests in turn. new_proxy() makes a proxy, open_store(proxy) an
    empty store behind it, with the members run, ok, keys, read, and put, which goes around the proxy."""
    args, text, before = EVERYDAY[command]

    files = {}

    def prepared(proxy):
        proxy.arm(0, None, 0)
        store = open_store(proxy)
        for key, data in files.items():
            store.put(key, data)
        return store

    def case(fault, count, n):
        with new_proxy() as proxy:
            store = prepared(proxy)
            proxy.arm(n, fault, count)
            p = store.run(*args, stdin=text)
            seen = proxy.seen
            proxy.arm(0, None, 0)
            assert len(seen) >= n, f"request {n} of {total} was not made"
            what = (fault, count, n, seen[n - 1], p.stdout, p.stderr)
            if count == 1:
                assert p.returncode == 0, what  # one fault is made good without a word
            if p.returncode == 0:
                assert done(store, command), what
                return
            assert p.stderr.startswith("Error: ") or "\nError: " in p.stderr, what
            repaired(store, command, what)

    with new_proxy() as proxy:
        if before:
            first = open_store(proxy)
            first.ok("create", "-f", "-", stdin=before)
            files.update({f"{NAME}/{x}": first.read(f"{NAME}/{x}") for x in FILES})
        store = prepared(proxy)
        store.ok(*args, stdin=text)
        total = proxy.n
    side_by_side(case, [(fault, count, n) for fault, count in faults for n in range(1, total + 1)], jobs)


# Operations beneath the commands, as tests/unit/vfs_cli has them.
OPERATIONS = ["get", "put", "create", "update", "hash", "list", "dirs", "tree", "rm", "rm version", "rmtree", "rmversions"]


def sweep_operation(new_proxy, server, fresh, vfs, op, jobs=6):
    """The operation with each fault at each of its requests in turn; what must hold after a success. new_proxy() makes a proxy,
    fresh(server) a container; server tells of it by store, env, keys and read; vfs runs vfs_cli."""
    key = {"create": "d/new", "list": "d", "dirs": ".", "tree": "d", "rmtree": "d"}.get(op, "d/x")
    gone = {"rm": ["d/x"], "rm version": ["d/x"], "rmversions": ["d/x"], "rmtree": ["d/x", "d/y"]}.get(op, [])
    there = sorted({"d/x", "d/y", *(["d/new"] if op == "create" else [])} - set(gone))

    def perform(fault, n):
        with new_proxy() as proxy:
            container = fresh(server)
            store, env = server.store(container), server.env(url=proxy.url)
            version = vfs(store, "put", "d/x", env=env, stdin="one").stdout.decode().strip()
            vfs(store, "put", "d/y", env=env, stdin="two")
            proxy.arm(n, fault, 1)
            p = vfs(store, op.split()[0], key, *([version] if op in ("update", "rm version") else []), env=env, stdin="new")
            total = proxy.n
        what = (fault, n, p.stderr)
        assert p.returncode == 0 or p.stderr.startswith(b"not-found: ") and op == "rmversions", what
        assert total >= n and server.keys(container) == there, what
        if op in ("put", "create", "update"):
            assert server.read(container, key) == b"new", what
        if op == "get":
            assert p.stdout == b"one", what
        return total

    total = perform(None, 0)
    faults = ("500", "break before", "break after") + ("truncate", "duplicate", "503") * FULL
    side_by_side(perform, [(fault, n) for fault in faults for n in range(1, total + 1)], jobs)
