"""TLS on the public port: who is let in, and certificates that change while the server runs."""
import os
import pathlib
import shutil
import ssl
import subprocess

import grpc
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from certificates import make_ca, make_certificate
from small_models import digits, model_file, tensor, until

MODEL = model_file("tab_digits")

# Not run under the thread sanitizer, for which the distribution's OpenSSL is not built.
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None,
                                reason="openssl is not here; scripts/setup installs it")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    ca, other = make_ca(folder, "ca"), make_ca(folder, "other")
    return {
        "ca": ca[0], "other ca": other[0], "signer": ca,
        "server": make_certificate(folder / "server", "server", ca),
        "client": make_certificate(folder / "client", "client", ca),
        "stranger": make_certificate(folder / "stranger", "stranger", other),
    }


def connect(server, pki, client=None, ca="ca"):
    files = {}
    if client is not None:
        files = {"certificate_chain": str(pki[client][0]), "private_key": str(pki[client][1])}
    return triton.InferenceServerClient(server.grpc, ssl=True, root_certificates=str(pki[ca]), **files)


def ask(client):
    return client.infer("tab_digits", [tensor("x", digits(1))], client_timeout=30).as_numpy("p").shape


def is_refused(client):
    with client:
        try:
            client.is_server_live(client_timeout=30)
        except InferenceServerException as error:
            return error.status() == "StatusCode.UNAVAILABLE"
    return False


def presented(server):
    """The certificate that a new connection gets, or None when it gets none."""
    host, port = server.grpc.split(":")
    try:
        return ssl.get_server_certificate((host, int(port)), timeout=10)
    except OSError:
        return None


def test_clients_that_know_the_root_are_served(pki):
    cert, key = pki["server"]
    with tandemd.running(MODEL, "--tls-cert", cert, "--tls-key", key) as server:
        with connect(server, pki) as client:
            assert ask(client) == (1, 10)
            answers = []
            client.start_stream(lambda result, error: answers.append(error))
            client.async_stream_infer("tab_digits", [tensor("x", digits(1))])
            client.stop_stream()
            assert answers == [None]
        assert is_refused(connect(server, pki, ca="other ca"))
        assert is_refused(triton.InferenceServerClient(server.grpc))  # plain text


def test_only_clients_with_a_certificate_are_let_in(pki):
    cert, key = pki["server"]
    with tandemd.running(MODEL, "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", pki["ca"]) as server:
        with connect(server, pki, "client") as client:
            assert ask(client) == (1, 10)
        assert is_refused(connect(server, pki))
        assert is_refused(connect(server, pki, "stranger"))


def test_certificates_are_replaced_while_the_server_runs(pki, tmp_path):
    shutil.copytree(pki["server"][0].parent, tmp_path / "old")
    make_certificate(tmp_path / "new", "renewed", pki["signer"])
    live = tmp_path / "live"
    live.symlink_to("old")

    def replace(name):
        (tmp_path / "next").symlink_to(name)
        os.rename(tmp_path / "next", live)

    with tandemd.running(MODEL, "--tls-cert", live / "cert.pem", "--tls-key", live / "key.pem") as server:
        with connect(server, pki) as early:
            assert ask(early) == (1, 10)
            assert presented(server) == (tmp_path / "old/cert.pem").read_text()
            replace("new")
            until(lambda: presented(server) == (tmp_path / "new/cert.pem").read_text(), "the new certificate")
            assert ask(early) == (1, 10)  # on the connection that is open
            with connect(server, pki) as late:
                assert ask(late) == (1, 10)
            # With nonsense in place of a certificate nobody comes in, but those who are there stay.
            (tmp_path / "nonsense").mkdir()
            for name in ("cert.pem", "key.pem"):
                (tmp_path / "nonsense" / name).write_text("nonsense")
            replace("nonsense")
            until(lambda: is_refused(connect(server, pki)), "the end of new connections")
            assert ask(early) == (1, 10)
            replace("old")
            until(lambda: presented(server) == (tmp_path / "old/cert.pem").read_text(), "the old certificate")


@pytest.mark.skipif(not (tandemd.BINARIES / "tandemctl").exists(), reason="tandemctl was not built")
def test_the_admin_port_has_its_own(pki):
    cert, key = pki["server"]
    with tandemd.running(MODEL, "--admin-tls-cert", cert, "--admin-tls-key", key,
                         "--admin-tls-client-ca", pki["ca"]) as server:
        with triton.InferenceServerClient(server.grpc) as client:  # the public port speaks plain text
            assert ask(client) == (1, 10)

        def ctl(*arguments):
            command = [tandemd.BINARIES / "tandemctl", "--address", server.admin, *arguments, "models", "list"]
            return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False)

        known = ("--tls-cert", pki["client"][0], "--tls-key", pki["client"][1])
        listed = ctl("--tls-ca", pki["ca"], *known)
        assert listed.returncode == 0 and "tab_digits" in listed.stdout, listed.stderr
        for arguments in ((), ("--tls-ca", pki["ca"]), ("--tls-ca", pki["other ca"], *known)):
            assert ctl(*arguments).returncode == 1
        plain = ctl(*known)
        assert plain.returncode == 2 and "--tls-ca" in plain.stderr
        wrong = ctl("--tls-ca", "nowhere.pem")
        assert wrong.returncode == 2 and "nowhere.pem: cannot be read" in wrong.stderr


@pytest.mark.parametrize("cert, key, ca, wrong, words", (
    ("nowhere.pem", "server", None, "nowhere.pem", "cannot be read"),
    ("server", "nowhere.key", None, "nowhere.key", "cannot be read"),
    ("text", "server", None, "text", "expected a certificate"),
    ("server", "text", None, "text", "expected a private key"),
    ("server", "client", None, "key.pem", "is not the key of the certificate"),
    ("server", "server", "text", "text", "expected a certificate"),
))
def test_files_that_are_no_good_are_named_at_start(pki, tmp_path, cert, key, ca, wrong, words):
    (tmp_path / "text").write_text("nonsense")

    def file(name, part):
        return pki[name][part] if name in pki else tmp_path / pathlib.Path(name)

    arguments = ["--tls-cert", file(cert, 0), "--tls-key", file(key, 1)]
    if ca is not None:
        arguments += ["--tls-client-ca", file(ca, 0)]
    with pytest.raises(RuntimeError, match=words) as error:
        with tandemd.running(MODEL, *arguments):
            pass
    assert wrong in str(error.value)


def test_health_is_probed_over_tls(pki):
    cert, key = pki["server"]
    with tandemd.running(MODEL, "--tls-cert", cert, "--tls-key", key) as server:
        credentials = grpc.ssl_channel_credentials(pki["ca"].read_bytes())
        with grpc.secure_channel(server.grpc, credentials) as channel:
            assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=10) == b"\x08\x01"
