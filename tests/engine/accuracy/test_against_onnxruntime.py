"""Every fp32 model agrees with ONNX Runtime within 1e-4 of each output's largest magnitude.

The tolerance is the product's promise: both sum the same products in float32, in different orders. Where ONNX Runtime
differs from itself by more once its optimizations are off (its fast sigmoid far from zero), twice that is allowed.
"""
import os
import pathlib
import subprocess

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

TOP = pathlib.Path(__file__).resolve().parents[3]
TOOL = pathlib.Path(os.environ.get("TANDEM_BIN_DIR", TOP / "build/bin")) / "tandem-model"
SHARED = TOP.parent / "shared"
TOLERANCE = 1e-4

# Free dimensions other than the batch, by model and input.
FREE = {"ppocr_v4_rec": {3: 320, 2: 48, 1: 3}, "ppocr_v2_cls": {1: 3, 2: 48, 3: 192}, "use_lite_en": {1: 24}}


def models():
    found = sorted((SHARED / "models").glob("*.onnx")) + sorted((SHARED / "conformance/light").glob("*.onnx"))
    return [p for p in found if not p.stem.endswith("_qdq")]


def signature(session, stem, batch):
    shapes = {}
    for i in session.get_inputs():
        dims = [d if isinstance(d, int) else None for d in i.shape]
        dims = [FREE.get(stem, {}).get(k, batch) if d is None else d for k, d in enumerate(dims)]
        shapes[i.name] = (dims, i.type)
    return shapes


def random_inputs(session, stem, batch):
    rng = np.random.default_rng(batch)
    arrays = {}
    for name, (dims, kind) in signature(session, stem, batch).items():
        if stem == "silero_vad_16k" and name == "sr":
            arrays[name] = np.array(16000, np.int64)
        elif stem == "silero_vad_16k" and name == "state":
            arrays[name] = rng.standard_normal([2, batch, 128]).astype(np.float32)
        elif stem == "silero_vad_16k":
            arrays[name] = rng.uniform(-1, 1, [batch, 576]).astype(np.float32)
        elif "int64" in kind:
            arrays[name] = rng.integers(1, 8000, dims)
        else:
            arrays[name] = rng.standard_normal(dims).astype(np.float32)
    return arrays


def session_of(path, level=None):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if level is not None:
        options.graph_optimization_level = level
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def distance(a, b):
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)


def has_free_batch(session):
    return all(i.shape and not isinstance(i.shape[0], int) for i in session.get_inputs() if i.name != "sr")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the models in ../shared are absent")
@pytest.mark.parametrize("path", models(), ids=lambda p: p.stem)
def test_model_agrees(path, tmp_path):
    session, plain = session_of(path), session_of(path, ort.GraphOptimizationLevel.ORT_DISABLE_ALL)
    names = [o.name for o in session.get_outputs()]
    for batch in (1, 3, 16) if has_free_batch(session) else (1,):
        arrays = random_inputs(session, path.stem, batch)
        np.savez(tmp_path / "x.npz", **arrays)
        run = subprocess.run([TOOL, "run", path, "--inputs", tmp_path / "x.npz", "--outputs", tmp_path / "y.npz"],
                             capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        ours = np.load(tmp_path / "y.npz")
        for name, expected, again in zip(names, session.run(names, arrays), plain.run(names, arrays)):
            assert ours[name].shape == expected.shape, name
            worst, allowed = distance(ours[name], expected), max(TOLERANCE, 2 * distance(again, expected))
            assert worst <= allowed, f"batch {batch}: '{name}' differs by {worst:.2e} of its largest magnitude"
