"""What a server does beside answering costs those who ask nothing that can be measured: models that idle, the shadow,
scrapes of its metrics.

Interleaved pairs of an open loop at half of capacity, four by default; TANDEM_PAIRS=40 holds the tails to their bars.
"""
import os
import pathlib
import re
import shutil
import threading
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from open_loop import Sender, capacity, ratio_with_bound, write_request
from small_models import add_constant, until

PAIRS = int(os.environ.get("TANDEM_PAIRS", "4"))
LONG = PAIRS >= 40
SECONDS = 3 if LONG else 1
MOST_TAIL = 1.15  # upper bound of the ratio of p99
IDLE_MODELS = 50
SCRAPED_MODELS = 200
DIGITS = tandemd.SHARED / "models/tab_digits.onnx"
KWS = tandemd.SHARED / "models/kws_dscnn.onnx"

pytestmark = [pytest.mark.skipif(not DIGITS.exists(), reason="../shared with the models is not here"),
              pytest.mark.timeout(1800)]


def caller_of(address, model, name, array):
    def caller():
        client = triton.InferenceServerClient(address)
        tensor = triton.InferInput(name, array.shape, "FP32")
        tensor.set_data_from_numpy(array)
        return lambda: client.infer(model, [tensor])
    return caller


def threads(server):
    return int(re.search(r"Threads:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text()).group(1))


def busy_beside(tmp_path, idle_models):
    """A repository of models that nobody asks, what tab_digits is asked beside them, and a request for that."""
    repository = tmp_path / "repository"
    for i in range(idle_models):
        add_constant(repository / f"idle{i}/1/model.onnx", i)
    digits = np.random.default_rng(1).normal(size=(1, 64)).astype(np.float32)
    return repository, digits, write_request(tmp_path / "request", "tab_digits", "x", digits)


def test_models_that_idle_cost_the_busy_one_nothing(tmp_path):
    repository, digits, request = busy_beside(tmp_path, IDLE_MODELS)
    with tandemd.running(DIGITS) as alone, tandemd.running(DIGITS, "--model-repository", repository) as crowded:
        with triton.InferenceServerClient(crowded.grpc) as client:
            assert all(client.is_model_ready(f"idle{i}") for i in range(IDLE_MODELS))
        rate = capacity(caller_of(alone.grpc, "tab_digits", "x", digits), 1) / 2
        pairs = []
        for pair in range(PAIRS):
            with_and_without = []
            for server in (crowded, alone) if pair % 2 else (alone, crowded):
                sent = Sender(server.grpc, request, rate, SECONDS, seed=pair).wait()
                assert sent.failures() == {}
                with_and_without.append(sent.p99())
            pairs.append(with_and_without if pair % 2 else with_and_without[::-1])
        ratio, bound = ratio_with_bound(pairs)
        print(f"figures: {IDLE_MODELS} idle models at {rate:.0f}/s, {PAIRS} pairs | p99 {ratio:.3f} times, {bound:.3f} at "
              f"most | threads {threads(crowded)} and {threads(alone)} alone")
        assert threads(crowded) <= threads(alone) + 3  # gRPC's come and go
    assert not LONG or bound <= MOST_TAIL


def test_the_shadow_costs_clients_nothing(tmp_path):
    repository = tmp_path / "repository"
    (repository / "kws/1").mkdir(parents=True)
    shutil.copy(KWS, repository / "kws/1/model.onnx")
    (repository / "kws/1/int8").mkdir()
    shutil.copy(tandemd.SHARED / "models/kws_dscnn_qdq.onnx", repository / "kws/1/int8/model.onnx")
    config = repository / "kws/config.yaml"

    def route(mode):
        temporary = repository / "kws/.config"
        temporary.write_text(f"route: {{mode: {mode}, shadow_rate: 10%}}\n")
        temporary.rename(config)

    route("fp32")
    with tandemd.running("--model-repository", repository, "--poll-interval", "50ms") as server, \
            triton.InferenceServerClient(server.grpc) as client:
        def told(key):
            return client.get_model_config("kws").config.parameters[key].string_value

        until(lambda: told("variants") == "fp32,int8", "the sibling")
        spec = client.get_model_metadata("kws").inputs[0]
        clip = np.random.default_rng(1).normal(size=[max(1, n) for n in spec.shape]).astype(np.float32)
        request = write_request(tmp_path / "request", "kws", spec.name, clip)
        rate = capacity(caller_of(server.grpc, "kws", spec.name, clip), 1) / 2
        pairs = []
        for pair in range(PAIRS):
            tails = {}
            for mode in ("shadow", "fp32") if pair % 2 else ("fp32", "shadow"):
                route(mode)
                until(lambda: told("route.mode") == mode, f"the route {mode}")
                sent = Sender(server.grpc, request, rate, SECONDS, seed=pair).wait()
                assert sent.failures() == {}
                tails[mode] = sent.p99()
            pairs.append((tails["shadow"], tails["fp32"]))
        ratio, bound = ratio_with_bound(pairs)
        metrics = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
        compared = sum(float(line.split()[-1]) for line in metrics.splitlines()
                       if re.match(r"tandem_shadow_(comparisons|duplicates)_total\{", line))
        print(f"figures: shadow of 10 % at {rate:.0f}/s, {PAIRS} pairs, {compared:.0f} compared | p99 {ratio:.3f} times, "
              f"{bound:.3f} at most")
        assert compared > 0
    assert not LONG or bound <= MOST_TAIL


class Scraper:
    """Asks for the metrics every second while it is entered, and runs only when nobody else wants its core: who reads
    them has a machine of their own."""

    def __init__(self, server):
        self._url = f"http://{server.http}/metrics"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.scrapes = 0

    def _run(self):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # of this thread
        while True:
            with urllib.request.urlopen(self._url, timeout=10) as answer:
                assert answer.read()
            self.scrapes += 1
            if self._over.wait(1):
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def test_scrapes_cost_clients_nothing(tmp_path):
    repository, digits, request = busy_beside(tmp_path, SCRAPED_MODELS)
    with tandemd.running(DIGITS, "--model-repository", repository) as server:
        rate = capacity(caller_of(server.grpc, "tab_digits", "x", digits), 1) / 2
        pairs, scrapes = [], 0
        for pair in range(PAIRS):
            tails = {}
            for scraped in (True, False) if pair % 2 else (False, True):
                sender = Sender(server.grpc, request, rate, SECONDS, seed=pair)
                if scraped:
                    with Scraper(server) as scraper:
                        sent = sender.wait()
                    scrapes += scraper.scrapes
                else:
                    sent = sender.wait()
                assert sent.failures() == {}
                tails[scraped] = sent.p99()
            pairs.append((tails[True], tails[False]))
        ratio, bound = ratio_with_bound(pairs)
        print(f"figures: a scrape of {SCRAPED_MODELS} models a second at {rate:.0f}/s, {PAIRS} pairs, {scrapes} scrapes | "
              f"p99 {ratio:.3f} times, {bound:.3f} at most")
        assert scrapes >= PAIRS
    assert not LONG or bound <= MOST_TAIL
