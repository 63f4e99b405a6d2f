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


class Classifier:
    """Tells 16 prototypes apart by a layer of random features. `save` writes it in fp32, `save_int8` as a quantized
    sibling, which answers the same. With `damage` the weights of one class are that many times too large."""
    INPUTS, FEATURES, CLASSES = 256, 1024, 16

    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        self.prototypes = random.uniform(0, 1, (self.CLASSES, self.INPUTS)).astype(np.float32)
        self.first = (random.normal(0, 1, (self.INPUTS, self.FEATURES)) / 16).astype(np.float32)
        features = np.maximum(self.prototypes @ self.first, 0)
        self.last = (features / np.linalg.norm(features, axis=1, keepdims=True)).T.astype(np.float32).copy()
        self.most = float(features.max()) * 1.2

    def inputs(self, count, seed):
        """-> rows near prototypes, no two alike."""
        random = np.random.default_rng(seed)
        rows = self.prototypes[random.integers(0, self.CLASSES, count)]
        return np.clip(rows + random.normal(0, 0.05, rows.shape), 0, 1).astype(np.float32)

    def _save(self, path, nodes, initializers):
        return save_model(path, nodes, [("x", TensorProto.FLOAT, ["N", self.INPUTS])],
                          [("y", TensorProto.FLOAT, ["N", self.CLASSES])], initializers)

    def save(self, path, damage=1):
        last = self.last.copy()
        last[:, 0] *= damage
        nodes = [helper.make_node("MatMul", ["x", "first"], ["a"]), helper.make_node("Relu", ["a"], ["b"]),
                 helper.make_node("MatMul", ["b", "last"], ["y"])]
        return self._save(path, nodes, [onnx.numpy_helper.from_array(self.first, "first"),
                                        onnx.numpy_helper.from_array(last, "last")])

    def save_int8(self, path, damage=1):
        nodes, constants = [], []

        def constant(name, array):
            constants.append(onnx.numpy_helper.from_array(array, name))
            return name

        def rounded(name, high):
            scale, zero = constant(f"{name}_s", np.float32(high / 255)), constant(f"{name}_z", np.uint8(0))
            nodes.append(helper.make_node("QuantizeLinear", [name, scale, zero], [f"{name}_q"]))
            nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", scale, zero], [f"{name}_d"]))
            return f"{name}_d"

        def weights(name, array, harm):
            scales = (np.abs(array).max(0) / 127).astype(np.float32)
            whole = np.rint(array / scales).astype(np.int8)
            scales[0] *= harm
            names = [constant(name, whole), constant(f"{name}_s", scales),
                     constant(f"{name}_z", np.zeros(len(scales), np.int8))]
            nodes.append(helper.make_node("DequantizeLinear", names, [f"{name}_d"], axis=1))
            return f"{name}_d"

        nodes_in = [rounded("x", 1), weights("first", self.first, 1)]
        nodes.append(helper.make_node("MatMul", nodes_in, ["a"]))
        nodes.append(helper.make_node("Relu", ["a"], ["b"]))
        nodes.append(helper.make_node("MatMul", [rounded("b", self.most), weights("last", self.last, damage)], ["y"]))
        return self._save(path, nodes, constants)
