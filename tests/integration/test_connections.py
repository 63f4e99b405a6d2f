"""How connections and servers end, as those who balance over several servers see it."""
import signal
import threading
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import add_constant, tensor, until
from tandemctl import Tandemctl

ONES = np.ones((1, 2), np.float32)


@pytest.fixture
def model(tmp_path):
    return add_constant(tmp_path / "m.onnx", 10)


def answer(client):
    return float(client.infer("m", [tensor("x", ONES)]).as_numpy("y")[0, 0])


def status(server, path):
    try:
        with urllib.request.urlopen(f"http://{server.http}{path}", timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


def test_old_connections_are_replaced_without_a_failed_request(model):
    with tandemd.running(model, "--max-connection-age", "500ms") as server:
        stop = threading.Event()
        failures = []

        def ask():
            with triton.InferenceServerClient(server.grpc) as client:
                while not stop.is_set():
                    try:
                        assert answer(client) == 11
                    except Exception as error:  # whatever it is, the test names it
                        failures.append(error)

        busy = [threading.Thread(target=ask) for _ in range(2)]
        for thread in busy:
            thread.start()
        try:
            with grpc.insecure_channel(server.grpc) as channel:
                seen = []
                channel.subscribe(seen.append)

                def ended(times):
                    channel.unary_unary("/grpc.health.v1.Health/Check")(b"", wait_for_ready=True, timeout=60)
                    return seen.count(grpc.ChannelConnectivity.READY) > times

                until(lambda: ended(2), "the third connection")
        finally:
            stop.set()
            for thread in busy:
                thread.join(60)
        assert failures == []


def test_a_draining_server_serves_those_who_have_not_looked_yet(model):
    with tandemd.running(model, "--drain-delay", "10m") as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        assert status(server, "/readyz") == 200 and ctl.text("health") == "ready\n"
        server.process.send_signal(signal.SIGTERM)
        until(lambda: status(server, "/readyz") == 503, "the end of readiness")
        assert status(server, "/livez") == 200
        assert not client.is_server_ready() and answer(client) == 11
        assert ctl.refused("health") == f"{server.admin} is not ready"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 128 + signal.SIGTERM
        server.process.returncode = 0
    assert "cannot reach" in ctl.refused("health")


def test_health_as_json(model):
    with tandemd.running(model) as server:
        assert Tandemctl(server.admin).json("health") == {"status": "SERVING"}


def test_all_replicas_are_asked_and_those_that_fail_are_named(model, tmp_path):
    other = add_constant(tmp_path / "n.onnx", 1)
    with tandemd.running(model) as first, tandemd.running(other) as second:
        both = Tandemctl(f"{first.admin},{second.admin}")
        answers = both.text("models", "list", "--all")
        for server in (first, second):
            assert f"{server.admin}\n" in answers
        documents = both.text("health", "--all", "--output", "json")
        assert all(f'{{"replica": "{server.admin}"}}' in documents for server in (first, second))
        process = both.start("route", "show", "m", "--all")
        shown, why = process.communicate(timeout=60)
        assert process.returncode == 1 and f"{second.admin}\n" in shown
        assert why.startswith(f"tandemctl: 1 of 2 replicas failed: {second.admin}: ") and why.count("\n") == 1
