"""What the integration tests share: a running server, clients, and small models made on the spot."""
import pathlib

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd


def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    missing = [path for path in (tandemd.BINARIES / "tandemd", tandemd.SHARED / "models") if not path.exists()]
    for item in items:
        if missing and here in pathlib.Path(item.path).parents and "wire" not in item.path.name:
            item.add_marker(pytest.mark.skip(reason=f"{missing[0]} is not here"))


MODELS = ("tab_digits", "tab_breast_cancer", "mnist_cntk", "kws_dscnn", "use_lite_en")


def model_file(name):
    return tandemd.SHARED / f"models/{name}.onnx"


@pytest.fixture(scope="module")
def server():
    with tandemd.running(*map(model_file, MODELS), "--max-message-size", "128MB") as running:
        yield running


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client


def tensor(name, array, datatype=None):
    from tritonclient.utils import np_to_triton_dtype
    t = triton.InferInput(name, list(array.shape), datatype or np_to_triton_dtype(array.dtype))
    t.set_data_from_numpy(array)
    return t


def digits(rows, seed=0):
    return np.random.default_rng(seed).uniform(0, 16, (rows, 64)).astype(np.float32)


def save_model(path, nodes, inputs, outputs, initializers=()):
    """Writes an ONNX model; inputs and outputs are (name, onnx type, shape)."""
    import onnx
    from onnx import helper
    path.parent.mkdir(parents=True, exist_ok=True)
    info = lambda t: helper.make_tensor_value_info(*t)
    graph = helper.make_graph(nodes, "g", [info(i) for i in inputs], [info(o) for o in outputs], list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def add_constant(path, value):
    """y = x + value, batch free: a model whose version can be told from its answers."""
    from onnx import TensorProto, helper
    constant = helper.make_tensor("c", TensorProto.FLOAT, [1], [value])
    return save_model(path, [helper.make_node("Add", ["x", "c"], ["y"])], [("x", TensorProto.FLOAT, ["N", 2])],
                      [("y", TensorProto.FLOAT, ["N", 2])], [constant])
