"""The messages and calls of the wire, made from the descriptors that were compiled when the package was built.

They live in a pool of their own. Every client of the v2 protocol defines the same names, and protobuf's shared pool
takes each name once: with generated code, whoever imports this package and Triton's client would fail to start.
"""
import dataclasses
import functools
import importlib.resources
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

INFERENCE = "inference.GRPCInferenceService"
ADMIN = "tandem.admin.v1.Admin"


def _load() -> Any:
    """A pool of all descriptors; files come after those that they import."""
    stored = importlib.resources.files(__package__).joinpath("wire.binpb").read_bytes()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(stored).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


# Made while the module is imported, by one thread: classes of two pools would not go together.
POOL = _load()


@dataclasses.dataclass(frozen=True)
class Method:
    """One call: its path on the wire, and the classes of its messages."""

    path: str
    request: Any
    response: Any


@functools.cache
def method(service: str, name: str) -> Method:
    """The call of this name, as the .proto file has it."""
    found = POOL.FindServiceByName(service).methods_by_name[name]
    return Method(f"/{service}/{name}", message_factory.GetMessageClass(found.input_type),
                  message_factory.GetMessageClass(found.output_type))
