#!/usr/bin/env python3
"""Replay every fuzz corpus, and truncations of every seed, through the built targets."""
import argparse
import pathlib
import subprocess
import sys
import tempfile


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--build", required=True)
    build = pathlib.Path(ap.parse_args().build) / "tests" / "fuzz"
    here = pathlib.Path(__file__).resolve().parent
    passed = failed = 0
    for corpus in sorted((here / "corpus").iterdir()):
        target = build / f"fuzz_{corpus.name}"
        with tempfile.TemporaryDirectory() as tmp:
            inputs = sorted(corpus.iterdir())
            for seed in list(inputs):
                data = seed.read_bytes()
                for k in range(1, 9):
                    cut = pathlib.Path(tmp) / f"{seed.name}.{k}"
                    cut.write_bytes(data[: len(data) * k // 9] + (b"\xff" if k % 2 else b""))
                    inputs.append(cut)
            r = subprocess.run([target, *inputs], capture_output=True, timeout=300)
        ok = r.returncode == 0
        passed, failed = passed + ok, failed + (not ok)
        print(f"{corpus.name}: {len(inputs)} inputs, {'ok' if ok else 'FAILED'}")
        if not ok:
            sys.stdout.write(r.stderr.decode(errors="replace")[-3000:])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
