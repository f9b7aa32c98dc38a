"""A web server for tests that counts requests and injects faults."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """A request of a client."""

    method: str
    path: str
    range: tuple[int, int] | None
    headers: dict[str, str]


@dataclass
class Fault:
    """A fault that replaces the response to one request."""

    status: int | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: Close the connection after this many bytes of the body.
    cut_after: int | None = None
    #: Delay the response by this many seconds.
    stall: float = 0.0
    #: Delay the body, after the headers.
    stall_body: float = 0.0


class Server(ThreadingHTTPServer):
    """Serves bytes by path, with ranges, ETags and conditions."""

    daemon_threads = True
    handler: type[BaseHTTPRequestHandler]
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.handler)
        self.objects: dict[str, bytes] = {}
        #: Statuses by path prefix, which replace 404.
        self.denied: dict[str, int] = {}
        self.ranges = True
        self.etags = True
        self.weak_etags = False
        #: An ETag of every object, instead of one by its content.
        self.etag: str | None = None
        self.modified = True
        #: False values of Content-Length.
        self.claims: dict[str, int] = {}
        #: False object sizes.
        self.sizes: dict[str, int] = {}
        self.latency = 0.0
        #: Bytes per second of all connections together.
        self.bandwidth: float | None = None
        self.faults: deque[Fault | None] = deque()
        #: The fault of every request without a specific one.
        self.fault: Fault | None = None
        #: Called with each request before the response; may return a fault.
        self.before: Any = None
        self.lock = threading.Lock()
        self.reset()
        self.free_at = 0.0

    def reset(self) -> None:
        """Reset the counters."""
        self.requests: list[Request] = []
        self.sent = 0
        self.running = 0
        self.most_at_once = 0

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, path: str, content: bytes) -> str:
        """Serve these bytes and return their URL."""
        self.objects[path] = content
        return f"{self.url}{path}"

    def pace(self, size: int) -> None:
        """Wait as long as sending takes at the configured bandwidth."""
        if self.bandwidth is None:
            return
        with self.lock:
            now = time.monotonic()
            self.free_at = max(self.free_at, now - 0.005) + size / self.bandwidth
            wait = self.free_at - now
        if wait > 0:
            time.sleep(wait)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors, because clients may disconnect."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.serve(body=False)

    def do_GET(self) -> None:
        self.serve(body=True)

    def serve(self, *, body: bool) -> None:
        server = self.server
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        wanted = (int(asked[1]), int(asked[2]) if asked[2] else 1 << 62) if asked else None
        request = Request(self.command, self.path, wanted, dict(self.headers))
        with server.lock:
            server.requests.append(request)
            server.running += 1
            server.most_at_once = max(server.most_at_once, server.running)
            fault = server.faults.popleft() if server.faults else server.fault
        try:
            if server.before is not None:
                found = server.before(request)
                fault = found if isinstance(found, Fault) else fault
            time.sleep(server.latency + (fault.stall if fault else 0))
            self.answer(request, fault, body=body)
        finally:
            with server.lock:
                server.running -= 1

    def answer(self, request: Request, fault: Fault | None, *, body: bool) -> None:
        server = self.server
        path = request.path.partition("?")[0]
        status = fault.status if fault else None
        denied = next((code for prefix, code in server.denied.items() if path.startswith(prefix)), None)
        status = status or denied or (None if path in server.objects else 404)
        if status is not None:
            self.reply(status, fault.body if fault else b"", fault.headers if fault else {}, body=body)
            return
        content = server.objects[path]
        headers = {}
        if server.etags:
            etag = ("W/" if server.weak_etags else "") + f'"{digest(content)}"'
            headers["ETag"] = etag if server.etag is None else server.etag
        if server.modified:
            headers["Last-Modified"] = "Sun, 22 Nov 2026 00:00:00 GMT"
        match = request.headers.get("If-Match", request.headers.get("if-match"))
        if match is not None and match != headers.get("ETag"):
            self.reply(412, b"", headers, body=body)
            return
        status = 200
        if request.range is not None and server.ranges:
            start, end = request.range[0], min(request.range[1] + 1, len(content))
            if start >= len(content):
                self.reply(416, b"", {"Content-Range": f"bytes */{len(content)}"}, body=body)
                return
            size = server.sizes.get(path, len(content))
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
            content, status = content[start:end], 206
        self.reply(status, content, headers, body=body, fault=fault)

    def reply(
        self, status: int, content: bytes, headers: dict[str, str], *, body: bool, fault: Fault | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(self.server.claims.get(self.path, len(content))))
        self.end_headers()
        if not body:
            return
        if fault is not None and fault.stall_body:
            time.sleep(fault.stall_body)
        cut = fault.cut_after if fault else None
        view = memoryview(content)[: len(content) if cut is None else cut]
        for at in range(0, len(view), 65536):
            part = view[at : at + 65536]
            self.server.pace(len(part))
            self.wfile.write(part)
            with self.server.lock:
                self.server.sent += len(part)
        if cut is not None and cut < len(content):
            self.close_connection = True
            self.wfile.flush()
            self.connection.close()


Server.handler = _Handler


@lru_cache(maxsize=256)
def digest(content: bytes) -> str:
    """Return the ETag of the bytes. Python caches their hash, which matters for large objects."""
    return md5(content).hexdigest()


@contextmanager
def serving(kind: type[Server] = Server) -> Any:
    """Run a server."""
    server = kind()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
