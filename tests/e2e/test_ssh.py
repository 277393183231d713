"""ssh:// on a real OpenSSH server: the store contract, races, configuration and agent, the promised messages,
sftp beside it; and on the wire: exact requests, and a fault in the place of each reply.

CKOPS_BIN and CKOPS_BUILD name what is tested; servers come from tests/servers. CK_FULL=1 asks for the full
counts."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket as socketlib
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/servers"))
import fake_ssh  # noqa: E402
import servers  # noqa: E402
import sshd  # noqa: E402
from sweeps import side_by_side  # noqa: E402
from test_conformance import BUILD, FULL, PROGRAM as CONTRACT  # noqa: E402
from test_everyday import ALL, NAME  # noqa: E402

PROGRAM = os.environ.get("CKOPS_BIN") or str(ROOT / "build/ckops")
VFS = BUILD / "tests/unit/vfs_cli"
REQUIRED = os.environ.get("CKOPS_SERVERS_REQUIRED") == "1"
pytestmark = pytest.mark.skipif(not os.access(PROGRAM, os.X_OK) or not os.access(VFS, os.X_OK),
                                reason=f"{PROGRAM} or {VFS} is not built (CKOPS_BIN, CKOPS_BUILD)")

COUNTS = {"CK_RACE_ROUNDS": "100", "CK_CAS_STEPS": "200", "CK_CAS_WRITERS": "64", "CK_MANY": "2500"} if FULL else \
         {"CK_RACE_ROUNDS": "1", "CK_CAS_STEPS": "2", "CK_CAS_WRITERS": "8", "CK_MANY": "210", "CK_READ_ROUNDS": "20",
          "CK_WITHOUT": "*sixty_four*"}


def start(**options):
    try:
        return sshd.Sshd(**options).start()
    except servers.Missing as e:
        (pytest.fail if REQUIRED else pytest.skip)(str(e))


@pytest.fixture(scope="module")
def server():
    s = start()
    yield s
    s.stop()


def environment(s, config=None, **more):
    e = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **(s.env(config) if s else {}), **more}
    e.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    return e


def run(s, *args, config=None, stdin="", state=None, env=None, code=(0, 1)):
    e = environment(s, config, **(env or {}))
    p = subprocess.run([PROGRAM, *args, *(["--state", state] if state else [])], env=e, input=stdin, text=True,
                       capture_output=True, timeout=120)
    assert p.returncode in code, p.stderr
    return p


def passes(url, env, counts, only=None):
    e = {**env, **counts, "CK_STORE_URL": url, **({"CK_ONLY": only} if only else {})}
    p = subprocess.run([CONTRACT], env=e, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                       timeout=36000 if FULL else 900)
    assert p.returncode == 0 and "[       OK ]" in p.stdout, p.stdout[-4000:]


def left_over(folder):
    return [str(f) for f in pathlib.Path(folder).rglob(".ckops-*")]


# ---- the contract

@pytest.mark.slow
def test_the_contract_holds(server):
    passes(server.store("contract/a"), environment(server), COUNTS)
    # The suite kills three writers; each may leave the temporary file it was at.
    assert len(left_over(server.data)) <= 3


def test_a_server_that_turns_many_away_at_once(server):
    """OpenSSH's own limit: of more than ten connections in the making some are closed unseen."""
    s = start(startups="10:30:100")
    try:
        passes(s.store(), environment(s), dict(COUNTS, CK_RACE_ROUNDS="1"), only="*twelve*")
    finally:
        s.stop()


def test_everyday_commands(server):
    state = server.store("everyday")
    folder = server.data / "everyday"
    run(server, "create", "-f", "-", stdin=ALL, state=state)
    assert sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()) == \
        [f"{NAME}/config", f"{NAME}/instancegroup/cp", f"{NAME}/instancegroup/nodes"]
    assert all(f.stat().st_mode & 0o077 == 0 for f in folder.rglob("*"))
    assert NAME in run(server, "get", "clusters", state=state).stdout
    run(server, "edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=7", state=state)
    assert "maxSize: 7" in (folder / NAME / "instancegroup/nodes").read_text()
    assert "already exists" in run(server, "create", "-f", "-", stdin=ALL, state=state).stderr
    run(server, "delete", "cluster", NAME, "--unregister", "--yes", state=state)
    found = json.loads(run(server, "store", "doctor", "-o", "json", state=state).stdout)
    assert found["missing"] == [] and found["checks"][0]["check"] == "identity"
    assert not [f for f in folder.rglob("*") if f.is_file()]


@pytest.mark.parametrize("by", [[], ["--lock"]])
def test_copies_into_it_and_back(server, tmp_path, by):
    """On the way up, where settings of a store may be, is the top of the machine, which no URL names; and names that are
    written otherwise in URLs."""
    folder = server.data / f"copies 100%/{len(by)}"
    state = server.store(f"copies%20100%25/{len(by)}")
    (tmp_path / "new").mkdir()
    run(server, "create", "-f", "-", stdin=ALL, state=str(tmp_path / "new"))
    assert "copied 3 files" in run(server, "store", "copy", str(tmp_path / "new"), state, *by, code=(0,)).stdout
    assert (folder / NAME / "config").read_text() == (tmp_path / "new" / NAME / "config").read_text()
    run(server, "store", "sync", state, str(tmp_path / "back"), *by, code=(0,))
    assert (tmp_path / "back" / NAME / "instancegroup/nodes").is_file()


def test_a_lock_left_behind_is_waited_for_and_then_passed(server):
    state, folder = server.store("dead"), server.data / "dead"
    run(server, "create", "-f", "-", stdin=ALL, state=state)
    args = ["edit", "ig", "nodes", "--name", NAME, "--set", "spec.maxSize=8"]
    log = server.dir / "requests"
    settings = server.dir / "settings.json"
    fake = {"CKOPS_SSH": f"{sys.executable} {ROOT}/tests/servers/fake_ssh.py {settings}"}
    settings.write_text(json.dumps({"log": str(log), "first": 0, "count": 0, "fault": None}))
    before = (folder / NAME / "instancegroup/nodes").read_text()
    run(None, *args, state=f"ssh://store{folder}", env=fake)
    (folder / NAME / "instancegroup/nodes").write_text(before)
    lines = log.read_text().splitlines()
    lock = next(i for i, line in enumerate(lines) if "ckops_lock_" in line)
    log.unlink()
    # The connection dies right after the lock was taken, and for good.
    settings.write_text(json.dumps({"log": str(log), "first": lock + 2, "count": 1000, "fault": "break before"}))
    assert run(None, *args, state=f"ssh://store{folder}", env=fake).returncode == 1
    assert any("ckops_lock_" in f for f in left_over(folder))
    began = time.monotonic()
    assert run(server, *args, state=state).returncode == 0
    assert time.monotonic() - began > 10
    assert not any("ckops_lock_" in f for f in left_over(folder))
    assert "maxSize: 8" in (folder / NAME / "instancegroup/nodes").read_text()


# ---- the user's configuration

def test_a_jump_host(server):
    config = server.client_config("user", name="jump")
    config.write_text(config.read_text() + config.read_text().replace("Host store", "Host gate").replace("127.0.0.1", "localhost", 1))
    known = (server.dir / "known_hosts")
    if "localhost" not in known.read_text():
        known.write_text(known.read_text() + known.read_text().replace("127.0.0.1", "localhost"))
    config.write_text(config.read_text().replace("Host store\n", "Host store\n  ProxyJump gate\n"))
    p = run(server, "get", "clusters", "-v", "6", config=config, state=server.store("none"))
    assert "no such file or directory" in p.stderr, p.stderr


def test_a_connection_that_is_shared_by_configuration(tmp_path):
    """The first command leaves it open in the background and is not held up by that; the second needs no server that listens."""
    s = start()
    sockets = tempfile.mkdtemp(prefix="ck-")  # a socket's name is short
    config = s.client_config("user", name="shared", ControlMaster="auto", ControlPath=f"{sockets}/%C", ControlPersist="60")
    runtime = pathlib.Path(sockets) / "runtime"
    runtime.mkdir(0o700)
    try:
        run(s, "create", "-f", "-", stdin=ALL, config=config, state=s.store("shared"), env={"XDG_RUNTIME_DIR": str(runtime)})
        assert len(os.listdir(sockets)) == 2 and not list((runtime / "ckops").iterdir())
        s.process.terminate()  # the listener; the connection has a process of its own
        s.process.wait()
        assert NAME in run(s, "get", "clusters", config=config, state=s.store("shared")).stdout
        assert "Connection refused" in run(s, "get", "clusters", state=s.store("shared")).stderr
    finally:
        subprocess.run(["ssh", "-F", str(config), "-O", "exit", "store"], capture_output=True, timeout=60)
        shutil.rmtree(sockets, ignore_errors=True)
        s.stop()


def test_a_key_of_the_agent(server, tmp_path):
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.02)
        env = {"SSH_AUTH_SOCK": str(socket)}
        subprocess.run(["ssh-add", "-q", str(server.dir / "user")], env={**os.environ, **env}, check=True)
        config = server.client_config("stranger", name="agent", IdentitiesOnly="no", IdentityFile="/nonexistent")
        p = run(server, "get", "clusters", config=config, state=server.store("none"), env=env)
        assert "no such file or directory" in p.stderr
        p = run(server, "get", "clusters", config=config, state=server.store("none"))
        assert "Permission denied" in p.stderr
    finally:
        agent.terminate()
        agent.wait()


def test_user_and_port_of_the_url(server):
    config = server.client_config("user", name="bare", User="nobody-else", Port="1")
    import getpass
    url = f"ssh://{getpass.getuser()}@store:{server.port}{server.data}/none"
    assert "no such file or directory" in run(server, "get", "clusters", config=config, state=url).stderr


# ---- a connection for the commands of a minute

class Sharing:
    """A folder as a login makes it, and the connections that ssh leaves in the background."""

    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="ck-"))  # a socket's name is short
        self.runtime = self.root / "run"
        self.runtime.mkdir(0o700)
        self.env = {"XDG_RUNTIME_DIR": str(self.runtime)}

    def masters(self):
        found = []
        for p in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = p.read_text()
            except OSError:
                continue
            if str(self.root) in text and "[mux]" in text:
                found.append(int(p.parent.name))
        return found

    def sockets(self):
        return [p for p in self.runtime.rglob("*") if p.is_socket()]

    def end(self):
        for pid in self.masters():
            os.kill(pid, signal.SIGKILL)
        while self.masters():
            time.sleep(0.02)
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture
def sharing():
    s = Sharing()
    yield s
    s.end()


def test_commands_share_a_connection_by_themselves(sharing):
    """The second needs no server that listens. Who asks for another, has another key or agent, does."""
    s = start()
    try:
        state = s.store("shared")
        # The pipes end although the connection stays: also one that is only handed down.
        r, w = os.pipe()
        p = subprocess.run([PROGRAM, "create", "-f", "-", "--state", state], input=ALL, text=True, stdout=subprocess.PIPE, pass_fds=[w],
                           stderr=subprocess.STDOUT, env=environment(s, **sharing.env), timeout=50)
        os.close(w)
        assert p.returncode == 0 and os.read(r, 1) == b"", p.stdout
        os.close(r)
        master, = sharing.masters()
        socket, = sharing.sockets()
        assert os.getsid(master) == os.getpgid(master) == master  # no terminal's signals
        assert socket.parent.stat().st_mode & 0o777 == 0o700 and socket.stat().st_mode & 0o077 == 0
        s.process.terminate()
        s.process.wait()
        assert NAME in run(s, "get", "clusters", state=state, env=sharing.env).stdout
        others = [{"CKOPS_SSH_SHARE": "no"}, {"CKOPS_SSH_SHARE": "false"}, {"SSH_AUTH_SOCK": "/nonexistent"}, {"CKOPS_SSH": s.env()["CKOPS_SSH"] + " -oUser=other"},
                  {"CKOPS_SSH": s.env()["CKOPS_SSH"] + " -oControlMaster=no"}, {"CKOPS_SSH": s.env()["CKOPS_SSH"] + " -S none"}]
        for other in others:
            assert "Connection refused" in run(s, "get", "clusters", state=state, env={**sharing.env, **other}).stderr, other
        os.utime(s.dir / "user", (1, 1))
        assert "Connection refused" in run(s, "get", "clusters", state=state, env=sharing.env).stderr
        assert sharing.masters() == [master]
        subprocess.run(["ssh", "-S", str(socket), "-O", "exit", "store"], capture_output=True, check=True, timeout=60)
    finally:
        s.stop()


def link(s):
    (s.root / "real").mkdir(0o700)
    (s.runtime / "ckops").symlink_to(s.root / "real")


def runtime_is_a_link(s):
    (s.root / "link").symlink_to(s.runtime)
    s.env["XDG_RUNTIME_DIR"] = f"{s.root}/link/"


def others_may_enter(s):
    s.runtime.chmod(0o711)


def others_may_enter_ours(s):
    (s.runtime / "ckops").mkdir()
    (s.runtime / "ckops").chmod(0o750)


def somebody_else_s(s):
    os.chown(s.runtime, 65534, -1)


def a_file(s):
    (s.runtime / "ckops").write_text("")


def long_name(s):
    deep = s.runtime / ("x" * 60)
    deep.mkdir(0o700)
    s.env["XDG_RUNTIME_DIR"] = str(deep)


def special_name(s):
    deep = s.runtime / "a %h"
    deep.mkdir(0o700)
    s.env["XDG_RUNTIME_DIR"] = str(deep)


def none(s):
    s.env["XDG_RUNTIME_DIR"] = str(s.root / "none")


@pytest.mark.parametrize("setup", [link, runtime_is_a_link, others_may_enter, others_may_enter_ours, a_file, long_name, special_name, none,
                                   *([somebody_else_s] if os.getuid() == 0 else [])], ids=lambda f: f.__name__)
def test_without_a_folder_of_its_own_nothing_is_shared(server, sharing, setup):
    setup(sharing)
    p = run(server, "get", "clusters", state=server.store("none"), env=sharing.env)
    assert "no such file or directory" in p.stderr
    assert not sharing.masters() and not sharing.sockets()


def test_what_is_no_socket_is_left_alone(server, sharing):
    run(server, "get", "clusters", state=server.store("none"), env=sharing.env)
    socket, = sharing.sockets()
    os.kill(*sharing.masters(), signal.SIGKILL)
    socket.unlink()
    socket.write_text("precious")
    assert "no such file" in run(server, "get", "clusters", state=server.store("none"), env=sharing.env).stderr
    assert socket.read_text() == "precious" and not sharing.sockets()


def test_a_shared_connection_that_died(server, sharing):
    """Killed: its socket stays and is replaced. Stopped, as behind a dead network: passed over after a while."""
    args = [VFS, server.store("died"), "put", "k"]
    env = environment(server, **sharing.env, VFS_CLI_TIMEOUT_MS="12000")

    def put(text):
        p = subprocess.run(args, input=text, text=True, capture_output=True, env=env, timeout=60)
        assert p.returncode == 0 and (server.data / "died/k").read_text() == text, p.stderr
    put("one")
    first, = sharing.masters()
    os.kill(first, signal.SIGKILL)
    put("two")
    second, = sharing.masters()
    assert second != first
    os.kill(second, signal.SIGSTOP)
    put("three")
    assert not sharing.sockets()
    put("four")
    assert len(sharing.masters()) == 2 and len(sharing.sockets()) == 1
    assert not left_over(server.data / "died")


def stand_in(tmp_path, settings, line=""):
    """A program called ssh: options as the real one tells them, SFTP from the server's program."""
    if not os.access(fake_ssh.SERVER, os.X_OK):
        (pytest.fail if REQUIRED else pytest.skip)("OpenSSH's sftp-server is not installed (tests/servers/build.sh sshd)")
    (tmp_path / "settings").write_text(json.dumps({"log": str(tmp_path / "log"), "first": 0, "count": 0, "fault": None, **settings}))
    program = tmp_path / "ssh"
    program.write_text(f"""#!/bin/sh
for a; do [ "$a" = -G ] && exec {shutil.which("ssh")} -F /dev/null "$@"; done
{line}
exec {sys.executable} {ROOT}/tests/servers/fake_ssh.py {tmp_path}/settings "$@"
""")
    program.chmod(0o755)
    return {"CKOPS_SSH": str(program)}


def test_who_is_denied_something_gets_a_new_connection_next_time(sharing, tmp_path):
    """Rights that were given meanwhile hold for new connections only."""
    env = {**sharing.env, **stand_in(tmp_path, {"first": 2, "count": 1, "fault": "denied"})}
    run(None, "get", "clusters", state=f"ssh://store{tmp_path}", env=env)
    given = json.loads((tmp_path / "log.args").read_text().splitlines()[0])
    path = next(a.split("=")[1] for a in given if a.startswith("-oControlPath="))
    assert {"-oControlMaster=auto", "-oControlPersist=60"} < set(given)
    for fault, stays in ("failure", True), ("denied", False):
        with socketlib.socket(socketlib.AF_UNIX) as s:
            s.bind(path)
        stand_in(tmp_path, {"first": 2, "count": 1, "fault": fault})
        (tmp_path / "log").unlink()
        run(None, "get", "clusters", state=f"ssh://store{tmp_path}", env=env, code=(1,))
        assert os.path.exists(path) == stays, fault
        if stays:
            os.unlink(path)


def test_where_ssh_cannot_make_its_socket_it_is_started_without(sharing, tmp_path):
    """It ends then, although the connection stands."""
    line = 'for a; do case "$a" in -oControlPath=*) echo "unix_listener: cannot bind to path ${a#*=}: Permission denied" >&2; exit 255;; esac; done'
    env = {**sharing.env, **stand_in(tmp_path, {}, line)}
    assert "no such file or directory" in run(None, "get", "clusters", state=f"ssh://store{tmp_path}/none", env=env).stderr


def test_a_jump_host_s_complaint_is_shown(server, sharing):
    config = server.client_config("user", name="closed-jump", ProxyJump="gate")
    config.write_text(config.read_text() + server.client_config("stranger", name="gate").read_text().replace("Host store", "Host gate"))
    p = run(server, "get", "clusters", config=config, state=server.store("none"), env=sharing.env)
    assert p.returncode == 1 and "Permission denied (publickey)" in p.stderr, p.stderr


@contextlib.contextmanager
def a_command_that_is_busy(s, state, folder, **options):
    """ckops with its connection open, waiting for an editor that ends with the block."""
    (folder / "editor").write_text(f"#!/bin/sh\ntouch {folder}/open\nwhile [ ! -e {folder}/go ]; do sleep 0.05; done\n")
    (folder / "editor").chmod(0o755)
    env = environment(s, options.get("config"), EDITOR=str(folder / "editor"), **options.get("env", {}))
    p = subprocess.Popen([PROGRAM, "edit", "cluster", NAME, "--state", state], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        while not (folder / "open").exists() and p.poll() is None:
            time.sleep(0.02)
        yield p
    finally:
        (folder / "go").touch()
        p.communicate(timeout=60)


def test_a_server_that_allows_one_session_a_connection(sharing, tmp_path):
    s = start(sessions="1")
    try:
        state = s.store("one")
        run(s, "create", "-f", "-", stdin=ALL, state=state, env=sharing.env)
        with a_command_that_is_busy(s, state, tmp_path, env=sharing.env) as p:
            assert NAME in run(s, "get", "clusters", state=state, env=sharing.env).stdout
        assert p.returncode == 0
    finally:
        s.stop()


def test_sessions_of_the_user_s_outlive_the_command_that_opened_their_connection(server, sharing, tmp_path):
    """ControlMaster without ControlPersist: the ssh of ckops is the one that all go through."""
    state = server.store("foreground")
    config = server.client_config("user", name="foreground", ControlMaster="auto", ControlPath=f"{sharing.root}/%C")
    run(server, "create", "-f", "-", stdin=ALL, state=state)
    with a_command_that_is_busy(server, state, tmp_path, config=config, env=sharing.env):
        other = subprocess.Popen(["ssh", "-F", str(config), "-s", "store", "sftp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        other.stdin.write(b"\0\0\0\5\1\0\0\0\3")
        assert fake_ssh.packet(other.stdout)[4] == 2
    path = b"/"
    other.stdin.write((9 + len(path)).to_bytes(4, "big") + b"\7\0\0\0\1" + len(path).to_bytes(4, "big") + path)
    assert fake_ssh.packet(other.stdout)[4] == 105  # attributes
    other.stdin.close()
    assert other.wait(60) == 0 and not sharing.sockets()


# ---- the promised messages, at once

def wrong_key(s):
    return {"config": s.client_config("stranger")}, ["Permission denied (publickey)", "does `ssh store` work"]


def unknown_host(s):
    (s.dir / "empty").write_text("")
    return {"config": s.client_config("user", name="unknown", UserKnownHostsFile=s.dir / "empty")}, [
        "Host key verification failed", "known_hosts"]


def changed_host(s):
    other = " ".join((s.dir / "stranger.pub").read_text().split()[:2])
    (s.dir / "changed").write_text(f"[127.0.0.1]:{s.port} {other}\n")
    return {"config": s.client_config("user", name="changed", UserKnownHostsFile=s.dir / "changed")}, ["has changed", "something else answers in its place"]


def nobody_listens(s):
    return {"config": s.client_config("user", name="refused", Port=1)}, ["Connection refused"]


def passphrase(s):
    if not (s.dir / "locked").exists():
        s.key("locked", "s3cret-of-tests")
    return {"config": s.client_config("locked")}, ["Permission denied", "without a passphrase"]


def no_program(s):
    return {"env": {"CKOPS_SSH": "no-such-program"}}, ["the program no-such-program is not installed"]


def blanks(s):
    return {"env": {"CKOPS_SSH": " ", "PATH": "/nonexistent"}}, ["the program ssh is not installed"]


def bad_option(s):
    return {"env": {"CKOPS_SSH": "ssh -oNoSuchOption=1"}}, ["NoSuchOption".lower()]


@pytest.mark.parametrize("setup", [wrong_key, unknown_host, changed_host, nobody_listens, passphrase, no_program, blanks, bad_option],
                         ids=lambda f: f.__name__)
def test_one_clear_message(server, setup):
    options, texts = setup(server)
    began = time.monotonic()
    p = run(server, "get", "clusters", "-v", "10", state=server.store("none"), **options)
    assert time.monotonic() - began < (2 if not REQUIRED else 5)
    assert p.returncode == 1
    last = p.stderr.split("Error: ")[-1]
    assert p.stderr.count("Error: ") == 1 and "s3cret-of-tests" not in p.stderr
    for t in texts:
        assert t in last or t in last.lower(), p.stderr


def test_a_server_without_sftp():
    s = start(subsystem=None)
    try:
        p = run(s, "get", "clusters", state=s.store("none"))
        assert p.returncode == 1 and "the server offers no SFTP" in p.stderr, p.stderr
    finally:
        s.stop()


def test_something_that_greets_instead_of_speaking_sftp(server, tmp_path):
    greeting = tmp_path / "greeting"
    greeting.write_text("#!/bin/sh\necho Welcome to this machine\nexec cat\n")
    greeting.chmod(0o755)
    p = run(None, "get", "clusters", state="ssh://store/x", env={"CKOPS_SSH": str(greeting)})
    assert "does not speak SFTP" in p.stderr


BAD = {
    "ssh:///x": "it has the form ssh://[user@]host[:port]/folder",
    "ssh://-oProxyCommand=x/y": "without a hyphen in front",
    "ssh://a b/c": "the nearest that works is ssh://ab/…",
    "ssh://me@-h;id:22/c": "the nearest that works is ssh://me@hid:22/…",
    "ssh://user@-x/y": "without a hyphen in front",
    "ssh://-l@x/y": "without a hyphen in front",
    "ssh://host:port/y": "it has the form",
    "ssh://host": "ssh://host/srv/state",
    "ssh://host/~/state": "a home folder is written out",
    "ssh://host/~me/state": "a home folder is written out",
    "ssh://user:secret@host/x": "credentials do not belong in a URL",
    "ssh://host/a\x01b": "control characters",
    "ssh://host/a/../b": '".." is not allowed',
    "ssh://host/%zz": "%25",
    "ssh://$(touch x)/y": "it has the form",
}


@pytest.mark.parametrize("url", BAD)
def test_a_bad_location_starts_no_program(url, tmp_path):
    p = run(None, "get", "clusters", state=url, env={"CKOPS_SSH": f"/bin/touch {tmp_path}/started"})
    assert p.returncode == 1 and BAD[url] in p.stderr, p.stderr
    assert "secret" not in p.stderr and not (tmp_path / "started").exists()


# ---- sftp beside it

def sftp(server, *commands):
    p = subprocess.run(["sftp", "-q", "-F", str(server.config), "-b", "-", "store"], input="\n".join(commands) + "\n", text=True,
                       capture_output=True, timeout=60)
    assert p.returncode == 0, p.stderr
    return p.stdout


def test_sftp_reads_what_ckops_wrote_and_the_reverse(server, tmp_path):
    run(server, "create", "-f", "-", stdin=ALL, state=server.store("both"))
    here, there = tmp_path / "both", f"{server.data}/both"
    sftp(server, f"get -r {there} {here}")
    assert sorted(str(f.relative_to(here)) for f in here.rglob("*") if f.is_file()) == \
        [f"{NAME}/config", f"{NAME}/instancegroup/cp", f"{NAME}/instancegroup/nodes"]
    assert (here / NAME / "config").read_text().startswith("apiVersion: kops.k8s.io/v1alpha2\n")
    sftp(server, f"mkdir {server.data}/copy", f"put -r {here} {server.data}/copy")
    one = run(server, "get", "ig", "--name", NAME, state=server.store("both"))
    two = run(server, "get", "ig", "--name", NAME, state=server.store("copy/both"))
    assert one.stdout == two.stdout and "nodes" in one.stdout


def test_links_are_not_followed_in_listings(server, tmp_path):
    folder = server.data / "links"
    run(server, "create", "-f", "-", stdin=ALL, state=server.store("links"))
    (folder / "loop").symlink_to(folder)
    (folder / "elsewhere").symlink_to("/etc")
    out = subprocess.run([VFS, server.store("links"), "tree", "."], env=environment(server), text=True, capture_output=True, check=True).stdout
    assert "loop" not in out and "elsewhere" not in out and f"{NAME}/config" in out


# ---- on the wire

class Wire:
    """One folder, one operation, a program in the place of ssh."""

    def __init__(self, root, without=(), **more):
        if not os.access(fake_ssh.SERVER, os.X_OK):
            (pytest.fail if REQUIRED else pytest.skip)("OpenSSH's sftp-server is not installed (tests/servers/build.sh sshd)")
        self.root, self.folder, self.without = root, root / "store", list(without)
        self.more = more
        self.log, self.settings = root / "log", root / "settings.json"

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, content in {"k": "old", "d/a": "1", "d/b": "2", "d/e/f": "3"}.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(content)
        self.arm(0, None)
        return self

    def arm(self, first, fault, count=1):
        self.log.unlink(missing_ok=True)
        self.settings.write_text(json.dumps({"log": str(self.log), "first": first, "fault": fault, "count": count,
                                             "without": self.without, **self.more}))

    def run(self, op, key, *args, stdin="", **env):
        p = subprocess.run([VFS, f"ssh://store{self.folder}", op, key, *args], input=stdin, text=True, capture_output=True, timeout=90,
                           env=environment(None, CKOPS_SSH=f"{sys.executable} {ROOT}/tests/servers/fake_ssh.py {self.settings}", **env))
        assert p.returncode in (0, 1), p.stderr
        return p

    def requests(self):
        """The requests but INIT, paths relative, random names as *."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [re.sub(r"\.ckops-[0-9a-f]{24}", "TMP", re.sub(r"\.ckops-ckops_lock_[0-9a-f]{40}", "LOCK",
                       line.replace(f"{self.folder}/", ""))) for line in lines if line != "INIT"]

    def version(self, key):
        p = self.run("get", key)
        assert p.returncode == 0
        (self.folder / "same").write_text(p.stdout)
        v = self.run("put", "same", stdin=p.stdout).stdout.strip()
        (self.folder / "same").unlink()
        return v

    def content(self, key):
        p = self.folder / key
        return p.read_text() if p.is_file() else None


# The first handles of a connection stay open until it ends: those that come are known in advance.
NAMES = ["READDIR"] * 4  # three are under way, and a fourth when the first is answered
FILE = ["OPEN TMP 2a", "WRITE", "fsync", "CLOSE"]
# Operation, key, what goes in; the requests; what is there afterwards, and in between.
EXACT = {
    "get": (["get", "k"], "", ["OPEN k 1", "READ"], {"k": "old"}),
    "get absent": (["get", "none"], "", ["OPEN none 1", "READ"], {"none": None}),
    "put": (["put", "k"], "new", [*FILE, "posix-rename TMP k"], {"k": "new"}),
    "put into a new folder": (["put", "x/y"], "new", ["OPEN x/TMP 2a", "MKDIR...", "OPEN x/TMP 2a", "WRITE", "fsync", "CLOSE",
                                                      "posix-rename x/TMP x/y"], {"x/y": "new"}),
    "create": (["create", "n"], "new", ["LSTAT n", *FILE, "hardlink TMP n", "REMOVE TMP"], {"n": "new"}),
    "create what exists": (["create", "k"], "new", ["LSTAT k"], {"k": "old"}),
    "update": (["update", "k", "VERSION"], "new", ["OPEN k 1", "READ", *FILE, "OPEN LOCK_0 2a", "CLOSE", "OPEN k 1", "READ",
                                                   "CLOSE", "posix-rename TMP k", "REMOVE LOCK_0"], {"k": "new"}),
    "update what changed": (["update", "k", "0"], "new", ["OPEN k 1", "READ"], {"k": "old"}),
    "list": (["list", "d"], "", ["OPENDIR d", *NAMES], {}),
    "dirs": (["dirs", "d"], "", ["OPENDIR d", *NAMES], {}),
    "tree": (["tree", "d"], "", ["OPENDIR d", *NAMES, "OPENDIR d/e", *NAMES], {}),
    "rm": (["rm", "k"], "", ["REMOVE k"], {"k": None}),
    "rm absent": (["rm", "none"], "", ["REMOVE none"], {"none": None}),
    "rmtree": (["rmtree", "d"], "", ["OPENDIR d", *NAMES, "OPENDIR d/e", *NAMES, "REMOVE d/a", "REMOVE d/b",
                                     "REMOVE d/e/f", "RMDIR d/e", "RMDIR d"],
               {"d/a": None, "d/e/f": None}),
    "rmversions": (["rmversions", "k"], "", ["REMOVE k"], {"k": None}),
}


def perform(w, args, stdin):
    if "VERSION" in args:
        version = w.version("k")
        args = [version if a == "VERSION" else a for a in args]
        w.arm(0, None)
    return args, w.run(*args, stdin=stdin)


@pytest.mark.parametrize("name", EXACT)
def test_exact_requests(tmp_path, name):
    args, stdin, expected, after = EXACT[name]
    w = Wire(tmp_path).fresh()
    _, p = perform(w, args, stdin)
    requests = [r for r in w.requests() if not r.startswith("MKDIR ")]
    expected = [r for r in expected if r != "MKDIR..."]
    # Nobody waits for a closing or for names after the last one: they may come after the log's end.
    unawaited = expected[-1] in ("READDIR", "CLOSE") or name == "get absent"
    assert requests == expected[:len(requests)] and len(requests) >= len(expected) - unawaited, (requests, p.stderr)
    assert p.returncode == (1 if "what" in name or name == "get absent" else 0), p.stderr
    for key, content in after.items():
        assert w.content(key) == content
    arguments = json.loads(pathlib.Path(f"{w.log}.args").read_text().splitlines()[-1])
    assert arguments[-4:] == ["-s", "--", "store", "sftp"] and "-oBatchMode=yes" in arguments
    assert not left_over(w.folder)


CLUSTERS = [f"c{i}.example.com" for i in range(130)]


def clusters_on(w):
    """What `get clusters` says of many clusters, some of them without a file and one of them large."""
    w.folder.mkdir(parents=True)
    for i, name in enumerate(CLUSTERS):
        (w.folder / name).mkdir()
        if i % 7 != 3:
            extra = "x" * (70000 if i == 20 else 0)
            (w.folder / name / "config").write_text(
                f"apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n  name: {name}\nspec:\n  channel: a{extra}\n")
    w.arm(0, None)
    p = run(None, "get", "clusters", "-o", "json", state=f"ssh://store{w.folder}",
            env={"CKOPS_SSH": f"{sys.executable} {ROOT}/tests/servers/fake_ssh.py {w.settings}"})
    got = {c["metadata"]["name"]: c["spec"]["channel"] for c in json.loads(p.stdout)}
    assert got == {n: "a" + "x" * (70000 if i == 20 else 0) for i, n in enumerate(CLUSTERS) if i % 7 != 3}, p.stderr
    return w.requests()


def test_clusters_are_listed_and_read_without_waiting_for_handles(tmp_path):
    requests = clusters_on(Wire(tmp_path))
    # Opened and read in one go: no folder is opened, and no file's first piece read, twice.
    assert requests[:4] == ["OPENDIR " + str(tmp_path / "store"), "READDIR", "READDIR", "READDIR"]
    opened = [r for r in requests if r.startswith("OPEN ")]
    assert sorted(r.split()[1] for r in opened) == sorted(f"{n}/config" for n in CLUSTERS)
    first = requests.index(opened[0])
    assert requests[first:first + 256] == opened[:128] + ["READ"] * 128
    assert requests.count("READ") == 128 + 2 + 2  # the two that did not fit, and the rest of the large one


@pytest.mark.parametrize("other", [{"handles": "words"}, {"early": "break"}], ids=lambda o: "-".join(*o.items()))
def test_servers_unlike_openssh_are_listed_all_the_same(tmp_path, other):
    requests = clusters_on(Wire(tmp_path, **other))
    assert requests.count(f"OPENDIR {tmp_path / 'store'}") == 1
    assert requests.count("READ") == 111 + 2  # by their own handles alone


@pytest.mark.slow
def test_a_server_that_drops_what_comes_before_its_greeting_is_asked_again(tmp_path):
    w = Wire(tmp_path, early="drop").fresh()
    p = w.run("tree", "d", VFS_CLI_TIMEOUT_MS="8000")
    assert p.returncode == 0 and "e/f 1" in p.stdout, p.stderr
    if FULL:
        assert w.run("get", "k", VFS_CLI_TIMEOUT_MS="8000").stdout == "old"


OPERATIONS = ["get", "put", "put into a new folder", "create", "update", "list", "tree", "rm", "rmtree", "rmversions"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS if FULL else ["create", "update"])
def test_a_fault_in_the_place_of_each_reply(tmp_path, name):
    """Success, or an error that names the store; never a part of a file; and the same again repairs it."""
    args, stdin, _, after = EXACT[name]
    w = Wire(tmp_path).fresh()
    args, p = perform(w, args, stdin)
    total = len(w.log.read_text().splitlines())
    result = p.stdout

    def case(fault, n):
        root = tmp_path / f"{fault}-{n}".replace(" ", "-")
        root.mkdir()
        w = Wire(root).fresh()
        w.arm(n, fault)
        p = w.run(*args, stdin=stdin)
        where = (fault, n, w.log.read_text().splitlines()[n - 1], p.stderr)
        for key in ("k", "n", "x/y"):
            assert w.content(key) in (None, "old", "new"), where
        assert w.content("k") is not None or name in ("rm", "rmversions"), where
        if p.returncode == 0:
            assert name in ("get", "list", "tree") or all(w.content(k) == c for k, c in after.items()), where
            # A folder that is said to be gone was removed since the one above it was listed.
            gone = name == "tree" and fault == "no such file"
            assert name not in ("get", "list", "tree") or p.stdout == result or gone, where
            return
        assert p.stderr and "internal" not in p.stderr.split(":")[0], where
        w.arm(0, None)
        q = w.run(*args, stdin=stdin)
        there = q.returncode and ("already exists" in q.stderr or "changed by" in q.stderr or "no such file" in q.stderr)
        assert q.returncode == 0 or there, (where, q.stderr)
        assert all(w.content(k) == c for k, c in after.items()), (where, q.stderr)

    # "another id" waits for the right one until the deadline: seen in the next test.
    faults = [f for f in fake_ssh.FAULTS if f != "another id"] if FULL else ["failure", "break before", "break after", "garbage"]
    # A lock that is left behind is waited for, and little else takes time.
    side_by_side(case, [(fault, n) for fault in faults for n in range(1, total + 1)], 12)


@pytest.mark.parametrize("name", ["create", "update"])
def test_what_arrives_after_its_sender_gave_up_changes_nothing(tmp_path, name):
    """A write that failed has failed for good: the file it would put into place is gone."""
    args, stdin, _, after = EXACT[name]
    w = Wire(tmp_path).fresh()
    args, _ = perform(w, args, stdin)
    last = next(i for i, line in enumerate(w.log.read_text().splitlines(), 1) if line.startswith(("hardlink", "posix-rename")))
    w.fresh().arm(last, "late")
    before = {key: w.content(key) for key in after}
    p = w.run(*args, stdin=stdin)
    assert p.returncode == 1 and "the connection ended" in p.stderr and "unknown" not in p.stderr, p.stderr
    began = time.monotonic()
    while "delivered" not in w.log.read_text() and time.monotonic() - began < 60:
        time.sleep(0.05)
    assert "delivered" in w.log.read_text()
    assert {key: w.content(key) for key in after} == before
    assert not left_over(w.folder)  # nor a lock: the next writer need not wait
    w.arm(0, None)
    assert w.run(*args, stdin=stdin).returncode == 0


def test_a_reply_that_never_comes_ends_at_the_deadline(tmp_path):
    w = Wire(tmp_path).fresh()
    w.arm(2, "stall", 1000)
    began = time.monotonic()
    p = w.run("get", "k", VFS_CLI_TIMEOUT_MS="2500")
    assert p.returncode == 1 and "no reply within 2500 ms" in p.stderr and time.monotonic() - began < 25


@pytest.mark.parametrize("extension,op,text", [("hardlink@openssh.com", "create", "cannot make links"),
                                               ("posix-rename@openssh.com", "put", "cannot replace a file in one step")])
def test_a_server_that_lacks_what_atomic_writes_need(tmp_path, extension, op, text):
    w = Wire(tmp_path, without=[extension]).fresh()
    p = w.run(op, "n", stdin="new")
    assert p.returncode == 1 and text in p.stderr and w.content("n") is None and not left_over(w.folder)


def test_without_sync_it_still_writes(tmp_path):
    w = Wire(tmp_path, without=["fsync@openssh.com"]).fresh()
    assert w.run("put", "n", stdin="new").returncode == 0
    assert w.content("n") == "new" and "fsync" not in w.requests()
