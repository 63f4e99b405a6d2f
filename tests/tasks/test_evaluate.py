"""`tandemctl evaluate` on a real model with real labels, beside the score of the same answers fetched one by one."""
import json
import pty
import os
import shutil
import signal
import subprocess
import threading

import numpy as np
import pytest
import tritonclient.grpc as triton

import real_tasks
import tandemd
from tandemctl import Tandemctl

MODEL = "kws_dscnn"
ITEMS = 400  # of the evaluation split


@pytest.fixture(scope="module", name="tasks")
def load_tasks():
    return real_tasks.load()


@pytest.fixture(scope="module", name="task")
def load_task(tasks):
    return tasks.TASKS["kws"]()


@pytest.fixture(scope="module", name="served")
def serve(tasks, task, tmp_path_factory):
    """A server of the model in two versions, the first with an int8 sibling and labelled samples beside both."""
    folder = tmp_path_factory.mktemp("evaluate")
    model = folder / "repository" / MODEL
    (calibration, labels), (items, truth) = task.splits()
    real_tasks.write_samples(tasks, task, calibration, labels, folder / "calibration")
    real_tasks.write_samples(tasks, task, items[:ITEMS], truth[:ITEMS], model / "samples")
    for version in "12":
        (model / version).mkdir()
        shutil.copy(tasks.MODELS / task.model, model / version / "model.onnx")
    subprocess.run([tandemd.BINARIES / "tandem-model", "quantize", tasks.MODELS / task.model, "--samples",
                    folder / "calibration/inputs.npz", "--labels", folder / "calibration/labels.npy", "--out",
                    model / "1/int8"], check=True, capture_output=True)
    (model / "config.yaml").write_text("version_policy: {all: true}\nquantization: {enabled: false}\n")
    with tandemd.running("--model-repository", folder / "repository") as server:
        yield server, model / "samples"


@pytest.fixture(name="ctl")
def connect(served):
    return Tandemctl(served[0].admin)


def result_of(ctl, *arguments):
    *progress, last = map(json.loads, ctl.text("evaluate", MODEL, *arguments, "--output", "json").splitlines())
    assert all("progress" in line for line in progress)
    return last["result"]


def answers(tasks, task, server, variant):
    """The classes that requests get, one by one."""
    _, (items, _) = task.splits()
    name = tasks.first_input(tasks.MODELS / task.model)
    with triton.InferenceServerClient(server.grpc) as client:
        output = client.get_model_metadata(MODEL).outputs[0].name
        found = []
        for item in items[:ITEMS]:
            array = next(iter(item.values()))
            tensor = triton.InferInput(name, list(array.shape), "FP32")
            tensor.set_data_from_numpy(array)
            result = client.infer(MODEL, [tensor], model_version="1", parameters={"variant": variant})
            found.append(int(result.as_numpy(output).argmax()))
    return np.array(found)


def test_scores_are_those_of_the_answers_that_clients_get(tasks, task, served, ctl):
    result = result_of(ctl, "--version", "1")
    truth = np.load(served[1] / "labels.npy")
    fp32, int8 = (answers(tasks, task, served[0], variant) for variant in ("fp32", "int8"))
    exact, quantized = result["scores"]
    assert (result["samples"], result["metric"]) == (str(ITEMS), "top1")
    assert [(score["version"], score["variant"]) for score in (exact, quantized)] == [("1", "fp32"), ("1", "int8")]
    # A sum on the edge between two steps of int8 may fall to either side in a batch of another size: none does here.
    assert exact["accuracy"]["value"] == pytest.approx(np.mean(fp32 == truth))
    assert quantized["accuracy"]["value"] == pytest.approx(np.mean(int8 == truth))
    difference = quantized["difference"]
    assert list(map(int, difference["changed_samples"])) == np.flatnonzero(fp32 != int8).tolist()
    assert difference["loss"]["value"] == pytest.approx(np.mean(fp32 == truth) - np.mean(int8 == truth))
    assert difference["loss"]["lower_bound"] <= difference["loss"]["value"] <= difference["loss"]["upper_bound"]
    assert exact["accuracy"]["lower_bound"] < exact["accuracy"]["value"] < exact["accuracy"]["upper_bound"]
    print(ctl.text("evaluate", MODEL, "--version", "1"))


def test_samples_that_are_sent_are_scored(served, ctl, tmp_path):
    samples = served[1]
    arrays = dict(np.load(samples / "inputs.npz"))
    np.savez_compressed(tmp_path / "few.npz", **{name: array[:50] for name, array in arrays.items()})
    np.save(tmp_path / "few.npy", np.load(samples / "labels.npy")[:50])
    labelled = result_of(ctl, "--version", "1", "--samples", tmp_path / "few.npz", "--labels", tmp_path / "few.npy")
    assert (labelled["samples"], labelled["metric"]) == ("50", "top1")
    bare = result_of(ctl, "--version", "1", "--samples", tmp_path / "few.npz")
    assert (bare["metric"], "accuracy" in bare["scores"][0]) == ("agreement", False)
    assert bare["scores"][1]["difference"]["loss"] == bare["scores"][1]["difference"]["changed"]


def test_versions_are_compared_with_the_first(ctl):
    scores = result_of(ctl, "--version", "2", "--version", "1")["scores"]
    assert [(score["version"], score["variant"]) for score in scores] == [("2", "fp32"), ("1", "fp32"), ("1", "int8")]
    same = scores[1]["difference"]
    assert float(same["loss"].get("value", 0)) == 0 and int(same.get("samples_changed", 0)) == 0


def test_what_cannot_be_scored_is_named(served, ctl, tmp_path):
    inputs, labels = served[1] / "inputs.npz", tmp_path / "labels.npy"
    assert "not loaded" in ctl.refused("evaluate", MODEL, "--version", "7")
    assert "is in no repository" in ctl.refused("evaluate", "nothing")
    assert ctl.refused("evaluate", MODEL, "--samples", tmp_path / "none.npz").endswith("none.npz: cannot be read")
    np.save(labels, np.zeros(3, np.int64))
    why = ctl.refused("evaluate", MODEL, "--samples", inputs, "--labels", labels)
    assert why == f"the labels: holds 3 labels for {ITEMS} samples"
    (tmp_path / "text.npz").write_text("these are no samples")
    why = ctl.refused("evaluate", MODEL, "--version", "1", "--samples", tmp_path / "text.npz")
    assert "the samples: is no .npz file" in why
    # Version 2 has no int8.
    assert "nothing to compare fp32 with" in ctl.refused("evaluate", MODEL, "--samples", inputs)
    assert ctl.refused("evaluate", MODEL, "--labels", labels, code=2)


def test_people_see_a_bar_and_may_stop_it(served, ctl):
    ours, its = pty.openpty()
    evaluating = subprocess.Popen([tandemd.BINARIES / "tandemctl", "evaluate", MODEL, "--version", "1"], stderr=its,
                                  stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "TANDEM_ADDRESS": served[0].admin})
    shown = os.read(ours, 1024).decode()
    evaluating.send_signal(signal.SIGINT)
    assert "evaluate" in shown
    evaluating.communicate(timeout=60)
    os.close(its)
    os.close(ours)
    # The server has let go of it: another one can begin.
    done = threading.Event()
    for _ in range(100):
        again = ctl.start("evaluate", MODEL, "--version", "1")
        out, error = again.communicate(timeout=60)
        if again.returncode == 0:
            break
        assert "another evaluation runs" in error
        done.wait(0.1)
    assert "1 int8" in out
