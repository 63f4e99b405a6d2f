"""Models and inputs for tests of the server: small real ones, and smaller ones made on the spot."""
import threading

import numpy as np
import onnx
import tritonclient.grpc as triton
from onnx import TensorProto, helper
from tritonclient.utils import np_to_triton_dtype

import tandemd

MODELS = ("tab_digits", "tab_breast_cancer", "mnist_cntk", "kws_dscnn", "use_lite_en")


def model_file(name):
    return tandemd.SHARED / f"models/{name}.onnx"


def tensor(name, array, datatype=None):
    t = triton.InferInput(name, list(array.shape), datatype or np_to_triton_dtype(array.dtype))
    t.set_data_from_numpy(array)
    return t


def digits(rows, seed=0):
    return np.random.default_rng(seed).uniform(0, 16, (rows, 64)).astype(np.float32)


def save_model(path, nodes, inputs, outputs, initializers=()):
    """Writes an ONNX model; inputs and outputs are (name, onnx type, shape)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    info = lambda t: helper.make_tensor_value_info(*t)
    graph = helper.make_graph(nodes, "g", [info(i) for i in inputs], [info(o) for o in outputs], list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def add_constant(path, value):
    """y = x + value, batch free: a model whose version can be told from its answers."""
    constant = helper.make_tensor("c", TensorProto.FLOAT, [1], [value])
    return save_model(path, [helper.make_node("Add", ["x", "c"], ["y"])], [("x", TensorProto.FLOAT, ["N", 2])],
                      [("y", TensorProto.FLOAT, ["N", 2])], [constant])


def add_constant_int8(path, value, output="y"):
    """y = x + value for whole numbers from -128 to 127, which pass through int8: the quantized sibling."""
    constants = [helper.make_tensor("c", TensorProto.FLOAT, [1], [value]),
                 helper.make_tensor("scale", TensorProto.FLOAT, [], [1.0]),
                 helper.make_tensor("zero", TensorProto.INT8, [], [0])]
    nodes = [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
             helper.make_node("Add", ["d", "c"], [output])]
    return save_model(path, nodes, [("x", TensorProto.FLOAT, ["N", 2])], [(output, TensorProto.FLOAT, ["N", 2])],
                      constants)


def until(condition, what, tries=600):
    """Waits for something that the server does by itself, at most a minute."""
    done = threading.Event()
    for _ in range(tries):
        if condition():
            return
        done.wait(0.1)
    raise AssertionError(f"{what} did not happen")
