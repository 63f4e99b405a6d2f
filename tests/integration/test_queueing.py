"""The parameters priority and timeout: who goes first, and who would rather be refused than wait."""
import concurrent.futures

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, tensor, until

pytestmark = pytest.mark.request_path

ROW = np.zeros((1, 2), np.float32)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A server whose model waits for company, so that a request surely waits."""
    folder = tmp_path_factory.mktemp("patient") / "m"
    add_constant(folder / "1/model.onnx", 1.0)
    (folder / "config.yaml").write_text("max_batch_size: 8\nmax_delay: 1s\n")
    with tandemd.running("--model-repository", folder.parent, "--workers", "1") as server:
        yield server


@pytest.fixture
def client(patient):
    with triton.InferenceServerClient(patient.grpc) as client:
        yield client


def ask(client, **options):
    return client.infer("m", [tensor("x", ROW)], **options).as_numpy("y").tolist()


@pytest.mark.parametrize("priority", (0, 1, 5, 2**64 - 1))
def test_every_priority_is_served(client, priority):
    assert ask(client, priority=priority) == [[1.0, 1.0]]


def test_a_request_that_waits_longer_than_its_timeout_is_refused(client):
    with pytest.raises(InferenceServerException, match='parameter "timeout"') as refused:
        ask(client, timeout=1000)
    assert refused.value.status() == "StatusCode.DEADLINE_EXCEEDED"


def test_a_timeout_that_is_long_enough_changes_nothing(client):
    assert ask(client, timeout=60_000_000) == [[1.0, 1.0]]
    assert ask(client, timeout=0) == [[1.0, 1.0]]


def test_a_bad_value_is_refused_by_name(client):
    with pytest.raises(InferenceServerException, match='parameter "timeout"') as refused:
        ask(client, timeout=-1)
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_a_higher_priority_overtakes_what_waits(tmp_path):
    # One request a batch, each of many rows: a queue builds up behind the first.
    model = add_constant(tmp_path / "m/1/model.onnx", 1.0)
    (tmp_path / "m/config.yaml").write_text("max_batch_size: 1\n")
    rows = np.zeros((20_000, 2), np.float32)
    order = []
    with tandemd.running("--model-repository", model.parents[2], "--workers", "1") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            def submit(name, **options):
                done = concurrent.futures.Future()

                def answered(result, error):
                    order.append(name)
                    done.set_result(error)

                client.async_infer("m", [tensor("x", rows)], answered, **options)
                return done

            def in_flight():
                return client.get_inference_statistics("m").model_stats[0].inference_count

            first = [submit(f"low {i}") for i in range(12)]
            until(lambda: in_flight() > 0, "the first request")
            last = submit("high", priority=1)
            assert all(answer.result(60) is None for answer in [*first, last])
    assert order.index("high") < len(order) - 1
