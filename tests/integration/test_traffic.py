"""int8 from inputs of live requests, where the model's owner has asked for that: collected, stored, used, removed."""
import re
import shutil
import signal
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import add_constant, tensor, until

COLLECT = "quantization: {{samples_from_traffic: {{enabled: {}, count: 8, of_requests: 20}}}}\n"


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    add_constant(folder / "m/1/model.onnx", 10)
    configure(folder, COLLECT.format("true"))
    return folder


def configure(repository, text):
    new = repository / "m/config.yaml.new"
    new.write_text(text)
    new.rename(repository / "m/config.yaml")


@pytest.fixture
def start(repository, quantizer, tmp_path):
    return lambda poll_interval="20ms": tandemd.running(
        "--model-repository", repository, "--poll-interval", poll_interval, "--state-dir", tmp_path / "state",
        "--quantizer", quantizer.path)


def state_of(server):
    with triton.InferenceServerClient(server.grpc) as client:
        parameters = client.get_model_config("m").config.parameters
        return {key: parameters[key].string_value for key in parameters}


def metric(server, name):
    text = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
    found = re.search(rf"^{name}\{{.*\}} (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


def send(server, requests, first=0):
    with triton.InferenceServerClient(server.grpc) as client:
        for i in range(first, first + requests):
            client.infer("m", [tensor("x", np.full((1, 2), i, np.float32))])


def stored(tmp_path):
    return tmp_path / "state/traffic/m/inputs.npz"


def test_int8_is_built_from_the_requests_that_were_seen(start, quantizer, tmp_path):
    with start() as server:
        until(lambda: metric(server, "tandem_traffic_requests") == 0, "the beginning")
        send(server, 10)
        assert (metric(server, "tandem_traffic_requests"), metric(server, "tandem_traffic_samples")) == (10, 8)
        until(lambda: "50 % of 20 requests seen" in state_of(server).get("variant.int8.reason", ""), "half of it")
        assert not stored(tmp_path).exists() and quantizer.calls() == []
        send(server, 10, first=10)
        until(lambda: state_of(server)["variant.int8.state"] == "proven", "the sibling")
        words = quantizer.calls()[0]["words"]
        assert words[words.index("--samples") + 1] == str(stored(tmp_path)) and "--labels" not in words
        samples = np.load(stored(tmp_path))
        assert sorted(samples) == [f"x.{i}" for i in range(8)]
        values = {int(samples[name][0, 0]) for name in samples}
        assert len(values) == 8 and values <= set(range(20))
        assert (tmp_path / "state/traffic").stat().st_mode & 0o077 == 0
        # Nothing more is collected.
        until(lambda: metric(server, "tandem_traffic_requests") is None, "the end of collecting")
    with start() as server:
        until(lambda: state_of(server)["variant.int8.state"] == "proven", "the sibling, again")
        assert len(quantizer.calls()) == 1


def test_a_server_that_does_not_poll_uses_them_too(start, repository, quantizer, tmp_path):
    with start(poll_interval="0") as server:
        until(lambda: metric(server, "tandem_traffic_requests") == 0, "the beginning")
        configure(repository, "quantization: {enabled: false}\n")
        send(server, 20)
        until(lambda: state_of(server)["variant.int8.state"] == "proven", "the sibling, by the configuration it knows")
        assert len(quantizer.calls()) == 1 and stored(tmp_path).exists()


def test_nothing_is_stored_without_the_opt_in(start, repository, tmp_path):
    configure(repository, COLLECT.format("false"))
    with start() as server:
        send(server, 50)
        assert metric(server, "tandem_traffic_requests") is None
        assert "there are no samples" in state_of(server)["variant.int8.reason"]
    assert not stored(tmp_path).parent.exists()


def test_what_was_stored_goes_when_it_is_switched_off(start, repository, tmp_path):
    with start() as server:
        until(lambda: metric(server, "tandem_traffic_requests") == 0, "the beginning")
        send(server, 20)
        until(lambda: state_of(server)["variant.int8.state"] == "proven", "the sibling")
        configure(repository, COLLECT.format("false"))
        until(lambda: not stored(tmp_path).exists(), "the end of the samples")
        until(lambda: state_of(server)["variant.int8.state"] == "absent", "the end of the sibling")


def test_what_was_stored_goes_with_the_model(start, repository, tmp_path):
    with start() as server:
        until(lambda: metric(server, "tandem_traffic_requests") == 0, "the beginning")
        send(server, 20)
        until(stored(tmp_path).exists, "the samples")
        shutil.rmtree(repository / "m")
        until(lambda: not stored(tmp_path).exists(), "the end of the samples")


def test_a_killed_server_has_stored_all_or_nothing(start, tmp_path):
    for kill_after in (10, 20):
        with pytest.raises(RuntimeError, match="ended with -9"), start() as server:
            until(lambda: metric(server, "tandem_traffic_requests") == 0, "the beginning")
            send(server, kill_after)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(60)
        if stored(tmp_path).exists():
            assert len(np.load(stored(tmp_path)).files) == 8
