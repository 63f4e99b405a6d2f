"""The background build of int8: cached, cancelled, and harmless whatever the quantizer does."""
import json
import os
import pathlib
import shutil
import signal
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import fake_quantizer as fake
import tandemd
from fashion_mnist import dataset
from small_models import add_constant, add_constant_int8, tensor, until

pytestmark = pytest.mark.request_path

ONES = np.ones((1, 2), np.float32)
PROVEN = fake.SUCCEEDS.format(verdict="proven")


def metrics(server):
    return urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()


def publish(repository, version, value):
    add_constant(repository / f".m{version}/model.onnx", value)
    (repository / "m").mkdir(parents=True, exist_ok=True)
    os.rename(repository / f".m{version}", repository / f"m/{version}")


def put_samples(repository, seed=0, labels=False):
    folder = repository / "m/samples"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "inputs.npz", x=np.random.default_rng(seed).integers(0, 9, (8, 2)).astype(np.float32))
    if labels:
        np.save(folder / "labels.npy", np.zeros(8, np.int64))


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    publish(folder, 1, 10)
    put_samples(folder)
    return folder


class Running:
    """A server over the repository, and what a test asks it."""

    def __init__(self, server, client):
        self.server, self.client = server, client

    def config(self):
        parameters = self.client.get_model_config("m").config.parameters
        return {key: parameters[key].string_value for key in parameters}

    def wait_for(self, state):
        until(lambda: self.config().get("variant.int8.state") == state, f"{state}: {self.config()}")
        return self.config()

    def answer(self, variant=None):
        result = self.client.infer("m", [tensor("x", ONES)], parameters={"variant": variant} if variant else None)
        return float(result.as_numpy("y")[0, 0]) - 1, result.get_response().parameters["variant"].string_param


@pytest.fixture
def serve(repository, quantizer, tmp_path):
    """Starts servers that share one state folder; all are stopped at the end."""
    import contextlib
    with contextlib.ExitStack() as stack:
        def start(own=stack):
            server = own.enter_context(tandemd.running(
                "--model-repository", repository, "--poll-interval", "20ms", "--state-dir", tmp_path / "state",
                "--quantizer", quantizer.path))
            return Running(server, own.enter_context(triton.InferenceServerClient(server.grpc)))

        start.again = contextlib.ExitStack  # for a server that ends within the test
        yield start


def artifacts(tmp_path):
    """The folders under the state folder, those of builds included."""
    folder = tmp_path / "state/artifacts"
    return sorted(path for path in folder.iterdir()) if folder.exists() else []


def test_samples_are_enough_for_a_sibling(serve, repository, quantizer, tmp_path):
    (repository / "m/config.yaml").write_text("quantization: {metric: agreement, max_loss: 3%, confidence: 0.9}\n")
    put_samples(repository, labels=True)
    run = serve()
    told = run.wait_for("proven")
    assert told["variants"] == "fp32,int8" and told["variant.int8.loss_upper"] == "0.004"
    assert run.answer() == (20, "int8")  # the route is auto
    assert run.answer("fp32") == (10, "fp32")
    call, = quantizer.calls()
    words = call["words"]
    assert words[:2] == ["quantize", str(repository / "m/1/model.onnx")]
    options = dict(zip(words[2::2], words[3::2]))
    assert options.pop("--out").startswith(str(tmp_path / "state/artifacts"))
    assert float(options.pop("--max-loss")) == 0.03 and float(options.pop("--confidence")) == 0.9
    assert options == {"--samples": str(repository / "m/samples/inputs.npz"),
                       "--labels": str(repository / "m/samples/labels.npy"), "--method": "integer",
                       "--metric": "agreement", "--threads": "1", "--output": "json",
                       "--times": str(tmp_path / "state/times")}
    assert call["nice"] == 19 and call["omp"] == "1" and call["policy"] == os.SCHED_IDLE
    text = metrics(run.server)
    assert 'tandem_builds_total{outcome="proven"} 1' in text and "tandem_build_seconds_count 1" in text
    assert [len(path.name) for path in artifacts(tmp_path)] == [64]


def test_a_version_serves_in_fp32_while_int8_is_built(serve, quantizer):
    quantizer.behave(fake.HANGS)
    run = serve()
    until(lambda: run.config().get("variant.int8.stage") == "calibrate", "progress")
    told = run.config()
    assert (told["variant.int8.state"], told["variant.int8.done"]) == ("building", "0.25")
    assert run.answer() == (10, "fp32")
    with pytest.raises(InferenceServerException, match=r"int8 is being built \(calibrate, 25 %\)") as error:
        run.answer("int8")
    assert "FAILED_PRECONDITION" in error.value.status()
    child, = quantizer.calls()
    assert run.server.stop() == 0  # draining ends the build
    assert not pathlib.Path(f"/proc/{child['pid']}").exists()


def test_a_finished_artifact_is_not_built_again(serve, quantizer):
    with serve.again() as own:
        serve(own).wait_for("proven")
    run = serve()
    run.wait_for("proven")
    assert run.answer() == (20, "int8")
    assert len(quantizer.calls()) == 1


def test_other_samples_or_settings_are_built_for(serve, repository, quantizer):
    run = serve()
    run.wait_for("proven")
    put_samples(repository, seed=1)
    until(lambda: len(quantizer.calls()) == 2, "the build for other samples")
    run.wait_for("proven")
    (repository / "m/config.yaml").write_text("quantization: {max_loss: 4%}\n")
    until(lambda: len(quantizer.calls()) == 3, "the build for other settings")
    run.wait_for("proven")
    (repository / "m/config.yaml").write_text("quantization: {enabled: false}\n")
    told = run.wait_for("absent")
    assert "switched off" in told["variant.int8.reason"] and run.answer() == (10, "fp32")


@pytest.mark.parametrize("damage", ("truncated", "garbage", "no report", "half a report"))
def test_a_damaged_artifact_is_built_anew(serve, quantizer, tmp_path, damage):
    with serve.again() as own:
        serve(own).wait_for("proven")
    folder, = artifacts(tmp_path)
    model, report = folder / "model.onnx", folder / "report.json"
    if damage == "truncated":
        os.truncate(model, model.stat().st_size // 2)
    elif damage == "garbage":
        model.write_bytes(b"garbage")
    elif damage == "no report":
        report.unlink()
    else:
        os.truncate(report, report.stat().st_size // 2)
    run = serve()
    run.wait_for("proven")
    assert run.answer() == (20, "int8")
    assert len(quantizer.calls()) == 2
    assert damage == "no report" or "built anew" in run.server.log.read_text()


def test_an_artifact_of_another_cpu_is_judged_again(serve, quantizer, tmp_path):
    with serve.again() as own:
        serve(own).wait_for("proven")
    report = artifacts(tmp_path)[0] / "report.json"
    report.write_text(json.dumps({**json.loads(report.read_text()), "cpu": {"isa": "avx"}}))
    run = serve()
    run.wait_for("proven")
    assert len(quantizer.calls()) == 2
    assert "judged on another CPU (avx" in run.server.log.read_text()


@pytest.mark.parametrize("behaviour, reason", (
    (fake.CRASHES, "signal 11"), (fake.FILLS_THE_DISK, "No space left on device"),
    (fake.SAYS_NOTHING, "no good artifact"), (fake.WRITES_GARBAGE, "no good artifact"),
    (fake.FORGETS_THE_REPORT, "no good artifact"), ("sys.exit(3)\n", "exit code 3")))
def test_a_quantizer_that_fails_harms_nobody(serve, quantizer, tmp_path, behaviour, reason):
    quantizer.behave(behaviour)
    run = serve()
    told = run.wait_for("failed")
    assert reason in told["variant.int8.reason"]
    assert run.answer() == (10, "fp32")
    with pytest.raises(InferenceServerException, match="int8 failed"):
        run.answer("int8")
    assert artifacts(tmp_path) == []
    assert 'tandem_builds_total{outcome="failed"} 1' in metrics(run.server)
    assert len(quantizer.calls()) == 1  # and it is not tried again by itself


def test_a_quantizer_that_is_not_there_is_named(serve, quantizer):
    quantizer.path.unlink()
    assert f"cannot run {quantizer.path}" in serve().wait_for("failed")["variant.int8.reason"]


def test_a_state_folder_that_cannot_be_written_is_named(serve, tmp_path):
    (tmp_path / "state").write_text("a file")
    told = serve().wait_for("failed")
    assert f"cannot write {tmp_path / 'state'}" in told["variant.int8.reason"]


def test_inconclusive_and_rejected_siblings_answer_only_those_who_ask(serve, quantizer, repository):
    quantizer.behave(fake.SUCCEEDS.format(verdict="inconclusive"))
    run = serve()
    run.wait_for("inconclusive")
    assert run.answer() == (10, "fp32") and run.answer("int8") == (20, "int8")
    quantizer.behave(fake.SUCCEEDS.format(verdict="rejected"))
    put_samples(repository, seed=1)
    run.wait_for("rejected")
    assert run.answer() == (10, "fp32") and run.answer("int8") == (20, "int8")
    quantizer.behave(fake.REJECTS_UNBUILT)
    put_samples(repository, seed=2)
    until(lambda: run.config()["variants"] == "fp32" and run.config()["variant.int8.state"] == "rejected", "rejection")
    with pytest.raises(InferenceServerException, match="int8 was rejected: as told"):
        run.answer("int8")


def test_retiring_a_version_ends_its_build(serve, repository, quantizer):
    quantizer.behave(fake.HANGS)
    run = serve()
    until(lambda: len(quantizer.calls()) == 1, "the build")
    quantizer.behave(PROVEN)
    publish(repository, 2, 5)
    run.wait_for("proven")
    first = quantizer.calls()[0]["pid"]
    until(lambda: not pathlib.Path(f"/proc/{first}").exists(), "the end of the first build")
    assert run.answer("fp32") == (5, "fp32")
    assert 'tandem_builds_total{outcome="cancelled"} 1' in metrics(run.server)


def test_a_killed_server_leaves_no_child_and_nothing_half_written_is_read(serve, quantizer, tmp_path):
    quantizer.behave('half.mkdir()\n(half / "model.onnx").write_bytes(b"half")\n' + fake.HANGS)
    with pytest.raises(RuntimeError, match="ended with -9"), serve.again() as own:
        server = serve(own).server
        until(lambda: len(quantizer.calls()) == 1, "the build")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(60)
    child = quantizer.calls()[0]["pid"]
    until(lambda: not pathlib.Path(f"/proc/{child}").exists(), "the end of the child")
    left = artifacts(tmp_path)
    assert all(path.name.startswith(".building-") for path in left)
    quantizer.behave(PROVEN)
    run = serve()
    run.wait_for("proven")
    assert [len(path.name) for path in artifacts(tmp_path)] == [64]


def test_a_ready_made_sibling_wins_over_samples(serve, repository, quantizer):
    add_constant_int8(repository / "m/1/int8/model.onnx", 30)
    run = serve()
    run.wait_for("inconclusive")
    assert run.answer("int8") == (30, "int8") and quantizer.calls() == []
    shutil.rmtree(repository / "m/1/int8")
    run.wait_for("proven")
    assert run.answer() == (20, "int8")


def test_the_real_quantizer_builds_a_sibling_that_agrees(tmp_path):
    if not (tandemd.BINARIES / "tandem-model").exists():
        pytest.skip("tandem-model was not built: the sanitizers watch it in the tests of its parts")
    if not dataset.FOLDER.exists():
        pytest.skip(f"the data set is not in {dataset.FOLDER}; scripts/setup demo installs it")
    model = tmp_path / "repository/clothes"
    (model / "1").mkdir(parents=True)
    (model / "samples").mkdir()
    shutil.copy(tandemd.ROOT / "demo/fashion_mnist/model.onnx", model / "1/model.onnx")
    images, labels = dataset.load("train")
    np.savez(model / "samples/inputs.npz", pixels=images[-400:, None].astype(np.float32))
    np.save(model / "samples/labels.npy", labels[-400:].astype(np.int64))
    pixels = dataset.load("t10k")[0][:200, None].astype(np.float32)
    with tandemd.running("--model-repository", tmp_path / "repository") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            def told(key):
                return client.get_model_config("clothes").config.parameters[f"variant.int8.{key}"].string_value

            until(lambda: told("state") in ("proven", "inconclusive", "rejected", "failed"), "the verdict")
            # 400 samples may or may not suffice for a proof; they do not speak against this model.
            assert told("state") in ("proven", "inconclusive"), told("reason")
            answers = [client.infer("clothes", [tensor("pixels", pixels)], parameters={"variant": variant})
                       .as_numpy("probabilities").argmax(1) for variant in ("fp32", "int8")]
            assert (answers[0] == answers[1]).mean() >= 0.95
