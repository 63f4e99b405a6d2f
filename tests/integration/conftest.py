"""What the integration tests share: a running server and a client."""
import pathlib
import re
import urllib.request

import pytest
import tritonclient.grpc as triton

import fake_quantizer
import tandemd
from small_models import MODELS, add_constant, add_constant_int8, model_file


def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    missing = [path for path in (tandemd.BINARIES / "tandemd", tandemd.SHARED / "models") if not path.exists()]
    for item in items:
        if missing and here in pathlib.Path(item.path).parents and "wire" not in item.path.name:
            item.add_marker(pytest.mark.skip(reason=f"{missing[0]} is not here"))


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory):
    """Servers that are not told where keep their state away from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="module")
def server():
    with tandemd.running(*map(model_file, MODELS), "--max-message-size", "128MB") as running:
        yield running


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client


@pytest.fixture(scope="session")
def isa(tmp_path_factory):
    """The instruction set that plans are compiled for here."""
    with tandemd.running(add_constant(tmp_path_factory.mktemp("isa") / "m.onnx", 1)) as server:
        metrics = urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()
        return re.search(r'tandem_build_info\{.*cpu="(\w+)"\}', metrics).group(1)


@pytest.fixture
def quantizer(tmp_path, isa):
    """A stand-in that hands out y = x + 20, proven, until it is told to behave otherwise."""
    program = fake_quantizer.FakeQuantizer(tmp_path, add_constant_int8(tmp_path / "int8.onnx", 20), isa)
    program.behave(fake_quantizer.SUCCEEDS.format(verdict="proven"))
    return program
