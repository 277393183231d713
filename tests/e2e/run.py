"""Run the files of end-to-end tests side by side, one pytest for each, one more at a time than there are processors: they
often wait.

    run.py [--jobs N] [--files NAME,...] [option of pytest]...

Prints a line per file when it ends, why tests were skipped, sums, and the whole output of the files that failed. The order is
by the times of the last run, kept in CKOPS_BUILD, the slowest first. Ends with 1 when a test failed or none ran."""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
NO_TESTS = 5  # pytest's status when everything was deselected
LIMIT_S = 1500
COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|deselected|xfailed|xpassed)\b")


def run(path, options):
    """One file: its status, output and seconds."""
    start = time.monotonic()
    try:
        p = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rs", "--color=no", "-p", "no:cacheprovider", *options, str(path)],
                           cwd=HERE.parent.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, errors="replace", timeout=LIMIT_S)
        status, out = p.returncode, p.stdout
    except subprocess.TimeoutExpired as e:
        status, out = 1, "%s\nstopped after %d s\n" % ((e.stdout or b"").decode(errors="replace"), LIMIT_S)
    return path, status, out, time.monotonic() - start


def last_times(file):
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return {}


def main():
    options, jobs = sys.argv[1:], 1 + (os.cpu_count() or 1)
    if options[:1] == ["--jobs"]:
        jobs, options = int(options[1]), options[2:]
    paths = HERE.glob("test_*.py")
    if options[:1] == ["--files"]:
        paths, options = [HERE / f"test_{name}.py" for name in options[1].split(",")], options[2:]
    kept = pathlib.Path(os.environ.get("CKOPS_BUILD", "/nonexistent")) / "end-to-end-times.json"
    times = last_times(kept)
    files = sorted(paths, key=lambda p: (-times.get(p.name, 0), -p.stat().st_size))
    sums, bad, skipped, extra = collections.Counter(), [], [], []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, p, options) for p in files]):
            path, status, out, seconds = done.result()
            times[path.name] = round(seconds, 1)
            last = out.strip().rsplit("\n", 1)[-1].strip("= ")
            print("%6.1f s  %-26s %s" % (seconds, path.name, last), flush=True)
            for n, what in COUNT.findall(last):
                sums[what.rstrip("s") if what.startswith("error") else what] += int(n)
            skipped += ["%s (%s)" % (x, path.name) for x in out.split("\n") if x.startswith("SKIPPED")]
            extra += [x for x in out.split("\n") if x.startswith("transcripts:")]
            if status not in (0, NO_TESTS):
                bad.append((path.name, out))
    if kept.parent.is_dir():
        kept.write_text(json.dumps(times, sort_keys=True))
    for line in extra + ["skipped: " + x[len("SKIPPED "):] for x in sorted(skipped)]:
        print(line)
    print(", ".join("%d %s" % (n, what) for what, n in sorted(sums.items())))
    for name, out in sorted(bad):
        print("failed: %s\n%s" % (name, out))
    return 1 if bad or not sums["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
