"""The package as its users meet it: what its page shows, its types, and connections that are protected."""
import re
import shutil
import subprocess

import numpy as np
import pytest

import python_client
import tandem_client
import tandemd

MODEL = tandemd.ROOT / "demo/fashion_mnist/model.onnx"

# What a type checker must say of a program that uses the client.
TYPED = """
import numpy as np
import tandem_client

def best(client: tandem_client.Client, image: np.ndarray) -> int:
    result = client.infer("m", {"x": image}, variant="int8")
    reveal_type(result.version)
    return int(result["y"].argmax())

def wrong(client: tandem_client.Client) -> None:
    client.infer("m", {"x": [1.0]})
    client.infer("m", {}, priority="high")
"""


def mypy(*arguments):
    """-> what it printed."""
    python = python_client.environment().python
    command = [python, "-m", "mypy", "--strict", "--cache-dir", "/dev/null", *map(str, arguments)]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout


def test_the_package_is_typed_throughout():
    folder = python_client.FOLDER
    assert "Success: no issues found" in mypy("--config-file", folder / "pyproject.toml", folder / "tandem_client")


def test_its_users_programs_are_checked(tmp_path):
    (tmp_path / "program.py").write_text(TYPED)
    said = mypy(tmp_path / "program.py")
    assert re.search(r'program.py:7: note: Revealed type is "(builtins.)?int"', said), said
    wrong = [line for line in said.splitlines() if " error: " in line]
    assert [int(line.split(":")[1]) for line in wrong] == [11, 12], said


def test_what_the_page_shows_runs(tmp_path):
    model = tmp_path / "repository/fashion_mnist"
    (model / "1").mkdir(parents=True)
    (model / "samples").mkdir()
    shutil.copy(MODEL, model / "1/model.onnx")
    images = np.random.default_rng(0).integers(0, 256, (64, 1, 28, 28)).astype(np.float32)
    np.savez(model / "samples/inputs.npz", pixels=images)
    page = (python_client.FOLDER / "README.md").read_text(encoding="utf8")
    program = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.M | re.S))
    with tandemd.running("--model-repository", tmp_path / "repository") as server:
        program = program.replace("127.0.0.1:8001", server.grpc).replace("127.0.0.1:8003", server.admin)
        done = subprocess.run([python_client.environment().python, "-c", program], text=True, capture_output=True,
                              timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "TensorMetadata(name='pixels', datatype='FP32'" in done.stdout
    assert "INVALID_ARGUMENT" in done.stdout and "FP64" in done.stdout
    assert {f"image-{n}" for n in range(8)} <= set(done.stdout.split())


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module", name="pki")
def make_certificates(tmp_path_factory):
    """A folder with ca.pem, and NAME.pem and NAME.key of a server at 127.0.0.1 and of a client."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here; scripts/setup installs it")
    folder = tmp_path_factory.mktemp("pki")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *new, "-subj", "/CN=ca", "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    for name in ("server", "client"):
        openssl("req", "-x509", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", *new, "-subj", f"/CN={name}",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:tandem.example", "-addext",
                "basicConstraints=critical,CA:FALSE", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    return folder


def test_tls_with_a_certificate_of_ones_own(pki):
    files = {"cert": pki / "client.pem", "key": pki / "client.key"}
    with tandemd.running(MODEL, "--tls-cert", pki / "server.pem", "--tls-key", pki / "server.key", "--tls-client-ca",
                         pki / "ca.pem") as server:
        for tls in (tandem_client.Tls(pki / "ca.pem", **files),
                    tandem_client.Tls(pki / "ca.pem", **files, server_name="tandem.example")):
            with tandem_client.Client(server.grpc, tls=tls) as client:
                assert client.ready()
        for tls in (None, tandem_client.Tls(pki / "ca.pem"), tandem_client.Tls(**files)):
            with tandem_client.Client(server.grpc, tls=tls, retry=tandem_client.NO_RETRIES) as client:
                with pytest.raises(tandem_client.Unavailable, match=server.grpc):
                    client.ready()


def test_settings_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cert and key go together"):
        tandem_client.Tls(cert="cert.pem")
    with pytest.raises(OSError, match="nowhere.pem"):
        tandem_client.Client("127.0.0.1:1", tls=tandem_client.Tls(ca=tmp_path / "nowhere.pem"))
    for wrong in ({"timeout": 0}, {"keepalive": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            tandem_client.Client("127.0.0.1:1", **wrong)
