"""A model at four times its capacity: what can be answered in time is, the rest is refused at once, and calm returns.

A few seconds by default; TANDEM_SOAK_SECONDS for longer. The bars are held when it is at least 10.
"""
import os

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from open_loop import Sender, capacity, write_request

SECONDS = float(os.environ.get("TANDEM_SOAK_SECONDS", "3"))
MODEL = "ppocr_v4_rec"
FILE = tandemd.SHARED / f"models/{MODEL}.onnx"
RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, OK = 8, 4, 0

pytestmark = [pytest.mark.skipif(not FILE.exists(), reason="../shared with the models is not here"),
              pytest.mark.timeout(600)]


def test_what_can_be_answered_in_time_is(tmp_path):
    line = np.random.default_rng(1).normal(size=(1, 3, 48, 320)).astype(np.float32)
    with tandemd.running(FILE) as server:
        def caller():
            client = triton.InferenceServerClient(server.grpc)
            tensor = triton.InferInput("x", line.shape, "FP32")
            tensor.set_data_from_numpy(line)
            return lambda: client.infer(MODEL, [tensor])

        caller()()
        most = capacity(caller)
        request = write_request(tmp_path / "request", MODEL, "x", line)
        calm = Sender(server.grpc, request, most / 2, SECONDS).wait()
        assert calm.failures() == {}
        deadline = max(1, round(1000 * 10 * 2 / most))  # ten times what one takes on one of two cores
        sent = Sender(server.grpc, request, 4 * most, SECONDS, deadline_ms=deadline).wait()
        Sender(server.grpc, request, most / 2, 2, seed=4).wait()
        after = Sender(server.grpc, request, most / 2, SECONDS, seed=3).wait()
    in_time = np.sum(sent.code == OK) / sent.at.max()
    refused = sent.seconds[sent.code == RESOURCE_EXHAUSTED]
    print(f"figures: capacity {most:.0f}/s, deadline {deadline} ms | answered in time {in_time / most:.2f} of capacity, "
          f"refused {len(refused)} at {1e3 * np.median(refused):.2f} ms in the median, late "
          f"{np.sum(sent.code == DEADLINE_EXCEEDED)} | p99 before {1e3 * calm.p99():.1f} ms, two seconds after "
          f"{1e3 * after.p99():.1f} ms")
    assert set(np.unique(sent.code)) <= {OK, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED}
    assert len(refused) > 0
    assert after.failures() == {}
    if SECONDS >= 10:
        assert in_time >= 0.8 * most
        assert np.median(refused) < 0.005
        assert after.p99() <= 2 * calm.p99()
