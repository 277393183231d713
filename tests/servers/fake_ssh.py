"""What tests put in the place of the ssh program: OpenSSH's own sftp-server as a child, every request noted,
and one of them answered with a fault.

    CKOPS_SSH="python3 fake_ssh.py SETTINGS.json" ...

The file says: log (a file that gets a line per request), first and count (requests that meet the fault, from
1; 0: none; numbered over all connections), fault, without (extensions the server does not have), handles
("words": not OpenSSH's numbers), early (what is done with requests that come before the greeting was answered:
"drop", "break").
"""
import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import time

SERVER = "/usr/lib/openssh/sftp-server"
NAMES = {1: "INIT", 3: "OPEN", 4: "CLOSE", 5: "READ", 6: "WRITE", 7: "LSTAT", 11: "OPENDIR", 12: "READDIR", 13: "REMOVE",
         14: "MKDIR", 15: "RMDIR", 17: "STAT", 200: "EXTENDED"}
STATUSES = {"no such file": 2, "denied": 3, "failure": 4, "unsupported": 8}
FAULTS = [*STATUSES, "break before", "break after", "garbage", "cut short", "another type", "too long", "another id"]


def exactly(f, n):
    data = b""
    while len(data) < n:
        piece = f.read(n - len(data))
        if not piece:
            sys.exit(255)
        data += piece
    return data


def packet(f):
    head = exactly(f, 4)
    return head + exactly(f, struct.unpack(">I", head)[0])


def text(body):
    n = struct.unpack(">I", body[:4])[0]
    return body[4:4 + n], body[4 + n:]


def describe(p):
    kind, body = p[4], p[9:]
    if kind == 1:
        return "INIT"
    first, rest = text(body)
    if kind == 200:
        what = first.decode()
        a, rest = text(rest)
        if what.startswith("fsync"):
            return "fsync"
        return f"{what.split('@')[0]} {a.decode()} {text(rest)[0].decode()}"
    if kind in (4, 5, 6, 12):
        return NAMES[kind]  # a handle says nothing
    extra = " %x" % struct.unpack(">I", rest[:4])[0] if kind == 3 else ""
    return f"{NAMES[kind]} {first.decode(errors='replace')}{extra}"


def with_handle(p, kind, change):
    """The packet with its handle changed, when it has one."""
    if p[4] not in kind:
        return p
    handle, rest = text(p[9:])
    new = change(handle)
    body = p[4:9] + struct.pack(">I", len(new)) + new + rest
    return struct.pack(">I", len(body)) + body


def inward(p):
    """A word back to the number; what is none stays: no handle of the server's."""
    if p[4] == 200 and text(p[9:])[0] == b"fsync@openssh.com":
        name, rest = text(p[9:])
        handle = text(rest)[0]
        body = p[4:9] + struct.pack(">I", len(name)) + name + struct.pack(">I", 4) + number_of(handle)
        return struct.pack(">I", len(body)) + body
    return with_handle(p, (4, 5, 6, 12), number_of)


def number_of(word):
    return bytes.fromhex(word[7:].decode()) if word.startswith(b"handle-") else b"no handle"


def number(settings, line):
    """How many requests there have been, over all connections."""
    with open(settings["log"], "a+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.write(line + "\n")
        f.flush()
        f.seek(0)
        return sum(1 for _ in f)


def reply(fault, p):
    """The bytes in place of the server's own reply `p`."""
    ident = p[5:9]
    if fault in STATUSES:
        body = bytes([101]) + ident + struct.pack(">I", STATUSES[fault]) + b"\0\0\0\0" * 2
        return struct.pack(">I", len(body)) + body
    if fault == "another type":
        body = bytes([105]) + ident + b"\0\0\0\0"
        return struct.pack(">I", len(body)) + body
    if fault == "too long":
        return struct.pack(">I", 1 << 30) + p[4:]
    if fault == "another id":
        return p[:5] + b"\x7f\xff\xff\xff" + p[9:]
    return {"garbage": b"Welcome to this machine!\r\n", "cut short": p[:len(p) // 2]}[fault]


def late(settings, child, request):
    """What the network delivers when nobody waits for it any more."""
    if os.fork():
        return
    os.setsid()
    for fd in range(3):
        os.close(fd)
    time.sleep(1)
    child.stdin.write(request)
    child.stdin.flush()
    packet(child.stdout)
    number(settings, "delivered")
    os._exit(0)


def main():
    settings = json.load(open(sys.argv[1]))
    with open(settings["log"] + ".args", "a") as f:
        f.write(json.dumps(sys.argv[2:]) + "\n")
    child = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stdin = open(0, "rb", buffering=0)
    words = settings.get("handles") == "words"
    while True:
        request = packet(stdin)
        n = number(settings, describe(request))
        hit = settings["first"] and settings["first"] <= n < settings["first"] + settings["count"]
        fault = settings["fault"] if hit else None
        if fault == "break before":
            print("Connection to store closed.", file=sys.stderr)
            sys.exit(255)
        if fault == "late":
            late(settings, child, request)
            sys.exit(255)
        if fault == "stall":
            time.sleep(3600)
        early = settings.get("early") if request[4] == 1 and select.select([stdin], [], [], 0.5)[0] else None
        if early:
            stdin.read(1 << 20)
        child.stdin.write(inward(request) if words else request)
        child.stdin.flush()
        answer = packet(child.stdout)
        if fault == "break after":
            sys.exit(255)
        if request[4] == 1:
            for name in settings.get("without", []):
                answer = answer.replace(name.encode(), b"x" * len(name))
        if words:
            answer = with_handle(answer, (102,), lambda h: b"handle-" + h.hex().encode())
        out = reply(fault, answer) if fault else answer
        sys.stdout.buffer.write(out)
        sys.stdout.buffer.flush()
        if fault in ("cut short", "garbage") or early == "break":
            sys.exit(255)


if __name__ == "__main__":
    main()
