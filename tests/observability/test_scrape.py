"""What a scrape of many models costs, and that no name breaks the exposition or makes series of its own."""
import os
import re
import shutil
import subprocess
import time
import urllib.request

import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, add_constant_int8, digits, tensor, until

MODELS = 200
MOST_SECONDS = 0.15

INJECTED = 'x",code="OK"} 1\ntandem_ready 7\n#'
HOSTILE = ['quote"d', "back\\slash", "two\nlines", INJECTED, "x" * 250, "é{}", " ", "\x01\x7f"]


def scrape(server):
    with urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10) as answer:
        return answer.read()


def series(exposition):
    return {line.rsplit(b" ", 1)[0] for line in exposition.splitlines() if line and not line.startswith(b"#")}


def assert_prometheus_takes(exposition):
    """Code 1 of promtool: it cannot be read. 3: advice about names."""
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, check=False,
                              timeout=60)
        assert done.returncode in (0, 3), done.stderr


def publish(model, folder):
    """`folder` may be bytes that are no UTF-8."""
    os.makedirs(folder)
    os.link(model, os.path.join(folder, b"model.onnx" if isinstance(folder, bytes) else "model.onnx"))


def test_a_scrape_of_many_models_is_quick(tmp_path):
    model, sibling = add_constant(tmp_path / "m.onnx", 1), add_constant_int8(tmp_path / "int8.onnx", 1)
    for i in range(MODELS):
        publish(model, tmp_path / f"models/m{i}/1")
        publish(sibling, tmp_path / f"models/m{i}/1/int8")
    with tandemd.running("--model-repository", tmp_path / "models") as server, \
            triton.InferenceServerClient(server.grpc) as client:
        until(lambda: scrape(server).count(b"tandem_requests_total{") == 2 * MODELS, "both variants of every one")
        for i in range(MODELS):
            for variant in ("fp32", "int8"):
                client.infer(f"m{i}", [tensor("x", digits(1)[:, :2])], parameters={"variant": variant})
        exposition = scrape(server)
        assert exposition.count(b"tandem_request_seconds_sum{") == 2 * MODELS  # none is left out for being idle
        assert_prometheus_takes(exposition)
        seconds = []
        for _ in range(9):
            start = time.perf_counter()
            scrape(server)
            seconds.append(time.perf_counter() - start)
        seconds.sort()
        print(f"{MODELS} models in two variants: {len(series(exposition))} series, {len(exposition) / 2**20:.1f} MB, "
              f"{1e3 * seconds[0]:.0f} ms at best, {1e3 * seconds[4]:.0f} ms in the median")
        # At best: what else runs on the machine is not the server's cost.
        assert seconds[0] < MOST_SECONDS


def test_names_of_models_cannot_break_the_exposition(tmp_path):
    model = add_constant(tmp_path / "m.onnx", 1)
    for name in HOSTILE:
        publish(model, tmp_path / "models" / name / "1")
    publish(model, os.path.join(os.fsencode(tmp_path / "models"), b"\xff\xfe", b"1"))
    with tandemd.running("--model-repository", tmp_path / "models") as server:
        exposition = scrape(server)
    assert_prometheus_takes(exposition)
    exposition.decode()
    assert len(re.findall(rb'^tandem_model_state\{.*state="published"\} 1$', exposition, re.M)) == len(HOSTILE) + 1
    assert re.findall(rb"^tandem_ready .*$", exposition, re.M) == [b"tandem_ready 1"]


def test_requests_for_names_that_are_not_there_make_no_series(tmp_path):
    model = add_constant(tmp_path / "m.onnx", 1)
    inputs = [tensor("x", digits(1)[:, :2])]
    with tandemd.running(model) as server, triton.InferenceServerClient(server.grpc) as client:
        client.infer("m", inputs)
        before = series(scrape(server))
        for name in [*HOSTILE, *(f"guess{i}" for i in range(100)), "y" * 100_000]:
            with pytest.raises(InferenceServerException):
                client.infer(name, inputs)
        for version, parameters in (("7", {}), ("1", {"variant": INJECTED}), ("1", {INJECTED: INJECTED})):
            try:
                client.infer("m", inputs, model_version=version, request_id=INJECTED, parameters=parameters)
            except InferenceServerException:
                pass
        exposition = scrape(server)
    assert_prometheus_takes(exposition)
    # One series a status code at most, which there are 17 of.
    counted = rb'tandem_(refused_requests_total\{|requests_total\{model="m",.*variant="fp32",)code="[A-Z_]+"\}'
    assert {name for name in series(exposition) - before if not re.fullmatch(counted, name)} == set()
