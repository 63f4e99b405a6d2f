"""What the integration tests share: a running server and a client."""
import pathlib

import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import MODELS, model_file


def pytest_collection_modifyitems(items):
    here = pathlib.Path(__file__).parent
    missing = [path for path in (tandemd.BINARIES / "tandemd", tandemd.SHARED / "models") if not path.exists()]
    for item in items:
        if missing and here in pathlib.Path(item.path).parents and "wire" not in item.path.name:
            item.add_marker(pytest.mark.skip(reason=f"{missing[0]} is not here"))


@pytest.fixture(scope="module")
def server():
    with tandemd.running(*map(model_file, MODELS), "--max-message-size", "128MB") as running:
        yield running


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc) as client:
        yield client
