"""Runs the cases of requests.cc, each against the servers that it wants."""
import os
import subprocess

import pytest

import tandemd
from small_models import add_constant, add_constant_int8

PROGRAM = tandemd.BINARIES / "cpp_client_requests"


@pytest.fixture(scope="module", name="server")
def run_server(tmp_path_factory):
    """Model m answers x + 10 in fp32 and x + 20 in int8."""
    folder = tmp_path_factory.mktemp("repository")
    add_constant(folder / "m/1/model.onnx", 10)
    add_constant_int8(folder / "m/1/int8/model.onnx", 20)
    (folder / "m/config.yaml").write_text("route: {mode: fp32}\n")
    with tandemd.running("--model-repository", folder) as running:
        yield running


def cases(suite):
    """-> the names of the cases in a suite of the program."""
    listed = subprocess.run([PROGRAM, f"--gtest_filter={suite}.*", "--gtest_list_tests"], capture_output=True, text=True,
                            check=True).stdout
    return [line.strip() for line in listed.splitlines() if line.startswith("  ")]


def run(case, **environment):
    done = subprocess.run([PROGRAM, f"--gtest_filter={case}"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=120, env={**os.environ, **environment})
    assert done.returncode == 0 and "[  PASSED  ] 1 test." in done.stdout, done.stdout


@pytest.mark.parametrize("case", cases("Requests"))
def test_requests(server, case):
    run(f"Requests.{case}", TANDEM_SERVER=server.grpc)
