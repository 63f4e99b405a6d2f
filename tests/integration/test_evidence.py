"""Comparing variants on live requests: what is counted, and where the routes shadow, auto and split send requests."""
import hashlib
import json
import os
import re
import time
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.utils.shared_memory as shm
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import Classifier, tensor, until

CLASSIFIER = Classifier()

pytestmark = pytest.mark.request_path


@pytest.fixture
def repository(tmp_path):
    CLASSIFIER.save(tmp_path / "models/m/1/model.onnx")
    return tmp_path / "models"


def put_int8(repository, damage=1, proven_on=None):
    """A ready-made sibling; with `proven_on`, a report beside it that says so on such a CPU."""
    file = CLASSIFIER.save_int8(repository / "m/1/int8/model.onnx", damage)
    if proven_on:
        report = {"verdict": "proven", "reason": "so they say", "method": "integer", "cpu": {"isa": proven_on},
                  "format": 1, "artifact_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        (file.parent / "report.json").write_text(json.dumps(report))


def route(repository, **settings):
    text = ", ".join(f"{key}: {value}" for key, value in settings.items())
    (repository / "m/config.yaml").write_text(f"route: {{{text}}}\n")


def serving(repository, *arguments):
    return tandemd.running("--model-repository", repository, "--poll-interval", "200ms", *arguments)


def scrape(server):
    return urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()


def metric(server, name, labels=""):
    """-> the value of a metric of version 1 of model m; None where there is none."""
    found = re.search(rf'^tandem_{name}{{model="m",version="1"{labels}}} (\S+)$', scrape(server), re.M)
    return float(found[1]) if found else None


def infer(client, row, request_id="", **parameters):
    """-> the scores, and the variant that says it answered."""
    result = client.infer("m", [tensor("x", row.reshape(1, -1))], request_id=request_id, parameters=parameters or None)
    return result.as_numpy("y")[0], result.get_response().parameters["variant"].string_param


def joined(client):
    until(lambda: client.get_model_config("m").config.parameters["variants"].string_value == "fp32,int8", "int8")


def compared(server):
    return metric(server, "shadow_comparisons_total") + metric(server, "shadow_dropped_total")


def send_until(client, condition, what, seconds=60):
    """Sends requests, no two alike, until `condition` holds of the variant that answered -> how many were sent."""
    end, sent, seed = time.monotonic() + seconds, 0, 1
    while time.monotonic() < end:
        for row in CLASSIFIER.inputs(100, seed):
            sent += 1
            if condition(infer(client, row)[1]):
                return sent
        seed += 1
    raise AssertionError(f"{what} did not happen in {sent} requests")


def test_the_shadow_compares_and_changes_no_answer(repository):
    put_int8(repository)
    route(repository, mode="shadow", shadow_rate=1)
    rows = CLASSIFIER.inputs(100, 1)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        plain = [infer(client, row, variant="fp32")[0] for row in rows]  # asked for: not compared
        for row, expected in zip(rows, plain):
            scores, variant = infer(client, row)
            assert variant == "fp32"
            np.testing.assert_array_equal(scores, expected)
        until(lambda: compared(server) == 100, "100 comparisons")
        agreement = np.mean([np.argmax(infer(client, row, variant="int8")[0]) == np.argmax(fp32)
                             for row, fp32 in zip(rows, plain)])
        if metric(server, "shadow_dropped_total") == 0:
            assert metric(server, "agreement_ratio") == pytest.approx(agreement)
        assert 0 < metric(server, "relative_error") < 0.1
        assert metric(server, "latency_ratio") > 0
        assert metric(server, "route_weight", ',variant="fp32"') == 1
        # The clients' requests alone are counted as such.
        assert re.search(r'tandem_requests_total{.*variant="int8",code="OK"} 100$', scrape(server), re.M)
        # What is sent again is no new evidence.
        before = compared(server)
        for row in rows[:10]:
            infer(client, row)
        until(lambda: metric(server, "shadow_duplicates_total") + compared(server) == before + 10, "ten more")
        assert metric(server, "shadow_duplicates_total") > 0


def test_a_shadow_of_larger_batches_and_of_some_outputs(repository):
    put_int8(repository)
    route(repository, mode="shadow", shadow_rate=1)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        for seed, rows in enumerate((1, 3, 8, 200)):
            client.infer("m", [tensor("x", CLASSIFIER.inputs(rows, seed))], outputs=[triton.InferRequestedOutput("y")])
        until(lambda: compared(server) == 4, "four comparisons")
        assert metric(server, "agreement_ratio") > 0.95


def test_what_was_in_shared_memory_is_compared_as_it_was(repository):
    put_int8(repository)
    route(repository, mode="shadow", shadow_rate=1)
    key, size = f"/tandem-evidence-{os.getpid()}", 4 * CLASSIFIER.INPUTS
    with serving(repository, "--shared-memory") as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        handle = shm.create_shared_memory_region("test", key, size)
        try:
            client.register_system_shared_memory("pool", key, size)
            x, y = triton.InferInput("x", [1, CLASSIFIER.INPUTS], "FP32"), triton.InferRequestedOutput("y")
            x.set_shared_memory("pool", size)
            y.set_shared_memory("pool", 4 * CLASSIFIER.CLASSES)  # over the input
            for row in CLASSIFIER.inputs(60, 1):
                shm.set_shared_memory_region(handle, [row])
                client.infer("m", [x], outputs=[y])
                shm.set_shared_memory_region(handle, [np.zeros_like(row)])  # the client's own business
        finally:
            shm.destroy_shared_memory_region(handle)
        until(lambda: compared(server) == 60, "60 comparisons")
        assert metric(server, "agreement_ratio") > 0.95 and metric(server, "relative_error") < 0.1


def test_a_good_sibling_is_promoted_by_live_evidence(repository):
    put_int8(repository)
    route(repository, mode="auto", shadow_rate=1)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        assert infer(client, CLASSIFIER.prototypes[0])[1] == "fp32"
        send_until(client, lambda variant: variant == "int8", "the promotion")
        assert metric(server, "verdict", ',verdict="proven"') == 1
        assert metric(server, "route_weight", ',variant="int8"') == 1
        assert metric(server, "shadow_comparisons_total") < 1000
        until(lambda: re.search(r"int8 promoted: 0\.\d\d % of answers changed in \d+ requests", server.log.read_text()),
              "word of it")
        # It stays, and is watched.
        seen = metric(server, "shadow_comparisons_total")
        for row in CLASSIFIER.inputs(50, 12345):
            assert infer(client, row)[1] == "int8"
        until(lambda: compared(server) > seen, "a comparison after the promotion")


def test_a_damaged_sibling_is_never_promoted(repository):
    put_int8(repository, damage=4)
    route(repository, mode="auto", shadow_rate=1)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        sent, end = 0, time.monotonic() + 60
        while metric(server, "verdict", ',verdict="rejected"') is None:
            assert time.monotonic() < end, "no verdict"
            for row in CLASSIFIER.inputs(20, sent):
                assert infer(client, row)[1] == "fp32"
            sent += 20
        until(lambda: "int8 rejected" in server.log.read_text(), "word of it")
        # There is nothing more to find out: of these none is compared, only what had been sent before.
        for row in CLASSIFIER.inputs(100, sent):
            assert infer(client, row)[1] == "fp32"
        assert compared(server) <= sent


def test_a_damaged_sibling_that_was_called_proven_is_demoted(repository):
    with serving(repository) as server:
        isa = re.search(r'tandem_build_info{.*cpu="(\w+)"', scrape(server))[1]
    put_int8(repository, damage=4, proven_on=isa)
    route(repository, mode="auto", shadow_rate=1)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        assert infer(client, CLASSIFIER.prototypes[0])[1] == "int8"
        send_until(client, lambda variant: variant == "fp32", "the demotion")
        assert metric(server, "shadow_comparisons_total") <= 2000
        until(lambda: "int8 demoted" in server.log.read_text(), "word of it")
        for row in CLASSIFIER.inputs(50, 99):
            assert infer(client, row)[1] == "fp32"
        assert infer(client, CLASSIFIER.prototypes[1], variant="int8")[1] == "int8"


def test_split_has_the_weights_asked_for_and_keeps_keys_where_they_are(repository):
    put_int8(repository)
    route(repository, mode="split", int8_weight=0.3)
    row = CLASSIFIER.prototypes[0]
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        joined(client)
        share = lambda variants: np.mean([variant == "int8" for variant in variants])
        # Five standard deviations of 600 draws are 9 points.
        assert share([infer(client, row)[1] for _ in range(600)]) == pytest.approx(0.3, abs=0.1)
        by_key = {f"user-{k}": infer(client, row, routing_key=f"user-{k}")[1] for k in range(300)}
        assert share(by_key.values()) == pytest.approx(0.3, abs=0.14)
        for key, variant in by_key.items():
            assert infer(client, row, routing_key=key)[1] == variant
            # The key wins over the id, and an id of the client's is as good as a key.
            assert infer(client, row, request_id="another", routing_key=key)[1] == variant
            assert infer(client, row, request_id=key)[1] == variant
        assert metric(server, "route_weight", ',variant="int8"') == pytest.approx(0.3)
        # Who was in int8 stays there when its share grows.
        route(repository, mode="split", int8_weight=0.6)
        until(lambda: metric(server, "route_weight", ',variant="int8"') == pytest.approx(0.6), "the new weight")
        for key, variant in by_key.items():
            now = infer(client, row, routing_key=key)[1]
            assert variant == "fp32" or now == "int8"
        with pytest.raises(InferenceServerException, match="routing_key"):
            infer(client, row, routing_key="")
