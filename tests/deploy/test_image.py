"""The container image, built and run for real. It takes minutes, so it is asked for, as root: TANDEM_IMAGE=1; or
TANDEM_IMAGE=kept for the one that was built last in TANDEM_IMAGE_STORAGE."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

import real_tasks
import tandemd
from built_image import Buildah, stop
from small_models import until

MOST_BYTES = 250e6
MOST_SECONDS_TO_READY = 3
NEEDS = ("buildah", "mmdebstrap", "unshare")

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TANDEM_IMAGE"), reason="building the image takes minutes: TANDEM_IMAGE=1"),
    pytest.mark.skipif(os.geteuid() != 0 or not all(map(shutil.which, NEEDS)), reason=f"needs root and {NEEDS}"),
    pytest.mark.timeout(3600),
]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    storage = os.environ.get("TANDEM_IMAGE_STORAGE") or tmp_path_factory.mktemp("images")
    buildah = Buildah(pathlib.Path(storage))
    if os.environ["TANDEM_IMAGE"] != "kept":
        buildah.build()
    with buildah.image() as image:
        yield image


@pytest.fixture
def models(tmp_path):
    """One repository of mobilenet_v2, readable by everybody."""
    source = tandemd.SHARED / "models/mobilenet_v2_224.onnx"
    if not source.exists():
        pytest.skip("../shared with the models is not here")
    folder = tmp_path / "models/mobilenet_v2_224/1"
    folder.mkdir(parents=True)
    shutil.copy(source, folder / "model.onnx")
    return tmp_path / "models"


@contextlib.contextmanager
def serving(image, folder, models):
    """The server as the image starts it, but on free ports -> (process, addresses, seconds until it was ready)."""
    folder.chmod(0o755)
    arguments = image.entrypoint(*image.config["Cmd"], "--ready-file", "/run/ready")
    for port in ("--grpc-address", "--http-address", "--admin-address"):
        arguments += [port, "127.0.0.1:0"]
    begin = time.monotonic()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(image.command(folder, models, *arguments), stdout=log, stderr=log)
    try:
        until(lambda: (folder / "run/ready").exists() or process.poll() is not None, "readiness")
        seconds = time.monotonic() - begin
        assert process.poll() is None, (folder / "log").read_text()
        yield process, json.loads((folder / "run/ready").read_text()), seconds
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def inside(image, folder, models, *arguments):
    return subprocess.run(image.command(folder, models, *arguments), capture_output=True, text=True, timeout=60,
                          check=False)


def test_it_is_small_and_says_what_it_is(image):
    print(f"figures: image of {image.size() / 1e6:.0f} MB")
    assert image.size() < MOST_BYTES
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.title"] == "Tandem"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert image.config["User"] == "10001:10001"
    assert image.config["StopSignal"] == "SIGTERM"
    assert set(image.config["ExposedPorts"]) == {"8001/tcp", "8002/tcp"}
    assert not any(word in text.upper() for text in image.config["Env"] for word in ("TOKEN", "PASSWORD", "SECRET"))


def test_it_lists_every_package_that_it_has(image):
    document = json.loads((image.root / "usr/share/doc/tandem/sbom.spdx.json").read_text())
    shown = subprocess.run(["chroot", image.root, "dpkg-query", "-W", "-f", "${Package} ${Version}\n"],
                           capture_output=True, text=True, check=True).stdout
    listed = {f"{package['name']} {package['versionInfo']}" for package in document["packages"]}
    assert listed == {*shown.splitlines(), f"tandem {image.config['Labels']['org.opencontainers.image.version']}"}
    assert not {"g++", "cmake", "libgrpc++-dev"} & {package["name"] for package in document["packages"]}


def test_its_programs_find_their_libraries(image):
    for program in ("tandemd", "tandemctl", "tandem-model"):
        ran = subprocess.run(["chroot", image.root, f"/usr/bin/{program}", "--help"], capture_output=True, text=True,
                             check=False)
        assert ran.returncode == 0, ran.stderr


def test_it_serves_without_rights_and_stops_in_order(image, models, tmp_path):
    tasks = real_tasks.load()
    with serving(image, tmp_path, models) as (process, addresses, seconds):
        print(f"figures: ready after {seconds:.2f} s")
        assert seconds < MOST_SECONDS_TO_READY
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        assert "Uid:\t10001\t10001" in status and "CapEff:\t0000000000000000" in status
        assert inside(image, tmp_path, models, "sh", "-c", "echo >/etc/written").returncode != 0
        health = image.config["Healthcheck"]["Test"]
        assert health[0] == "CMD"
        check = [*health[1:], "--address", addresses["admin"]]
        assert inside(image, tmp_path, models, *check).returncode == 0
        task = tasks.TASKS["imagenet_v2"]()
        _, (items, labels) = task.splits()
        run = tasks.server_runner(addresses["grpc"], "mobilenet_v2_224", "")
        score = task.score([run(item) for item in items[:100]], labels[:100])
        print(f"figures: top-1 of 100 images {score}")
        assert score >= 0.85
        assert stop(process) == 0
        assert inside(image, tmp_path, models, *check).returncode == 1
        assert (tmp_path / "state/state.db").exists()
