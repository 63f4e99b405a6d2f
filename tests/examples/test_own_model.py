"""The quick start's way from PyTorch to a model that is served in both precisions, by the commands that it shows."""
import os
import re
import subprocess

import pytest

import python_client
import tandemd
from tandemctl import Tandemctl

DEBIANS_PYTHON = "/usr/bin/python3"  # which PyTorch's package is for, unlike another one in PATH


pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", name="section")
def read_section():
    text = (tandemd.ROOT / "docs/quickstart.md").read_text(encoding="utf8")
    return text.split("## Your own model, in both precisions\n")[1].split("\n## ")[0]


@pytest.fixture(scope="module", name="folder")
def lay_out(section, tmp_path_factory):
    """-> where the section's first command was run."""
    if subprocess.run([DEBIANS_PYTHON, "-c", "import torch"], check=False, capture_output=True).returncode:
        pytest.skip("python3-torch is not here; scripts/setup installs it")
    folder = tmp_path_factory.mktemp("own_model")
    (command,) = re.findall(r"^python3 (examples/\S+) (.*)$", section, re.M)
    # A team of threads on cores that others want too would take many times as long.
    subprocess.run([DEBIANS_PYTHON, tandemd.ROOT / command[0], *command[1].split()], cwd=folder, check=True,
                   env={**os.environ, "OMP_NUM_THREADS": "1"})
    return folder


def test_a_network_is_served_in_both_precisions(section, folder, monkeypatch):
    monkeypatch.chdir(folder)
    with tandemd.running("--model-repository", "models", "--state-dir", folder / "state") as server:
        tandemctl = Tandemctl(server.admin)
        # What builds and what scores gets the cores that nobody else wants.
        built, status, scores = (tandemctl.text(*command.split(), timeout=600)
                                 for command in re.findall(r"^build/bin/tandemctl (.*)$", section, re.M))
        assert built.startswith("int8 is proven")
        assert "fp32  published" in status and "int8  proven" in status
        accuracy = dict(re.findall(r"^1 (fp32|int8) +(\d+\.\d+) %", scores, re.M))
        assert float(accuracy["fp32"]) > 94 and float(accuracy["int8"]) > 94

        (program,) = re.findall(r"```python\n(.*?)```", section, re.S)
        done = subprocess.run([python_client.environment().python, "-c", program.replace("127.0.0.1:8001", server.grpc)],
                              text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    answered = re.findall(r"^asked for (\w+), answered in (\w+): (\d+)% right$", done.stdout, re.M)
    assert [line[:2] for line in answered] == [("fp32", "fp32"), ("int8", "int8"), ("either", "int8")]
    assert all(int(right) > 90 for _, _, right in answered)
