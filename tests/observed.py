"""A server with something to see, under load and watched by Prometheus: for tests of dashboards, and their pictures.

A classifier whose int8 sibling the server builds from samples, and MobileNet v2 with a ready-made one. Both variants of
both are asked, and compared in the shadow; then int8 is demoted, a version takes over and another one fails to load.
"""
import contextlib
import dataclasses
import os
import random
import subprocess
import sys
import threading
import time

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import prometheus
import tandemd
from fashion_mnist import dataset
from small_models import tensor, until
from tandemctl import Tandemctl

MODEL = tandemd.ROOT / "demo/fashion_mnist/model.onnx"
LARGE = tandemd.SHARED / "models/mobilenet_v2_224.onnx"
LARGE_INT8 = tandemd.SHARED / "models/mobilenet_v2_224_qdq.onnx"


def missing():
    """-> what is not here and needed, or None."""
    files = (tandemd.BINARIES / "tandemd", LARGE, LARGE_INT8, dataset.FOLDER)
    return next((str(path) for path in files if not path.exists()), None)


@dataclasses.dataclass
class Observed:
    server: tandemd.Server
    prometheus: prometheus.Prometheus
    control: Tandemctl
    repository: object
    since: float  # when the load began

    def scrapes(self):
        """How often the server has been scraped since the load began."""
        return self.prometheus.now(f'count_over_time(tandem_ready[{max(1, int(time.time() - self.since))}s])')[0][1]


def publish(repository, model, version, file, int8=None):
    folder = repository / f".{model}.{version}"
    folder.mkdir(parents=True)
    (folder / "model.onnx").symlink_to(file)
    if int8:
        (folder / "int8").mkdir()
        (folder / "int8/model.onnx").symlink_to(int8)
    (repository / model).mkdir(exist_ok=True)
    folder.rename(repository / model / str(version))


def fill(repository):
    """Two models with their siblings, or what one is built from."""
    publish(repository, "fashion_mnist", 1, MODEL)
    publish(repository, "mobilenet_v2", 1, LARGE, LARGE_INT8)
    (repository / "fashion_mnist/config.yaml").write_text("route: {mode: auto, shadow_rate: 0.2}\nkeep_previous: 1\n")
    (repository / "mobilenet_v2/config.yaml").write_text("route: {mode: shadow, shadow_rate: 0.2}\n")
    subprocess.run([sys.executable, tandemd.ROOT / "demo/samples.py", repository / "fashion_mnist/samples"], check=True)


class Load:
    """Clients that send until they are told to end, for one variant, the other one, or whichever the route says."""

    def __init__(self, address):
        images, _ = dataset.load("t10k")
        self._images = images.astype(np.float32)
        self._photo = np.random.default_rng(1).normal(size=(1, 3, 224, 224)).astype(np.float32)
        self._address, self._end = address, threading.Event()
        kinds = ((self._small, 0.002), (self._small, 0.004), (self._many, 0.01), (self._large, 0.03),
                 (self._hopeless, 0.1))
        self._threads = [threading.Thread(target=self._send, args=kind) for kind in kinds]

    def _small(self, draw):
        return "fashion_mnist", "pixels", self._images[draw.randrange(len(self._images))].reshape(1, 1, 28, 28), {}

    def _many(self, draw):
        start = draw.randrange(len(self._images) - 16)
        return "fashion_mnist", "pixels", self._images[start:start + draw.randint(1, 16)].reshape(-1, 1, 28, 28), {}

    def _large(self, draw):
        return "mobilenet_v2", "input", self._photo + np.float32(draw.random()), {}

    def _hopeless(self, draw):
        """Too late for its deadline, or for no model."""
        model, name, array, _ = self._large(draw)
        return (model, name, array, {"client_timeout": 0.002}) if draw.random() < 0.7 else ("nobody", name, array, {})

    def _send(self, make, pause):
        draw = random.Random(f"{make.__name__} {pause}")
        with triton.InferenceServerClient(self._address) as client:
            while not self._end.wait(pause):
                model, name, array, arguments = make(draw)
                wish = draw.choice(({}, {}, {"parameters": {"variant": "fp32"}}, {"parameters": {"variant": "int8"}}))
                with contextlib.suppress(InferenceServerException):  # what fails is counted by the server
                    client.infer(model, [tensor(name, array)], **wish, **arguments)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


def promote(observed):
    """fp32 served, or int8 by what it showed offline: either way int8 serves now because somebody said so."""
    observed.control.text("promote", "fashion_mnist", "--force", "--why", "to see it")


def demote(observed):
    observed.control.text("demote", "fashion_mnist", "--why", "to see it")


def swap(observed):
    publish(observed.repository, "fashion_mnist", 2, MODEL)
    until(lambda: observed.prometheus.now('tandem_version_swaps_total{model="fashion_mnist"} > 0'), "a swap")


def fail(observed):
    """A version that is no model."""
    garbage = observed.repository.parent / "garbage"
    garbage.write_bytes(os.urandom(1000))
    publish(observed.repository, "mobilenet_v2", 2, garbage)
    until(lambda: observed.prometheus.now('tandem_model_state{state="failed"}'), "a failed load")


@contextlib.contextmanager
def observed(folder, at_once=True):
    """-> Observed, under load, with both variants of both models there; `at_once` as for prometheus.watching."""
    repository = folder / "models"
    fill(repository)
    with tandemd.running("--model-repository", repository, "--poll-interval", "200ms") as server, \
            prometheus.watching(server, folder / "prometheus", at_once) as watcher:
        # Before the load: siblings are built on idle cores.
        until(lambda: len(watcher.now('tandem_weight_bytes{variant="int8"}')) == 2, "int8 of both models")
        with Load(server.grpc):
            yield Observed(server, watcher, Tandemctl(server.admin), repository, time.time())
