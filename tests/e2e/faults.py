"""A bad network between a client and an HTTP server: a proxy that breaks, delays, refuses, cuts and doubles what
passes through it.

    proxy = FaultProxy(server.url)
    proxy.arm(3, "break after", 1)       # the third request from now on takes effect, and nobody learns of it
    proxy.share(0.1, "duplicate")        # a tenth of all requests, at random

Faults:
  "500", "503", "429"  refused by the proxy (`replies` tells how); the server sees nothing
  "break before"       the connection ends before the request reaches the server
  "break after"        … after it took effect, without a reply
  "reset"              as one of the two, with RST in place of FIN
  "truncate"           the reply ends in its middle
  "timeout"            no reply for `hold` seconds, then the end; the server sees the request before, afterwards or
                       never
  "slow"               the reply comes late and in pieces
  "duplicate"          the server sees the request twice, `gap` seconds apart; the client gets one of the two replies
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
import urllib.parse

S3_ERROR = b"<Error><Code>InternalError</Code></Error>"
REPLIES = {
    "500": (500, [], S3_ERROR),
    "503": (503, [], b""),
    "429": (429, [("retry-after", "0")], b"slow down"),
}
HEAD_MAX = 1 << 16


class FaultProxy:
    """Plain HTTP on loopback. `upstream` is a URL, or a function that gives one for a path; `context` its TLS."""

    def __init__(self, upstream, context=None, replies=(), hold=3.0):
        self.upstream = upstream if callable(upstream) else lambda path: upstream
        self.context, self.replies, self.hold = context, dict(REPLIES, **dict(replies)), hold
        self.gap = 0  # seconds
        self.random = random.Random(1)
        self.watch = lambda request: False  # sees each "METHOD path"; True: nobody else does, and the connection ends
        self.alter = lambda head: head  # sees the head of each request, and what it returns goes to the server
        self.arm(0, None, 0)
        self.loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = "http://127.0.0.1:%d" % listener.getsockname()[1]
        self.server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, sock=listener, limit=HEAD_MAX))
        self.loop.set_exception_handler(lambda *a: None)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def arm(self, first, fault, count):
        """The first-th request from now (from 1) and `count` in all from there meet the fault; 0: none does."""
        self.n, self.first, self.faults, self.count, self.part = 0, first, [fault], count, 0.0
        self.seen = []  # "METHOD path"
        self.hits = 0

    def share(self, part, *faults):
        """This part of all requests meets the fault, or one of them."""
        self.arm(0, None, 0)
        self.part, self.faults = part, faults

    def close(self):
        async def end():
            self.server.close()
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for t in tasks:
                t.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join(10)
        self.loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def fault_now(self):
        self.n += 1
        hit = self.random.random() < self.part if self.part else self.first and \
            self.first <= self.n < self.first + self.count
        self.hits += bool(hit)
        return self.random.choice(self.faults) if hit else None

    async def serve(self, reader, writer):
        link = Link(self)
        try:
            while await self.one(reader, writer, link):
                pass
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass  # somebody went away
        finally:
            link.close()
            writer.close()

    async def one(self, reader, writer, link):
        """One request; whether the connection stays."""
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if expects := header(head, "expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = head.replace(b"\r\n" + expects, b"", 1)
        request = self.alter(head) + await body_of(reader, head)
        self.seen.append(f"{method} {path}")
        if self.watch(self.seen[-1]):
            writer.transport.abort()
            return False
        fault = self.fault_now()
        if fault in self.replies:
            return await self.answer(writer, method, *self.replies[fault])
        if fault == "reset":
            fault = self.random.choice(["break before", "break after"])
            writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                                 struct.pack("ii", 1, 0))
        if fault == "break before":
            writer.transport.abort()
            return False
        if fault == "timeout":
            return await self.timeout(link, method, path, request)
        reply, keep = await link.send(method, path, request)
        if fault == "break after":
            writer.transport.abort()
            return False
        if fault == "duplicate":
            await asyncio.sleep(self.gap)
            second, keep = await link.send(method, path, request)
            reply = self.random.choice([reply, second])
        if fault == "truncate":
            writer.write(reply[:len(reply) // 2 if method == "HEAD" else len(reply) - (len(reply) + 3) // 4])
            await writer.drain()
            return False
        if fault == "slow":
            for i in range(0, len(reply), max(1, len(reply) // 4)):
                await asyncio.sleep(self.random.random() / 20)
                writer.write(reply[i:i + max(1, len(reply) // 4)])
                await writer.drain()
            return keep
        writer.write(reply)
        await writer.drain()
        return keep

    async def timeout(self, link, method, path, request):
        when = self.random.choice(["before", "after", "never"])
        if when == "before":
            await link.send(method, path, request)
        await asyncio.sleep(self.hold)
        if when == "after":
            await link.send(method, path, request)
        return False

    async def answer(self, writer, method, status, headers, body):
        lines = [f"HTTP/1.1 {status} Fault", *(f"{k}: {v}" for k, v in headers), f"content-length: {len(body)}"]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if method == "HEAD" else body))
        await writer.drain()
        return True


class Link:
    """The connection to the server that belongs to one of a client."""

    def __init__(self, proxy):
        self.proxy, self.to, self.streams = proxy, None, None

    def close(self):
        if self.streams:
            self.streams[1].close()
        self.streams = None

    async def send(self, method, path, request):
        """The whole reply as it came, and whether the client's connection may stay."""
        to = self.proxy.upstream(path)
        if to != self.to:
            self.close()
        for _ in range(2):
            kept = self.streams is not None
            if not kept:
                u = urllib.parse.urlsplit(to)
                self.streams = await asyncio.open_connection(u.hostname, u.port, ssl=self.proxy.context, limit=HEAD_MAX)
                self.to = to
            reader, writer = self.streams
            with contextlib.suppress(OSError):
                writer.write(request)
                await writer.drain()
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                break
            except (OSError, EOFError) as e:
                self.close()
                # A kept connection that the server has closed meanwhile: nothing of the reply came.
                if not kept or getattr(e, "partial", b""):
                    raise
        while head.startswith(b"HTTP/1.1 1"):
            head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        bare = method == "HEAD" or status in (204, 304)
        framed = bare or header(head, "content-length") or header(head, "transfer-encoding")
        reply = head + (b"" if bare else await body_of(reader, head) if framed else await reader.read())
        keep = bool(framed) and head.startswith(b"HTTP/1.1") and b"close" not in (header(head, "connection") or b"").lower()
        if not keep:
            self.close()
        return reply, keep


def header(head, name):
    """The header's line without its end, or None."""
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(name.encode() + b":"):
            return line
    return None


async def body_of(reader, head):
    """The body as framed by the head, as it came."""
    coding = header(head, "transfer-encoding")
    if not coding or b"chunked" not in coding.lower():
        length = header(head, "content-length")
        return await reader.readexactly(int(length.split(b":")[1])) if length else b""
    out = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        out += line + await reader.readexactly(size + 2)
        if not size:
            return out
