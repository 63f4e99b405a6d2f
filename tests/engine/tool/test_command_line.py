"""What tandem-model says when it is used wrongly: one line that names the thing, and a status other than 0."""
import os
import pathlib
import subprocess

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[3]
TOOL = pathlib.Path(os.environ.get("TANDEM_BIN_DIR", TOP / "build/bin")) / "tandem-model"


def tool(*arguments):
    return subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def error_of(*arguments):
    run = tool(*arguments)
    assert run.returncode != 0
    assert "check failed" not in run.stderr
    return run.stderr


@pytest.fixture
def model(tmp_path):
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.BFLOAT16)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
                              [helper.make_tensor_value_info("y", TensorProto.BFLOAT16, ["N", 2])])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def run_with(model, tmp_path):
    def run(**arrays):
        np.savez(tmp_path / "x.npz", **arrays)
        return ("run", model, "--inputs", tmp_path / "x.npz", "--outputs", tmp_path / "y.npz")
    return run


def test_outputs_that_numpy_does_not_know_are_widened(run_with, tmp_path):
    assert tool(*run_with(x=np.array([[1.5, -2]], np.float32))).returncode == 0
    assert np.load(tmp_path / "y.npz")["y"].tolist() == [[1.5, -2]]


def test_inputs_that_are_missing_or_do_not_fit_are_named(run_with):
    assert "'x'" in error_of(*run_with(z=np.zeros([1, 2], np.float32)))
    assert "float64" in error_of(*run_with(x=np.zeros([1, 2])))
    assert "[1,3]" in error_of(*run_with(x=np.zeros([1, 3], np.float32)))
    assert "column" in error_of(*run_with(x=np.asfortranarray(np.zeros([3, 2], np.float32))))


def test_files_that_are_missing_or_damaged_are_named(model, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(model.read_bytes()[:40])
    (tmp_path / "bad.npz").write_text("no archive")
    assert "bad.onnx" in error_of("inspect", tmp_path / "bad.onnx")
    assert "absent.onnx" in error_of("inspect", tmp_path / "absent.onnx")
    assert "bad.npz" in error_of("run", model, "--inputs", tmp_path / "bad.npz", "--outputs", tmp_path / "y.npz")
    assert "absent.npz" in error_of("run", model, "--inputs", tmp_path / "absent.npz", "--outputs", tmp_path / "y.npz")


@pytest.mark.parametrize("shape", ["x", "x:1,z", "x:1,-2", "z:1,2", "x:1,3", "x:1", "x:99999999999999999999,2"])
def test_shapes_that_make_no_sense_are_refused(model, shape):
    assert error_of("inspect", model, "--steps", "--shape", shape)


WRONG = ["", "inspect", "frobnicate", "run m.onnx",
         "bench m --threads 0", "bench m --threads x", "inspect m --output xml"]


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_usage_is_refused(arguments):
    assert tool(*arguments.split()).returncode != 0


def test_a_variant_or_a_time_that_is_not_there_is_refused(model):
    assert "int8" in error_of("bench", model, "--variant", "int8")
    assert "--seconds" in error_of("bench", model, "--seconds", "-1")
