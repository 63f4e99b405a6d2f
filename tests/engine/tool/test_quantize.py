"""tandem-model quantize, evaluate and bench --variant int8: what they write, and what they say of input that is wrong."""
import json
import os
import pathlib
import signal
import subprocess
import time

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[3]
TOOL = pathlib.Path(os.environ.get("TANDEM_BIN_DIR", TOP / "build/bin")) / "tandem-model"
CLASSES = 6


def tool(*arguments, **options):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def network(batch="N"):
    """A convolution large enough for int8 to gain, and a classifier."""
    rng = np.random.default_rng(1)

    def weights(name, *shape):
        return numpy_helper.from_array(rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32), name)

    nodes = [helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c0"], ["r0"]),
             helper.make_node("Conv", ["r0", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
             helper.make_node("Relu", ["c1"], ["r1"]),
             helper.make_node("GlobalAveragePool", ["r1"], ["g"]),
             helper.make_node("Flatten", ["g"], ["f"]),
             helper.make_node("Gemm", ["f", "w2", "b2"], ["scores"], transB=1)]
    constants = [weights("w0", 64, 3, 3, 3), weights("b0", 64), weights("w1", 64, 64, 3, 3), weights("b1", 64),
                 weights("w2", CLASSES, 64), weights("b2", CLASSES)]
    graph = helper.make_graph(nodes, "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, 32, 32])],
                              [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, CLASSES])], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(network(), path)
    return path


@pytest.fixture
def samples():
    return np.random.default_rng(2).normal(size=(60, 3, 32, 32)).astype(np.float32)


@pytest.fixture
def quantize(model, tmp_path):
    def run(labels=None, extra=(), **arrays):
        np.savez(tmp_path / "x.npz", **arrays)
        arguments = ["quantize", model, "--samples", tmp_path / "x.npz", "--out", tmp_path / "out", *extra]
        if labels is not None:
            np.save(tmp_path / "y.npy", labels)
            arguments += ["--labels", tmp_path / "y.npy"]
        return tool(*arguments)
    return run


def error_of(run, tmp_path):
    assert run.returncode == 1, run.stderr
    assert "check failed" not in run.stderr
    assert not (tmp_path / "out").exists()
    return run.stderr.splitlines()[-1]


def test_the_artifact_runs_in_onnxruntime_and_agrees(quantize, samples, model, tmp_path):
    ort = pytest.importorskip("onnxruntime")
    run = quantize(x=samples, extra=["--output", "json"])
    assert run.returncode == 0, run.stderr
    events = [json.loads(line) for line in run.stdout.splitlines()]
    assert {e["event"] for e in events[:-1]} == {"progress"}
    assert all(0 <= e["done"] <= 1 and e["seconds_left"] >= 0 for e in events[:-1])
    assert events[-1]["event"] == "done"
    assert events[-1]["verdict"] in ("proven", "inconclusive", "rejected")
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["format"] == 1 and report["verdict"] == events[-1]["verdict"]
    assert report["loss"]["lower"] <= report["loss"]["value"] <= report["loss"]["upper"]
    assert len(report["layers"]) == 3 and report["verdict"] in (tmp_path / "out/report.md").read_text()
    outputs = [ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": samples})[0]
               for path in (model, tmp_path / "out/model.onnx")]
    assert np.mean(outputs[0].argmax(1) == outputs[1].argmax(1)) > 0.9


def test_methods_are_compared_on_one_page(quantize, samples, tmp_path):
    run = quantize(x=samples, extra=["--method", "binary", "--method", "integer", "--output", "json"])
    assert run.returncode == 0, run.stderr
    done = json.loads(run.stdout.splitlines()[-1])
    assert [entry["method"] for entry in done["methods"]] == ["integer", "binary"]
    page = (tmp_path / "out/report.md").read_text()
    report = json.loads((tmp_path / "out/report.json").read_text())
    for summary, method in zip(report["methods"], ("integer", "binary")):
        own = json.loads((tmp_path / "out" / method / "report.json").read_text())
        assert own["method"] == summary["method"] == method
        assert summary["artifact_sha256"] == own["artifact_sha256"]
        assert summary["layers"]["all"] == len(own["layers"]) == 3
        assert f"[{method}]({method}/report.md) | {own['verdict']}" in page
    assert not (tmp_path / "out/model.onnx").exists() and not (tmp_path / "out/fixed_point").exists()


def test_all_methods_are_told_of_side_by_side_and_progress_is_a_line_a_stage(quantize, samples):
    run = quantize(x=samples, extra=["--method", "all"])
    assert run.returncode == 0, run.stderr
    assert [line.split()[0] for line in run.stdout.splitlines()[:4]] == ["method", "integer", "fixed_point", "binary"]
    assert "\r" not in run.stderr
    assert run.stderr.splitlines().count("fixed_point: judge") == 1


def test_arrays_of_one_sample_each_do_as_well(quantize, samples):
    run = quantize(**{f"x.{i}": samples[i:i + 1] for i in range(24)})
    assert run.returncode == 0, run.stderr


def test_a_single_sample_is_used_and_proves_nothing(quantize, samples, tmp_path):
    assert quantize(x=samples[:1]).returncode == 0
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["verdict"] != "proven"
    assert any("one sample" in note for note in report["notes"])


def test_samples_that_do_not_fit_are_named(quantize, samples, tmp_path):
    assert "no samples" in error_of(quantize(x=samples[:0]), tmp_path)
    assert "'x'" in error_of(quantize(z=samples), tmp_path)
    assert "float64" in error_of(quantize(x=samples.astype(np.float64)), tmp_path)
    assert "[1,3,8,8]" in error_of(quantize(x=samples[:, :, :8, :8]), tmp_path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sample_with_numbers_that_are_none_is_named(quantize, samples, tmp_path, bad):
    samples[17, 0, 3, 3] = bad
    assert "sample 17" in error_of(quantize(x=samples), tmp_path)


def test_labels_that_do_not_fit_are_named(quantize, samples, tmp_path):
    labels = np.zeros(len(samples), np.int64)
    assert "59 labels for 60 samples" in error_of(quantize(labels[1:], x=samples), tmp_path)
    assert "float32" in error_of(quantize(labels.astype(np.float32), x=samples), tmp_path)
    labels[3] = CLASSES
    assert f"{CLASSES} classes" in error_of(quantize(labels, x=samples), tmp_path)


def test_files_that_cannot_be_read_are_named(quantize, samples, model, tmp_path):
    quantize(x=samples)
    (tmp_path / "bad.npz").write_bytes((tmp_path / "x.npz").read_bytes()[:5000])
    out = tmp_path / "out2"
    for arguments, name in ((["absent.onnx", "--samples", tmp_path / "x.npz"], "absent.onnx"),
                            ([model, "--samples", tmp_path / "absent.npz"], "absent.npz"),
                            ([model, "--samples", tmp_path / "bad.npz"], "bad.npz"),
                            ([model, "--samples", tmp_path / "x.npz", "--labels", tmp_path / "no.npy"], "no.npy")):
        run = tool("quantize", *arguments, "--out", out)
        assert run.returncode == 1 and name in run.stderr and not out.exists()


def test_wrong_usage_ends_with_2(model):
    assert tool("quantize", model).returncode == 2
    assert tool("quantize", model, "--samples", "x", "--out", "y", "--method", "magic").returncode == 2


def test_an_artifact_is_replaced_whole_or_not_at_all(quantize, samples, model, tmp_path):
    assert quantize(x=samples).returncode == 0
    before = (tmp_path / "out/report.json").read_bytes()
    large = np.concatenate([samples] * 40)
    np.savez(tmp_path / "large.npz", x=large)
    process = subprocess.Popen([TOOL, "quantize", model, "--samples", tmp_path / "large.npz", "--out",
                                tmp_path / "out", "--output", "json"], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / "out/report.json").read_bytes() == before
    assert (tmp_path / "out/model.onnx").exists()


def test_the_same_seed_gives_the_same_file(quantize, samples, tmp_path):
    extra = ["--times", tmp_path / "times"]
    files = []
    for _ in range(2):
        assert quantize(x=samples, extra=extra).returncode == 0
        files.append((tmp_path / "out/model.onnx").read_bytes())
    assert files[0] == files[1]
    kept, = (tmp_path / "times").iterdir()
    assert any(key.startswith("layers ") for key in json.loads((kept / "times.json").read_text()))
    # One that is damaged or cannot be written is done without.
    (kept / "times.json").write_text("{")
    assert quantize(x=samples, extra=extra).returncode == 0
    assert json.loads((kept / "times.json").read_text())
    assert quantize(x=samples, extra=["--times", "/proc/none"]).returncode == 0


def test_two_models_are_evaluated_beside_each_other(quantize, samples, model, tmp_path):
    labels = np.arange(len(samples)) % CLASSES
    assert quantize(labels, x=samples).returncode == 0
    run = tool("evaluate", model, tmp_path / "out/model.onnx", "--samples", tmp_path / "x.npz", "--labels",
               tmp_path / "y.npy", "--output", "json")
    assert run.returncode == 0, run.stderr
    *progress, summary = map(json.loads, run.stdout.splitlines())
    assert progress and all((line["event"], line["stage"]) == ("progress", "evaluate") for line in progress)
    first, second = summary["scores"]
    difference = second["difference"]
    assert difference["loss"]["value"] == pytest.approx(first["accuracy"]["value"] - second["accuracy"]["value"])
    assert first["accuracy"]["lower_bound"] < first["accuracy"]["value"] < first["accuracy"]["upper_bound"]
    assert len(difference["changed_samples"]) == difference["samples_changed"]
    assert difference["samples_to_wrong"] + difference["samples_to_right"] <= difference["samples_changed"]
    assert difference["sqnr_db"] > 10 and second["median_seconds"] > 0
    # Beside itself nothing changes.
    run = tool("evaluate", model, model, "--samples", tmp_path / "x.npz", "--output", "json")
    _, same = json.loads(run.stdout.splitlines()[-1])["scores"]
    assert (same["difference"]["samples_changed"], same["difference"]["changed_samples"]) == (0, [])
    assert "--labels" in tool("evaluate", model, "--samples", tmp_path / "x.npz").stderr


def test_the_int8_variant_is_made_once(model, tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    arguments = ("bench", model, "--variant", "int8", "--seconds", "0.05", "--output", "json")
    assert tool(*arguments, env=environment).returncode == 0
    made = list((tmp_path / "cache/tandem").iterdir())
    assert len(made) == 1
    stamp = (made[0] / "model.onnx").stat().st_mtime_ns
    begin = time.monotonic()
    run = tool(*arguments, env=environment)
    assert time.monotonic() - begin < 10
    assert json.loads(run.stdout.splitlines()[-1])["min_ms"] > 0
    assert (made[0] / "model.onnx").stat().st_mtime_ns == stamp
