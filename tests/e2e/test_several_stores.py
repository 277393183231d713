"""Several stores at once: one table, failing stores as rows, names of stores in the configuration file, and commands that
refuse more than one store."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK), reason=f"{PROGRAM} is not built (CKOPS_BIN)")

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: %s
spec:
  cloudProvider: aws
  kubernetesVersion: 1.34.0
  subnets:
  - cidr: 172.20.32.0/19
    name: us-test-1a
    type: Public
    zone: us-test-1a
"""


def run(tmp_path, *args, **env):
    full = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    full.update(HOME=str(tmp_path), PATH=os.environ["PATH"], **env)
    return subprocess.run([PROGRAM, *map(str, args)], cwd=tmp_path, env=full, text=True, capture_output=True, timeout=60)


@pytest.fixture
def two(tmp_path):
    for store, names in (("a", "xy"), ("b", "yz")):
        for n in names:
            p = tmp_path / store / f"{n}.example.com/config"
            p.parent.mkdir(parents=True)
            p.write_text(CLUSTER % f"{n}.example.com")
    return tmp_path


def rows(text):
    return [line.split() for line in text.splitlines()]


def snapshot(folder):
    return {str(p): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


def test_one_table_of_several_stores(two):
    p = run(two, "get", "clusters", "--state", "b", "--state", "a")
    assert p.returncode == 0 and p.stderr == ""
    assert rows(p.stdout) == [["STORE", "NAME", "CLOUD", "ZONES"], ["a", "x.example.com", "aws", "us-test-1a"],
                              ["a", "y.example.com", "aws", "us-test-1a"], ["b", "y.example.com", "aws", "us-test-1a"],
                              ["b", "z.example.com", "aws", "us-test-1a"]]


def test_one_store_looks_as_ever(two):
    once = run(two, "get", "clusters", "--state", "a")
    assert rows(once.stdout)[0] == ["NAME", "CLOUD", "ZONES"]
    assert run(two, "get", "clusters", KOPS_STATE_STORE="a").stdout == once.stdout
    for form in ("yaml", "json"):
        text = run(two, "get", "clusters", "--state", "a", "-o", form).stdout
        assert "store" not in text and "x.example.com" in text


def test_a_failing_store_is_a_row_and_the_status_4(two):
    p = run(two, "get", "clusters", "--state", "a", "--state", "none")
    assert p.returncode == 4 and len(rows(p.stdout)) == 4
    assert rows(p.stdout)[3][:2] == ["none", "(unreadable)"] and "no such file" in p.stdout.splitlines()[3]
    assert p.stderr == "Error: none: error reading state store: open none: no such file or directory\n"
    p = run(two, "get", "clusters", "--state", "none", "--state", "gone")
    assert p.returncode == 4 and len(rows(p.stdout)) == 3


def test_an_unreadable_cluster_is_a_row_too(two):
    (two / "b/y.example.com/config").write_text("kind: [\n")
    p = run(two, "get", "clusters", "--state", "a", "--state", "b")
    assert p.returncode == 4 and ["b", "y.example.com", "(unreadable)"] in [r[:3] for r in rows(p.stdout)]
    assert 'Error: b: cluster "y.example.com" cannot be shown: ' in p.stderr


def test_names_and_values_of_a_store_do_not_drive_the_terminal(two):
    config = CLUSTER % "v.example.com"
    for folder, text in (("e\033[31m\u009b1m", config), ("two\nlines", config),
                         ("v.example.com", config.replace("cloudProvider: aws", 'cloudProvider: "a\\x1b[32mws"'))):
        (two / "a" / folder).mkdir()
        (two / "a" / folder / "config").write_text(text)
    for states in (["--state", "a"], ["--state", "a", "--state", "b"]):
        p = run(two, "get", "clusters", *states)
        assert p.returncode == 4 and not set("\033\u009b") & set(p.stdout + p.stderr)
        assert "e\\x1b[31m\\x9b1m" in p.stdout and "two\\x0alines" in p.stdout and "a\\x1b[32mws" in p.stderr


def test_objects_say_where_they_came_from(two):
    p = run(two, "get", "clusters", "y.example.com", "--state", "a", "--state", "b", "-o", "yaml")
    docs = p.stdout.split("\n---\n\n")
    assert p.returncode == 0 and [d.splitlines()[0] for d in docs] == ["# store: a", "# store: b"]
    alone = run(two, "get", "clusters", "y.example.com", "--state", "b", "-o", "yaml").stdout
    assert docs[1].split("\n", 1)[1] == alone  # otherwise as from one store: it can be given to replace
    p = run(two, "get", "clusters", "--state", "a", "--state", "b", "--state", "none", "-o", "json")
    doc = json.loads(p.stdout)
    assert p.returncode == 4 and [(d["store"], d.get("cluster", {}).get("metadata", {}).get("name")) for d in doc] == \
        [("a", "x.example.com"), ("a", "y.example.com"), ("b", "y.example.com"), ("b", "z.example.com"), ("none", None)]
    assert "no such file" in doc[4]["error"]


def test_a_cluster_that_no_store_has(two):
    p = run(two, "get", "clusters", "q.example.com", "--state", "a", "--state", "b")
    assert p.returncode == 1 and p.stdout == "" and p.stderr == 'Error: cluster not found "q.example.com"\n'
    p = run(two, "get", "clusters", "q.example.com", "--state", "a", "--state", "none")  # it may be there
    assert p.returncode == 4 and len(rows(p.stdout)) == 2


@pytest.mark.parametrize("args", [["create", "-f", "new.yaml"], ["replace", "-f", "new.yaml", "--force"], ["delete", "cluster", "x.example.com", "--unregister", "--yes"],
                                  ["edit", "cluster", "x.example.com", "--set", "spec.kubernetesVersion=1.34.1"],
                                  ["create", "cluster", "n.example.com", "--zones", "us-test-1a", "--cloud", "aws"],
                                  ["delete", "instancegroup", "nodes", "--name", "x.example.com", "--yes"],
                                  ["update", "cluster", "x.example.com", "--yes"], ["get", "instancegroups", "--name", "x.example.com"]],
                         ids=lambda a: "-".join(a[:2]))
def test_other_commands_refuse_more_than_one_store(two, args):
    (two / "new.yaml").write_text(CLUSTER % "new.example.com")
    before = snapshot(two)
    for order in (["a", "b"], ["b", "a"]):
        p = run(two, *args, "--state", order[0], "--state", order[1])
        assert p.returncode == 1 and "--state names 2 stores" in p.stderr, (p.stdout, p.stderr)
    assert snapshot(two) == before


def test_the_same_store_twice_is_one_store(two):
    p = run(two, "get", "instancegroups", "--name", "x.example.com", "--state", "a", "--state", "a")
    assert "names 2 stores" not in p.stderr


def test_names_of_stores(two):
    (two / ".kops.yaml").write_text(f"ckops_contexts:\n  prod: {two}/a\n  lab: file://{two}/b\n  loop: '@prod'\n  empty: ''\n"
                                   f"  map: {{url: {two}/a}}\n")
    p = run(two, "get", "clusters", "--state", "@prod", "--state", "@lab")
    assert p.returncode == 0 and [r[:2] for r in rows(p.stdout)[1:]] == [
        ["@lab", "y.example.com"], ["@lab", "z.example.com"], ["@prod", "x.example.com"], ["@prod", "y.example.com"]]
    assert run(two, "get", "clusters", "--state", "@prod").stdout == run(two, "get", "clusters", KOPS_STATE_STORE="@prod").stdout != ""
    assert run(two, "store", "copy", "@prod", "copy").returncode == 0 and (two / "copy/x.example.com/config").exists()
    for name, text in (("@nope", "(@prod, @lab, @loop, @empty, @map)"), ("@loop", "a URL is needed, not a name"), ("@empty", "@empty in ckops_contexts is no URL"), ("@map", "is no URL"), ("@", "there is no store called")):
        p = run(two, "get", "clusters", "--state", name)
        assert p.returncode == 1 and text in p.stderr, (name, p.stderr)
    (two / "@prod").mkdir()  # a folder of that name is written with its path
    p = run(two, "get", "clusters", "--state", "./@prod")
    assert p.returncode == 1 and "no clusters found" in p.stderr
    assert run(two, "create", "-f", "a/x.example.com/config", "--state", "@nope").returncode == 1 and not (two / "@nope").exists()


def test_a_setting_of_a_store_that_does_nothing_is_named(two):
    (two / ".kops.yaml").write_text(f"ckops_stores:\n  s3://x: {{profile: p, ca_bundel: /x}}\n  {two}/b: {{region: r}}\n")
    p = run(two, "get", "clusters", "--state", "a")
    assert p.returncode == 0 and p.stderr.count("there is no setting") == 2, p.stderr
    assert 's3://x: there is no setting "ca_bundel"; did you mean ca_bundle' in p.stderr
    assert f'{two}/b: there is no setting "region"\n' in p.stderr


def test_a_name_that_two_stores_have_is_none(two):
    (two / ".kops.yaml").write_text(f"ckops_contexts:\n  prod: {two}/a\n  prod: {two}/b\n")
    p = run(two, "get", "clusters", "--state", "@prod")
    assert p.returncode == 1 and p.stdout == "" and 'key "prod" already set' in p.stderr and 'no store called "@prod"' in p.stderr


def test_bad_names_of_stores_end_the_command(two):
    p = run(two, "get", "clusters", "--state", "a", "--state", "s3:/bucket")
    assert p.returncode == 1 and p.stdout == "" and "two slashes" in p.stderr
    p = run(two, "get", "clusters", "--state", "a", "--state", "b", "-o", "xml")
    assert p.returncode == 1 and "unknown output format" in p.stderr
    p = run(two, "get", "clusters", *[w for i in range(65) for w in ("--state", f"s{i}")])
    assert p.returncode == 1 and "64 are the most" in p.stderr


def test_stores_of_different_kinds_are_read_together(two):
    try:
        s3 = servers.Versitygw().start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))
    try:
        s3.make_bucket("full-store")
        for n in range(20):
            servers.s3request(s3.url, "PUT", f"/full-store/s{n:02d}.example.com/config", (CLUSTER % f"s{n:02d}.example.com").encode())
        p = run(two, "get", "clusters", "--state", "s3://full-store", "--state", "a", "--state", "s3://missing-store", **s3.env())
        assert p.returncode == 4, p.stderr
        stores = [r[0] for r in rows(p.stdout)[1:]]
        assert stores == ["a"] * 2 + ["s3://full-store"] * 20 + ["s3://missing-store"]
        assert "NoSuchBucket" in p.stderr and p.stderr.count("Error: ") == 1
        assert servers.SECRET not in p.stdout + p.stderr
    finally:
        s3.stop()
