"""store export --git and import --git: a tree that follows the store, and edits that come back checked.

CKOPS_BIN names the program; git is the user's own."""

import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

import test_docs
from test_everyday import ALL, GROUP, NAME
from test_store_journal import OTHER, PROGRAM, Shop

pytestmark = [pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set"),
              pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")]


class Tree(Shop):
    """A store with a journal, and a tree beside it."""

    def __init__(self, root, journal=True):
        super().__init__(root, journal)
        self.tree = pathlib.Path(self.root, "tree")

    def export(self, *args):
        return self.run("store", "export", "--git", "tree", *args)

    def exported(self, *args):
        p = self.export(*args)
        assert p.returncode == 0, (args, p.stdout, p.stderr)
        return int(p.stdout.split()[0])

    def bring(self, *args):
        return self.run("store", "import", "--git", "tree", *args)

    def git(self, *args):
        p = subprocess.run(["git", "-C", str(self.tree), "-c", "user.name=me", "-c", "user.email=me@x", *args], env=self.env,
                           capture_output=True, text=True, errors="replace", timeout=60)
        assert p.returncode == 0, (args, p.stderr)
        return p.stdout

    def commit(self, edits):
        for path, text in edits.items():
            f = self.tree / path
            f.parent.mkdir(parents=True, exist_ok=True)
            f.unlink() if text is None else f.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "by hand")

    def configuration(self, name=NAME):
        return {k: v for k, v in self.cluster(name).items() if not k.startswith(("pki/private", "secrets"))}

    def in_tree(self, name=NAME):
        root = self.tree / name
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def shop(tmp_path):
    return Tree(tmp_path)


NODES = f"{NAME}/instancegroup/nodes"


def test_each_entry_of_the_journal_becomes_a_commit(shop):
    shop.create()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    shop.ok("create", "keypair", "kubernetes-ca", "--primary", "--name", NAME)
    assert shop.exported() == 2
    assert shop.in_tree() == shop.configuration() and shop.git("status", "--porcelain") == ""
    log = shop.git("log", "--format=%an <%ae>|%at|%s").splitlines()
    entries = [e for e in shop.log() if "keypair" not in e["command"]]
    assert [line.split("|")[2] for line in log] == [e["command"] for e in entries]
    assert log[0].startswith(f"{entries[0]['user']} <{entries[0]['user']}@{entries[0]['host']}>|")
    assert "maxSize: 2" in shop.git("show", f"HEAD~1:{NODES}") and "maxSize: 9" in shop.git("show", f"HEAD:{NODES}")
    assert shop.exported() == 0
    shop.ok("delete", "ig", "nodes", "--name", NAME, "--yes")
    assert shop.exported() == 1 and shop.in_tree() == shop.configuration()
    shop.ok("delete", "cluster", NAME, "--unregister", "--yes")
    assert shop.exported() == 1 and shop.in_tree() == {}


def test_any_name_of_a_user_can_be_an_author(shop):
    shop.create()
    users = ["a<b>c", "<", " ", "x\ny", "é"]
    for i, user in enumerate(users):
        shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", f"spec.maxSize={i + 3}", env={"CKOPS_USER": user})
    assert shop.exported() == 1 + len(users) and shop.in_tree() == shop.configuration()
    assert shop.git("log", "--reverse", "--format=%an").splitlines()[1:] == ["a?b?c", "?", "", "x?y", "é"]


def test_without_a_journal_the_present_state_is_one_commit(tmp_path):
    shop = Tree(tmp_path, journal=False)
    shop.create("\n---\n\n".join([ALL, ALL.replace(NAME, OTHER)]))
    assert shop.exported(OTHER) == 1 and not (shop.tree / NAME).exists()
    assert shop.exported() == 1 and shop.in_tree() == shop.configuration() and shop.in_tree(OTHER) == shop.configuration(OTHER)
    assert shop.git("log", "--format=%s").splitlines() == ["The store as it is"] * 2
    p = shop.export("nobody.example.com")
    assert p.returncode == 1 and "neither in the store nor in the tree" in p.stderr


def test_drift_is_shown_and_has_a_status(shop):
    shop.create()
    shop.exported()
    assert shop.export("--check", "--detailed-exitcode").returncode == 0
    file = pathlib.Path(shop.path(NODES))
    file.write_bytes(file.read_bytes().replace(b"maxSize: 2", b"maxSize: 3"))  # as kOps does
    p = shop.export("--check", "--detailed-exitcode")
    assert p.returncode == 2 and f"{NODES}: changed\n1 files differ" in p.stdout
    assert shop.export("--check").returncode == 0 and "maxSize: 2" in (shop.tree / NODES).read_text()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert shop.exported() == 2  # what kOps did, and the edit
    assert shop.git("log", "-2", "--format=%an %s").splitlines()[1] == "unknown Changed without the journal"
    assert "maxSize: 3" in shop.git("show", f"HEAD~1:{NODES}")


def test_keys_and_secrets_come_along_only_when_asked_for(shop):
    shop.create()
    shop.write("../d.json", '{"auths": {"geheim": 1}}')
    shop.ok("create", "secret", "dockerconfig", "-f", "d.json", "--name", NAME)
    shop.ok("create", "keypair", "kubernetes-ca", "--primary", "--name", NAME)
    shop.exported()
    objects = shop.git("cat-file", "--batch-all-objects", "--batch")
    assert "PrivateMaterial" not in objects and "privateMaterial" not in objects and '"Data"' not in objects
    shop.exported("--include-secrets")
    assert shop.in_tree() == shop.cluster()
    for p in (shop.tree / NAME).rglob("*"):
        assert p.stat().st_mode & 0o077 == 0
    assert shop.exported() == 0 and shop.in_tree() == shop.cluster()  # without the option they stay as they are


def test_edits_come_back_byte_for_byte(shop):
    shop.create()
    shop.exported()
    nodes = (shop.tree / NODES).read_text()
    shop.commit({NODES: nodes.replace("maxSize: 2", "maxSize: 7  # enough"), f"{NAME}/instancegroup/more": GROUP.replace("name: nodes", "name: more"),
                 "README.md": "not ours\n"})
    p = shop.export()
    assert p.returncode == 3 and "2 edits that are not in the store" in p.stderr
    before = shop.cluster()
    p = shop.bring()
    assert p.returncode == 0 and "Must specify --yes" in p.stdout and "+   maxSize: 7" in p.stdout and shop.cluster() == before
    assert shop.bring("--yes").returncode == 0
    assert shop.configuration() == shop.in_tree() and b"# enough" in shop.cluster()["instancegroup/nodes"]
    assert shop.log()[0]["command"] == "store import --git=tree --yes"
    assert shop.exported() == 0 and "Nothing to import" in shop.bring("--yes").stdout
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert shop.exported() == 1 and shop.configuration() == shop.in_tree()
    shop.commit({f"{NAME}/instancegroup/more": None})
    assert shop.bring("--yes").returncode == 0 and "instancegroup/more" not in shop.cluster()
    shop.ok("store", "undo", "--yes")
    assert "instancegroup/more" in shop.cluster() and shop.exported() == 1


def test_a_new_cluster_of_the_tree_is_created(shop):
    shop.create()
    shop.exported()
    shop.commit({path.replace(NAME, OTHER): text.replace(NAME, OTHER) for path, text in
                 [(f"{NAME}/{k}", v.decode()) for k, v in shop.configuration().items()]})
    assert shop.bring("--yes").returncode == 0
    assert shop.configuration(OTHER) == shop.in_tree(OTHER) and OTHER in shop.ok("get", "clusters").stdout


def test_what_changed_on_both_sides_is_a_conflict(shop):
    shop.create()
    shop.exported()
    nodes = (shop.tree / NODES).read_text()
    shop.commit({NODES: nodes.replace("maxSize: 2", "maxSize: 7"), f"{NAME}/instancegroup/more": GROUP.replace("name: nodes", "name: more")})
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    before, head = shop.cluster(), shop.git("rev-parse", "HEAD")
    p = shop.bring("--yes")
    assert p.returncode == 3 and "changed in the store since the export" in p.stderr
    assert shop.export().returncode == 3 and shop.cluster() == before and shop.git("rev-parse", "HEAD") == head


def good():
    return {f"{NAME}/instancegroup/more": GROUP.replace("name: nodes", "name: more")}


BAD = [
    ({NODES: GROUP.replace("maxSize: 2", "maxsize: 7")}, "maxsize"),
    ({NODES: GROUP.replace("maxSize: 2", "maxSize: 1")}, "maxSize"),
    ({NODES: GROUP.replace("name: nodes", "name: other")}, 'named "other"'),
    ({NODES: GROUP.replace(f"cluster: {NAME}", f"cluster: {OTHER}")}, "label"),
    ({NODES: ALL.split("\n---\n")[0]}, "another kind"),
    ({NODES: "a: [\n"}, "error parsing"),
    ({f"{NAME}/config": None}, "delete cluster"),
    ({f"{NAME}/instancegroup/cp": None}, "only control plane"),
    ({NODES: "x: \"\033[31m\u009b31m\"\n"}, "control characters"),
    ({f"{NAME}/instancegroup/a/b": GROUP}, "only config, instance groups and add-ons"),
    ({f"{NAME}/pki/ssh/public/admin/{'0' * 32}": "ssh-ed25519 AAAA x\n"}, "only config, instance groups and add-ons"),
]


def test_a_bad_edit_keeps_all_from_being_imported(shop):
    shop.create()
    shop.exported()
    before = shop.cluster()
    for edits, message in BAD:
        shop.commit({**good(), **edits})
        p = shop.bring("--yes")
        assert p.returncode == 1 and message in p.stderr and shop.cluster() == before, edits
        assert "\033" not in p.stdout and "\u009b" not in p.stdout  # of a terminal
        shop.git("reset", "-q", "--hard", "HEAD^")
    shop.commit(good())
    assert shop.bring("--yes").returncode == 0 and "instancegroup/more" in shop.cluster()


def test_nothing_of_the_tree_is_run(shop):
    shop.create()
    shop.exported()
    mark = pathlib.Path(shop.root, "ran")
    script = shop.script("hook.sh", f"touch {mark}\n")
    for hook in ("post-checkout", "post-commit", "reference-transaction", "post-index-change", "pre-auto-gc", "post-rewrite"):
        shutil.copy(script, shop.tree / ".git/hooks" / hook)
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    shop.git("config", "core.fsmonitor", script)
    shop.env["GIT_DIR"] = "/nonexistent"  # of the caller: not for us
    assert shop.exported() == 1 and shop.export("--check").returncode == 0 and shop.bring("--yes").returncode == 0
    assert not mark.exists()


def test_trees_that_cannot_be_trusted_are_refused(shop, tmp_path):
    shop.create()
    shop.exported()
    (shop.tree / NODES).write_text("edited")
    p = shop.export()
    assert p.returncode == 1 and "not committed" in p.stderr
    shop.git("checkout", "-q", ".")
    (shop.tree / NODES).unlink()
    (shop.tree / NODES).symlink_to("/etc/passwd")
    shop.git("add", "-A")
    shop.git("commit", "-qm", "link")
    for p in (shop.export(), shop.bring("--yes")):
        assert p.returncode == 1 and "no plain file" in p.stderr
    shop.git("reset", "-q", "--hard", "HEAD^")
    shutil.move(shop.tree / NAME / "instancegroup", shop.tree / "groups")
    (shop.tree / NAME / "instancegroup").symlink_to("../groups")  # its files would look removed
    shop.git("add", "-A")
    shop.git("commit", "-qm", "link")
    before = shop.cluster()
    for p in (shop.export(), shop.bring("--yes")):
        assert p.returncode == 1 and "no plain folder" in p.stderr and shop.cluster() == before
    shop.git("reset", "-q", "--hard", "HEAD^")
    shop.git("config", "status.showUntrackedFiles", "no")
    shop.ok("create", "-f", "-", stdin=GROUP.replace("name: nodes", "name: more"))
    mine = shop.tree / NAME / "instancegroup/more"
    mine.write_text("mine")
    p = shop.export()
    assert p.returncode == 1 and "not committed" in p.stderr and mine.read_text() == "mine"
    mine.unlink()
    shop.git("checkout", "-q", "--detach")
    assert "on no branch" in shop.export().stderr
    shop.git("checkout", "-q", "-")
    inner = shop.tree / "inner"  # a folder of a tree is no tree
    inner.mkdir()
    (inner / "x").write_text("x")
    p = shop.run("store", "export", "--git", "tree/inner")
    assert p.returncode == 1 and "no git tree, and not empty" in p.stderr
    shutil.rmtree(inner)
    p = shop.run("store", "import", "--git", "nowhere")
    assert p.returncode == 1 and not os.path.exists(shop.path("../nowhere"))


def around_git(shop, word, script):
    """A PATH on which git does something of its own before (BEFORE) or after (AFTER) one of its commands."""
    folder = shop.tree.parent / "wrapped"
    folder.mkdir(exist_ok=True)
    real = shutil.which("git")
    (folder / "git").write_text(f"""#!/bin/sh
case " $* " in *" {word} "*) {script.get("before", ":")} ;; esac
{real} "$@"; status=$?
case " $* " in *" {word} "*) {script.get("after", ":")} ;; esac
exit $status
""")
    (folder / "git").chmod(0o700)
    return {"PATH": f"{folder}:{shop.env['PATH']}"}


def test_an_edit_made_while_the_export_runs_is_not_lost(shop):
    shop.create()
    shop.exported()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    shop.ok("create", "-f", "-", stdin=GROUP.replace("name: nodes", "name: more"))
    head = shop.git("rev-parse", "HEAD")
    for path in (NODES, f"{NAME}/instancegroup/more"):  # of the tree, and not of the tree so far
        env = around_git(shop, "fast-import", {"before": f"echo mine > {shop.tree / path}"})
        p = shop.run("store", "export", "--git", "tree", env=env)
        assert p.returncode == 1 and "git read-tree failed" in p.stderr and path in p.stderr
        assert (shop.tree / path).read_text() == "mine\n" and shop.git("rev-parse", "HEAD") == head
        shop.git("checkout", "-q", ".")
        shop.git("clean", "-qfd")
    assert shop.exported() == 2 and shop.in_tree() == shop.configuration()
    assert "ckops-export" not in shop.git("for-each-ref")


@pytest.mark.parametrize("word", ["fast-import", "read-tree", "update-ref"])
def test_a_killed_export_leaves_nothing_that_would_take_the_stores_changes_back(shop, word):
    shop.create()
    shop.exported()
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    store = shop.cluster()
    p = shop.run("store", "export", "--git", "tree", env=around_git(shop, word, {"after": "kill -9 $PPID"}))
    assert p.returncode == -9
    if shop.git("status", "--porcelain"):  # what is there can be committed …
        shop.git("commit", "-qam", "whatever it was")
    assert "Nothing to import" in shop.bring("--yes").stdout and shop.cluster() == store
    shop.exported()
    assert shop.in_tree() == shop.configuration()


def test_what_git_says_of_a_broken_tree_is_passed_on(shop):
    shop.create()
    shop.exported()
    shutil.rmtree(shop.tree / ".git")
    (shop.tree / ".git").write_text("gitdir: /nowhere\n")
    for p in (shop.export(), shop.bring()):
        assert p.returncode == 1 and "not a git repository: /nowhere" in p.stderr
    shutil.rmtree(shop.tree)
    (shop.tree.parent / "bin").mkdir()
    p = shop.run("store", "export", "--git", "tree", env={"PATH": shop.path("../bin")})
    assert p.returncode == 1 and "git cannot be run" in p.stderr and not shop.tree.exists()


def test_a_tree_in_the_store_is_refused(shop):
    shop.create()
    before = shop.files()
    (shop.tree.parent / "link").symlink_to(shop.store)
    for place in ("store/tree", "store", f"store/{NAME}/instancegroup", "link/a/b", "store/../store/x"):
        p = shop.run("store", "export", "--git", place)
        assert p.returncode == 1 and "lies in the store" in p.stderr and shop.files() == before, place
    shop.exported()
    assert "0 commits" in shop.export("--state", "./store").stdout  # the same store by another name


def test_edits_of_one_cluster_outlive_the_export_of_another(shop):
    shop.create("\n---\n\n".join([ALL, ALL.replace(NAME, OTHER)]))
    shop.exported()
    theirs = f"{OTHER}/instancegroup/nodes"
    shop.commit({theirs: (shop.tree / theirs).read_text().replace("maxSize: 2", "maxSize: 7")})
    shop.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=9")
    assert shop.exported(NAME) == 1
    p = shop.export()
    assert p.returncode == 3 and theirs in p.stderr
    assert "Nothing to import" in shop.bring(NAME).stdout
    assert shop.bring(OTHER, "--yes").returncode == 0 and b"maxSize: 7" in shop.cluster(OTHER)["instancegroup/nodes"]
    assert shop.exported() == 0 and shop.in_tree(OTHER) == shop.configuration(OTHER) and shop.in_tree() == shop.configuration()
    clone = shop.tree.parent / "clone"
    subprocess.run(["git", "clone", "-q", shop.tree, clone], check=True, env=shop.env)
    assert shop.ok("store", "import", "--git", "clone").stdout == "Nothing to import\n"


def test_a_link_in_the_working_tree_is_not_written_through(shop):
    shop.create()
    shop.exported()
    outside = pathlib.Path(shop.root, "outside")
    outside.mkdir()
    shop.git("rm", "-rq", "--cached", NAME)
    shutil.rmtree(shop.tree / NAME)
    (shop.tree / NAME).symlink_to(outside)
    shop.git("add", "-A")
    shop.git("commit", "-qm", "link")
    assert shop.export().returncode == 3 and list(outside.iterdir()) == []
    shop.ok("delete", "cluster", NAME, "--unregister", "--yes")
    shop.create()
    assert shop.export().returncode == 3 and list(outside.iterdir()) == []


def test_the_commands_of_the_page_run_in_their_order(tmp_path):
    shop = Tree(tmp_path)
    shop.create(ALL.replace(NAME, "my.example.com"))
    commands = [c for c in test_docs.shown("docs/store-git.md")]
    assert len(commands) >= 4
    for command in commands:
        shop.ok(*shlex.split(command)[1:])
