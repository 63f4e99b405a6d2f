"""Drives tests/load/open_loop.cc: one request at a rate, every answer checked and timed."""
import concurrent.futures
import dataclasses
import subprocess
import time

import numpy as np
from tritonclient.grpc import service_pb2

import tandemd

PROGRAM = tandemd.BINARIES / "open_loop"
WRONG_ANSWER = 100
OK = 0


@dataclasses.dataclass
class Sent:
    """One array a column, in the order of sending."""
    at: np.ndarray       # seconds since the start
    seconds: np.ndarray  # from when it was due to its answer
    code: np.ndarray     # gRPC's, or WRONG_ANSWER
    variant: np.ndarray

    def p99(self, chosen=slice(None)):
        return float(np.percentile(self.seconds[chosen], 99))

    def failures(self):
        codes, counts = np.unique(self.code[self.code != OK], return_counts=True)
        return dict(zip(codes.tolist(), counts.tolist()))


def write_request(path, model, name, array, variant=None):
    """A ModelInferRequest with one float input."""
    request = service_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name=name, datatype="FP32", shape=array.shape)
    request.raw_input_contents.append(array.astype(np.float32).tobytes())
    if variant:
        request.parameters["variant"].string_param = variant
    path.write_bytes(request.SerializeToString())
    return path


class Sender:
    """open_loop at work; `wait` returns what came of it."""

    def __init__(self, target, request, rate, seconds, expected=(), **options):
        command = [PROGRAM, target, request, "--rate", rate, "--seconds", seconds]
        for path in expected:
            command += ["--expect", path]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", value]
        self._process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    def wait(self):
        output, _ = self._process.communicate()
        assert self._process.returncode == 0
        rows = [line.split() for line in output.splitlines()]
        return Sent(np.array([float(row[0]) for row in rows]), np.array([float(row[1]) / 1e6 for row in rows]),
                    np.array([int(row[2]) for row in rows]), np.array([row[3] for row in rows]))


def capacity(client_call, seconds=2.0, clients=4):
    """Requests a second that the server answers to callers who wait for each answer."""
    def run(_):
        answered, end = 0, time.monotonic() + seconds
        call = client_call()
        while time.monotonic() < end:
            call()
            answered += 1
        return answered

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(run, range(clients))) / seconds


def expect_file(path, array):
    """What an answer may be."""
    path.write_bytes(np.ascontiguousarray(array, np.float32).tobytes())
    return path


def ratio_with_bound(pairs):
    """Pairs of (with, without) -> the geometric mean of their ratios and its upper 95 % bound, by bootstrap."""
    logs = np.log([a / b for a, b in pairs])
    random = np.random.default_rng(1)
    means = random.choice(logs, (2000, len(logs))).mean(axis=1)
    return float(np.exp(logs.mean())), float(np.exp(np.percentile(means, 95)))
