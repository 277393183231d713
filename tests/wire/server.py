"""A raw HTTP server for tests of the HTTP layer: the path of a request says how to misbehave.

Standard library only, one thread per connection. Nothing of it knows the program under test."""

import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse


class Server:
    """With `tls` (an ssl.SSLContext) it speaks HTTPS; `family` may be AF_INET6."""

    def __init__(self, tls=None, family=socket.AF_INET):
        self.tls = tls
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.sock.listen(512)
        self.port = self.sock.getsockname()[1]
        self.lock = threading.Lock()
        self.requests = []     # (method, target, headers, body)
        self.connections = 0
        self.open_now = self.open_most = 0
        self.counts = {}       # per path, for replies that change
        self.closing = False

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.closing = True
        self.sock.close()

    def accept(self):
        while not self.closing:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
            stream = conn.makefile("rb")
            while self.one(conn, stream):
                pass
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            try:
                conn.close()
            except OSError:
                pass

    def one(self, conn, stream):
        line = stream.readline(65536).decode("latin-1")
        if not line:
            return False
        method, target, _ = line.split(" ", 2)
        headers = []
        while True:
            h = stream.readline(65536).decode("latin-1").rstrip("\r\n")
            if not h:
                break
            name, value = h.split(":", 1)
            headers.append((name, value.strip()))
        length = int(dict((k.lower(), v) for k, v in headers).get("content-length", 0))
        body = stream.read(length)
        with self.lock:
            self.requests.append((method, target, headers, body))
            self.open_now += 1
            self.open_most = max(self.open_most, self.open_now)
        try:
            return self.answer(conn, method, target, headers, body)
        finally:
            with self.lock:
                self.open_now -= 1

    def seen(self, path):
        with self.lock:
            self.counts[path] = self.counts.get(path, 0) + 1
            return self.counts[path]

    def reply(self, conn, status, body=b"", headers=(), method="GET"):
        head = "HTTP/1.1 %d X\r\nContent-Length: %d\r\n" % (status, len(body))
        head += "".join("%s: %s\r\n" % h for h in headers) + "\r\n"
        conn.sendall(head.encode("latin-1") + (b"" if method == "HEAD" else body))
        return True

    def answer(self, conn, method, target, headers, body):
        path, _, query = target.partition("?")
        if path.startswith("http://"):  # we are the proxy
            return self.reply(conn, 200, ("proxied " + target).encode())
        if method == "CONNECT":
            if target.startswith("auth."):
                return self.reply(conn, 407, b"", [("Proxy-Authenticate", "Basic")])
            if target.startswith("tunnel."):
                return self.tunnel(conn, int(target.rpartition(":")[2]))
            self.reply(conn, 403)
            return False
        word = path.strip("/").split("/")[0]
        handler = getattr(self, "do_" + word.replace("-", "_"), None)
        if not handler:
            return self.reply(conn, 200, b"hello", method=method)
        return handler(conn, method, query, headers, body, path)

    def tunnel(self, conn, port):
        """A proxy for which every name is this machine."""
        far = socket.create_connection(("127.0.0.1", port))
        conn.sendall(b"HTTP/1.1 200 X\r\n\r\n")

        def copy(a, b):
            try:
                while data := a.recv(65536):
                    b.sendall(data)
                b.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        t = threading.Thread(target=copy, args=(far, conn), daemon=True)
        t.start()
        copy(conn, far)
        t.join()
        return False

    # Each returns whether the connection stays open.
    def do_echo(self, conn, method, query, headers, body, path):
        return self.reply(conn, 200, json.dumps(
            {"method": method, "query": query, "path": path, "headers": headers,
             "body": body.decode("latin-1")}).encode(), method=method)

    def do_status(self, conn, method, query, headers, body, path):
        return self.reply(conn, int(query), b"x" * 10)

    def do_delay(self, conn, method, query, headers, body, path):
        time.sleep(int(query) / 1000)
        return self.reply(conn, 200, b"late")

    def do_stall(self, conn, method, query, headers, body, path):
        time.sleep(60)
        return False

    def do_stall_body(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nabc")
        time.sleep(60)
        return False

    def do_drip(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 10000\r\n\r\n")
        while True:
            conn.sendall(b"x")
            time.sleep(0.05)

    def do_reset(self, conn, method, query, headers, body, path):
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def do_close(self, conn, method, query, headers, body, path):
        return False

    def do_truncate(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\nabc")
        return False

    def do_truncate_head(self, conn, method, query, headers, body, path):
        conn.sendall({"status": b"HTTP/1.1 204 X\r\n", "header": b"HTTP/1.1 200 X\r\nETag: \"1\"\r\n",
                      "line": b"HTTP/1.1 200 X\r\nETag: \"1\"\r\nX-Mar"}[query])
        return False

    def do_truncate_chunk(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")
        return False

    def do_chunked(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two", b"three"):
            conn.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            time.sleep(0.01)
        conn.sendall(b"0\r\nX-Trailer: t\r\n\r\n")
        return True

    def do_continue(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n")
        return self.reply(conn, 201, b"ok")

    def do_garbage(self, conn, method, query, headers, body, path):
        conn.sendall(b"\x00\x01\x02 this is not a web server\r\n\r\n")
        return False

    def do_big(self, conn, method, query, headers, body, path):
        n = int(query)
        conn.sendall(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % n)
        piece = b"x" * 65536
        while n > 0:
            conn.sendall(piece[:n])
            n -= len(piece)
        return True

    def do_big_chunked(self, conn, method, query, headers, body, path):
        conn.sendall(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(int(query) // 65536):
            conn.sendall(piece)
        conn.sendall(b"0\r\n\r\n")
        return True

    def do_big_error(self, conn, method, query, headers, body, path):
        return self.reply(conn, 400, b"e" * int(query))

    def do_many_headers(self, conn, method, query, headers, body, path):
        return self.reply(conn, 200, b"", [("X-H%d" % i, "v") for i in range(int(query))])

    def do_fail(self, conn, method, query, headers, body, path):
        """Fails `query` times, then succeeds."""
        if self.seen(path) <= int(query):
            return self.reply(conn, 503, b"", [("Retry-After", "0")])
        return self.reply(conn, 200, b"at last")

    def do_reset_once(self, conn, method, query, headers, body, path):
        if self.seen(path) == 1:
            return self.do_reset(conn, method, query, headers, body, path)
        return self.reply(conn, 200, b"at last")

    def do_redirect(self, conn, method, query, headers, body, path):
        return self.reply(conn, 302, b"", [("Location", urllib.parse.unquote(query))])

    def do_signed_redirect(self, conn, method, query, headers, body, path):
        return self.reply(conn, 302, b"", [("Location", "http://127.0.0.1:1/x?token=geheim"),
                                           ("Set-Cookie", "geheim")])

    def do_die_when_idle(self, conn, method, query, headers, body, path):
        """Answers, then resets the connection when the next request comes on it."""
        self.reply(conn, 200, b"first")
        conn.recv(1)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
