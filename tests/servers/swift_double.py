"""What a client sees of Keystone and Swift, in memory and quickly: for measurements only. The real servers answer
some forty requests a second; what is measured is to be the client. Tests use the real ones (swift_server.py)."""
import asyncio
import json
import sys
import urllib.parse

import servers


class SwiftDouble(servers.Server):
    def command(self):
        return [sys.executable, __file__, str(self.port)]

    def ready(self):
        return self.get_ok("/ready")

    def env(self, url=None):
        return {"OS_AUTH_URL": f"{url or self.url}/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "x", "OS_USER_DOMAIN_ID": "d"}

    def store(self, container):
        return f"swift://{container}"

    def make(self, container):
        pass

    def put(self, container, key, data):
        import urllib.request
        r = urllib.request.Request(f"{self.url}/v1/AUTH_x/{container}/{key}", data=data, method="PUT")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(r, timeout=10).close()


OBJECTS = {}


def listing(container, query):
    prefix, delimiter, marker = (query.get(k, "") for k in ("prefix", "delimiter", "marker"))
    rows, last = [], None
    for name in sorted(n for c, n in OBJECTS if c == container and n.startswith(prefix)):
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        row = {"subdir": name[:cut + 1]} if cut >= 0 else {"name": name, "bytes": len(OBJECTS[container, name]), "hash": ""}
        key = row.get("subdir") or name
        if key > marker and key != last:
            rows.append(row)
            last = key
    return json.dumps(rows[:10000]).encode()


def answer(method, target, host, body):
    path, _, query = target.partition("?")
    parts = urllib.parse.unquote(path).split("/", 4)
    if path == "/v3/auth/tokens":
        catalog = [{"type": "object-store", "endpoints": [{"interface": "public", "region": "R", "url": f"http://{host}/v1/AUTH_x"}]}]
        return 201, ["x-subject-token: t"], json.dumps({"token": {"expires_at": "2099-01-01T00:00:00Z", "catalog": catalog}}).encode()
    if len(parts) < 4 or method == "PUT":
        if method == "PUT":
            OBJECTS[parts[3], parts[4]] = body
        return 201, [], b""
    if len(parts) == 4:
        return 200, [], listing(parts[3], dict(urllib.parse.parse_qsl(query)))
    data = OBJECTS.get((parts[3], parts[4]))
    return (404, [], b"") if data is None else (200, ["x-timestamp: 1.0"], data)


async def serve(reader, writer):
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode().split("\r\n")
            method, target, _ = lines[0].split(" ", 2)
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status, more, data = answer(method, target, headers["host"], body)
            writer.write("\r\n".join([f"HTTP/1.1 {status} X", f"content-length: {len(data)}", *more, "", ""]).encode() + data)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port):
    async with await asyncio.start_server(serve, "127.0.0.1", port, backlog=512) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
