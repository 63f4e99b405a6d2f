"""Lines about single requests: the slow ones, and with --access-log all."""
import json

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
DEMO = tandemd.ROOT / "demo/fashion_mnist/model.onnx"


@pytest.fixture(name="ask")
def make_ask():
    def ask(server, model="model", **options):
        with triton.InferenceServerClient(server.grpc) as client:
            spec = client.get_model_metadata("model").inputs[0]
            tensor = triton.InferInput(spec.name, [1, *spec.shape[1:]], spec.datatype)
            tensor.set_data_from_numpy(np.zeros(tensor.shape(), np.float32))
            return client.infer(model, [tensor], **options)
    return ask


def lines(server, message):
    found = []
    for line in server.log.read_text().splitlines():
        fields = json.loads(line)
        if fields["message"] == message:
            found.append(fields)
    return found


def test_a_slow_request_is_logged_with_where_its_time_went(ask):
    with tandemd.running(DEMO, "--log-format", "json", "--slow-request", "1us") as server:
        ask(server, request_id="mine", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
        until(lambda: lines(server, "slow request"), "the line")
        line, = lines(server, "slow request")
        assert (line["level"], line["model"], line["version"], line["variant"]) == ("warning", "model", "1", "fp32")
        assert (line["id"], line["trace_id"], line["code"], line["rows"]) == ("mine", TRACE, "OK", 1)
        parts = [line[f"{part}_ms"] for part in ("receive", "queue", "gather", "compute", "reply")]
        assert min(parts) >= 0 and line["compute_ms"] > 0
        assert sum(parts) == pytest.approx(line["total_ms"], abs=.01)


def test_other_requests_are_logged_only_when_asked_for(ask):
    with tandemd.running(DEMO, "--log-format", "json") as quiet, \
            tandemd.running(DEMO, "--log-format", "json", "--access-log") as server:
        for each in (quiet, server):
            ask(each)
            with pytest.raises(triton.InferenceServerException):
                ask(each, model="nobody")
        until(lambda: len(lines(server, "request")) == 2, "both lines")
        good, bad = lines(server, "request")
        assert (good["level"], good["code"]) == ("info", "OK") and "error" not in good
        assert (bad["model"], bad["code"]) == ("nobody", "NOT_FOUND") and "nobody" in bad["error"]
        assert lines(quiet, "request") == []
