"""Run a program and hand on what it writes only after a while: late_pipe.py MILLISECONDS PROGRAM [ARGUMENT]...

In the place of ssh it makes every SFTP request late, and leaves the handshake alone."""

import os
import queue
import subprocess
import sys
import threading
import time


def main():
    late = float(sys.argv[1]) / 1000
    child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, bufsize=0)
    pieces = queue.Queue()

    def take():
        while data := os.read(child.stdout.fileno(), 65536):
            pieces.put((time.monotonic() + late, data))
        pieces.put((0, b""))

    threading.Thread(target=take, daemon=True).start()
    while True:
        when, data = pieces.get()
        if not data:
            break
        time.sleep(max(0, when - time.monotonic()))
        os.write(1, data)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main())
