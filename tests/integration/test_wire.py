"""Our .proto files have the numbers, types and labels that tritonclient was compiled with, every one of them."""
import pathlib
import shutil
import subprocess

import pytest
from google.protobuf import descriptor_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]


def messages(file):
    """Full name of every message and enum -> its fields or values, without what only the text of the file decides."""
    found = {}

    def visit(prefix, message):
        name = f"{prefix}.{message.name}"
        found[name] = {
            f.name: (f.number, f.type, f.label, f.type_name,
                     message.oneof_decl[f.oneof_index].name if f.HasField("oneof_index") else None)
            for f in message.field
        }
        for nested in message.nested_type:
            visit(name, nested)
        for enum in message.enum_type:
            found[f"{name}.{enum.name}"] = {v.name: v.number for v in enum.value}

    for message in file.message_type:
        visit(f".{file.package}", message)
    for enum in file.enum_type:
        found[f".{file.package}.{enum.name}"] = {v.name: v.number for v in enum.value}
    for service in file.service:
        found[f".{file.package}.{service.name}"] = {
            m.name: (m.input_type, m.output_type, m.client_streaming, m.server_streaming) for m in service.method
        }
    return found


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    protoc = shutil.which("protoc")
    if protoc is None:
        pytest.skip("protoc is not here")
    out = tmp_path_factory.mktemp("descriptors") / "set.pb"
    subprocess.run([protoc, f"-I{ROOT}", f"--descriptor_set_out={out}", "--include_imports",
                    ROOT / "proto/inference.proto"], check=True)
    found = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        found.update(messages(file))
    return found


def theirs():
    from tritonclient.grpc import model_config_pb2, service_pb2
    found = {}
    for module in (service_pb2, model_config_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        found.update(messages(file))
    return found


def test_every_message_field_and_method_agrees(ours):
    expected = theirs()
    assert expected, "tritonclient has no descriptors"
    assert ours == expected
