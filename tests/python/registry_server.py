"""A schema registry for tests: a small HTTP server on loopback that injects faults."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import NAMESPACE_OID, uuid5

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


class Registry:
    """Subjects and their versions, ids counted from 1, and a log of requests."""

    def __init__(self) -> None:
        self.schemas: list[dict[str, Any]] = []
        self.subjects: dict[str, list[int]] = {}
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        #: Soft-deleted subjects, whose versions are returned only if deleted ones are requested.
        self.deleted: set[str] = set()
        #: Schemas by their ids in contexts other than the default one.
        self.contexts: dict[str, dict[int, dict[str, Any]]] = {}
        #: True if responses have GUIDs, as those of recent versions.
        self.has_guids = False
        #: Responses that replace the correct ones, one per request: status, body and headers.
        self.faults: list[tuple[int, bytes, dict[str, str]]] = []
        self.authorization: str | None = None
        self.delay = 0.0
        self.lock = threading.Lock()
        self.url = ""

    def add(self, subject: str, schema: Any, *, references: Any = None, kind: str | None = None) -> int:
        """Register a schema and return its id."""
        body = {"schema": schema if isinstance(schema, str) else json.dumps(schema)}
        body |= {} if references is None else {"references": references}
        body |= {} if kind is None else {"schemaType": kind}
        if self.has_guids:
            body["guid"] = str(uuid5(NAMESPACE_OID, json.dumps(body)))
        with self.lock:
            number = next((i for i, known in enumerate(self.schemas, 1) if same(known, body)), 0)
            if not number:
                self.schemas.append(body)
                number = len(self.schemas)
            versions = self.subjects.setdefault(subject, [])
            if number not in versions:
                versions.append(number)
        return number

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Answer a request of the API."""
        split = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        parts = [unquote(part) for part in split.path.strip("/").split("/")]
        if parts[0] == "schemas":
            return self.schema(*parts[1:], subject=query.get("subject", ""))
        if method == "POST" and parts[0] == "subjects" and len(parts) == 2:
            return self.look_up(parts[1], body)
        if parts[0] == "subjects" and parts[2:3] == ["versions"]:
            subject = parts[1]
            if subject in self.deleted and query.get("deleted") != "true":
                return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
            if method == "POST":
                return self.register(subject, body)
            if versions := self.subjects.get(subject):
                version = len(versions) if parts[3] == "latest" else int(parts[3])
                number = versions[version - 1]
                return 200, {"subject": subject, "id": number, "version": version, **self.schemas[number - 1]}
        return 404, {"error_code": 40401, "message": "Not found"}

    def schema(self, kind: str, key: str, subject: str) -> tuple[int, Any]:
        """Answer the request of an id or a GUID."""
        schemas = {str(number): schema for number, schema in enumerate(self.schemas, 1)}
        if kind == "guids":
            schemas = {schema.get("guid", ""): schema for schema in self.schemas}
        elif subject.startswith(":."):
            schemas = {str(number): schema for number, schema in self.contexts.get(subject.split(":")[1], {}).items()}
        if key in schemas:
            return 200, schemas[key]
        return 404, {"error_code": 40403, "message": f"Schema {key} not found"}

    def look_up(self, subject: str, body: Any) -> tuple[int, Any]:
        """Answer the lookup of a schema under a subject."""
        if subject not in self.subjects or subject in self.deleted:
            return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
        for version, number in enumerate(self.subjects[subject], 1):
            schema = self.schemas[number - 1]
            if same(schema, body):
                return 200, {"subject": subject, "id": number, "version": version, **schema}
        return 404, {"error_code": 40403, "message": "Schema not found"}

    def register(self, subject: str, body: Any) -> tuple[int, Any]:
        """Answer the registration of a schema."""
        if "bad" in body["schema"]:
            return 422, {"error_code": 42201, "message": "Invalid schema"}
        number = self.add(subject, body["schema"], references=body.get("references") or None)
        guid = self.schemas[number - 1].get("guid")
        return 200, {"id": number, **({"guid": guid} if guid else {})}


def same(schema: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two schemas differ at most in white space."""
    references = [each.get("references") or [] for each in (schema, other)]
    return json.loads(schema["schema"]) == json.loads(other["schema"]) and references[0] == references[1]


class Handler(BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        self.handle_method("GET")

    def do_POST(self) -> None:
        self.handle_method("POST")

    def handle_method(self, method: str) -> None:
        registry = self.registry
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
        with registry.lock:
            registry.requests.append(f"{method} {self.path}")
            registry.headers.append(dict(self.headers))
            fault = registry.faults.pop(0) if registry.faults else None
        time.sleep(registry.delay)
        if fault is not None:
            status, data, headers = fault
        elif registry.authorization not in (None, self.headers.get("Authorization")):
            status, data, headers = 401, b'{"error_code": 401, "message": "Unauthorized"}', {}
        else:
            status, answer = registry.answer(method, self.path, body)
            data, headers = json.dumps(answer).encode(), {}
        if status == 0:
            # Closes the connection without a response.
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve(context: ssl.SSLContext | None = None) -> Iterator[Registry]:
    """Run a registry."""
    registry = Registry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"registry": registry}))
    # A client that has gone is no fault of the server. Its traceback would be part of another test's output.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    registry.url = f"{'http' if context is None else 'https'}://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def basic(user: str, password: str) -> str:
    """The header for basic authentication."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
