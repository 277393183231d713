"""Every ckops command shown in the README and on the documents' pages runs."""
import os
import pathlib
import re
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = os.path.abspath(os.environ.get("CKOPS_BIN", ROOT / "build" / "ckops"))


def shown(path):
    """The lines of code blocks that start with ckops."""
    for line in (ROOT / path).read_text().splitlines():
        m = re.match(r"    (ckops .*?)(?:\s+#.*)?$", line)
        if m:
            yield m.group(1)


def test_the_commands_of_the_readme_run_in_their_order(tmp_path):
    manifest = (ROOT / "examples" / "ha.yaml").read_text().replace("ha.example.com", "my.example.com")
    (tmp_path / "cluster.yaml").write_text(manifest)
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KOPS_STATE_STORE": str(tmp_path / "store")}
    for folder in ("store", "other"):
        (tmp_path / folder).mkdir()
    buckets = {"s3://my-bucket": str(tmp_path / "store"), "gs://other-bucket": str(tmp_path / "other")}
    commands = [re.sub("s3://my-bucket|gs://other-bucket", lambda m: buckets[m[0]], c) for c in shown("README.md")]
    assert len(commands) >= 8
    for command in commands:
        r = subprocess.run([BIN, *shlex.split(command)[1:]], cwd=tmp_path, env=env, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, (command, r.stderr)


@pytest.mark.parametrize("words", [["--help"], ["get", "--help"], ["create", "cluster", "--help"], ["completion", "bash"]])
def test_help_needs_no_store(tmp_path, words):
    r = subprocess.run([BIN, *words], cwd=tmp_path, env={"HOME": "/nonexistent"}, capture_output=True, text=True, timeout=20)
    assert r.returncode == 0 and r.stdout


def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)


def test_files_that_the_architecture_names_exist():
    named = re.findall(r"`([a-z0-9_]+(?:/[a-z0-9_]+)*\.(?:c|h|def|py))`", (ROOT / "ARCHITECTURE.md").read_text())
    assert len(named) >= 10
    for name in named:
        assert (ROOT / "src" / name).exists() or (ROOT / name).exists() or ("/" not in name and list((ROOT / "src").rglob(name))), name
