"""Lone requests to costly models run on all cores at once; under load every batch gets one."""
import concurrent.futures
import os
import re
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import digits, model_file, tensor

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")

COSTLY, CHEAP = "mobilenet_v2_224", "tab_digits"
IMAGE = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)


@pytest.fixture(scope="module")
def server():
    with tandemd.running(model_file(COSTLY), model_file(CHEAP)) as running:
        if "which does not pay" in running.log.read_text():
            pytest.skip("others use the cores: when it was tried, all were no faster than one")
        yield running


def wide_batches(server, model=COSTLY):
    text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
    return float(re.search(rf'^tandem_wide_batches_total{{model="{model}".*}} (\S+)', text, re.M).group(1))


def connect(server):
    return triton.InferenceServerClient(server.grpc)


def ask(client, model=COSTLY, rows=IMAGE):
    metadata = client.get_model_metadata(model)
    answer = client.infer(model, [tensor(metadata.inputs[0].name, rows)])
    return answer.as_numpy(metadata.outputs[0].name)


def test_a_lone_request_runs_on_all_cores_and_is_answered_as_on_one(server):
    with connect(server) as client:
        before = wide_batches(server)
        on_all = ask(client)
        assert wide_batches(server) == before + 1
    with tandemd.running(model_file(COSTLY), environment={"OMP_NUM_THREADS": "1"}) as narrow, connect(narrow) as client:
        on_one = ask(client)
        assert wide_batches(narrow) == 0
    assert np.abs(on_all - on_one).max() <= 1e-4 * np.abs(on_one).max()


def test_requests_that_come_together_get_a_core_each(server):
    def burst(client):
        metadata = client.get_model_metadata(COSTLY)
        answers = [concurrent.futures.Future() for _ in range(32)]
        for answer in answers:
            client.async_infer(COSTLY, [tensor(metadata.inputs[0].name, IMAGE)],
                               callback=lambda result, error, answer=answer: answer.set_result(error))
        return [answer.result(60) for answer in answers]

    with connect(server) as client:
        before = wide_batches(server)
        assert burst(client) == [None] * 32
        assert wide_batches(server) <= before + 1  # the first of them came alone


def test_a_cheap_model_never_takes_all_cores(server):
    with connect(server) as client:
        for _ in range(5):
            ask(client, CHEAP, digits(1))
        assert wide_batches(server, CHEAP) == 0
