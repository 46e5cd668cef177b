"""A real object storage that speaks S3 and checks signatures (SeaweedFS), from the environment's wheel."""

from __future__ import annotations

import json
import signal
import socket
import sys
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from hub.demo.peers.process import free_port
from hub.settings import ObjectStorage, Secret
from tests.peers.daemon import Daemon, Served

KEY, SECRET = "hub-key", "hub-secret-of-the-test"
BUCKET = "recordings"


class ObjectStorageServer(Served):
    """One server with one bucket, all of it on the loopback. `full`: its disk has no room for anything more."""

    def __init__(self) -> None:
        super().__init__("s3")
        self._ports = {name: free_port() for name in ("master", "volume", "filer")}
        self._grpc = {name: free_port() for name in (*self._ports, "s3")}
        self._metrics = free_port()
        self._full = False
        identity = {"name": "hub", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
        (self._home / "s3.json").write_text(json.dumps({"identities": [identity]}), encoding="utf-8")
        (self._home / "data").mkdir()
        self._daemon = self._server(full=False)

    @property
    def storage(self) -> ObjectStorage:
        """How the hub is told of it."""
        return ObjectStorage("127.0.0.1", self.port, BUCKET, KEY, Secret(SECRET), secure=False, prefix="calls")

    def store(self) -> S3Store:
        """What lies there, for the test to look at."""
        return S3Store(
            BUCKET,
            endpoint=self.storage.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def names(self) -> list[str]:
        """What lies in the bucket."""
        return sorted(each["path"] for part in obstore.list(self.store()) for each in part)

    def start(self, *, full: bool = False) -> None:
        """Start it, and return once it takes (or, being full, refuses) what is put there."""
        self._full = full
        self._daemon = self._server(full=full)
        self._daemon.start()

    def __exit__(self, *about: object) -> None:
        super().__exit__(*about)
        for name, port in self._grpc.items():  # its own choice of a place
            (Path("/tmp") / f"seaweedfs-{name}-grpc-{port}.sock").unlink(missing_ok=True)

    def _server(self, *, full: bool) -> Daemon:
        given = {
            "dir": self._home / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            **{f"{name}.port": port for name, port in self._ports.items()},
            **{f"{name}.port.grpc": port for name, port in self._grpc.items()},
            "filer": "true",
            "filer.localSocket": self._home / "filer.sock",
            "s3": "true",
            "s3.port": self.port,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.config": self._home / "s3.json",
            "s3.iam": "false",
            "s3.localSocket": self._home / "s3.sock",
            "metricsPort": self._metrics,
            "volume.max": 4,
            "volume.minFreeSpace": "100" if full else "1MiB",
            "master.volumeSizeLimitMB": 64,
            "master.telemetry": "false",
        }
        program = Path(sys.executable).with_name("weed")
        command = [str(program), "server", *(f"-{name}={value}" for name, value in given.items())]
        # Told to end it would wait for what nobody sends any more.
        return Daemon("SeaweedFS", command, self._home / "log", self._ready, signal.SIGKILL)

    def _ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            if self._full:
                return True
            obstore.put(self.store(), ".ready", b"it takes what is put there")
            obstore.delete(self.store(), ".ready")
        except (OSError, BaseError):
            return False
        return True
