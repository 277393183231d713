"""The everyday path as a user sees it: create -f, get, edit, replace, delete on a local store.

CKOPS_BIN names the program. Nothing here needs a network.
"""

import json
import os
import pty
import re
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest

PROGRAM = os.environ.get("CKOPS_BIN", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")

NAME = "c.example.com"

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: c.example.com
spec:
  authorization:
    rbac: {}
  channel: stable
  cloudProvider: aws
  etcdClusters:
  - etcdMembers:
    - instanceGroup: cp
      name: a
    name: main
  - etcdMembers:
    - instanceGroup: cp
      name: a
    name: events
  kubernetesApiAccess:
  - 0.0.0.0/0
  kubernetesVersion: 1.34.0
  networkCIDR: 172.20.0.0/16
  networking:
    cni: {}
  nonMasqueradeCIDR: 100.64.0.0/10
  sshAccess:
  - 0.0.0.0/0
  subnets:
  - cidr: 172.20.32.0/19
    name: us-test-1a
    type: Public
    zone: us-test-1a
  topology:
    dns:
      type: Public
"""

GROUP = """\
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels:
    kops.k8s.io/cluster: c.example.com
  name: nodes
spec:
  image: ubuntu
  machineType: t2.medium
  maxSize: 2
  minSize: 2
  role: Node
  subnets:
  - us-test-1a
"""

CONTROL_PLANE = GROUP.replace("name: nodes", "name: cp").replace("role: Node", "role: Master") \
    .replace("maxSize: 2", "maxSize: 1").replace("minSize: 2", "minSize: 1")
SEP = "\n---\n\n"
ALL = SEP.join([CLUSTER, CONTROL_PLANE, GROUP])


class Box:
    """A store, a home and a way to run the program in them."""

    def __init__(self, root):
        self.root = str(root)
        self.store = os.path.join(self.root, "store")
        self.tmp = os.path.join(self.root, "tmp")
        for d in (self.store, self.tmp, os.path.join(self.root, "home")):
            os.mkdir(d)
        self.env = {"HOME": os.path.join(self.root, "home"), "PATH": "/usr/bin:/bin", "TZ": "UTC",
                    "TMPDIR": self.tmp, "KOPS_STATE_STORE": self.store}
        for key in os.environ:
            if key.endswith("SAN_OPTIONS") or key == "LLVM_PROFILE_FILE":
                self.env[key] = os.environ[key]

    def run(self, *args, stdin="", env=None, **kw):
        e = dict(self.env, **(env or {}))
        return subprocess.run([PROGRAM] + list(args), env=e, cwd=self.root, input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120, check=False, **kw)

    def ok(self, *args, **kw):
        p = self.run(*args, **kw)
        assert p.returncode == 0, (args, p.returncode, p.stdout, p.stderr)
        return p

    def create(self, text=ALL):
        return self.ok("create", "-f", "-", stdin=text)

    def path(self, *parts):
        return os.path.join(self.store, *parts)

    def files(self):
        out = {}
        for folder, _, names in os.walk(self.store):
            for n in names:
                p = os.path.join(folder, n)
                with open(p, encoding="utf-8", errors="surrogateescape") as f:
                    out[os.path.relpath(p, self.store)] = f.read()
        return out

    def script(self, name, text):
        p = os.path.join(self.root, name)
        with open(p, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\n" + textwrap.dedent(text))
        os.chmod(p, 0o755)
        return p

    def editing(self, text, *args, **kw):
        """Run an edit command whose editor is the given shell script; $1 is the file."""
        return self.run(*args, env={"EDITOR": self.script("editor.sh", text)}, **kw)

    def write(self, rel, text):
        p = self.path(rel)
        os.makedirs(os.path.dirname(p), exist_ok=True)
        with open(p, "w", encoding="utf-8") as f:
            f.write(text)


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def without_klog(text):
    return [l for l in text.splitlines() if not re.match(r"^[IWEF]\d{4} ", l)]


# ---- all or nothing ------------------------------------------------------------------------------


def test_everything_of_a_good_manifest_is_stored(box):
    p = box.create()
    assert "Created cluster/%s\nCreated instancegroup/cp\nCreated instancegroup/nodes\n" % NAME \
        in p.stdout
    assert sorted(box.files()) == [NAME + "/config", NAME + "/instancegroup/cp",
                                   NAME + "/instancegroup/nodes"]


@pytest.mark.parametrize("what,bad", [
    ("invalid", GROUP.replace("minSize: 2", "minSize: 5")),
    ("unparsable", "kind: [\n"),
    ("empty", "# nothing\n"),
    ("of an unknown kind", GROUP.replace("kind: InstanceGroup", "kind: InstanceGruop")),
    ("with an unknown field", GROUP.replace("  role:", "  rool: x\n  role:")),
    ("without cluster label", GROUP.replace("kops.k8s.io/cluster", "x")),
    ("of a missing cluster", GROUP.replace(NAME, "missing.example.com")),
    ("given twice", GROUP + SEP + GROUP),
])
def test_one_bad_object_keeps_all_from_being_stored(box, what, bad):
    p = box.run("create", "-f", "-", stdin=CLUSTER + SEP + CONTROL_PLANE + SEP + bad)
    assert p.returncode == 1, what
    assert p.stdout == ""
    assert box.files() == {}


def test_object_that_exists_keeps_all_from_being_stored(box):
    box.create()
    before = box.files()
    more = GROUP.replace("name: nodes", "name: more")
    p = box.run("create", "-f", "-", stdin=more + SEP + GROUP)
    assert p.returncode == 1
    assert "Error: error creating instanceGroup: file already exists" in p.stderr
    assert box.files() == before


def test_missing_second_file_keeps_the_first_from_being_stored(box):
    p = box.run("create", "-f", "-", "-f", "nowhere.yaml", stdin=ALL)
    assert p.returncode == 1
    assert 'error reading file "nowhere.yaml": file does not exist' in p.stderr
    assert box.files() == {}


def test_addons_without_their_cluster_store_nothing(box):
    box.create()
    before = box.files()
    p = box.run("create", "-f", "-",
                stdin=GROUP.replace("name: nodes", "name: more") + SEP +
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n")
    assert p.returncode == 1
    assert "must specify a cluster when creating additional objects" in p.stderr
    assert box.files() == before


def test_replace_with_a_missing_object_replaces_nothing(box):
    box.create()
    before = box.files()
    p = box.run("replace", "-f", "-", stdin=CLUSTER.replace("1.34.0", "1.34.1") + SEP +
                GROUP.replace("name: nodes", "name: missing"))
    assert p.returncode == 1
    assert "instanceGroup: missing does not exist (try adding --force flag)" in p.stderr
    assert box.files() == before


def small_files_only():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))


BIG = GROUP.replace("name: nodes", "name: big").replace(
    "  role:", "  additionalUserData:\n  - content: %s\n    name: x.sh\n    type: text/x-shellscript\n"
    "  role:" % ("x" * 20000))


def test_write_that_fails_midway_takes_earlier_ones_back(box):
    p = box.run("create", "-f", "-", stdin=ALL + SEP + BIG, preexec_fn=small_files_only)
    assert p.returncode == 1
    assert "Error: error creating instanceGroup: " in p.stderr
    assert box.files() == {}


def test_replace_that_fails_midway_restores_what_was(box):
    box.create(ALL + SEP + BIG)
    before = box.files()
    changed = (ALL + SEP + BIG).replace("maxSize: 2", "maxSize: 3").replace("xxxx", "yyyy")
    p = box.run("replace", "-f", "-", stdin=changed, preexec_fn=small_files_only)
    assert p.returncode == 1
    assert box.files() == before


# ---- strictness ----------------------------------------------------------------------------------


def test_unknown_field_is_an_error_with_position_and_nearest_name(box):
    text = GROUP.replace("machineType", "machinType")
    box.create(CLUSTER)
    p = box.run("create", "-f", "-", stdin=text)
    line = text.splitlines().index("  machinType: t2.medium") + 1
    assert p.returncode == 1
    assert "-:%d:" % line in p.stderr
    assert "machinType" in p.stderr and "machineType" in p.stderr


def test_lenient_drops_unknown_fields_as_kops_does(box):
    box.create(CLUSTER)
    box.ok("create", "--lenient", "-f", "-", stdin=GROUP.replace("  role:", "  nope: 1\n  role:"))
    assert "nope" not in box.files()[NAME + "/instancegroup/nodes"]


def test_stored_fields_of_a_newer_version_are_not_dropped_by_an_edit(box):
    box.create()
    text = box.files()[NAME + "/config"] + "  fieldOfTomorrow: 1\n"
    box.write(NAME + "/config", text)
    assert box.run("get", "cluster", NAME, "-o", "yaml").returncode == 0
    p = box.run("edit", "cluster", NAME, "--set", "spec.kubernetesVersion=1.34.1")
    assert p.returncode == 1 and "--lenient" in p.stderr
    assert box.files()[NAME + "/config"] == text


# ---- conflicts -----------------------------------------------------------------------------------


def test_second_editor_gets_a_conflict_with_all_three_views(box):
    box.create()
    p = box.editing("""\
        %s edit cluster %s --set spec.kubernetesVersion=1.34.7 || exit 9
        sed -i 's/kubernetesVersion: .*/kubernetesVersion: 1.34.8/; s/rbac: {}/alwaysAllow: {}/' "$1"
        """ % (PROGRAM, NAME), "edit", "cluster", NAME)
    assert p.returncode == 3, p.stderr
    assert "changed by someone else" in p.stderr
    both = [l for l in p.stderr.splitlines() if "spec.kubernetesVersion" in l]
    assert both and all(v in both[0] for v in ('"1.34.0"', '"1.34.7"', '"1.34.8"')), p.stderr
    assert "spec.authorization" in p.stderr
    assert "kubernetesVersion: 1.34.7" in box.files()[NAME + "/config"]


def test_conflict_keeps_the_users_text(box):
    box.create()
    p = box.editing("""\
        %s edit ig nodes --name %s --set spec.maxSize=7 || exit 9
        sed -i 's/maxSize: .*/maxSize: 8/' "$1"
        """ % (PROGRAM, NAME), "edit", "ig", "nodes", "--name", NAME)
    assert p.returncode == 3
    kept = re.search(r'A copy of your changes has been stored to "(.*)"', p.stdout).group(1)
    with open(kept, encoding="utf-8") as f:
        assert "maxSize: 8" in f.read()
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600
    assert "maxSize: 7" in box.files()[NAME + "/instancegroup/nodes"]


def test_group_removed_while_edited_stays_removed(box):
    box.create()
    p = box.editing("""\
        %s delete ig nodes --name %s --yes || exit 9
        sed -i 's/maxSize: .*/maxSize: 8/' "$1"
        """ % (PROGRAM, NAME), "edit", "ig", "nodes", "--name", NAME)
    assert p.returncode == 3
    assert "removed" in p.stderr
    assert NAME + "/instancegroup/nodes" not in box.files()


def test_no_update_is_lost_among_many_writers(box):
    box.create()
    n = 64
    procs = [subprocess.Popen([PROGRAM, "edit", "ig", "nodes", "--name", NAME, "--set",
                               "spec.nodeLabels=k%d=v%d" % (i, i)], env=box.env, cwd=box.root,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
             for i in range(n)]
    done = []
    for i, p in enumerate(procs):
        _, err = p.communicate(timeout=240)
        assert p.returncode in (0, 3), (p.returncode, err)
        if p.returncode == 0:
            done.append("k%d" % i)
    got = json.loads(box.ok("get", "ig", "nodes", "--name", NAME, "-o", "json").stdout)
    assert sorted(got["spec"].get("nodeLabels", {})) == sorted(done)
    assert got["metadata"]["generation"] == len(done) >= 1
    leftovers = [f for f in box.files() if f not in (NAME + "/config", NAME + "/instancegroup/cp",
                                                     NAME + "/instancegroup/nodes")]
    assert leftovers == []


def test_one_of_many_creators_wins(box):
    procs = [subprocess.Popen([PROGRAM, "create", "-f", "-"], env=box.env, cwd=box.root,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) for _ in range(16)]
    for i, p in enumerate(procs):
        p.stdin.write(ALL.replace("t2.medium", "m%d.large" % i))
        p.stdin.close()
    codes = [p.wait(timeout=120) for p in procs]
    for p in procs:
        p.stdout.close()
        p.stderr.close()
    assert codes.count(0) == 1 and set(codes) == {0, 1}
    winner = codes.index(0)
    for name in ("cp", "nodes"):
        assert "m%d.large" % winner in box.files()["%s/instancegroup/%s" % (NAME, name)]


# ---- the editor ----------------------------------------------------------------------------------


def test_wrong_text_comes_back_with_the_error_and_the_users_own_comments(box):
    box.create()
    p = box.editing("""\
        if [ ! -e pass1 ]; then
            sed -i 's/  channel:/  # why: mine\\n  chanel: x\\n  channel:/' "$1"; : > pass1
        else
            cp "$1" seen
            sed -i '/chanel:/d; s/kubernetesVersion: .*/kubernetesVersion: 1.34.3/' "$1"
        fi
        """, "edit", "cluster", NAME)
    assert p.returncode == 0, p.stderr
    with open(os.path.join(box.root, "seen"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert "  # why: mine" in lines
    at = lines.index("  chanel: x") + 1
    notice = [l for l in lines if l.startswith("#") and "chanel" in l]
    assert notice and re.search(r"\b%d\b" % at, notice[0]), notice
    assert "kubernetesVersion: 1.34.3" in box.files()[NAME + "/config"]


def test_every_line_of_a_message_is_a_comment(box):
    box.create()
    p = box.editing("""\
        if [ ! -e pass1 ]; then
            sed -i 's/  channel:/  chanel: x\\n  nope: y\\n  channel:/' "$1"; : > pass1
        else
            cp "$1" seen
        fi
        """, "edit", "cluster", NAME)
    assert p.returncode == 1
    with open(os.path.join(box.root, "seen"), encoding="utf-8") as f:
        header = f.read().split("apiVersion:")[0]
    assert "chanel" in header and "nope" in header
    assert all(l.startswith("#") for l in header.splitlines())


@pytest.mark.parametrize("before,after,field", [
    ("172.20.0.0/16", "172.20.0.0/99", "networkCIDR:"),
    ("  channel:", "  chanel: x\\n  channel:", "chanel:"),
])
def test_editor_starts_at_the_line_that_is_wrong(box, before, after, field):
    box.create()
    editor = box.script("vi", """\
        case "$1" in
        +*) echo "$1" > line; cp "$2" seen ;;
        *) sed -i 's#%s#%s#' "$1" ;;
        esac
        """ % (before, after))
    p = box.run("edit", "cluster", NAME, env={"EDITOR": editor})
    assert p.returncode == 1
    with open(os.path.join(box.root, "seen"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    with open(os.path.join(box.root, "line"), encoding="utf-8") as f:
        at = int(f.read()[1:])
    assert lines[at - 1].strip().startswith(field), lines[at - 1]


BAD_THEN_GOOD = """\
    if [ ! -e pass1 ]; then
        sed -i 's/  channel:/  channel: [/' "$1"; : > pass1
    else
        cp "$1" seen
        sed -i 's/  channel: .*/  channel: alpha/' "$1"
    fi
    """


def test_text_that_is_no_yaml_comes_back_to_a_person(box):
    box.create()
    try:
        terminal, other = pty.openpty()
    except OSError as e:
        pytest.skip("no pseudo terminals here: %s" % e)
    p = subprocess.Popen([PROGRAM, "edit", "cluster", NAME], cwd=box.root, stdin=other,
                         stdout=other, stderr=subprocess.PIPE, text=True,
                         env=dict(box.env, EDITOR=box.script("editor.sh", BAD_THEN_GOOD)))
    os.close(other)
    err = p.communicate(timeout=60)[1]
    os.close(terminal)
    assert p.returncode == 0, err
    with open(os.path.join(box.root, "seen"), encoding="utf-8") as f:
        lines = f.read().splitlines()
    at = [i for i, l in enumerate(lines, 1) if l.startswith("  channel: [")][0]
    notice = [l for l in lines if l.startswith("# yaml: ")]
    said = [int(n) for n in re.findall(r"\((\d+):\d+\)", notice[0])]
    assert said and at <= said[0] <= at + 3, (at, notice)
    assert "channel: alpha" in box.files()[NAME + "/config"]


def test_text_that_is_no_yaml_ends_the_command_of_a_script(box):
    box.create()
    before = box.files()
    p = box.editing(BAD_THEN_GOOD, "edit", "cluster", NAME)
    assert p.returncode == 1 and "Error: error parsing config: yaml: line " in p.stderr
    assert "A copy of your changes has been stored to" in p.stdout
    assert box.files() == before


def test_renaming_in_the_editor_is_refused(box):
    box.create()
    p = box.editing("sed -i 's/name: nodes/name: other/' \"$1\"", "edit", "ig", "nodes", "--name",
                    NAME)
    assert p.returncode == 1
    assert set(box.files()) == {NAME + "/config", NAME + "/instancegroup/cp",
                                NAME + "/instancegroup/nodes"}


def test_subnet_in_use_cannot_be_edited_away(box):
    box.create()
    before = box.files()
    p = box.run("edit", "cluster", NAME, "--set", "spec.networking.subnets[0].name=other")
    assert p.returncode == 1
    assert box.files() == before


def test_nothing_stays_in_the_temporary_folder_after_a_good_edit(box):
    box.create()
    p = box.editing("sed -i 's/maxSize: .*/maxSize: 8/' \"$1\"", "edit", "ig", "nodes", "--name",
                    NAME)
    assert p.returncode == 0, p.stderr
    assert os.listdir(box.tmp) == []


# ---- listings ------------------------------------------------------------------------------------


def three_clusters(box):
    box.create()
    for name in ("a.example.com", "z.example.com"):
        box.create(CLUSTER.replace(NAME, name))
    box.write("a.example.com/config", "{[")


def test_unreadable_cluster_has_a_row_a_reason_and_a_status(box):
    three_clusters(box)
    p = box.run("get", "clusters")
    assert p.returncode == 4
    names = [l.split()[0] for l in p.stdout.splitlines()[1:]]
    assert names == ["a.example.com", NAME, "z.example.com"]
    assert "(unreadable)" in p.stdout.splitlines()[1]
    assert any("a.example.com" in l and "error parsing" in l for l in without_klog(p.stderr))


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_unreadable_cluster_does_not_hide_the_others(box, form):
    three_clusters(box)
    p = box.run("get", "clusters", "-o", form)
    assert p.returncode == 4
    assert "a.example.com" in p.stderr
    assert p.stdout.count("Cluster") >= 2 and "z.example.com" in p.stdout
    if form == "json":
        assert [c["metadata"]["name"] for c in json.loads(p.stdout)] == [NAME, "z.example.com"]


def test_only_unreadable_clusters_is_an_empty_array_not_silence(box):
    box.write("a.example.com/config", "{[")
    p = box.run("get", "clusters", "-o", "json")
    assert p.returncode == 4 and json.loads(p.stdout) == []


def test_cluster_that_was_never_updated_does_not_hide_completed_ones(box):
    box.create()
    box.create(CLUSTER.replace(NAME, "z.example.com"))
    box.write("z.example.com/cluster-completed.spec", CLUSTER.replace(NAME, "z.example.com"))
    p = box.run("get", "clusters", "--full", "-o", "yaml")
    assert p.returncode == 4
    assert "name: z.example.com" in p.stdout and p.stdout.startswith("\n//\n")
    assert 'c.example.com/cluster-completed.spec": file does not exist' in p.stderr


def test_get_all_yaml_can_be_created_again(box):
    box.create()
    text = box.ok("get", "all", NAME, "-o", "yaml").stdout
    box.ok("delete", "cluster", NAME, "--unregister", "--yes")
    box.create(text)
    assert box.ok("get", "all", NAME, "-o", "yaml").stdout == text


def test_unknown_output_format_is_refused(box):
    box.create()
    for args in (("clusters",), ("cluster", NAME), ("all", NAME), ("ig", "--name", NAME),
                 ("ssh", NAME)):
        p = box.run("get", *args, "-o", "name")
        assert p.returncode == 1 and 'unknown output format: "name"' in p.stderr
        assert p.stdout == ""


def test_group_named_with_an_escape_is_not_read(box):
    box.create()
    p = box.run("get", "ig", "../config", "--name", NAME)
    assert p.returncode == 1
    assert "cannot be used in a state store" in p.stderr


# ---- removal -------------------------------------------------------------------------------------


def test_cluster_is_not_deleted_while_its_cloud_resources_cannot_be_looked_for(box):
    box.create()
    before = box.files()
    for args in (("--yes",), ()):
        p = box.run("delete", "cluster", NAME, *args)
        assert p.returncode == 1 and "--unregister" in p.stderr
    assert box.files() == before


def test_unregistered_cluster_is_gone_and_its_neighbour_is_not(box):
    box.create()
    box.create(CLUSTER.replace(NAME, "z.example.com"))
    p = box.ok("delete", "cluster", NAME, "--unregister", "--yes")
    assert 'Deleted cluster: "%s"' % NAME in p.stdout
    assert list(box.files()) == ["z.example.com/config"]
    assert box.run("get", "cluster", NAME).returncode == 1


def test_key_store_that_holds_the_whole_store_is_not_removed(box):
    box.create(CLUSTER.replace("spec:\n", "spec:\n  keyStore: %s\n" % box.store, 1))
    box.create(CLUSTER.replace(NAME, "z.example.com"))
    before = box.files()
    p = box.run("delete", "cluster", NAME, "--unregister", "--yes")
    assert p.returncode == 1 and "refusing to delete" in p.stderr
    assert box.files() == before


def test_state_under_a_config_base_of_its_own_goes_too(box):
    base = os.path.join(box.root, "elsewhere", NAME)
    box.create(CLUSTER.replace("spec:\n", "spec:\n  configBase: %s\n" % base, 1) + SEP + GROUP)
    os.makedirs(os.path.join(base, "pki"))
    with open(os.path.join(base, "pki", "x"), "w", encoding="utf-8") as f:
        f.write("x")
    box.ok("delete", "cluster", NAME, "--unregister", "--yes")
    assert box.files() == {}
    assert not os.path.exists(os.path.join(base, "pki", "x"))


KUBECONFIG = """\
apiVersion: v1
clusters:
- cluster:
    server: https://one
  name: c.example.com
- cluster:
    server: https://two
  name: two
contexts:
- context:
    cluster: c.example.com
    user: c.example.com
  name: c.example.com
- context:
    cluster: two
    user: two
  name: two
current-context: c.example.com
kind: Config
preferences: {}
users:
- name: c.example.com
  user:
    token: secret
- name: c.example.com-basic-auth
  user: {}
- name: two
  user:
    token: other
"""


def kubeconfig(box, text):
    path = os.path.join(box.root, "home", ".kube", "config")
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


def test_deleted_cluster_leaves_the_kubeconfig_and_its_neighbours_stay(box):
    box.create()
    path = kubeconfig(box, KUBECONFIG)
    p = box.ok("delete", "cluster", NAME, "--unregister", "--yes")
    assert "Deleted kubectl config for %s\n\nDeleted cluster" % NAME in p.stdout
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert NAME not in text and "secret" not in text
    assert text.count("name: two") == 3 and "token: other" in text
    assert 'current-context: ""' in text
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(os.path.dirname(path)) == ["config"]


def test_kubeconfig_that_cannot_be_read_does_not_stop_a_removal(box):
    box.create()
    path = kubeconfig(box, "{[")
    p = box.ok("delete", "cluster", NAME, "--unregister", "--yes")
    assert "kube" in p.stderr and "Deleted cluster" in p.stdout
    with open(path, encoding="utf-8") as f:
        assert f.read() == "{["


def test_replacing_with_an_older_export_is_remarked(box):
    box.create()
    box.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=3")
    old = box.ok("get", "ig", "nodes", "--name", NAME, "-o", "yaml").stdout
    assert "generation" not in box.ok("replace", "-f", "-", stdin=old).stderr
    box.ok("edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=4")
    assert "generation 1" in box.ok("replace", "-f", "-", stdin=old).stderr


# ---- hostile inputs ------------------------------------------------------------------------------


def run_timed(box, *args, stdin=""):
    """CPU seconds of one run (wall time would measure the machine's other users)."""
    path = os.path.join(box.root, "in.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(stdin)
    with open(path, "rb") as source:
        p = subprocess.Popen([PROGRAM] + list(args), env=box.env, cwd=box.root, stdin=source,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = p.stdout.read(), p.stderr.read()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        p.stdout.close()
        p.stderr.close()
    return p.returncode, out, err, usage.ru_utime + usage.ru_stime


ALIAS_BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    "a%d: &a%d [%s]\n" % (i, i, ",".join(["*a%d" % (i - 1)] * 9)) for i in range(1, 12)) + \
    "kind: Cluster\napiVersion: kops.k8s.io/v1alpha2\n"

HOSTILE = {
    "alias bomb": ALIAS_BOMB,
    "alias bomb in an object": CLUSTER + "  " + ALIAS_BOMB.replace("\n", "\n  ").rstrip() + "\n",
    "deep flow nesting": "kind: Cluster\nspec: " + "[" * 100000,
    "deep JSON nesting": '{"kind": "Cluster", "spec": ' + '{"a":' * 100000,
    "deep block nesting": "kind: Cluster\nspec:\n" + "".join(
        " " * i + "a:\n" for i in range(1, 400)),
    "cluster name that climbs": CLUSTER.replace("name: c.example.com", "name: ../../escape"),
    "group name that climbs": CLUSTER + SEP + GROUP.replace("name: nodes", "name: ../../escape"),
    "group name with a slash": CLUSTER + SEP + GROUP.replace("name: nodes", "name: a/b"),
    "group of a cluster that climbs": GROUP.replace(NAME, "../store"),
    "NUL in a name": CLUSTER + SEP + GROUP.replace("name: nodes", 'name: "no\\0des"'),
    "newline in a name": CLUSTER + SEP + GROUP.replace("name: nodes", 'name: "no\\ndes"'),
    "binary": "\x00\x01\x02" * 1000,
    "very long name": CLUSTER + SEP + GROUP.replace("name: nodes", "name: " + "n" * 5000),
}

SANITIZED = any(k.endswith("SAN_OPTIONS") for k in os.environ)
BUDGET_S = 0.05 * (20 if SANITIZED else 1)


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_manifest_is_refused_quickly_and_stores_nothing(box, what):
    code, out, err, cpu = run_timed(box, "create", "-f", "-", stdin=HOSTILE[what])
    assert code == 1, (code, err)
    assert out == ""
    assert any(l.startswith("Error: ") for l in without_klog(err)), err
    assert len(err) < 4000
    assert box.files() == {}
    assert sorted(os.listdir(box.root)) == ["home", "in.yaml", "store", "tmp"]
    assert cpu < BUDGET_S, cpu


def test_hostile_stored_cluster_does_not_stop_a_listing(box):
    box.create()
    box.write("bomb.example.com/config", ALIAS_BOMB)
    box.write("deep.example.com/config", "a: " + "[" * 100000)
    code, out, _, cpu = run_timed(box, "get", "clusters")
    assert code == 4 and NAME in out
    assert cpu < 2 * BUDGET_S, cpu


def test_link_in_the_store_is_not_written_through(box):
    outside = os.path.join(box.root, "outside")
    os.mkdir(outside)
    os.symlink(outside, box.path(NAME))
    p = box.run("create", "-f", "-", stdin=ALL)
    assert p.returncode == 1 and "Error: " in p.stderr
    assert os.listdir(outside) == []


def test_link_in_place_of_the_group_folder_is_not_written_through(box):
    box.create(CLUSTER)
    outside = os.path.join(box.root, "outside")
    os.mkdir(outside)
    os.symlink(outside, box.path(NAME, "instancegroup"))
    p = box.run("create", "-f", "-", stdin=GROUP)
    assert p.returncode == 1 and "Error: " in p.stderr
    assert os.listdir(outside) == []


def test_endless_standard_input_is_cut_off(box):
    p = subprocess.Popen([PROGRAM, "create", "-f", "-"], env=box.env, cwd=box.root,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    start, sent = time.monotonic(), 0
    try:
        while sent < 1 << 30 and time.monotonic() - start < 30:
            sent += p.stdin.write(b"# x\n" * 65536)
    except BrokenPipeError:
        pass
    try:
        p.stdin.close()
    except BrokenPipeError:
        pass
    assert p.wait(timeout=30) == 1
    assert sent < 64 << 20
    assert b"Error: " in p.stderr.read()
    p.stdout.close()
    p.stderr.close()


def test_prompt_answers(box):
    for answer, code, kept in (("n\n", 1, True), ("\n", 1, True), ("NO\n", 1, True),
                               ("yes\n", 0, False)):
        box.create() if not box.files() else None
        p = box.run("delete", "ig", "nodes", "--name", NAME, stdin=answer)
        assert p.returncode == code, (answer, p.stderr)
        assert (NAME + "/instancegroup/nodes" in box.files()) == kept


if __name__ == "__main__":
    sys.exit(pytest.main([__file__] + sys.argv[1:]))
