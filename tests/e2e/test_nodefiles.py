"""What nodes read: byte for byte what kops writes, and a boot script that does what it says."""
import base64
import gzip
import hashlib
import http.server
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_update import CASES, Cluster  # noqa: E402

pytestmark = pytest.mark.skipif(not CASES, reason="no reference material (CK_SHARED)")

# Our own writing: boot scripts, and the channel's hashes of our own add-ons.
OURS = re.compile(r"user_data$|nodeupscript|-addons-")


@pytest.mark.parametrize("case", CASES)
def test_files_are_bytewise_those_of_kops(case, tmp_path):
    c = Cluster(case, tmp_path)
    c.module()
    theirs = c.case / "data"
    if not theirs.is_dir():
        pytest.skip("the case has no files")
    different = [f.name for f in theirs.iterdir() if not OURS.search(f.name)
                 and f.read_text().strip() != (c.out / "data" / f.name).read_text().strip()]
    assert different == []


def user_data(c, group):
    return (c.out / "data" / f"aws_launch_template_{group}.{c.name}_user_data").read_text()


def boot_config(text):
    plain = re.search(r"<< '__EOF_KUBE_ENV'\n(.*?)\n\n__EOF_KUBE_ENV\n", text, re.S)
    if plain:
        return plain.group(1)
    packed = re.search(r'echo "(\S+)" \| base64 -d', text)
    return gzip.decompress(base64.b64decode(packed.group(1))).decode().rstrip("\n")


def test_compressed_boot_configuration_unpacks_to_the_same(tmp_path):
    packed = Cluster("compress", tmp_path / "a")
    plain = Cluster("compress", tmp_path / "b", edit=lambda t: t.replace("compressUserData: true", "compressUserData: false"))
    packed.module()
    plain.module()
    a, b = user_data(packed, "nodes"), user_data(plain, "nodes")
    assert "gzip -d" in a and "gzip -d" not in b
    assert boot_config(a) == boot_config(b)
    assert len(a) < len(b) - 300


def test_the_boot_configuration_names_the_hash_of_the_configuration(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    c.module()
    for group, name in (("nodes", "nodes"), ("master-us-test-1a.masters", "master-us-test-1a")):
        config = (c.out / "data" / f"aws_s3_object_nodeupconfig-{name}_content").read_bytes()
        want = base64.b64encode(hashlib.sha256(config).digest()).decode()
        assert f"NodeupConfigHash: {want}" in boot_config(user_data(c, group))


# ---- the script, run with stand-ins for the programs it calls ----

class Machine:
    def __init__(self, folder, script, good):
        self.folder, self.log = folder, folder / "log"
        stubs = folder / "stubs"
        stubs.mkdir()
        nodeup = folder / "nodeup"
        nodeup.write_text(f"#!/bin/sh\necho nodeup \"$@\" >> {self.log}\n")
        subprocess.run(["xz", "-k", str(nodeup)], check=True)
        for name, body in {
            "sysctl": "exit 0",
            # after the first round of failures somebody switches the machine off
            "sleep": f"echo sleep >> {self.log}; kill $PPID",
            "curl": f"echo curl \"$@\" >> {self.log}\n"
                    "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && out=$2; last=$1; shift; done\n"
                    f"case \"$last\" in {good}) cp {nodeup}.xz \"$out\" ;; *) exit 22 ;; esac",
        }.items():
            (stubs / name).write_text(f"#!/bin/bash\n{body}\n")
            (stubs / name).chmod(0o755)
        self.env = {"PATH": f"{stubs}:/usr/bin:/bin"}
        self.root = folder / "opt"
        digest = hashlib.sha256(nodeup.read_bytes()).hexdigest()
        self.script = re.sub(r"(NODEUP_HASH_\w+)=\w+", rf"\1={digest}", script).replace("/opt/kops", str(self.root))

    def boot(self):
        p = subprocess.run(["bash", "-c", self.script], env=self.env, capture_output=True, text=True, timeout=60)
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return p.returncode, [x for x in lines if x.startswith("nodeup")], [x for x in lines if x.startswith("curl")]


@pytest.fixture
def script(tmp_path):
    c = Cluster("minimal-1.35", tmp_path / "cluster")
    c.module()
    return user_data(c, "nodes")


def test_the_script_tries_mirrors_and_starts_the_node_program(tmp_path, script):
    m = Machine(tmp_path, script, "*github.com*")
    code, runs, fetches = m.boot()
    assert code == 0
    assert runs == [f"nodeup --install-systemd-unit --conf={m.root}/conf/kube_env.yaml --v=8"]
    assert len(fetches) == 2 and "artifacts.k8s.io" in fetches[0] and "github.com" in fetches[1]
    assert (m.root / "conf/kube_env.yaml").read_text().rstrip("\n") == boot_config(script)
    code, runs, fetches = m.boot()  # what is there already is not fetched again
    assert code == 0 and len(runs) == 2 and len(fetches) == 2


def test_a_program_with_another_hash_is_never_run(tmp_path, script):
    m = Machine(tmp_path, script, "*")
    m.script = re.sub(r"(NODEUP_HASH_\w+)=\w+", r"\1=" + "0" * 64, m.script)
    code, runs, fetches = m.boot()
    assert code != 0 and runs == [] and len(fetches) == 2


# ---- hashes ----

class Sums(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.paths.append(self.path)
        known = self.path.endswith(".sha256")
        body = (hashlib.sha256(self.path.encode()).hexdigest() + "  file\n").encode() if known else b"no"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def sums():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sums)
    server.paths = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_sums_are_fetched_once_and_only_those_that_no_list_has(tmp_path, sums):
    c = Cluster("ha", tmp_path, no_proxy="127.0.0.1")
    base = f"http://127.0.0.1:{sums.server_port}/9.9.9"
    c.module(KOPS_BASE_URL=base)
    assert sums.paths and len(sums.paths) == len(set(sums.paths))
    assert all(p.startswith("/9.9.9/") for p in sums.paths)
    want = hashlib.sha256(b"/9.9.9/linux/amd64/nodeup.sha256").hexdigest()
    text = user_data(c, "nodes")
    assert f"NODEUP_URL_AMD64={base}/linux/amd64/nodeup\n" in text
    assert f"NODEUP_HASH_AMD64={want}\n" in text


def test_without_a_source_of_sums_the_file_and_the_way_out_are_named(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    p = c.module(check=False, KOPS_BASE_URL=f"file://{tmp_path}/nothing")
    assert p.returncode == 1
    assert "nothing/linux/amd64/nodeup" in p.stderr and "CKOPS_ASSET_HASHES" in p.stderr
    assert not c.out.exists()


# ---- secrets ----

def encrypted(text):
    return text.replace("  cloudProvider: aws\n", "  cloudProvider: aws\n  encryptionConfig: true\n")


def test_an_encryption_configuration_must_exist_and_its_hash_reaches_control_planes(tmp_path):
    c = Cluster("minimal-1.35", tmp_path, edit=encrypted)
    p = c.module(check=False)
    assert p.returncode == 1 and "encryptionconfig" in p.stderr
    config = tmp_path / "enc.yaml"
    config.write_text("kind: EncryptionConfig\n")
    c.run("create", "secret", "encryptionconfig", "--name", c.name, "-f", str(config))
    c.module()
    want = base64.urlsafe_b64encode(hashlib.sha256(config.read_bytes()).digest()).decode()
    name = "aws_s3_object_nodeupconfig-{}_content"
    assert f"EncryptionConfigSecretHash: {want}" in (c.out / "data" / name.format("master-us-test-1a")).read_text()
    assert "EncryptionConfig" not in (c.out / "data" / name.format("nodes")).read_text()


def test_tokens_are_made_once_and_a_preview_makes_none(tmp_path):
    c = Cluster("minimal-1.35", tmp_path)
    before = c.hashes()
    c.run("update", "cluster", c.name)
    assert c.hashes() == before
    c.module()
    tokens = {Path(p).name for p in c.hashes() if "/secrets/" in p}
    assert {"admin", "kube", "kube-proxy", "kubelet", "system:dns"} <= tokens and len(tokens) == 9
    after = c.hashes()
    c.module()
    assert c.hashes() == after
    assert all(os.stat(p).st_size == 55 for p in after if "/secrets/" in p)
