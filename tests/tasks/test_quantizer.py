"""The quantizer on real models: what its artifacts lose in ONNX Runtime, beside the float models."""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

import tandemd

pytest.importorskip("onnxruntime")

TASKS = tandemd.SHARED / "tasks/tasks.py"
MODELS = tandemd.SHARED / "models"
TOOL = pathlib.Path(os.environ.get("TANDEM_BIN_DIR", tandemd.ROOT / "build/bin")) / "tandem-model"

# The model, the score of the float model, and the most that int8 may lose of it: a point of accuracy is some four times
# what chance does to the answers of 400 to 9,500 items that lie near a tie.
LOSSES = {
    "mnist": ("mnist_cntk", .9892, .002),
    "kws": ("kws_dscnn", .8875, .01),
    "cifar10": ("resnet8_cifar10", .7425, .01),
    "imagenet_v1_025": ("mobilenet_v1_025_224", .5750, .015),
    "sick": ("use_lite_en", .7957, .004),
}


def run(*arguments):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("task", LOSSES)
def test_int8_loses_little(task, tmp_path):
    if not TASKS.exists():
        pytest.skip("../shared with the models and their data is not here")
    model, expected, most = LOSSES[task]
    run(sys.executable, TASKS, "samples", tmp_path, task)
    labels = tmp_path / task / "labels.npy"
    run(TOOL, "quantize", MODELS / f"{model}.onnx", "--samples", tmp_path / task / "inputs.npz", "--out", tmp_path / "out",
        *(["--labels", labels] if labels.exists() else []))
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert any(layer["precision"] == "int8" for layer in report["layers"])
    (tmp_path / "out/model.onnx").rename(tmp_path / f"{model}.onnx")
    score = float(re.search(r"score ([0-9.]+)", run(sys.executable, TASKS, "ort", "--model-dir", tmp_path, task)).group(1))
    assert score >= expected - most
