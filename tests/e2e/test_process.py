"""How the program behaves as a process: streams, signals, exit status, start-up cost.

CKOPS_BIN names the program. Runs under pytest or `python3 -m unittest`.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ["CKOPS_BIN"]) if os.environ.get("CKOPS_BIN") else ""


def run(*argv, env=None, **kw):
    clean = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
    clean.update(env or {})
    return subprocess.run([PROGRAM, *argv], env=clean, stderr=subprocess.PIPE, timeout=60,
                          check=False, **kw)


@unittest.skipUnless(PROGRAM, "CKOPS_BIN is not set")
class Process(unittest.TestCase):
    def test_full_disk_on_standard_output_is_an_error(self):
        with open("/dev/full", "wb") as full:
            p = run("version", stdout=full)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"Error: writing standard output: no space left on device", p.stderr)

    def test_reader_that_went_away_ends_the_program_silently(self):
        r, w = os.pipe()
        os.close(r)
        p = run("--help", stdout=w)
        os.close(w)
        self.assertEqual(p.returncode, -signal.SIGPIPE)
        self.assertEqual(p.stderr, b"")

    @contextlib.contextmanager
    def reading_its_configuration(self):
        """A process that stays there until it is signalled."""
        with tempfile.TemporaryDirectory() as folder:
            fifo = os.path.join(folder, "config")
            os.mkfifo(fifo)
            p = subprocess.Popen([PROGRAM, "version", "--server", "--name", "x", "--config", fifo],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            w = None
            while w is None and p.poll() is None:
                with contextlib.suppress(OSError):  # nobody reads yet
                    w = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            try:
                yield p
                p.communicate(timeout=30)
            finally:
                p.kill()
                p.communicate()
                if w is not None:
                    os.close(w)

    def test_interrupt_ends_with_status_130(self):
        with self.reading_its_configuration() as p:
            p.send_signal(signal.SIGINT)
        self.assertEqual(p.returncode, 130)

    def test_memory_cannot_be_dumped(self):
        with self.reading_its_configuration() as p:
            with open("/proc/%d/limits" % p.pid) as f:
                core = [line for line in f if line.startswith("Max core file size")][0]
            p.kill()
        self.assertEqual(core.split()[4:6], ["0", "0"])

    def test_version_reads_neither_configuration_nor_kubeconfig(self):
        with tempfile.TemporaryDirectory() as home:
            os.mkfifo(os.path.join(home, ".kops.yaml"))  # opening it would block
            os.mkdir(os.path.join(home, ".kube"))
            os.mkfifo(os.path.join(home, ".kube", "config"))
            p = run("version", env={"HOME": home}, stdout=subprocess.PIPE)
        self.assertEqual(p.returncode, 0)

    @staticmethod
    def state(p):
        with open("/proc/%d/stat" % p.pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0]

    def test_version_takes_three_megabytes_at_most(self):
        if os.environ.get("CKOPS_SANITIZED"):
            self.skipTest("not a release build")
        r, w = os.pipe()
        os.set_blocking(w, False)
        try:
            while True:
                os.write(w, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(w, True)  # full: the program waits in its last write
        p = subprocess.Popen([PROGRAM, "version"], stdout=w, env={})
        os.close(w)
        while self.state(p) != "S":
            self.assertIsNone(p.poll())
        with open("/proc/%d/status" % p.pid) as f:
            peak = [int(line.split()[1]) for line in f if line.startswith("VmHWM")][0]
        with os.fdopen(r, "rb") as f:
            f.read()
        self.assertEqual(p.wait(30), 0)
        self.assertLess(peak, 3 * 1024, "KiB")

    def test_unknown_word_in_a_group_is_an_error(self):
        p = run("completion", "tcshell", stdout=subprocess.PIPE)
        self.assertEqual(p.returncode, 1)
        self.assertEqual(p.stderr, b'Error: unknown command "tcshell" for "ckops completion"\n'
                                   b"Run 'ckops completion --help' for usage.\n")

    def test_help_goes_to_standard_output(self):
        for argv in (["--help"], ["help"], ["version", "-h"], ["help", "version"], []):
            p = run(*argv, stdout=subprocess.PIPE)
            self.assertEqual((p.returncode, p.stderr), (0, b""), argv)
            self.assertIn(b"Usage:\n  ckops ", p.stdout)

    def test_unknown_help_topic_is_an_error(self):
        p = run("help", "nonsense", stdout=subprocess.PIPE)
        self.assertEqual((p.returncode, p.stderr), (1, b'Error: unknown help topic "nonsense"\n'))

    def test_state_with_a_single_slash_is_refused(self):
        p = run("get", "clusters", "--state", "s3:/bucket", stdout=subprocess.PIPE)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"two slashes after its scheme", p.stderr)

    def test_secrets_of_the_environment_are_not_printed(self):
        p = run("get", "clusters", "--state", "foo://x", "-v", "10", stdout=subprocess.PIPE,
                env={"AWS_SECRET_ACCESS_KEY": "hunter2hunter2"})
        self.assertNotIn(b"hunter2", p.stderr + p.stdout)


BASH = """
source <("$CKOPS" completion bash)
COMP_LINE="$1"; COMP_POINT=${#1}; COMPREPLY=(); _ckops; printf '%s\\n' "${COMPREPLY[@]}"
"""


@unittest.skipUnless(PROGRAM, "CKOPS_BIN is not set")
class BashCompletion(unittest.TestCase):
    def complete(self, line):
        line = line.replace("ckops", PROGRAM, 1)
        p = subprocess.run(["bash", "-c", BASH, "bash", line], stdout=subprocess.PIPE, timeout=60,
                           env=dict(os.environ, CKOPS=PROGRAM), cwd="/etc", check=True)
        return p.stdout.decode().split()

    def test_commands_are_offered(self):
        self.assertEqual(self.complete("ckops vers"), ["version"])

    def test_flags_are_offered(self):
        self.assertEqual(self.complete("ckops version --sh"), ["--short"])

    def test_values_behind_equals_are_offered_alone(self):
        self.assertEqual(self.complete("ckops version --short=t"), ["true"])

    def test_files_are_offered_where_a_file_belongs(self):
        self.assertIn("hosts", self.complete("ckops version --config host"))
        self.assertIn("hosts", self.complete("ckops version --config=host"))

    def test_nothing_is_offered_where_nothing_fits(self):
        self.assertEqual(self.complete("ckops completion bash "), [])


if __name__ == "__main__":
    unittest.main()
