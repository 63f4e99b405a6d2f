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


# They run one by one, which keeps the worker busy for about a second, or so long that answers keep their order.
MANY = np.zeros((1_000_000, 2), np.float32)
SOME = np.zeros((50_000, 2), np.float32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One worker; `single` runs one row a batch, `patient` waits for company."""
    folder = tmp_path_factory.mktemp("repository")
    for model, config in (("single", "max_batch_size: 1"), ("patient", "max_batch_size: 8\nmax_delay: 1h")):
        add_constant(folder / model / "1/model.onnx", 1.0)
        (folder / model / "config.yaml").write_text(config)
    with tandemd.running("--model-repository", folder, "--workers", "1") as running:
        yield running


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client


def ask(client, model, **options):
    return client.infer(model, [tensor("x", ROW)], **options).as_numpy("y").tolist()


class Queue:
    """Requests behind one that keeps the worker busy, and the order in which they end."""

    def __init__(self, client):
        self.client, self.ended, self.answers = client, [], {}
        before = self.runs()
        self.send("first", MANY)
        until(lambda: self.runs() > before, "the first run")

    def runs(self):
        return self.client.get_inference_statistics("single").model_stats[0].execution_count

    def send(self, name, x=ROW, **options):
        answer = self.answers[name] = concurrent.futures.Future()

        def answered(result, error):
            self.ended.append(name)
            answer.set_result(error)

        self.client.async_infer("single", [tensor("x", x)], answered, **options)

    def wait(self):
        """-> the errors by name."""
        return {name: answer.result(60) for name, answer in self.answers.items()}


@pytest.mark.parametrize("priority", (0, 1, 5, 2**64 - 1))
def test_every_priority_is_served(client, priority):
    assert ask(client, "single", priority=priority) == [[1.0, 1.0]]


def test_a_higher_priority_overtakes_what_waits(client):
    queue = Queue(client)
    for name, priority in (("unset", 0), ("low", 2), ("high", 1)):
        queue.send(name, SOME, priority=priority)
    assert set(queue.wait().values()) == {None}
    assert queue.ended == ["first", "high", "low", "unset"]


def test_a_request_that_waits_longer_than_its_timeout_is_refused(client):
    queue = Queue(client)
    queue.send("patient")
    queue.send("late", timeout=1000)
    errors = queue.wait()
    late = errors.pop("late")
    assert late.status() == "StatusCode.DEADLINE_EXCEEDED" and 'parameter "timeout"' in late.message()
    assert set(errors.values()) == {None}


@pytest.mark.parametrize("timeout", (5000, 100_000))
def test_nobody_waits_for_company_until_it_is_too_late(client, timeout):
    def served():
        try:
            return ask(client, "patient", timeout=timeout) == [[1.0, 1.0]]
        except InferenceServerException:  # a busy machine may be late, but not always
            return False

    assert any(served() for _ in range(10))


def test_a_timeout_that_is_long_enough_changes_nothing(client):
    assert ask(client, "single", timeout=60_000_000) == [[1.0, 1.0]]
    assert ask(client, "single", timeout=0) == [[1.0, 1.0]]


def test_a_bad_value_is_refused_by_name(client):
    with pytest.raises(InferenceServerException, match='parameter "timeout"') as refused:
        ask(client, "single", timeout=-1)
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"
