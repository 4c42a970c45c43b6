"""Certificates for tests: an authority of our own, a server, a client, made by openssl."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis_server import REDIS, RedisServer
from servers import LOOPBACK


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files, all in one folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority that signed the other two."""
        return self.folder / "ca.crt"

    def certificate(self, name: str) -> Path:
        """The certificate of `server` or `client`."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Its key."""
        return self.folder / f"{name}.key"


def make_certificates(folder: Path) -> Certificates:
    """Make them; the server's is for 127.0.0.1 and localhost."""
    made = Certificates(folder)
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-days", "2", "-subj", "/CN=test authority"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", str(made.key("ca")), "-out", str(made.authority)),
    )
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("server", "client"):
        request = folder / f"{name}.csr"
        _openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", f"/CN={name}", "-keyout", str(made.key(name)), "-out", str(request)),
        )
        _openssl(
            *("x509", "-req", "-in", str(request), "-days", "2", "-extfile", str(names)),
            *("-CA", str(made.authority), "-CAkey", str(made.key("ca")), "-CAcreateserial"),
            *("-out", str(made.certificate(name))),
        )
    return made


def tls_server(folder: Path, made: Certificates, *, clients: str = "no") -> RedisServer:
    """A running Redis with TLS alone; `yes` asks clients for a certificate of our authority."""
    options = {
        "--port": "0",
        "--tls-port": "here",
        "--bind": f"{LOOPBACK} 127.0.0.2",
        "--tls-cert-file": str(made.certificate("server")),
        "--tls-key-file": str(made.key("server")),
        "--tls-ca-cert-file": str(made.authority),
        "--tls-auth-clients": clients,
    }
    client: dict[str, Any] = {"ssl": True, "ssl_ca_certs": str(made.authority)}
    if clients == "yes":
        client["ssl_certfile"] = str(made.certificate("client"))
        client["ssl_keyfile"] = str(made.key("client"))
    server = RedisServer(REDIS, folder, options, client)
    server.start()
    return server


def _openssl(*arguments: str) -> None:
    binary = shutil.which("openssl")
    if binary is None:
        raise AssertionError("no openssl here; on Debian: apt install openssl")
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
