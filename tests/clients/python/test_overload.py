"""A real server with a full queue: refused at once without retries, answered in the end with them."""
import concurrent.futures

import numpy as np
import pytest

import tandem_client
import tandemd
from small_models import add_constant

ROWS = np.zeros((200_000, 2), np.float32)  # run one by one, which keeps the only worker busy for a while
PATIENT = tandem_client.RetryPolicy(attempts=1000, first_wait=.01, longest_wait=.1)


@pytest.fixture(scope="module", name="client")
def run_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    add_constant(folder / "m/1/model.onnx", 10)
    (folder / "m/config.yaml").write_text("max_batch_size: 1\nmax_queue_size: 1\n")
    with tandemd.running("--model-repository", folder, "--workers", "1") as running:
        with tandem_client.Client(running.grpc, timeout=60) as client:
            yield client


def ask_at_once(client, retry):
    """-> what became of 16 requests: None, or the error."""
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        return [answer.exception() for answer in
                [threads.submit(client.infer, "m", {"x": ROWS}, retry=retry) for _ in range(16)]]


def test_a_full_queue_refuses_and_retries_get_through(client):
    refused = [error for error in ask_at_once(client, tandem_client.NO_RETRIES) if error is not None]
    assert refused and all(isinstance(error, tandem_client.ResourceExhausted) for error in refused)
    assert ask_at_once(client, PATIENT) == [None] * 16
