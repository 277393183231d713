"""How often a store that only claims advisory guarantees (Swift) breaks them: races of the contract, one round at a
time on a real server, for as long as is given.

    python3 bench/races.py BUILD [SECONDS [FAULT]]

A round of creators is 64 processes that create one object; one of updates is WRITERS processes that each add STEPS
times to one object by compare-and-swap. Every answer is compared with what is in the store afterwards. Rounds that
broke the contract are counted and shown. FAULT: one of FAULTS, or "any": what a part of all requests, those to Keystone
too, meets on the way (tests/e2e/faults.py). A request that times out arrives 2 s after its sender's lock has ended."""

import collections
import contextlib
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests/servers"), str(ROOT / "tests/e2e")]
import faults  # noqa: E402
import servers  # noqa: E402
import swift_server  # noqa: E402

WRITERS, STEPS = 16, 4
RACES = {"64 creators": ("*sixty_four*", {"CK_RACE_ROUNDS": "1"}),
         f"{WRITERS} x {STEPS} updates": ("*increments*", {"CK_CAS_WRITERS": str(WRITERS), "CK_CAS_STEPS": str(STEPS)})}


FAULTS = {"reset": 0.05, "500": 0.05, "truncate": 0.05, "duplicate": 0.1, "timeout": 0.02}


@contextlib.contextmanager
def servers_behind(fault):
    """Swift, and the environment of a client that meets the fault on its way there."""
    ports = {}
    with faults.FaultProxy(lambda path: f"http://127.0.0.1:{ports[path[:3]]}", hold=12) as proxy:
        with swift_server.Swift(public=[proxy.url]) as swift:
            ports.update({"/v3": swift.port, "/v1": swift.ports["proxy"]})
            if fault:
                proxy.share(FAULTS.get(fault, 0.05), *(FAULTS if fault == "any" else [fault]))
            yield swift, swift.env(url=proxy.url) if fault else {**swift.env(), "OS_INTERFACE": "internal"}
            if fault:
                print(f"{proxy.hits} of {proxy.n} requests met: {fault}", flush=True)


def measure(build, swift, env, name, seconds):
    only, counts = RACES[name]
    end, ends, n = time.monotonic() + seconds, collections.Counter(), 0
    while time.monotonic() < end:
        n += 1
        container = f"{only.strip('*').replace('_', '-')}{n}"
        swift.make_bucket(container)
        e = {"HOME": "/nonexistent", **env, "CK_STORE_URL": f"swift://{container}", "CK_ONLY": only, "CK_TIMEOUT_MS": "120000",
             **counts}
        p = subprocess.run([f"{build}/tests/conformance/conformance"], env=e, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace", timeout=600)
        kept = p.returncode == 0 and "[       OK ]" in p.stdout
        ends["kept" if kept else "broken"] += 1
        if not kept:
            print(p.stdout[-1500:], flush=True)
    print(f"{name}: {n} rounds, {ends['broken']} of them broke the contract", flush=True)


def main():
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 480
    try:
        with servers_behind(sys.argv[3] if len(sys.argv) > 3 else None) as (swift, env):
            for name in RACES:
                measure(sys.argv[1], swift, env, name, seconds / len(RACES))
    except servers.Missing as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
