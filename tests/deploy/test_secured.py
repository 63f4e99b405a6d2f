"""The chart's values for TLS and a token, given to a real server with secrets laid out as Kubernetes mounts them."""
import os
import shutil
import subprocess

import pytest
import tritonclient.grpc as triton
import yaml

import tandemd
from charts import VALUES, needs_helm, objects, one, render
from small_models import add_constant

TOKEN = "0123456789abcdef"

pytestmark = [needs_helm,
              pytest.mark.skipif(not (tandemd.BINARIES / "tandemctl").exists(), reason="tandemctl was not built"),
              pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")]


def write_tls_secret(folder):
    """A certificate that has signed itself, so that it is its own authority."""
    folder.mkdir(parents=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=tandem", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    folder / "tls.key", "-out", folder / "tls.crt"], check=True, capture_output=True, timeout=60)
    shutil.copy(folder / "tls.crt", folder / "ca.crt")


@pytest.fixture
def config(tmp_path):
    """-> the rendered file, with its secrets under the test's folder in place of /etc/tandem."""
    secrets = tmp_path / "secrets"
    for name in ("tls", "admin-tls"):
        write_tls_secret(secrets / name)
    (secrets / "admin-token").mkdir()
    (secrets / "admin-token/token").write_text(TOKEN)
    documents = objects(render("--values", VALUES / "secured-values.yaml"))
    text = one(documents, "ConfigMap")["data"]["tandem.yaml"].replace("/etc/tandem", str(secrets))
    assert sum(str(secrets) in str(value) for value in yaml.safe_load(text).values()) == 7
    (tmp_path / "tandem.yaml").write_text(text)
    return tmp_path / "tandem.yaml"


def tandemctl(server, secret, *arguments, token=TOKEN):
    files = {} if secret is None else {"TANDEM_TLS_CA": secret / "ca.crt", "TANDEM_TLS_CERT": secret / "tls.crt",
                                       "TANDEM_TLS_KEY": secret / "tls.key"}
    environment = {**os.environ, "TANDEM_ADDRESS": server.admin, "TANDEM_TOKEN": token,
                   **{name: str(path) for name, path in files.items()}}
    return subprocess.run([tandemd.BINARIES / "tandemctl", *arguments], env=environment, capture_output=True, text=True,
                          check=False, timeout=60)


def test_secrets_are_where_the_configuration_says(config, tmp_path):
    add_constant(tmp_path / "models/m/1/model.onnx", 1)
    with tandemd.running("--config", config, "--model-repository", tmp_path / "models") as server:
        secret = tmp_path / "secrets/admin-tls"
        shown = tandemctl(server, secret, "models", "list", "--all")
        assert shown.returncode == 0 and shown.stdout.startswith(f"{server.admin}\n"), shown.stderr
        assert tandemctl(server, secret, "models", "list", token="another-token-012").returncode == 1
        assert tandemctl(server, None, "health").returncode == 1
        public = tmp_path / "secrets/tls"
        with triton.InferenceServerClient(server.grpc, ssl=True, root_certificates=str(public / "ca.crt"),
                                          certificate_chain=str(public / "tls.crt"),
                                          private_key=str(public / "tls.key")) as client:
            assert client.is_server_ready()
