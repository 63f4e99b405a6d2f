"""Real models on real labelled data, through a running server, score what ONNX Runtime scores."""
import re
import subprocess
import sys

import pytest

import tandemd

TASKS = tandemd.SHARED / "tasks/tasks.py"

# Scores of ONNX Runtime 1.32. Every task has at least 80 items and at most 9,500: one answer near a tie may come out
# otherwise, so the tolerance is one item in 500. Quantized models round, and where a value falls between two steps the
# order of additions decides: twice that.
EXPECTED = {
    "mnist": ("mnist_cntk", .9892, .002),
    "kws": ("kws_dscnn", .8875, .002),
    "kws_qdq": ("kws_dscnn_qdq", .8888, .004),
    "cifar10": ("resnet8_cifar10", .7425, .002),
    "cifar10_qdq": ("resnet8_cifar10_qdq", .7450, .004),
    "imagenet_v2": ("mobilenet_v2_224", .9000, .002),
    "imagenet_v2_qdq": ("mobilenet_v2_224_qdq", .9025, .004),
    "imagenet_v1_025": ("mobilenet_v1_025_224", .5750, .002),
    "faces_yunet": ("yunet_320", .8078, .002),
    "faces_ultraface": ("ultraface_rfb_320", .8603, .002),
    "ocr_lines": ("ppocr_v4_rec", .0064, .002),
    "sick": ("use_lite_en", .7957, .002),
}


@pytest.fixture(scope="module")
def server():
    if not TASKS.exists():
        pytest.skip("../shared with the models and their data is not here")
    models = [tandemd.SHARED / f"models/{model}.onnx" for model, _, _ in EXPECTED.values()]
    with tandemd.running(*models, timeout=300) as running:
        yield running


@pytest.mark.parametrize("task", EXPECTED)
def test_a_task_scores_as_the_reference_does(server, task):
    done = subprocess.run([sys.executable, TASKS, "serve", server.grpc, task], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    _, expected, tolerance = EXPECTED[task]
    score = float(re.search(r"(?:score|CER) ([0-9.]+)", done.stdout).group(1))
    assert score == pytest.approx(expected, abs=tolerance)
