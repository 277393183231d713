"""How often a store that only claims advisory guarantees (Swift) breaks them: races of the contract, one round at a
time on a real server, for as long as is given.

    python3 bench/races.py BUILD [SECONDS]

A round of creators is 64 processes that create one object; one of updates is WRITERS processes that each add STEPS
times to one object by compare-and-swap. Every answer is compared with what is in the store afterwards. Rounds that
broke the contract are counted and shown."""

import collections
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/servers"))
import servers  # noqa: E402
import swift_server  # noqa: E402

WRITERS, STEPS = 16, 4
RACES = {"64 creators": ("*sixty_four*", {"CK_RACE_ROUNDS": "1"}),
         f"{WRITERS} x {STEPS} updates": ("*increments*", {"CK_CAS_WRITERS": str(WRITERS), "CK_CAS_STEPS": str(STEPS)})}


def measure(build, swift, name, seconds):
    only, counts = RACES[name]
    end, ends, n = time.monotonic() + seconds, collections.Counter(), 0
    while time.monotonic() < end:
        n += 1
        container = f"{only.strip('*').replace('_', '-')}{n}"
        swift.make_bucket(container)
        env = {"HOME": "/nonexistent", **swift.env("names"), "CK_STORE_URL": f"swift://{container}", "CK_ONLY": only,
               "CK_TIMEOUT_MS": "120000", **counts}
        p = subprocess.run([f"{build}/tests/conformance/conformance"], env=env, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, errors="replace", timeout=600)
        kept = p.returncode == 0 and "[       OK ]" in p.stdout
        ends["kept" if kept else "broken"] += 1
        if not kept:
            print(p.stdout[-1500:], flush=True)
    print(f"{name}: {n} rounds, {ends['broken']} of them broke the contract", flush=True)


def main():
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 480
    try:
        with swift_server.Swift() as swift:
            for name in RACES:
                measure(sys.argv[1], swift, name, seconds / len(RACES))
    except servers.Missing as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
