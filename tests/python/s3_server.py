"""A small S3 server for tests: whole and multipart uploads, with the injected faults of the web server."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import servers
from servers import Fault, Request


class S3Server(servers.Server):
    """Stores objects under ``/bucket/key``."""

    def __init__(self) -> None:
        super().__init__()
        #: Parts by the id of their upload.
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.aborted = 0
        #: Number of completions that are answered with 200 and an error.
        self.hidden_errors = 0
        #: Number of completions that succeed, but are answered with 500.
        self.lost_answers = 0
        #: Whether objects of such completions disappear.
        self.loses_objects = False
        #: Count received bytes without keeping them.
        self.forgets = False
        self.received = 0
        #: Modifying requests whose URL contains this are answered with 500.
        self.broken: str | None = None

    def methods(self) -> list[str]:
        """Return the names of the requests so far."""
        return [f"{request.method} {_operation(request.path)}".strip() for request in self.requests]


def _operation(path: str) -> str:
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    return "part" if "partNumber" in query else next(iter(query), "")


def _listing(objects: dict[str, bytes], path: str) -> bytes:
    """Answer ListObjectsV2 with all keys in one page."""
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    keys, folders = [], set()
    for name, content in sorted(objects.items()):
        bucket, _, key = unquote(name).removeprefix("/").partition("/")
        if f"/{bucket}" != parts.path.rstrip("/") or not key.startswith(prefix):
            continue
        inside, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if cut:
            folders.add(prefix + inside + delimiter)
        else:
            keys.append((key, len(content)))
    time = "<LastModified>2026-11-22T00:00:00.000Z</LastModified>"
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size>{time}<ETag>&quot;x&quot;</ETag></Contents>"
        for key, size in keys
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders))
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{prefixes}</ListBucketResult>".encode()


class _Handler(servers._Handler):
    server: S3Server

    def take(self) -> None:
        self.content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.serve(body=True)

    do_PUT = do_POST = do_DELETE = take  # noqa: N815

    def answer(self, request: Request, fault: Fault | None, *, body: bool) -> None:
        path = urlsplit(request.path).path
        denied = next((code for prefix, code in self.server.denied.items() if path.startswith(prefix)), None)
        if request.method == "GET" and "list-type=2" in request.path:
            status = (fault.status if fault else None) or denied or 200
            content = _listing(self.server.objects, request.path) if status == 200 else fault.body if fault else b""
            self.reply(status, content, fault.headers if fault else {}, body=body)
            return
        if request.method in ("GET", "HEAD"):
            super().answer(request, fault, body=body)
            return
        self.server.received += len(self.content)
        if self.server.forgets:
            self.content = self.content if request.method == "POST" else b""
        parts = urlsplit(request.path)
        broken = 500 if self.server.broken is not None and self.server.broken in request.path else None
        status = (fault.status if fault else None) or denied or broken
        if status is not None:
            self.reply(status, fault.body if fault else b"", fault.headers if fault else {}, body=True)
            return
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        with self.server.lock:
            status, content, headers = self.store(request.method, parts.path, query)
        self.reply(status, content, headers, body=True)

    def store(self, method: str, path: str, query: dict[str, str]) -> tuple[int, bytes, dict[str, Any]]:
        server = self.server
        upload = server.uploads.get(query.get("uploadId", ""))
        if "uploads" in query:
            number = f"upload{len(server.requests)}"
            server.uploads[number] = {}
            text = f"<InitiateMultipartUploadResult><UploadId>{number}</UploadId></InitiateMultipartUploadResult>"
            return 200, text.encode(), {}
        if "uploadId" not in query:
            server.objects[path] = self.content
            return 200, b"", {"ETag": '"whole"'}
        if upload is None:
            return 404, b"<Error><Code>NoSuchUpload</Code></Error>", {}
        return self.go_on(method, path, query, upload)

    def go_on(
        self, method: str, path: str, query: dict[str, str], upload: dict[int, bytes]
    ) -> tuple[int, bytes, dict[str, Any]]:
        server = self.server
        if method == "PUT":
            upload[int(query["partNumber"])] = self.content
            return 200, b"", {"ETag": f'"{query["partNumber"]}"'}
        if method == "DELETE":
            del server.uploads[query["uploadId"]]
            server.aborted += 1
            return 204, b"", {}
        if server.hidden_errors:
            server.hidden_errors -= 1
            return 200, b"<Error><Code>InternalError</Code><Message>again</Message></Error>", {}
        numbers = [int(number) for number in re.findall(rb"<PartNumber>(\d+)</PartNumber>", self.content)]
        server.objects[path] = b"".join(upload[number] for number in numbers)
        del server.uploads[query["uploadId"]]
        if server.lost_answers:
            server.lost_answers -= 1
            if server.loses_objects:
                del server.objects[path]
            return 500, b"", {}
        return 200, b'<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>', {}


S3Server.handler = _Handler
