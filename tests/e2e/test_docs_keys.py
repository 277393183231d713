"""The commands of docs/keys.md run, in their order, on a store like the one the page speaks of."""

import shlex
import subprocess

import pytest

import test_docs
import test_node
from test_keys import NAME, PROGRAM

pytestmark = pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")


def test_the_commands_of_the_page_run_in_their_order(tmp_path):
    c = test_node.Cluster(tmp_path)
    cert, key = c.authority("own")
    cert.rename(tmp_path / "ca.pem")
    key.rename(tmp_path / "ca-key.pem")
    (tmp_path / "docker.json").write_text('{"auths":{}}')
    (tmp_path / "encryption.yaml").write_text("kind: EncryptionConfig\n")
    c.ok("delete", "secret", "dockerconfig")
    commands = list(test_docs.shown("docs/keys.md"))
    assert len(commands) >= 18
    for command in commands:
        p = subprocess.run([PROGRAM, *shlex.split(command)[1:]], cwd=tmp_path, stdin=subprocess.DEVNULL,
                           env={**c.env, "KOPS_CLUSTER_NAME": NAME}, capture_output=True, text=True, timeout=120)
        assert p.returncode == 0, (command, p.stderr)
    # the page's table of files is what was written
    page = (test_docs.ROOT / "docs/keys.md").read_text()
    for path in (tmp_path / "node/current").rglob("*"):
        if path.is_file() and "manifests" not in path.parts and "kube-scheduler" not in path.parts:
            name = path.name
            assert name in page or name.rsplit(".", 1)[0] in page, path
