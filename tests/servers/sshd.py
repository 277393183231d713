"""A real OpenSSH server on loopback with keys of its own, and the client's configuration for it."""
import getpass
import os
import pathlib
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import servers  # noqa: E402

PROGRAM = "/usr/sbin/sshd"


class Sshd(servers.Server):
    """Options: subsystem ("internal-sftp" by default; None: no SFTP), startups (MaxStartups), sessions (MaxSessions)."""

    def key(self, name, passphrase=""):
        path = self.dir / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)
        return path

    def command(self):
        if not os.access(PROGRAM, os.X_OK) or not shutil.which("ssh"):
            raise servers.Missing("OpenSSH is not installed (tests/servers/build.sh sshd)")
        host, user = self.key("host"), self.key("user")
        self.key("stranger")
        self.data = self.dir / "data"
        self.data.mkdir()
        shutil.copy(f"{user}.pub", self.dir / "authorized_keys")
        public = " ".join(pathlib.Path(f"{host}.pub").read_text().split()[:2])
        (self.dir / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        subsystem = self.options.get("subsystem", "internal-sftp")
        (self.dir / "sshd_config").write_text(f"""
ListenAddress 127.0.0.1
Port {self.port}
HostKey {host}
AuthorizedKeysFile {self.dir}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
MaxStartups {self.options.get("startups", "1000")}
MaxSessions {self.options.get("sessions", "10")}
LogLevel ERROR
{"Subsystem sftp " + subsystem if subsystem else ""}
""")
        self.config = self.client_config("user")
        return [PROGRAM, "-D", "-e", "-f", str(self.dir / "sshd_config")]

    def client_config(self, identity, name=None, **more):
        """A client's configuration in which the host is called "store"."""
        path = self.dir / f"config-{name or identity}"
        lines = {"HostName": "127.0.0.1", "Port": self.port, "User": getpass.getuser(), "IdentityFile": self.dir / identity,
                 "IdentitiesOnly": "yes", "UserKnownHostsFile": self.dir / "known_hosts", "GlobalKnownHostsFile": "/dev/null",
                 "StrictHostKeyChecking": "yes", **more}
        path.write_text("Host store\n" + "".join(f"  {k} {v}\n" for k, v in lines.items()))
        return path

    def ready(self):
        with socket.socket() as s:
            s.settimeout(1)
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def env(self, config=None):
        return {"CKOPS_SSH": f"ssh -F {config or self.config}"}

    def store(self, path=""):
        return f"ssh://store{self.data}/{path}"


class SshdForBench(Sshd):
    """With the members that bench/stores.py asks for."""

    def env(self, url=None):
        port = url.rsplit(":", 1)[1] if url else self.port
        # Which host is asked does not matter to the measurement; its key is known under the server's own port.
        config = self.client_config("user", name=f"bench-{port}", Port=port, HostKeyAlias=f"[127.0.0.1]:{self.port}")
        return {"CKOPS_SSH": f"ssh -F {config}"}

    def bare(self, url=None):
        """The command that does what ckops has ssh do, and nothing with it."""
        return [*self.env(url)["CKOPS_SSH"].split(), "-T", "-x", "-a", "-s", "store", "sftp"]

    def make(self, container):
        (self.data / container).mkdir()

    def put(self, container, key, data):
        path = self.data / container / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
