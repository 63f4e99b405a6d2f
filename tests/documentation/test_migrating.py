"""docs/migrating.md: what comes from another server works as it says, and what it names exists."""
import re
import subprocess

import numpy as np
import pytest
import tritonclient.grpc as triton

import tandemd
from small_models import tensor

PAGE = (tandemd.ROOT / "docs/migrating.md").read_text(encoding="utf8")
CONFIG_PBTXT = """
name: "clothes"
platform: "onnxruntime_onnx"
max_batch_size: 16
input [{ name: "pixels" data_type: TYPE_FP32 dims: [1, 28, 28] }]
output [{ name: "probabilities" data_type: TYPE_FP32 dims: [10] }]
instance_group [{ count: 2 kind: KIND_CPU }]
dynamic_batching { preferred_batch_size: [8] max_queue_delay_microseconds: 500 }
"""


def right_columns():
    """The cells of the page's tables that say what there is here."""
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    return "\n".join(row[1] for row in rows if row[1].strip() not in ("here",))


def test_a_repository_of_triton_is_served_as_it_stands(tmp_path):
    model = tmp_path / "models/clothes"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text(CONFIG_PBTXT)
    (model / "1/model.onnx").symlink_to(tandemd.ROOT / "demo/fashion_mnist/model.onnx")
    with tandemd.running("--model-repository", tmp_path / "models") as server:
        with triton.InferenceServerClient(server.grpc) as client:
            assert client.is_model_ready("clothes")
            config = client.get_model_config("clothes").config
            assert (config.input[0].name, list(config.input[0].dims)) == ("pixels", [1, 28, 28])
            answer = client.infer("clothes", [tensor("pixels", np.zeros((3, 1, 28, 28), np.float32))])
            assert answer.as_numpy("probabilities").shape == (3, 10)


def test_its_options_exist():
    shown = subprocess.run([tandemd.BINARIES / "tandemd", "--help"], capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"--[\w-]+", right_columns()))
    assert len(named) > 5
    assert named - set(re.findall(r"--[\w-]+", shown)) == set()


def test_its_metrics_exist():
    documented = set(re.findall(r"^\| `(\w+)`", (tandemd.ROOT / "docs/metrics.md").read_text(encoding="utf8"), re.M))
    named = set(re.findall(r"`(tandem_\w+)`", right_columns()))
    assert len(named) > 5
    assert {re.sub(r"_(sum|count)$", "", name) for name in named} - documented == set()


@pytest.mark.parametrize("key", ("max_batch_size", "max_delay", "max_queue_size", "version_policy"))
def test_its_keys_exist(key):
    assert f"`{key}`" in right_columns()
    reference = (tandemd.ROOT / "docs/operations.md").read_text(encoding="utf8")
    assert re.search(rf"^\| `{key}` \|", reference, re.M)
