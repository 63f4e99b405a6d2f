"""Both precisions of a model: who answers, what is told of them, and how int8 joins and leaves under load."""
import concurrent.futures
import json
import os
import re
import shutil
import threading
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, add_constant_int8, tensor, until

ONES = np.ones((1, 2), np.float32)

pytestmark = pytest.mark.request_path


def publish(repository, version, value):
    """Versions of model m: y = x + value."""
    add_constant(repository / f".m{version}/model.onnx", value)
    (repository / "m").mkdir(parents=True, exist_ok=True)
    os.rename(repository / f".m{version}", repository / f"m/{version}")


def put_int8(repository, version, value, report=None, make=add_constant_int8):
    """A ready-made sibling that adds `value`, put in place by a rename."""
    temporary = repository / f".int8-{version}"
    make(temporary / "model.onnx", value)
    if report is not None:
        (temporary / "report.json").write_text(json.dumps(report))
    target = repository / f"m/{version}/int8"
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)


def answer(client, variant=None, version=""):
    """-> what was added, and the variant that says it did."""
    parameters = {"variant": variant} if variant else None
    result = client.infer("m", [tensor("x", ONES)], model_version=version, parameters=parameters)
    return float(result.as_numpy("y")[0, 0]) - 1, result.get_response().parameters["variant"].string_param


def config(client, version=""):
    parameters = client.get_model_config("m", version).config.parameters
    return {key: parameters[key].string_value for key in parameters}


def state(client):
    return config(client)["variant.int8.state"]


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


def serving(repository):
    return tandemd.running("--model-repository", repository, "--poll-interval", "20ms")


def refused(client, variant, message):
    with pytest.raises(InferenceServerException, match=message) as error:
        answer(client, variant)
    assert "FAILED_PRECONDITION" in error.value.status()


def test_a_ready_made_sibling_answers_those_who_ask_for_it(repository):
    publish(repository, 1, 10)
    put_int8(repository, 1, 20)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        until(lambda: state(client) == "inconclusive", "the sibling")
        assert answer(client) == (10, "fp32")
        assert answer(client, "fp32") == (10, "fp32")
        assert answer(client, "int8") == (20, "int8")
        refused(client, "bf16", 'no variant "bf16"; there is "fp32" and "int8"')
        told = config(client)
        assert told["variants"] == "fp32,int8" and told["route.mode"] == "auto"
        assert (told["variant.fp32.precision"], told["variant.int8.precision"]) == ("fp32", "int8")
        assert "no report.json" in told["variant.int8.reason"]
        index = client.get_model_repository_index().models
        assert [(m.state, m.reason.split(":")[0]) for m in index] == [("READY", "int8 is inconclusive")]


def test_each_variant_is_counted_apart_and_the_statistics_add_them(repository):
    publish(repository, 1, 10)
    put_int8(repository, 1, 20)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        until(lambda: state(client) == "inconclusive", "the sibling")
        for variant in ("fp32", "int8", "int8"):
            answer(client, variant)
        text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
        counts = dict(re.findall(r'tandem_requests_total\{model="m",version="1",variant="(\w+)",code="OK"\} (\d+)', text))
        assert counts == {"fp32": "1", "int8": "2"}
        assert 'tandem_variant_state{model="m",version="1",variant="int8",state="inconclusive"} 1' in text
        stats = client.get_inference_statistics("m").model_stats
        assert len(stats) == 1 and stats[0].inference_count == 3 and stats[0].inference_stats.success.count == 3


def test_without_a_sibling_the_reason_is_told(repository):
    publish(repository, 1, 10)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        until(lambda: "variant.int8.reason" in config(client), "the reason")
        refused(client, "int8", "there is no int8: there are no samples to build it from")
        assert config(client)["variants"] == "fp32"
        assert answer(client) == (10, "fp32")


def not_quantized(path, value):
    add_constant(path, value)


def garbage(path, _):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no model")


def other_signature(path, value):
    add_constant_int8(path, value, output="z")


@pytest.mark.parametrize("make, reason", ((garbage, "model.onnx"), (not_quantized, "nothing in it is quantized"),
                                          (other_signature, 'output 0 is "z"')))
def test_a_broken_sibling_leaves_fp32_serving_and_says_why(repository, make, reason):
    publish(repository, 1, 10)
    put_int8(repository, 1, 20, make=make)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        until(lambda: state(client) == "failed", "the failure")
        assert reason in config(client)["variant.int8.reason"]
        assert answer(client) == (10, "fp32")
        refused(client, "int8", "int8 failed")
        # A good one in its place is loaded.
        put_int8(repository, 1, 30)
        until(lambda: state(client) == "inconclusive", "the sibling")
        assert answer(client, "int8") == (30, "int8")


def test_routes_are_honoured_and_follow_their_file(repository):
    publish(repository, 1, 10)
    (repository / "m/config.yaml").write_text("route: {mode: int8}\n")
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        assert answer(client) == (10, "fp32")  # there is no other
        put_int8(repository, 1, 20)
        until(lambda: answer(client) == (20, "int8"), "int8")
        (repository / "m/config.yaml").write_text("route: {mode: fp32}\n")
        until(lambda: answer(client) == (10, "fp32"), "the new route")
        assert answer(client, "int8") == (20, "int8")
        (repository / "m/config.yaml").write_text("route: {mode: nonsense}\n")
        (repository / "m/config.yaml").write_text("route: {mode: auto}\n")
        until(lambda: config(client)["route.mode"] == "auto", "the route auto")
        assert answer(client) == (10, "fp32")  # not proven


def test_no_request_fails_while_int8_joins_and_leaves(repository):
    publish(repository, 1, 1)
    (repository / "m/config.yaml").write_text("route: {mode: int8}\n")
    with serving(repository) as server:
        stop = threading.Event()

        def load():
            seen = set()
            with triton.InferenceServerClient(server.grpc) as client:
                while not stop.is_set():
                    seen.add(answer(client))
            return seen

        with concurrent.futures.ThreadPoolExecutor(4) as pool, triton.InferenceServerClient(server.grpc) as client:
            loads = [pool.submit(load) for _ in range(4)]
            try:
                for value in range(2, 6):
                    put_int8(repository, 1, value)
                    until(lambda: answer(client) == (value, "int8"), f"int8 of {value}")
                shutil.rmtree(repository / "m/1/int8")
                until(lambda: answer(client) == (1, "fp32"), "the end of int8")
            finally:
                stop.set()
            for done in loads:
                assert done.result() <= {(1, "fp32")} | {(value, "int8") for value in range(2, 6)}


def test_both_variants_go_with_their_version(repository):
    publish(repository, 1, 1)
    (repository / "m/config.yaml").write_text("keep_previous: 0\n")
    put_int8(repository, 1, 2)
    with serving(repository) as server, triton.InferenceServerClient(server.grpc) as client:
        until(lambda: state(client) == "inconclusive", "the sibling")
        answer(client, "int8")
        publish(repository, 2, 3)
        until(lambda: answer(client) == (3, "fp32"), "version 2")
        until(lambda: [m.version for m in client.get_model_repository_index().models] == ["2"], "the end of version 1")
