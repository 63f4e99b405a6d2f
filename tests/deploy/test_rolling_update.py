"""Replicas are replaced one after the other under load, by clients that follow readiness: no request is lost."""
import collections
import contextlib
import itertools
import signal
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import add_constant, tensor, until

ONES = np.ones((1, 2), np.float32)
CLIENTS = 4
POLL = 0.05        # seconds between two looks at a replica
DELAY = "2s"       # of a drain: many looks

pytestmark = pytest.mark.skipif(not (tandemd.BINARIES / "tandemd").exists(), reason="tandemd was not built")


def is_ready(server):
    return tandemd.answers(f"http://{server.http}/readyz", timeout=1)


class Endpoints:
    """What a service of Kubernetes knows: the replicas that were ready when it last looked."""

    def __init__(self):
        self._servers, self._ready = [], []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def _follow(self):
        while not self._stop.wait(POLL):
            with self._lock:
                servers = list(self._servers)
            ready = [server.grpc for server in servers if is_ready(server)]
            with self._lock:
                self._ready = ready

    def add(self, server):
        with self._lock:
            self._servers.append(server)
        until(lambda: server.grpc in self.ready(), "the new replica among the endpoints")

    def remove(self, server):
        with self._lock:
            self._servers.remove(server)

    def ready(self):
        with self._lock:
            return list(self._ready)

    def close(self):
        self._stop.set()
        self._thread.join(60)


class Load:
    """Clients that send to whoever is ready, one request after the other. They never try twice."""

    def __init__(self, endpoints):
        self.answered, self.failures = collections.Counter(), []
        self._endpoints, self._stop = endpoints, threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _send(self, number):
        with contextlib.ExitStack() as stack:
            clients = {}
            for turn in itertools.count(number):
                if self._stop.is_set():
                    return
                ready = self._endpoints.ready()
                address = ready[turn % len(ready)]
                if address not in clients:
                    clients[address] = stack.enter_context(triton.InferenceServerClient(address))
                try:
                    result = clients[address].infer("m", [tensor("x", ONES)])
                    assert result.as_numpy("y")[0, 0] == 11
                    self.answered[address] += 1
                except Exception as error:  # whatever it is, the test names it
                    self.failures.append((address, error))

    def close(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)


@pytest.fixture
def repository(tmp_path):
    add_constant(tmp_path / "models/m/1/model.onnx", 10)
    # Requests wait a little for company, so that there are some in flight at any moment.
    (tmp_path / "models/m/config.yaml").write_text("max_delay: 20ms\nmax_batch_size: 64\n")
    return tmp_path / "models"


def replica(stack, repository):
    return stack.enter_context(tandemd.running("--model-repository", repository, "--drain-delay", DELAY,
                                               "--max-connection-age", "1s"))


def test_no_request_is_lost_while_replicas_are_replaced(repository):
    with contextlib.ExitStack() as stack:
        endpoints = stack.enter_context(contextlib.closing(Endpoints()))
        replicas = [replica(stack, repository) for _ in range(2)]
        for server in replicas:
            endpoints.add(server)
        with contextlib.closing(Load(endpoints)) as load:
            until(lambda: len(load.answered) == 2, "answers of both")
            for old in list(replicas):
                # As a StatefulSet does: the old one goes, and the new one comes in its place.
                old.process.send_signal(signal.SIGTERM)
                until(lambda: old.grpc not in endpoints.ready(), "the old replica's leave")
                assert old.process.poll() is None, "it ended before its clients could know"
                assert old.process.wait(60) == 0
                endpoints.remove(old)
                new = replica(stack, repository)
                endpoints.add(new)
                until(lambda: load.answered[new.grpc] > 0, "the new replica's first answer")
        print(f"figures: {sum(load.answered.values())} requests, {len(load.failures)} lost")
        assert load.failures == []
        assert len(load.answered) == 4


def test_what_a_drain_does_and_when(repository):
    (repository / "m/config.yaml").write_text("max_delay: 3s\nmax_batch_size: 64\n")
    with tandemd.running("--model-repository", repository, "--drain-delay", "500ms") as server, \
            triton.InferenceServerClient(server.grpc) as client:
        done = threading.Event()
        outcome = []

        def answered(result, error):
            outcome.append((result, error))
            done.set()

        client.async_infer("m", [tensor("x", ONES)], answered)
        until(lambda: b"tandem_requests_in_flight 1" in urllib.request.urlopen(f"http://{server.http}/metrics").read(),
              "the request's arrival")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: not is_ready(server), "the end of readiness")
        assert not done.is_set(), "readiness falls at once, whatever is in flight"
        assert done.wait(60)
        result, error = outcome[0]
        assert error is None and result.as_numpy("y")[0, 0] == 11
        assert server.process.wait(60) == 0
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"http://{server.http}/livez", timeout=5)
