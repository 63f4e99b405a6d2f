"""Tensors in system shared memory: registered by clients, bounded, and never a danger to the server."""
import contextlib
import itertools
import os
import pathlib
import queue
import threading

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.utils.shared_memory as shm
from onnx import TensorProto, helper
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import digits, model_file, save_model, tensor

pytestmark = pytest.mark.request_path

KEYS = (f"/tandem-test-{os.getpid()}-{n}" for n in itertools.count())
MODEL = "tab_digits"
INPUT_BYTES = 64 * 4
OUTPUT_BYTES = 10 * 4


@pytest.fixture(scope="module")
def server():
    with tandemd.running(model_file(MODEL), "--shared-memory", "--max-message-size", "1MB") as running:
        yield running


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client
        client.unregister_system_shared_memory()


@contextlib.contextmanager
def memory(byte_size):
    """Shared memory of ours -> its key and a handle of tritonclient's."""
    key = next(KEYS)
    handle = shm.create_shared_memory_region("test", key, byte_size)
    try:
        yield key, handle
    finally:
        shm.destroy_shared_memory_region(handle)


def shared_input(shape, region, byte_size, offset=0):
    x = triton.InferInput("x", list(shape), "FP32")
    x.set_shared_memory(region, byte_size, offset)
    return x


def shared_output(region, byte_size, offset=0):
    p = triton.InferRequestedOutput("p")
    p.set_shared_memory(region, byte_size, offset)
    return p


def refused(client, inputs, outputs=None, code="INVALID_ARGUMENT", words=None):
    with pytest.raises(InferenceServerException, match=words) as error:
        client.infer(MODEL, inputs, outputs=outputs)
    assert error.value.status() == f"StatusCode.{code}", error.value.message()


@pytest.mark.parametrize("rows", (1, 5))
def test_inputs_and_outputs_in_shared_memory_equal_those_in_messages(client, rows):
    x = digits(rows)
    expected = client.infer(MODEL, [tensor("x", x)]).as_numpy("p")
    size = rows * (INPUT_BYTES + OUTPUT_BYTES)
    with memory(size) as (key, handle):
        shm.set_shared_memory_region(handle, [x])
        client.register_system_shared_memory("pool", key, size)
        inputs = [shared_input(x.shape, "pool", rows * INPUT_BYTES)]
        outputs = [shared_output("pool", rows * OUTPUT_BYTES, rows * INPUT_BYTES)]
        answer = client.infer(MODEL, inputs, outputs=outputs).get_response()
        shared = shm.get_contents_as_numpy(handle, np.float32, [rows, 10], rows * INPUT_BYTES)
        np.testing.assert_allclose(shared, expected, atol=1e-5)
        assert answer.raw_output_contents == [b""] and list(answer.outputs[0].shape) == [rows, 10]
        # Only the input, and only the output.
        sent = client.infer(MODEL, inputs).as_numpy("p")
        np.testing.assert_allclose(sent, expected, atol=1e-5)
        shm.set_shared_memory_region(handle, [np.zeros((rows, 10), np.float32)], rows * INPUT_BYTES)
        client.infer(MODEL, [tensor("x", x)], outputs=outputs)
        shared = shm.get_contents_as_numpy(handle, np.float32, [rows, 10], rows * INPUT_BYTES)
        np.testing.assert_allclose(shared, expected, atol=1e-5)


def test_each_input_may_be_in_another_place(tmp_path):
    nodes = [helper.make_node("Sub", ["a", "b"], ["d"]), helper.make_node("Add", ["d", "c"], ["y"])]
    floats = [(name, TensorProto.FLOAT, ["N"]) for name in "abcy"]
    model = save_model(tmp_path / "sum.onnx", nodes, floats[:3], floats[3:])
    values = {"a": np.float32([10, 20]), "b": np.float32([1, 2]), "c": np.float32([100, 200])}
    with memory(8) as (key, handle), tandemd.running(model, "--shared-memory") as own, \
            triton.InferenceServerClient(own.grpc) as client:
        client.register_system_shared_memory("pool", key, 8)
        for name, value in values.items():
            shm.set_shared_memory_region(handle, [value])
            inputs = [tensor(each, values[each]) for each in values if each != name]
            shared = triton.InferInput(name, [2], "FP32")
            shared.set_shared_memory("pool", 8)
            for order in ([shared, *inputs], [*inputs, shared]):
                assert client.infer("sum", order).as_numpy("y").tolist() == [109, 218]
        refusing = [shared, inputs[0]]
        with pytest.raises(InferenceServerException, match='input "b" is missing'):
            client.infer("sum", refusing)


def test_values_are_in_one_place(server):
    with grpc.insecure_channel(server.grpc) as channel, memory(INPUT_BYTES) as (key, _), \
            triton.InferenceServerClient(server.grpc) as client:
        client.register_system_shared_memory("twice", key, INPUT_BYTES)
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for where, words in (("contents", "both in contents and in shared memory"),
                             ("raw", "expected 0 raw_input_contents")):
            request = service_pb2.ModelInferRequest(model_name=MODEL)
            request.inputs.append(shared_input((1, 64), "twice", INPUT_BYTES)._get_tensor())
            if where == "raw":
                request.raw_input_contents.append(bytes(INPUT_BYTES))
            else:
                request.inputs[0].contents.fp32_contents.extend([0.0] * 64)
            with pytest.raises(grpc.RpcError) as error:
                stub.ModelInfer(request, timeout=30)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT and words in error.value.details()
        client.unregister_system_shared_memory("twice")


def test_streams_take_shared_memory_too(client):
    answers = []
    done = threading.Event()

    def answered(result, error):
        answers.append((result, error))
        done.set()

    with memory(INPUT_BYTES) as (key, handle):
        shm.set_shared_memory_region(handle, [digits(1)])
        client.register_system_shared_memory("pool", key, INPUT_BYTES)
        client.start_stream(answered)
        client.async_stream_infer(MODEL, [shared_input((1, 64), "pool", INPUT_BYTES)])
        assert done.wait(60)
        client.stop_stream()
    result, error = answers[0]
    assert error is None and result.as_numpy("p").shape == (1, 10)


def test_regions_are_registered_listed_and_taken_out(client):
    with memory(64) as (key, _):
        client.register_system_shared_memory("a", key, 64)
        client.register_system_shared_memory("b", key, 16, offset=48)
        listed = client.get_system_shared_memory_status().regions
        assert {name: (r.key, r.offset, r.byte_size) for name, r in listed.items()} == {
            "a": (key, 0, 64), "b": (key, 48, 16)}
        assert list(client.get_system_shared_memory_status("b").regions) == ["b"]
        with pytest.raises(InferenceServerException, match='"a" is registered already') as error:
            client.register_system_shared_memory("a", key, 64)
        assert "ALREADY_EXISTS" in error.value.status()
        client.unregister_system_shared_memory("a")
        with pytest.raises(InferenceServerException, match='"a" is not registered') as error:
            client.get_system_shared_memory_status("a")
        assert "NOT_FOUND" in error.value.status()
        client.unregister_system_shared_memory("a")  # nothing to do
        client.unregister_system_shared_memory()
        assert not client.get_system_shared_memory_status().regions


@pytest.mark.parametrize("key, offset, byte_size, code", (
    ("/../etc/passwd", 0, 1, "INVALID_ARGUMENT"),
    ("", 0, 1, "INVALID_ARGUMENT"),
    ("/a/b", 0, 1, "INVALID_ARGUMENT"),
    ("/tandem-test-nobody-made-this", 0, 1, "NOT_FOUND"),
    (None, 0, 65, "INVALID_ARGUMENT"),
    (None, 64, 1, "INVALID_ARGUMENT"),
    (None, 1, 2**64 - 1, "INVALID_ARGUMENT"),
    (None, 2**64 - 1, 1, "INVALID_ARGUMENT"),
    (None, 0, 0, "INVALID_ARGUMENT"),
))
def test_what_is_not_there_cannot_be_registered(client, key, offset, byte_size, code):
    with memory(64) as (own, _):
        with pytest.raises(InferenceServerException, match='region "r"') as error:
            client.register_system_shared_memory("r", own if key is None else key, byte_size, offset=offset)
    assert error.value.status() == f"StatusCode.{code}"


def test_tensors_stay_within_their_region(client):
    with memory(2 * INPUT_BYTES) as (key, handle):
        shm.set_shared_memory_region(handle, [digits(2)])
        client.register_system_shared_memory("pool", key, INPUT_BYTES)
        one = (1, 64)
        refused(client, [shared_input(one, "nobody", INPUT_BYTES)], words='input "x".*"nobody" is not registered')
        refused(client, [shared_input(one, "pool", INPUT_BYTES, 4)], words="has 256 bytes, not 256 from 4")
        refused(client, [shared_input((2, 64), "pool", 2 * INPUT_BYTES)], words="has 256 bytes, not 512 from 0")
        refused(client, [shared_input(one, "pool", INPUT_BYTES, 2**63 - 1)], words="has 256 bytes")
        refused(client, [shared_input(one, "pool", INPUT_BYTES, -1)], words="shared_memory_offset")
        refused(client, [shared_input(one, "pool", INPUT_BYTES - 4)], words="expected 256 bytes .*got 252")
        sent = [tensor("x", digits(1))]
        refused(client, sent, [shared_output("nobody", OUTPUT_BYTES)], words='output "p".*is not registered')
        refused(client, sent, [shared_output("pool", OUTPUT_BYTES, 250)], words="has 256 bytes, not 40 from 250")
        refused(client, sent, [shared_output("pool", OUTPUT_BYTES - 4)],
                words='output "p": the results are 40 bytes, the shared memory given is 36')


def test_an_input_is_no_larger_than_a_message_may_be(client):
    rows = 8192  # 2 MB
    with memory(rows * INPUT_BYTES) as (key, _):
        client.register_system_shared_memory("pool", key, rows * INPUT_BYTES)
        refused(client, [shared_input((rows, 64), "pool", rows * INPUT_BYTES)], words="max_message_size")


def test_a_client_that_truncates_its_memory_harms_nobody_else(client):
    with memory(INPUT_BYTES + OUTPUT_BYTES) as (key, handle):
        shm.set_shared_memory_region(handle, [digits(1)])
        client.register_system_shared_memory("pool", key, INPUT_BYTES + OUTPUT_BYTES)
        shared = [shared_input((1, 64), "pool", INPUT_BYTES)]
        outputs = [shared_output("pool", OUTPUT_BYTES, INPUT_BYTES)]
        client.infer(MODEL, shared, outputs=outputs)
        os.truncate(pathlib.Path("/dev/shm") / key.lstrip("/"), 0)
        refused(client, shared, code="FAILED_PRECONDITION", words="smaller now")
        refused(client, [tensor("x", digits(1))], outputs, "FAILED_PRECONDITION", 'output "p".*smaller now')
    assert client.infer(MODEL, [tensor("x", digits(1))]).as_numpy("p").shape == (1, 10)


def test_truncating_and_unregistering_under_load(server, client):
    """Clients that pull their memory away while requests use it get errors; the server and the others live."""
    stop = threading.Event()
    failures = []

    def honest():
        with triton.InferenceServerClient(server.grpc) as own:
            x = digits(4, seed=1)
            expected = own.infer(MODEL, [tensor("x", x)]).as_numpy("p")
            while not stop.is_set():
                got = own.infer(MODEL, [tensor("x", x)]).as_numpy("p")
                if not np.allclose(got, expected, atol=1e-4):
                    failures.append(got)

    threads = [threading.Thread(target=honest) for _ in range(2)]
    for thread in threads:
        thread.start()
    codes = set()

    def ask(done, request):
        client.async_infer(MODEL, [request], lambda result, error: done.put(error and error.status()))

    try:
        for i in range(100):
            done = queue.Queue()
            with memory(16 * INPUT_BYTES) as (key, _):
                client.register_system_shared_memory(f"r{i}", key, 16 * INPUT_BYTES)
                for _ in range(4):
                    ask(done, shared_input((16, 64), f"r{i}", 16 * INPUT_BYTES))
                os.truncate(pathlib.Path("/dev/shm") / key.lstrip("/"), 4 * (i % 3))
                client.unregister_system_shared_memory(f"r{i}")
                codes |= {done.get(timeout=60) for _ in range(4)}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert codes <= {None, "StatusCode.FAILED_PRECONDITION", "StatusCode.INVALID_ARGUMENT"}


def test_there_is_no_memory_of_gpus(client):
    assert not client.get_cuda_shared_memory_status().regions
    client.unregister_cuda_shared_memory()
    client.unregister_cuda_shared_memory("r")
    with pytest.raises(InferenceServerException, match="serves from CPUs") as error:
        client.register_cuda_shared_memory("r", b"aGFuZGxl", 0, 64)
    assert "UNIMPLEMENTED" in error.value.status()


def test_without_the_flag_it_is_off():
    with tandemd.running(model_file(MODEL)) as own, triton.InferenceServerClient(own.grpc) as client:
        for call in (client.get_system_shared_memory_status, client.unregister_system_shared_memory,
                     lambda: client.register_system_shared_memory("r", "/r", 1)):
            with pytest.raises(InferenceServerException, match="--shared-memory") as error:
                call()
            assert "PERMISSION_DENIED" in error.value.status()
        refused(client, [shared_input((1, 64), "r", INPUT_BYTES)], code="PERMISSION_DENIED", words="--shared-memory")
        refused(client, [tensor("x", digits(1))], [shared_output("r", OUTPUT_BYTES)], "PERMISSION_DENIED")
        assert "system_shared_memory" not in client.get_server_metadata().extensions
