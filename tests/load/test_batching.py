"""Batching that nobody tuned, beside the best of a sweep of max_batch_size and max_delay.

One server holds a model once as it is and once for each setting, so that all are measured under the same conditions.
The sweep's best is measured again, interleaved with the untuned one, because the best of many is the luckiest too. By
default a corner of it; TANDEM_SWEEP=1 measures all, twelve minutes, and holds the figures to their bars. Run with -rP.
"""
import itertools
import os

import numpy as np
import pytest

import tandemd
from tandemctl import Tandemctl

LONG = bool(os.environ.get("TANDEM_SWEEP"))
MODELS = {"tab_digits": "tab_digits.onnx", "kws": "kws_dscnn.onnx", "mobilenet_v2": "mobilenet_v2_224.onnx"}
SIZES = (1, 2, 4, 8, 16, 32) if LONG else (1, 8)
DELAYS = ("0ms", "0.5ms", "2ms", "5ms") if LONG else ("0ms", "2ms")
CLIENTS = (1, 8, 32) if LONG else (8,)
ROUNDS = 10 if LONG else 1
LEAST_MEAN, LEAST, MOST_TAIL = .97, .90, 1.15

pytestmark = [pytest.mark.skipif(not tandemd.SHARED.exists(), reason="../shared with the models is not here"),
              pytest.mark.timeout(3600)]


def settings():
    """-> (name, text of config.yaml) of every setting of the sweep. A batch of one waits for nobody."""
    for size, delay in itertools.product(SIZES, DELAYS):
        if size > 1 or delay == DELAYS[0]:
            yield f"b{size}_d{delay.replace('.', '')}", f"max_batch_size: {size}\nmax_delay: {delay}\n"


def add(repository, name, file, config=""):
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "1/model.onnx").symlink_to(tandemd.SHARED / "models" / file)
    (repository / name / "config.yaml").write_text("quantization: {enabled: false}\n" + config)


@pytest.fixture(scope="module", name="server")
def run_server(tmp_path_factory):
    repository = tmp_path_factory.mktemp("repository")
    for model, file in MODELS.items():
        add(repository, model, file)
        for name, config in settings():
            add(repository, f"{model}.{name}", file, config)
    with tandemd.running("--model-repository", repository, timeout=600) as running:
        yield running


def bench(server, model, clients, seconds=1):
    """-> requests a second, p99 in milliseconds."""
    figures = Tandemctl(server.admin).json("bench", model, "--grpc-address", server.grpc, "--variant", "fp32",
                                           "--clients", clients, "--seconds", seconds)["fp32"]
    assert figures["failed"] == 0
    return figures["requests_per_second"], figures["p99_ms"]


def test_what_nobody_tuned_keeps_up_with_the_best_of_a_sweep(server):
    throughputs, tails = {}, {}
    for model, clients in itertools.product(MODELS, CLIENTS):
        swept = {name: bench(server, f"{model}.{name}", clients)[0] for name, _ in settings()}
        best = max(swept, key=swept.get)
        pairs = []
        for turn in range(ROUNDS):
            order = (model, f"{model}.{best}") if turn % 2 else (f"{model}.{best}", model)
            figures = {name: bench(server, name, clients) for name in order}
            pairs.append(np.array(figures[model]) / np.array(figures[f"{model}.{best}"]))
        throughput, tail = np.exp(np.mean(np.log(pairs), axis=0))
        throughputs[model, clients], tails[model, clients] = throughput, tail
        print(f"figures: {model} | {clients} clients | best {best} {swept[best]:.0f}/s | untuned over best: throughput "
              f"{throughput:.3f}, p99 {tail:.3f}")
    mean = float(np.exp(np.mean(np.log(list(throughputs.values())))))
    print(f"figures: throughput {mean:.3f} in the mean")
    if LONG:
        assert mean >= LEAST_MEAN
        assert min(throughputs.values()) >= LEAST, throughputs
        assert max(tails.values()) <= MOST_TAIL, tails
