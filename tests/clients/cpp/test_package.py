"""What `cmake --install` gives is enough for a project elsewhere: the examples are built with it and nothing else."""
import re
import shutil
import subprocess

import pytest

import tandemd
from fashion_mnist import dataset

BUILD = tandemd.BINARIES.parent
SOURCES = tandemd.ROOT / "examples/cpp"
MODEL = tandemd.ROOT / "demo/fashion_mnist/model.onnx"


def checked(*command):
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module", name="prefix")
def install(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    checked("cmake", "--install", BUILD, "--component", "client", "--prefix", folder)
    return folder


@pytest.fixture(scope="module", name="programs")
def build(prefix, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(SOURCES, folder / "sources")
    checked("cmake", "-S", folder / "sources", "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", "-G", "Ninja")
    checked("cmake", "--build", folder / "build")
    return folder / "build"


def test_the_library_alone_wants_nothing_of_the_engine(tmp_path):
    checked("cmake", "-S", tandemd.ROOT, "-B", tmp_path, "-DTANDEM_CLIENT_ONLY=ON", "-G", "Ninja")
    cache = (tmp_path / "CMakeCache.txt").read_text()
    assert "gRPC_DIR" in cache and "dnnl_DIR" not in cache
    targets = checked("ninja", "-C", tmp_path, "-t", "targets", "all")
    assert "clients/cpp/libtandem_client.a" in targets and "tandemd" not in targets


def write_pgm(path, image):
    path.write_bytes(b"P5\n28 28\n255\n" + image.tobytes())


def test_pictures_are_classified(programs, tmp_path):
    images, labels = dataset.load("t10k")
    paths = [tmp_path / f"{n}.pgm" for n in range(100)]
    for path, image in zip(paths, images):
        write_pgm(path, image)
    with tandemd.running(shutil.copy(MODEL, tmp_path / "fashion_mnist.onnx")) as server:
        shown = checked(programs / "classify_pictures", server.grpc, *paths).splitlines()
    assert [line.split(": ")[0] for line in shown] == [str(path) for path in paths]
    right = sum(line.split(": ")[1].startswith(dataset.CLASSES[label]) for line, label in zip(shown, labels))
    assert right >= 85  # 89 of these by ONNX Runtime
    assert all(re.search(r", \d+% \(fp32, version 1\)$", line) for line in shown)


def test_what_is_no_picture_is_named(programs, tmp_path):
    path = tmp_path / "text.pgm"
    path.write_text("not a picture")
    done = subprocess.run([programs / "classify_pictures", "127.0.0.1:1", path], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 1 and str(path) in done.stderr
