"""What a connection to a server needs to know."""
import dataclasses
import os
import pathlib
from typing import Any

import grpc

Path = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class Tls:
    """Speak TLS. `ca` is a PEM file of those who may sign the server's certificate, by default those that gRPC comes
    with; `cert` and `key` are PEM files of the client's own certificate, where the server asks for one. `server_name`
    is the name in the server's certificate if it is not the address's. Files are read when the client is made."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise ValueError("Tls: cert and key go together")

    def credentials(self) -> grpc.ChannelCredentials:
        """-> what gRPC takes. OSError when a file cannot be read."""
        def read(path: Path | None) -> bytes | None:
            return None if path is None else pathlib.Path(path).read_bytes()
        return grpc.ssl_channel_credentials(read(self.ca), read(self.key), read(self.cert))


@dataclasses.dataclass(frozen=True)
class Settings:
    """Of a client: see its constructor."""

    address: str
    tls: Tls | None
    token: str | None
    timeout: float | None
    keepalive: float | None

    def __post_init__(self) -> None:
        if self.timeout is not None and self.timeout <= 0:
            raise ValueError(f"timeout is {self.timeout} s; it must be positive")
        if self.keepalive is not None and self.keepalive < 10:
            raise ValueError(f"keepalive is {self.keepalive} s; 10 s is the least")

    def metadata(self) -> tuple[tuple[str, str], ...]:
        return () if self.token is None else (("authorization", f"Bearer {self.token}"),)

    def options(self) -> list[tuple[str, Any]]:
        """gRPC's channel arguments. It reconnects about as fast as calls are tried again; the server limits
        messages."""
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 2000)]
        if self.keepalive is not None:
            options += [("grpc.keepalive_time_ms", int(self.keepalive * 1000)), ("grpc.keepalive_timeout_ms", 10000),
                        ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0)]
        if self.tls is not None and self.tls.server_name is not None:
            options.append(("grpc.ssl_target_name_override", self.tls.server_name))
        return options
