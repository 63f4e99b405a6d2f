"""Versions come and go, models break, the server starts and stops."""
import concurrent.futures
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, model_file, tensor, until

ONES = np.ones((1, 2), np.float32)

pytestmark = pytest.mark.request_path


def publish(repository, model, version, value):
    """Puts a finished version in place, as one should: by renaming."""
    temporary = repository.parent / f"{model}-{version}.tmp"
    add_constant(temporary / "model.onnx", value)
    (repository / model).mkdir(parents=True, exist_ok=True)
    os.rename(temporary, repository / model / str(version))


def answer(client, model, version=""):
    return float(client.infer(model, [tensor("x", ONES)], model_version=version).as_numpy("y")[0, 0]) - 1


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


def scrape(server):
    return urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()


def status_of(client):
    return {(m.name, m.version): (m.state, m.reason) for m in client.get_model_repository_index().models}


def test_a_new_version_takes_over_and_a_removed_one_goes(repository):
    publish(repository, "m", 1, 10)
    with tandemd.running("--model-repository", repository, "--poll-interval", "50ms") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            assert answer(client, "m") == 10
            publish(repository, "m", 2, 20)
            until(lambda: answer(client, "m") == 20, "version 2")
            until(lambda: status_of(client)["m", "1"][0] == "UNAVAILABLE", "version 1 to be kept")
            with pytest.raises(InferenceServerException, match="version 1 is kept: it stays warm for a rollback"):
                answer(client, "m", "1")
            counted = scrape(server)
            for version in "12":
                assert f'tandem_requests_total{{model="m",version="{version}",variant="fp32",code="OK"}}' in counted
            publish(repository, "m", 3, 30)
            until(lambda: ("m", "1") not in status_of(client), "the end of version 1")
            with pytest.raises(InferenceServerException, match='no version "1"'):
                answer(client, "m", "1")
            shutil.rmtree(repository / "m/3")
            until(lambda: answer(client, "m") == 20, "version 2 again")
            publish(repository, "n", 1, 5)
            until(lambda: ("n", "1") in status_of(client) and client.is_model_ready("n"), "model n")
            shutil.rmtree(repository / "n")
            until(lambda: ("n", "1") not in status_of(client), "the end of model n")
            assert answer(client, "m") == 20


def test_no_request_fails_while_versions_are_swapped(repository):
    publish(repository, "m", 1, 1)
    with tandemd.running("--model-repository", repository, "--poll-interval", "20ms") as server:
        stop = threading.Event()

        def load():
            seen = set()
            with triton.InferenceServerClient(server.grpc) as client:
                while not stop.is_set():
                    seen.add(answer(client, "m"))
            return seen

        with concurrent.futures.ThreadPoolExecutor(4) as pool, triton.InferenceServerClient(server.grpc) as client:
            loads = [pool.submit(load) for _ in range(4)]
            try:
                for version in range(2, 7):
                    publish(repository, "m", version, version)
                    until(lambda: answer(client, "m") == version, f"version {version}")
            finally:
                stop.set()
            for done in loads:
                assert done.result() <= set(range(1, 7))


def test_a_repository_that_disappears_leaves_its_models_serving(repository):
    publish(repository, "m", 1, 10)
    with tandemd.running("--model-repository", repository, "--poll-interval", "20ms") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            repository.rename(repository.with_name("elsewhere"))
            until(lambda: "what was loaded from there goes on serving" in server.log.read_text(), "the warning")
            assert answer(client, "m") == 10
            repository.with_name("elsewhere").rename(repository)
            publish(repository, "m", 2, 20)
            until(lambda: answer(client, "m") == 20, "version 2")


def test_what_does_not_fit_into_memory_is_not_loaded(repository):
    publish(repository, "m", 1, 10)
    with tandemd.running("--model-repository", repository, "--poll-interval", "20ms", "--memory-limit", "400MB") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            large = repository / "m.tmp"
            large.mkdir()
            shutil.copy(repository / "m/1/model.onnx", large)
            with open(large / "weights.bin", "wb") as weights:
                weights.truncate(200 << 20)
            large.rename(repository / "m/2")
            until(lambda: ("m", "2") in status_of(client), "version 2")
            state, reason = status_of(client)["m", "2"]
            assert state == "UNAVAILABLE" and "it needs about 608 MB" in reason and "memory_limit" in reason
            assert answer(client, "m") == 10
            os.truncate(repository / "m/2/weights.bin", 1)
            until(lambda: client.is_model_ready("m", "2"), "version 2, now that it fits")


def test_version_policies(repository):
    for version in (1, 2, 3):
        for model in ("newest_two", "all", "chosen"):
            publish(repository, model, version, version)
    (repository / "newest_two/config.yaml").write_text("version_policy: {latest: 2}\n")
    (repository / "all/config.yaml").write_text("version_policy: {all: true}\n")
    (repository / "chosen/config.yaml").write_text("version_policy: {versions: [1, 3]}\n")
    with tandemd.running("--model-repository", repository) as server:
        with triton.InferenceServerClient(server.grpc) as client:
            assert list(client.get_model_metadata("newest_two").versions) == ["2", "3"]
            assert list(client.get_model_metadata("all").versions) == ["1", "2", "3"]
            assert list(client.get_model_metadata("chosen").versions) == ["1", "3"]
            assert [answer(client, "all", v) for v in "123"] == [1, 2, 3]
            told = {name: client.get_model_config(name).config.version_policy for name in ("newest_two", "all", "chosen")}
            assert told["newest_two"].latest.num_versions == 2 and told["all"].WhichOneof("policy_choice") == "all"
            assert list(told["chosen"].specific.versions) == [1, 3]


def test_a_broken_model_does_not_hold_back_the_others(repository):
    publish(repository, "good", 1, 1)
    (repository / "broken/1").mkdir(parents=True)
    (repository / "broken/1/model.onnx").write_bytes(b"this is no model")
    publish(repository, "misconfigured", 1, 1)
    (repository / "misconfigured/config.yaml").write_text("max_batchsize: 3\n")
    with tandemd.running("--model-repository", repository, "--poll-interval", "50ms") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            assert client.is_server_ready() and answer(client, "good") == 1
            assert not client.is_model_ready("broken")
            states = status_of(client)
            assert states["broken", "1"][0] == "UNAVAILABLE" and states["broken", "1"][1]
            assert "did you mean max_batch_size" in states["misconfigured", "1"][1]
            with pytest.raises(InferenceServerException, match="is failed") as error:
                answer(client, "broken")
            assert "UNAVAILABLE" in error.value.status()
            # A good file in its place is tried again.
            publish(repository, "fix", 1, 7)
            os.replace(repository / "fix/1/model.onnx", repository / "broken/1/model.onnx")
            until(lambda: client.is_model_ready("broken"), "the repaired model")
            assert answer(client, "broken") == 7


def test_a_failing_version_leaves_the_old_one_serving(repository):
    publish(repository, "m", 1, 1)
    with tandemd.running("--model-repository", repository, "--poll-interval", "50ms") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            (repository / "m/2").mkdir()
            (repository / "m/2/model.onnx").write_bytes(b"broken")
            until(lambda: status_of(client).get(("m", "2"), ("", ""))[1], "the failure of version 2")
            assert answer(client, "m") == 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(*arguments):
    command = [tandemd.BINARIES / "tandemd", *arguments]
    return subprocess.Popen([str(c) for c in command], stderr=subprocess.PIPE, text=True)


def test_strict_readiness_waits_for_every_model(repository):
    publish(repository, "good", 1, 1)
    (repository / "broken/1").mkdir(parents=True)
    (repository / "broken/1/model.onnx").write_bytes(b"broken")
    grpc_port, http_port = free_port(), free_port()
    process = start("--model-repository", repository, "--strict-readiness", "--poll-interval", "50ms",
                    "--grpc-address", f"127.0.0.1:{grpc_port}", "--http-address", f"127.0.0.1:{http_port}")
    try:
        with triton.InferenceServerClient(f"127.0.0.1:{grpc_port}") as client:
            def failed():
                try:
                    return bool(status_of(client).get(("broken", "1"), ("", ""))[1])
                except InferenceServerException:
                    return False

            until(failed, "the failure")
            assert client.is_server_live() and not client.is_server_ready()
            with pytest.raises(urllib.error.HTTPError, match="503"):
                urllib.request.urlopen(f"http://127.0.0.1:{http_port}/readyz", timeout=10)
            publish(repository, "fix", 1, 7)
            os.replace(repository / "fix/1/model.onnx", repository / "broken/1/model.onnx")
            until(client.is_server_ready, "readiness")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, process.stderr.read()


def test_sigterm_finishes_what_is_in_flight(repository):
    add_constant(repository / "m/1/model.onnx", 1)
    # The request waits for company that never comes: it is in flight for as long as this test needs.
    (repository / "m/config.yaml").write_text("max_delay: 5s\nmax_batch_size: 64\n")
    with tandemd.running("--model-repository", repository) as server:
        with triton.InferenceServerClient(server.grpc) as client:
            results = concurrent.futures.Future()
            client.async_infer("m", [tensor("x", ONES)], lambda result, error: results.set_result((result, error)))

            def arrived():
                text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
                return "tandem_requests_in_flight 1" in text

            until(arrived, "the request's arrival")
            assert server.stop() == 0
            result, error = results.result(60)
            assert error is None and result.as_numpy("y")[0, 0] == 2


def test_a_second_signal_stops_at_once():
    with tandemd.running(model_file("tab_digits")) as server:
        # A health watcher that never ends would not hold up the drain; a stopped process does not drain at all.
        server.process.send_signal(signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGINT)
        server.process.send_signal(signal.SIGCONT)
        assert server.process.wait(60) in (0, 128 + signal.SIGTERM, 128 + signal.SIGINT)
        server.process.returncode = 0


def test_a_watcher_does_not_hold_up_the_drain():
    with tandemd.running(model_file("tab_digits")) as server:
        with grpc.insecure_channel(server.grpc) as channel:
            stream = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
            assert next(stream) == b"\x08\x01"
            server.process.send_signal(signal.SIGTERM)
            # The last status is NOT_SERVING; then the stream ends.
            assert list(stream) == [b"\x08\x02"]
        assert server.process.wait(60) == 0


def test_an_address_in_use_is_named():
    with tandemd.running(model_file("tab_digits")) as server:
        process = start(model_file("tab_digits"), "--grpc-address", server.grpc, "--http-address", "127.0.0.1:0")
        assert process.wait(60) == 1
        assert f"cannot listen on {server.grpc} (grpc_address)" in process.stderr.read()
        process = start(model_file("tab_digits"), "--grpc-address", "127.0.0.1:0", "--http-address", server.http)
        assert process.wait(60) == 1
        assert f"cannot listen on {server.http} (http_address)" in process.stderr.read()


def test_json_log_is_one_object_a_line():
    with tandemd.running(model_file("tab_digits"), "--log-format", "json") as server:
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
        assert lines and all({"time", "level", "message"} <= line.keys() for line in lines)


def test_a_full_queue_refuses_at_once(repository):
    add_constant(repository / "m/1/model.onnx", 1)
    (repository / "m/config.yaml").write_text("max_queue_size: 1\nmax_delay: 1s\nmax_batch_size: 64\n")
    with tandemd.running("--model-repository", repository) as server:
        with triton.InferenceServerClient(server.grpc) as client:
            done = [concurrent.futures.Future() for _ in range(2)]
            for future in done:
                client.async_infer("m", [tensor("x", ONES)],
                                   lambda result, error, future=future: future.set_result((result, error)))
            outcomes = [future.result(60) for future in done]
            errors = [error for _, error in outcomes if error is not None]
            assert len(errors) == 1
            assert "RESOURCE_EXHAUSTED" in errors[0].status() and "queue is full" in errors[0].message()


def test_a_request_that_waits_too_long_is_not_run(repository):
    add_constant(repository / "m/1/model.onnx", 1)
    (repository / "m/config.yaml").write_text("max_batch_size: 1\n")
    many = np.zeros((1_000_000, 2), np.float32)  # one by one they keep the worker busy
    with tandemd.running("--model-repository", repository, "--workers", "1") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            def runs():
                return client.get_inference_statistics("m").model_stats[0].execution_count

            first = concurrent.futures.Future()
            client.async_infer("m", [tensor("x", many)], lambda result, error: first.set_result(error))
            until(lambda: runs() > 0, "the first run")
            with pytest.raises(InferenceServerException, match="DEADLINE_EXCEEDED|Deadline"):
                client.infer("m", [tensor("x", ONES)], client_timeout=0.05)
            assert first.result(60) is None
            assert answer(client, "m") == 1
            assert runs() == len(many) + 1
