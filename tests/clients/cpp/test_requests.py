"""Runs the cases of requests.cc, each against the servers that it wants."""
import os
import pathlib
import re
import shutil
import subprocess

import onnx
import pytest

import tandemd
from certificates import make_ca, make_certificate
from small_models import add_constant, add_constant_int8, save_model

PROGRAM = tandemd.BINARIES / "cpp_client_requests"
SOURCE = pathlib.Path(__file__).with_name("requests.cc")
TYPES = {"FP32": onnx.TensorProto.FLOAT, "FP64": onnx.TensorProto.DOUBLE, "FP16": onnx.TensorProto.FLOAT16,
         "INT8": onnx.TensorProto.INT8, "INT16": onnx.TensorProto.INT16, "INT32": onnx.TensorProto.INT32,
         "INT64": onnx.TensorProto.INT64, "UINT8": onnx.TensorProto.UINT8, "UINT16": onnx.TensorProto.UINT16,
         "UINT32": onnx.TensorProto.UINT32, "UINT64": onnx.TensorProto.UINT64, "BOOL": onnx.TensorProto.BOOL,
         "BF16": onnx.TensorProto.BFLOAT16}


def cases(suite):
    """-> a test for each case of a suite in the program."""
    names = re.findall(rf"^TEST\(({suite}), (\w+)\)", SOURCE.read_text(encoding="utf8"), re.M)
    return pytest.mark.parametrize("case", [".".join(name) for name in names])


def run(case, server, **environment):
    done = subprocess.run([PROGRAM, f"--gtest_filter={case}"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=120,
                          env={**os.environ, "TANDEM_SERVER": server.grpc, **environment})
    assert done.returncode == 0 and "[  PASSED  ] 1 test." in done.stdout, done.stdout


@pytest.fixture(scope="module", name="server")
def run_server(tmp_path_factory):
    """Model m answers x + 10 in fp32 and x + 20 in int8; model KIND gives back what it got, for each datatype."""
    folder = tmp_path_factory.mktemp("repository")
    add_constant(folder / "m/1/model.onnx", 10)
    add_constant_int8(folder / "m/1/int8/model.onnx", 20)
    (folder / "m/config.yaml").write_text("route: {mode: fp32}\n")
    for kind, onnx_type in TYPES.items():
        save_model(folder / f"{kind}/1/model.onnx", [onnx.helper.make_node("Identity", ["x"], ["y"])],
                   [("x", onnx_type, ["N", 3])], [("y", onnx_type, ["N", 3])])
    with tandemd.running("--model-repository", folder) as running:
        yield running


@cases("Requests")
def test_requests(server, case):
    run(case, server)


@pytest.fixture(scope="module", name="busy")
def run_busy_server(tmp_path_factory):
    """Has one worker, which runs the rows of a request one by one, and a queue for one request."""
    folder = tmp_path_factory.mktemp("busy")
    add_constant(folder / "m/1/model.onnx", 10)
    (folder / "m/config.yaml").write_text("max_batch_size: 1\nmax_queue_size: 1\n")
    with tandemd.running("--model-repository", folder, "--workers", "1") as running:
        yield running


@cases("Overload")
def test_a_busy_server(busy, case):
    run(case, busy)


@pytest.fixture(scope="module", name="pki")
def make_pki(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here; scripts/setup installs it")
    folder = tmp_path_factory.mktemp("pki")
    ca, other = make_ca(folder, "ca"), make_ca(folder, "other")
    return {"ca": ca[0], "other": other[0], "server": make_certificate(folder / "server", "server", ca),
            "client": make_certificate(folder / "client", "client", ca)}


@cases("Tls")
def test_certificates(pki, tmp_path, case):
    cert, key = pki["server"]
    model = add_constant(tmp_path / "m.onnx", 10)
    with tandemd.running(model, "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", pki["ca"]) as server:
        run(case, server, TANDEM_CA=str(pki["ca"]), TANDEM_OTHER_CA=str(pki["other"]),
            TANDEM_CERT=str(pki["client"][0]), TANDEM_KEY=str(pki["client"][1]))


def test_requests_outlast_a_restart(tmp_path):
    old, new = (add_constant(tmp_path / f"{n}/m.onnx", n) for n in (10, 20))
    with tandemd.running(old) as server:
        address = server.grpc
        program = subprocess.Popen([PROGRAM, "--gtest_filter=Restart.NoRequestFails"], text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, env={**os.environ, "TANDEM_SERVER": address})
        shown = []
        while not any(line.startswith("answer") for line in shown):
            assert (line := program.stdout.readline()), shown
            shown.append(line)
    with tandemd.running(new, "--grpc-address", address):
        # Standard input has ended, so it ends with its next answer.
        rest, _ = program.communicate(timeout=120)
    assert program.returncode == 0, rest
    assert [line for line in [*shown, *rest.splitlines(True)] if line.startswith("answer")] == [
        "answer { 11, 12 }\n", "answer { 21, 22 }\n"]
