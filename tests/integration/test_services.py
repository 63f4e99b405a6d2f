"""Everything on the public ports but ModelInfer."""
import urllib.error
import urllib.request

import grpc
import pytest
import tritonclient.grpc as triton
from google.protobuf import descriptor_pb2
from onnx import TensorProto, helper
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import MODELS, digits, save_model, tensor

pytestmark = pytest.mark.request_path


def get(server, path):
    try:
        with urllib.request.urlopen(f"http://{server.http}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_server_is_live_ready_and_named(client):
    assert client.is_server_live() and client.is_server_ready()
    meta = client.get_server_metadata()
    assert meta.name == "tandem" and meta.version and "statistics" in meta.extensions


def test_model_readiness(client):
    assert client.is_model_ready("tab_digits") and client.is_model_ready("tab_digits", "1")
    with pytest.raises(InferenceServerException, match="unknown model"):
        client.is_model_ready("nope")


def test_metadata_has_free_dimensions(client):
    meta = client.get_model_metadata("tab_digits")
    assert list(meta.versions) == ["1"]
    assert [(t.name, t.datatype, list(t.shape)) for t in meta.inputs] == [("x", "FP32", [-1, 64])]
    # Its file fixes the batch to 1; the server has proven that it need not.
    assert list(client.get_model_metadata("mnist_cntk").inputs[0].shape) == [-1, 1, 28, 28]


def test_config_leaves_out_the_batch_where_it_is_shared(client):
    free = client.get_model_config("tab_digits").config
    assert free.max_batch_size > 1 and list(free.input[0].dims) == [64]


def test_config_has_the_batch_where_rows_touch(tmp_path):
    path = save_model(tmp_path / "model.onnx", [helper.make_node("Softmax", ["x"], ["y"], axis=0)],
                      [("x", TensorProto.FLOAT, [1, 2])], [("y", TensorProto.FLOAT, [1, 2])])
    with tandemd.running(path) as server, triton.InferenceServerClient(server.grpc) as client:
        fixed = client.get_model_config("model").config
        assert fixed.max_batch_size == 0 and list(fixed.input[0].dims) == [1, 2]


def test_statistics_count_rows_and_batches(client):
    def stats():
        return client.get_inference_statistics("tab_digits").model_stats[0]

    before = stats()
    client.infer("tab_digits", [tensor("x", digits(3))])
    after = stats()
    assert after.inference_count - before.inference_count == 3
    assert after.execution_count - before.execution_count == 1
    success = after.inference_stats.success
    assert success.count - before.inference_stats.success.count == 1
    assert success.ns > before.inference_stats.success.ns
    assert len(client.get_inference_statistics().model_stats) == len(MODELS)


def test_repository_index_lists_every_model(client):
    index = client.get_model_repository_index().models
    assert sorted(m.name for m in index) == sorted(MODELS)
    assert {(m.version, m.state) for m in index} == {("1", "READY")}


def health(server, service, method="Check"):
    """The raw answer of grpc.health.v1: one field, an enum."""
    request = bytes([0x0A, len(service)]) + service.encode() if service else b""
    with grpc.insecure_channel(server.grpc) as channel:
        if method == "Watch":
            stream = channel.unary_stream("/grpc.health.v1.Health/Watch")(request, timeout=10)
            answer = next(stream)
            stream.cancel()
            return answer
        return channel.unary_unary("/grpc.health.v1.Health/Check")(request, timeout=10)


SERVING = b"\x08\x01"


def test_health_of_server_and_models(server):
    for service in ("", "inference.GRPCInferenceService", "tab_digits"):
        assert health(server, service) == SERVING
    with pytest.raises(grpc.RpcError) as error:
        health(server, "nope")
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    assert health(server, "", "Watch") == SERVING


def test_reflection_describes_the_service(server):
    # ServerReflectionRequest.file_containing_symbol = 4; the answer holds FileDescriptorProtos.
    symbol = b"inference.GRPCInferenceService"
    with grpc.insecure_channel(server.grpc) as channel:
        call = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        answer = next(call(iter([b"\x22" + bytes([len(symbol)]) + symbol]), timeout=10))
    assert b"ModelInferRequest" in answer
    assert descriptor_pb2.DESCRIPTOR  # the client side of the same messages


def test_http_probes_and_metrics(server):
    assert get(server, "/livez") == (200, "live\n")
    assert get(server, "/readyz") == (200, "ready\n")
    assert get(server, "/nope")[0] == 404
    status, text = get(server, "/metrics")
    assert status == 200
    for name in ("tandem_build_info", "tandem_ready 1", "tandem_request_seconds_bucket", "process_resident_memory_bytes"):
        assert name in text
