"""ModelInfer through a real client: right answers, and errors that say what was expected and what came."""
import concurrent.futures
import re

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from onnx import TensorProto, helper
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import digits, model_file, save_model, tensor

pytestmark = pytest.mark.request_path


@pytest.fixture(scope="module")
def reference():
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(model_file("tab_digits"))
    return lambda x: session.run(None, {"x": x})[0]


@pytest.fixture
def stub(server):
    with grpc.insecure_channel(server.grpc, [("grpc.max_send_message_length", -1)]) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def refused(stub, code, *words, **fields):
    """Sends a request; it must be refused with `code` and a message that has all `words`."""
    with pytest.raises(grpc.RpcError) as error:
        stub.ModelInfer(service_pb2.ModelInferRequest(**fields), timeout=30)
    assert error.value.code() == code, error.value.details()
    for word in words:
        assert word in error.value.details()


def raw_input(name="x", datatype="FP32", shape=(1, 64)):
    return service_pb2.ModelInferRequest.InferInputTensor(name=name, datatype=datatype, shape=shape)


INVALID = grpc.StatusCode.INVALID_ARGUMENT
GOOD = np.zeros(64, np.float32).tobytes()


@pytest.mark.parametrize("rows", (1, 2, 3, 5, 31, 200))
def test_results_equal_onnxruntime(client, reference, rows):
    x = digits(rows)
    y = client.infer("tab_digits", [tensor("x", x)]).as_numpy("p")
    # Float32 sums in another order: 1e-4 of the largest magnitude.
    np.testing.assert_allclose(y, reference(x), atol=1e-4)


def test_concurrent_clients_get_their_own_rows(server, reference):
    def one(seed):
        x = digits(1 + seed % 5, seed)
        with triton.InferenceServerClient(server.grpc) as client:
            for _ in range(20):
                y = client.infer("tab_digits", [tensor("x", x)]).as_numpy("p")
                np.testing.assert_allclose(y, reference(x), atol=1e-4)
        return True

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(16)))


def test_fixed_batch_serves_concurrent_clients(server):
    x = np.random.default_rng(1).uniform(0, 255, (1, 1, 28, 28)).astype(np.float32)

    def one(_):
        with triton.InferenceServerClient(server.grpc) as client:
            return client.infer("mnist_cntk", [tensor("Input3", x)]).as_numpy("Plus214_Output_0")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(32)))
    assert all(np.array_equal(a, answers[0]) for a in answers)


@pytest.mark.parametrize("name", ("mnist_cntk", "ultraface_rfb_320", "yunet_320"))
def test_a_fixed_batch_is_freed_where_rows_do_not_touch(name):
    ort = pytest.importorskip("onnxruntime")
    alone = ort.InferenceSession(model_file(name))
    spec = alone.get_inputs()[0]
    assert spec.shape[0] == 1
    rows = np.random.default_rng(3).uniform(0, 255, (5, *spec.shape[1:])).astype(np.float32)
    with tandemd.running(model_file(name)) as server, triton.InferenceServerClient(server.grpc) as client:
        assert list(client.get_model_metadata(name).inputs[0].shape) == [-1, *spec.shape[1:]]
        together = client.infer(name, [tensor(spec.name, rows)])
        for i, row in enumerate(rows):
            for output, expected in zip(alone.get_outputs(), alone.run(None, {spec.name: row[None]})):
                np.testing.assert_allclose(together.as_numpy(output.name)[i:i + 1], expected,
                                           atol=1e-4 * np.abs(expected).max())


def test_shapes_that_vary_are_not_mixed(server):
    rng = np.random.default_rng(2)
    name = "use_lite_en"
    with triton.InferenceServerClient(server.grpc) as client:
        meta = client.get_model_metadata(name)
    requests = [rng.integers(1, 1000, (1, 4 + i % 5)).astype(np.int64) for i in range(20)]

    def one(x):
        with triton.InferenceServerClient(server.grpc) as client:
            return client.infer(name, [tensor(meta.inputs[0].name, x)]).as_numpy(meta.outputs[0].name)

    alone = [one(x) for x in requests]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        together = list(pool.map(one, requests))
    for a, b in zip(alone, together):
        # An answer does not depend on its neighbours by more than 1e-4.
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_id_is_echoed_or_given(client):
    assert client.infer("tab_digits", [tensor("x", digits(1))], request_id="mine").get_response().id == "mine"
    ids = {client.infer("tab_digits", [tensor("x", digits(1))]).get_response().id for _ in range(5)}
    assert len(ids) == 5 and "" not in ids


def test_response_names_model_version_and_variant(client):
    response = client.infer("tab_digits", [tensor("x", digits(1))], model_version="1").get_response()
    assert (response.model_name, response.model_version) == ("tab_digits", "1")
    assert response.parameters["variant"].string_param == "fp32"


def test_variant_can_be_asked_for(client, stub):
    assert client.infer("tab_digits", [tensor("x", digits(1))], parameters={"variant": "fp32"})
    with pytest.raises(InferenceServerException, match="there is no int8: there are no samples") as error:
        client.infer("tab_digits", [tensor("x", digits(1))], parameters={"variant": "int8"})
    assert "FAILED_PRECONDITION" in error.value.status()


def test_only_the_outputs_asked_for_are_sent(client, stub):
    wanted = [triton.InferRequestedOutput("p")]
    assert len(client.infer("tab_digits", [tensor("x", digits(1))], outputs=wanted).get_response().outputs) == 1
    refused(stub, INVALID, 'unknown output "nope"', '"p"', model_name="tab_digits", inputs=[raw_input()],
            outputs=[service_pb2.ModelInferRequest.InferRequestedOutputTensor(name="nope")], raw_input_contents=[GOOD])


def test_typed_contents_equal_raw(stub):
    x = digits(2)
    typed = raw_input(shape=(2, 64))
    typed.contents.fp32_contents.extend(x.reshape(-1).tolist())
    a = stub.ModelInfer(service_pb2.ModelInferRequest(model_name="tab_digits", inputs=[typed]))
    b = stub.ModelInfer(service_pb2.ModelInferRequest(model_name="tab_digits", inputs=[raw_input(shape=(2, 64))],
                                                      raw_input_contents=[x.tobytes()]))
    assert a.raw_output_contents == b.raw_output_contents


@pytest.mark.parametrize("value", (np.nan, np.inf, -np.inf, 3e38))
def test_odd_numbers_are_served(client, value):
    x = digits(2)
    x[0, :] = value
    y = client.infer("tab_digits", [tensor("x", x)]).as_numpy("p")
    alone = client.infer("tab_digits", [tensor("x", x[1:])]).as_numpy("p")
    np.testing.assert_allclose(y[1:], alone, atol=1e-4)


def test_unknown_names_are_not_found(stub):
    not_found = grpc.StatusCode.NOT_FOUND
    refused(stub, not_found, 'unknown model "nope"', model_name="nope")
    refused(stub, not_found, "unknown model", model_name="")
    refused(stub, not_found, "unknown model", model_name="a\0b")
    refused(stub, not_found, 'no version "7"', model_name="tab_digits", model_version="7")


@pytest.mark.parametrize("words, inputs, raw", (
    (('unknown input "z"', '"x"'), [raw_input("z")], [GOOD]),
    (('input "x" is missing',), [], []),
    (("given twice",), [raw_input(), raw_input()], [GOOD, GOOD]),
    (("expected datatype FP32", '"INT64"'), [raw_input(datatype="INT64")], [GOOD]),
    (("BYTES",), [raw_input(datatype="BYTES")], [GOOD]),
    (("expected shape [?,64]", "[64]"), [raw_input(shape=(64,))], [GOOD]),
    (("expected shape [?,64]", "[1,63]"), [raw_input(shape=(1, 63))], [GOOD[4:]]),
    (("expected shape", "-1"), [raw_input(shape=(-1, 64))], [GOOD]),
    (("at least 1 row",), [raw_input(shape=(0, 64))], [b""]),
    (("expected 256 bytes", "got 255"), [raw_input()], [GOOD[1:]]),
    (("expected 256 bytes", "got 257"), [raw_input()], [GOOD + b"x"]),
    (("expected 1 raw_input_contents", "got 2"), [raw_input()], [GOOD, GOOD]),
    (("too large",), [raw_input(shape=(2**62, 64))], [GOOD]),
    (("expected 64 values", "got 0"), [raw_input()], []),
))
def test_mismatches_say_what_was_expected(stub, words, inputs, raw):
    refused(stub, INVALID, *words, model_name="tab_digits", inputs=inputs, raw_input_contents=raw)


def test_values_in_both_places_are_refused(stub):
    both = raw_input()
    both.contents.fp32_contents.append(1)
    refused(stub, INVALID, "both in contents and in raw_input_contents", model_name="tab_digits", inputs=[both],
            raw_input_contents=[GOOD])


def test_malformed_bytes_are_refused(server):
    with grpc.insecure_channel(server.grpc) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        for request in (b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x0f", b"\x2a\x05\x1a\x03\xff\xff\xff"):
            with pytest.raises(grpc.RpcError) as error:
                infer(request, timeout=30)
            assert error.value.code() == INVALID


def test_a_message_of_100_mb_is_served(stub):
    rows = 400_000
    x = np.zeros((rows, 64), np.float32)
    request = service_pb2.ModelInferRequest(model_name="tab_digits", inputs=[raw_input(shape=(rows, 64))],
                                            raw_input_contents=[x.tobytes()])
    assert 100e6 < request.ByteSize() < 128 << 20
    with pytest.raises(grpc.RpcError) as error:  # the answer is beyond this client's own limit of 4 MB
        stub.ModelInfer(request, timeout=60)
    assert "larger than max" in error.value.details()


def test_a_message_beyond_the_limit_is_refused(stub):
    refused(stub, grpc.StatusCode.RESOURCE_EXHAUSTED, "larger than max", model_name="tab_digits",
            raw_input_contents=[b"x" * (129 << 20)])


def test_any_byte_but_zero_is_true(tmp_path):
    node = helper.make_node("Cast", ["b"], ["n"], to=TensorProto.INT32)
    model = save_model(tmp_path / "bools.onnx", [node], [("b", TensorProto.BOOL, ["N"])],
                       [("n", TensorProto.INT32, ["N"])])
    with tandemd.running(model) as server, grpc.insecure_channel(server.grpc) as channel:
        request = service_pb2.ModelInferRequest(model_name="bools", inputs=[raw_input("b", "BOOL", (4,))],
                                                raw_input_contents=[bytes([0, 1, 2, 255])])
        answer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert np.frombuffer(answer.raw_output_contents[0], np.int32).tolist() == [0, 1, 1, 1]


def test_clients_that_vanish_leave_the_server_serving(server, client):
    request = service_pb2.ModelInferRequest(model_name="use_lite_en")
    meta = client.get_model_metadata("use_lite_en")
    request.inputs.add(name=meta.inputs[0].name, datatype="INT64", shape=[8, 64])
    request.raw_input_contents.append(np.ones((8, 64), np.int64).tobytes())
    for _ in range(5):
        channel = grpc.insecure_channel(server.grpc)
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        calls = [stub.ModelInfer.future(request) for _ in range(20)]
        calls[0].result(timeout=60)
        channel.close()
    assert client.infer("tab_digits", [tensor("x", digits(1))])


def test_metrics_count_requests_by_code(server, client):
    import urllib.request

    def counts():
        text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
        found = re.findall(r'tandem_requests_total\{model="tab_breast_cancer".*code="(\w+)"\} (\d+)', text)
        return {code: int(n) for code, n in found}

    before = counts()
    meta = client.get_model_metadata("tab_breast_cancer")
    x = np.zeros((1, 30), np.float32)
    for _ in range(3):
        client.infer("tab_breast_cancer", [tensor(meta.inputs[0].name, x)])
    with pytest.raises(InferenceServerException):
        client.infer("tab_breast_cancer", [tensor("nope", x)])
    after = counts()
    assert after["OK"] - before["OK"] == 3
    assert after["INVALID_ARGUMENT"] - before.get("INVALID_ARGUMENT", 0) == 1
