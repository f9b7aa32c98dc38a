"""A redirect from HTTP to HTTPS. Certificates are loaded when the first request needs them."""

import datetime as dt
import ipaddress
import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rows import make_rows, write

READ = "import sys, polars_avro; print(polars_avro.read_avro(sys.argv[1]).height)"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate of localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(1))
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    folder = tmp_path_factory.mktemp("certificate")
    made = builder.sign(key, hashes.SHA256())
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return folder


@pytest.fixture
def url(tmp_path, certificate):
    content = write(tmp_path / "rows.avro", make_rows(1000)).read_bytes()

    class Secure(BaseHTTPRequestHandler):
        def do_GET(self):
            start, _, end = self.headers["Range"].removeprefix("bytes=").partition("-")
            part = content[int(start) : int(end) + 1]
            self.send_response(206)
            self.send_header("Content-Length", str(len(part)))
            self.send_header("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}")
            self.end_headers()
            self.wfile.write(part)

        def log_message(self, *args):
            pass

    class Plain(Secure):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", f"https://127.0.0.1:{secure.server_port}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    plain, secure = (ThreadingHTTPServer(("127.0.0.1", 0), handler) for handler in (Plain, Secure))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in (plain, secure):
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{plain.server_port}/rows.avro"
    for server in (plain, secure):
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(sys.platform != "linux", reason="the variable is OpenSSL's")
@pytest.mark.parametrize("trusted", [True, False])
def test_plain_http_may_lead_to_https(url, certificate, trusted):
    environment = {**os.environ, "POLARS_CLOUD_MAX_RETRIES": "0"}
    if trusted:
        environment["SSL_CERT_FILE"] = str(certificate / "certificate.pem")
    done = subprocess.run(
        [sys.executable, "-c", READ, url], env=environment, capture_output=True, text=True, timeout=60
    )
    if trusted:
        assert done.stdout == "1000\n", done.stderr
    else:
        assert done.returncode == 1
        assert "certificate" in done.stderr.lower()
