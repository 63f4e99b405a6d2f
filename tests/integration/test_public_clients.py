"""Clients that others wrote work unmodified, many at a time, and get what ONNX Runtime computes."""
import concurrent.futures
import subprocess
import time

import numpy as np
import pytest
import tritonclient.grpc as grpcclient
from tritonclient.utils import InferenceServerException

import tandemd
from fashion_mnist import dataset

MODEL = tandemd.ROOT / "demo/fashion_mnist/model.onnx"
TOOLS = tandemd.ROOT / ".deps/go/bin"

pytestmark = pytest.mark.request_path


@pytest.fixture(scope="module")
def server():
    with tandemd.running(MODEL) as running:
        yield running


@pytest.fixture(scope="module")
def images():
    if not dataset.FOLDER.exists():
        pytest.skip(f"the data set is not in {dataset.FOLDER}; scripts/setup demo installs it")
    return dataset.load("t10k")[0][:64].astype(np.float32)[:, None]


@pytest.fixture(scope="module")
def expected(images):
    onnxruntime = pytest.importorskip("onnxruntime")
    return onnxruntime.InferenceSession(str(MODEL)).run(None, {"pixels": images})[0]


def ask(client, pixels, **options):
    tensor = grpcclient.InferInput("pixels", list(pixels.shape), "FP32")
    tensor.set_data_from_numpy(pixels)
    return client.infer("model", [tensor], **options)


def tool(name, *arguments):
    program = TOOLS / name
    if not program.exists():
        pytest.skip(f"{name} is not in .deps/go/bin; scripts/setup compiles it where Go is at hand")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_one_image_and_many_get_the_reference_answer(server, images, expected):
    client = grpcclient.InferenceServerClient(server.grpc)
    alone = ask(client, images[:1]).as_numpy("probabilities")
    together = ask(client, images).as_numpy("probabilities")
    # Single precision, sums in another order.
    np.testing.assert_allclose(alone, expected[:1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(together, expected, rtol=1e-4, atol=1e-6)


def test_many_clients_at_a_time_each_get_their_own_answer(server, images, expected):
    def run(start):
        client = grpcclient.InferenceServerClient(server.grpc)
        return [(i, ask(client, images[i:i + 1]).as_numpy("probabilities")) for i in range(start, len(images), 8)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for answers in pool.map(run, range(8)):
            for i, answer in answers:
                np.testing.assert_allclose(answer, expected[i:i + 1], rtol=1e-4, atol=1e-6)


def test_a_request_that_does_not_fit_is_refused_by_name(server):
    client = grpcclient.InferenceServerClient(server.grpc)
    with pytest.raises(InferenceServerException, match="pixels") as refused:
        ask(client, np.zeros((1, 1, 28, 27), np.float32))
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_an_unknown_model_is_not_found(server):
    client = grpcclient.InferenceServerClient(server.grpc)
    with pytest.raises(InferenceServerException) as refused:
        client.get_model_metadata("nobody")
    assert refused.value.status() == "StatusCode.NOT_FOUND"


def test_an_asynchronous_client_is_answered(server, images):
    client = grpcclient.InferenceServerClient(server.grpc)
    tensor = grpcclient.InferInput("pixels", [1, 1, 28, 28], "FP32")
    tensor.set_data_from_numpy(images[:1])
    done = concurrent.futures.Future()
    client.async_infer("model", [tensor], lambda result, error: done.set_result((result, error)))
    result, error = done.result(60)
    assert error is None
    assert result.as_numpy("probabilities").shape == (1, 10)


def test_health_probe_finds_it_serving(server):
    assert tool("grpc_health_probe", "-addr", server.grpc).returncode == 0


def test_grpcurl_lists_the_services_by_reflection(server):
    listed = tool("grpcurl", "-plaintext", server.grpc, "list")
    assert "inference.GRPCInferenceService" in listed.stdout
    assert "grpc.health.v1.Health" in listed.stdout


def test_sigterm_lets_requests_in_flight_finish(images):
    with tandemd.running(MODEL) as own:
        client = grpcclient.InferenceServerClient(own.grpc)
        ask(client, images[:1])
        tensor = grpcclient.InferInput("pixels", list(images.shape), "FP32")
        tensor.set_data_from_numpy(images)
        answers = [concurrent.futures.Future() for _ in range(4)]
        for answer in answers:
            client.async_infer("model", [tensor], lambda result, error, f=answer: f.set_result(error))
        deadline = time.monotonic() + 60
        while client.get_inference_statistics("model").model_stats[0].inference_count < 2:
            assert time.monotonic() < deadline
        assert own.stop() == 0
        # Those that had arrived are answered; the others were refused, not lost.
        assert all(a.result(60) is None or a.result().status() == "StatusCode.UNAVAILABLE" for a in answers)
