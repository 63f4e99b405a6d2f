"""Memory does not grow with requests, refusals, vanished clients or swaps of versions.

TANDEM_SOAK_SECONDS makes each round last that long (default 3); three rounds warm up, the rest are compared.
"""
import concurrent.futures
import itertools
import os
import shutil
import time

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import digits, model_file, tensor, until

SECONDS = float(os.environ.get("TANDEM_SOAK_SECONDS", "3"))
WARM_UP, MEASURED = 3, 3
MOST_GROWTH = 0.03
SLACK = 3 << 20  # bytes: pages that the allocator keeps at hand


def send_everything(address, seed):
    """One client's round: answered, refused and abandoned requests in turn -> how many were answered."""
    answered, end = 0, time.monotonic() + SECONDS
    with triton.InferenceServerClient(address) as client:
        for i in itertools.count():
            rows = 1 + (i + seed) % 7
            try:
                client.infer("tab_digits", [tensor("x", digits(rows))],
                             client_timeout=1e-4 if i % 11 == 5 else None)
                answered += 1
            except InferenceServerException:
                assert i % 11 == 5
            for bad in ([tensor("x", digits(rows)[:, :60])], [tensor("nothing", digits(rows))]):
                with pytest.raises(InferenceServerException):
                    client.infer("tab_digits", bad)
            if time.monotonic() > end:
                return answered


def rounds(server, work):
    """The largest resident memory of the warm-up and of what comes after."""
    sizes = []
    for _ in range(WARM_UP + MEASURED):
        work()
        sizes.append(tandemd.resident(server))
    return max(sizes[:WARM_UP]), max(sizes[WARM_UP:])


def served(client):
    return {(m.name, m.version) for m in client.get_model_repository_index().models if m.state == "READY"}


def test_requests_of_every_fate_leave_nothing_behind():
    with tandemd.running(model_file("tab_digits")) as server:
        def work():
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                assert all(pool.map(send_everything, [server.grpc] * 4, range(4)))

        before, after = rounds(server, work)
        assert after <= before * (1 + MOST_GROWTH) + SLACK


def test_swapped_versions_leave_nothing_behind_and_a_second_model_shows(tmp_path):
    repository = tmp_path / "repository"
    version = itertools.count(1)
    current = None

    def swap(client):
        nonlocal current
        number, old = next(version), current
        staged = tmp_path / f"staged-{number}"
        staged.mkdir()
        shutil.copy(model_file("ppocr_v2_cls"), staged / "model.onnx")
        (repository / "m").mkdir(parents=True, exist_ok=True)
        os.rename(staged, repository / "m" / str(number))
        current = str(number)
        until(lambda: ("m", current) in served(client), f"version {number}")
        if old is not None:
            shutil.rmtree(repository / "m" / old)
            until(lambda: ("m", old) not in {(m.name, m.version) for m in client.get_model_repository_index().models},
                  f"the end of version {old}")

    repository.mkdir()
    with tandemd.running("--model-repository", repository, "--poll-interval", "20ms") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            before, after = rounds(server, lambda: [swap(client) for _ in range(4)])
            assert after <= before * (1 + MOST_GROWTH) + SLACK
            # The bound is one that a leak would pass: another model in memory does.
            (repository / "another" / "1").mkdir(parents=True)
            shutil.copy(model_file("use_lite_en"), repository / "another" / "1" / "model.onnx")
            until(lambda: ("another", "1") in served(client), "another model")
            assert tandemd.resident(server) > after * (1 + MOST_GROWTH) + SLACK

