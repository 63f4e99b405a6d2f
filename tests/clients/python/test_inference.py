"""Inference by the blocking client: what it sends, what it tells of the answer, and how it says that something is
wrong."""
import threading

import grpc
import numpy as np
import onnx
import pytest

import tandem_client
import tandemd
from small_models import add_constant, add_constant_int8, digits, model_file, save_model, until

ONES = np.ones((1, 2), np.float32)
TYPES = {"FP32": onnx.TensorProto.FLOAT, "FP64": onnx.TensorProto.DOUBLE, "FP16": onnx.TensorProto.FLOAT16,
         "INT8": onnx.TensorProto.INT8, "INT16": onnx.TensorProto.INT16, "INT32": onnx.TensorProto.INT32,
         "INT64": onnx.TensorProto.INT64, "UINT8": onnx.TensorProto.UINT8, "UINT16": onnx.TensorProto.UINT16,
         "UINT32": onnx.TensorProto.UINT32, "UINT64": onnx.TensorProto.UINT64, "BOOL": onnx.TensorProto.BOOL,
         "BF16": onnx.TensorProto.BFLOAT16}
DTYPES = {"FP32": np.float32, "FP64": np.float64, "FP16": np.float16, "INT8": np.int8, "INT16": np.int16,
          "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32,
          "UINT64": np.uint64, "BOOL": np.bool_}


@pytest.fixture(scope="module", name="server")
def run_server(tmp_path_factory):
    """Model m answers x + 10 in fp32 and x + 20 in int8; model KIND gives back what it got, for each datatype."""
    folder = tmp_path_factory.mktemp("repository")
    add_constant(folder / "m/1/model.onnx", 10)
    add_constant_int8(folder / "m/1/int8/model.onnx", 20)
    for kind, onnx_type in TYPES.items():
        save_model(folder / f"{kind}/1/model.onnx", [onnx.helper.make_node("Identity", ["x"], ["y"])],
                   [("x", onnx_type, ["N", 3])], [("y", onnx_type, ["N", 3])])
    with tandemd.running("--model-repository", folder) as running:
        yield running


@pytest.fixture(scope="module", name="client")
def connect(server):
    with tandem_client.Client(server.grpc) as client:
        until(lambda: client.model_parameters("m")["variants"] == "fp32,int8", "int8")
        yield client


@pytest.mark.parametrize("datatype", DTYPES)
def test_every_datatype_comes_back_as_it_went(client, datatype):
    dtype = np.dtype(DTYPES[datatype])
    if dtype.kind == "b":
        values = np.array([[True, False, True], [False, False, True]])
    else:
        limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
        values = np.array([[limits.min, 0, limits.max], [1, 2, 3]], dtype)
    result = client.infer(datatype, {"x": values})
    assert result["y"].dtype == dtype
    np.testing.assert_array_equal(result["y"], values)


def test_bfloat16_is_rounded_to_even_and_comes_back_as_float32(client):
    values = np.array([[1.00390625, 1.01171875, -3.0], [np.inf, np.nan, 65280.0]], np.float32)
    result = client.infer("BF16", {"x": tandem_client.BFloat16(values)})
    assert result["y"].dtype == np.float32
    np.testing.assert_array_equal(result["y"], np.array([[1.0, 1.015625, -3.0], [np.inf, np.nan, 65280.0]], np.float32))


FLOATS = np.arange(12, dtype=np.float32)


@pytest.mark.parametrize("array", (FLOATS.reshape(3, 4).T, FLOATS.astype(">f4").reshape(4, 3),
                                   FLOATS.reshape(2, 6)[:, ::2]),
                         ids=("transposed", "big-endian", "strided"))
def test_the_layout_of_an_array_does_not_matter(client, array):
    np.testing.assert_array_equal(client.infer("FP32", {"x": array})["y"], array)


@pytest.mark.parametrize("variant, expected", (("fp32", 11), ("int8", 21)))
def test_the_answer_tells_the_variant_and_the_version(client, variant, expected):
    result = client.infer("m", {"x": ONES}, variant=variant, request_id="order-17")
    assert (result.variant, result.version, result.model, result.request_id) == (variant, 1, "m", "order-17")
    np.testing.assert_array_equal(result["y"], np.full((1, 2), expected, np.float32))


def test_what_else_a_request_may_say(client):
    result = client.infer("m", {"x": ONES}, outputs=["y"], version=1, routing_key="customer-3", priority=1,
                          queue_timeout=5, parameters={"mine": 1.5, "yours": True, "theirs": "x"})
    assert list(result.outputs) == ["y"]


@pytest.mark.parametrize("inputs, error", (
    ({"x": [[1.0, 2.0]]}, "input 'x': expected a numpy array, got list"),
    ({"x": np.array([["a", "b"]])}, "input 'x': arrays of <U1 cannot be sent"),
))
def test_what_cannot_be_sent_is_named(client, inputs, error):
    with pytest.raises(TypeError, match=error):
        client.infer("m", inputs)


def test_the_servers_words_are_in_the_error(client, server):
    with pytest.raises(tandem_client.InvalidArgument, match="FP64") as refused:
        client.infer("m", {"x": ONES.astype(np.float64)})
    error = refused.value
    assert str(error).startswith(f"inference by 'm' at {server.grpc}: INVALID_ARGUMENT: ")
    assert (error.code, error.attempts) == (grpc.StatusCode.INVALID_ARGUMENT, 1)
    with pytest.raises(tandem_client.NotFound, match="nobody"):
        client.infer("nobody", {"x": ONES})
    with pytest.raises(tandem_client.FailedPrecondition, match="fp8"):
        client.infer("m", {"x": ONES}, variant="fp8")


def test_a_message_beyond_the_servers_limit_is_sent_once(tmp_path):
    with tandemd.running(add_constant(tmp_path / "m.onnx", 10), "--max-message-size", "1MB") as server:
        with tandem_client.Client(server.grpc) as client:
            with pytest.raises(tandem_client.ResourceExhausted, match="larger than max") as refused:
                client.infer("m", {"x": np.zeros((200_000, 2), np.float32)})
            assert refused.value.attempts == 1


def test_what_the_server_tells_of_itself(client):
    assert client.live() and client.ready() and client.model_ready("m") and client.model_ready("m", 1)
    metadata = client.metadata("m")
    assert metadata.inputs == (tandem_client.TensorMetadata("x", "FP32", (-1, 2)),)
    assert metadata.versions == (1,)
    assert client.server_metadata().name == "tandem"
    assert ("m", 1, "READY") in {(entry.model, entry.version, entry.state) for entry in client.models()}


def test_one_client_serves_many_threads(client):
    wrong = []

    def ask(value):
        for _ in range(20):
            answer = client.infer("m", {"x": ONES * value}, variant="fp32")["y"]
            wrong.extend([value] * bool((answer != value + 10).any()))

    threads = [threading.Thread(target=ask, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not model_file("tab_digits").exists(), reason="../shared with the models is not here")
def test_a_real_model_answers_as_another_client_is_answered():
    import tritonclient.grpc as triton  # in one process with ours: both define the protocol's names

    from small_models import tensor
    with tandemd.running(model_file("tab_digits")) as server, tandem_client.Client(server.grpc) as client:
        (given,) = client.metadata("tab_digits").inputs
        x = digits(5)
        ours = client.infer("tab_digits", {given.name: x})
        with triton.InferenceServerClient(server.grpc) as other:
            theirs = other.infer("tab_digits", [tensor(given.name, x)])
        for name, array in ours.outputs.items():
            np.testing.assert_array_equal(array, theirs.as_numpy(name))
