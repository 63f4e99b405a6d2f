"""Rules of this repository that a compiler does not check."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_LINES = 400

# What a folder may include of ours, besides itself. The first matching prefix counts.
MAY_INCLUDE = {
    "engine/": ("engine/",),
    "config/": ("config/",),
    "server/": ("server/", "engine/", "config/", "proto/"),
    "clients/": ("clients/", "proto/"),
}
# Headers that only these folders may see.
ONLY_IN = {
    r"(oneapi/)?dnnl": ("engine/ops", "engine/compile", "engine/session", "tests/"),
    r"onnx/": ("engine/onnx", "tests/"),
    r"grpc(pp)?/|grpcpp": ("server/", "clients/", "tests/"),
    r"prometheus/": ("server/", "tests/"),
    r"yaml-cpp/": ("config/", "tests/"),
    r"openssl/": ("server/rpc/credentials",),
    r"SQLiteCpp/|sqlite3": ("server/state", "tests/"),
}


def files(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                            capture_output=True, text=True, check=True)
    return [name for name in sorted(set(listed.stdout.split())) if (ROOT / name).is_file()]


def includes(name):
    return re.findall(r'^\s*#include\s+[<"]([^>"]+)[>"]', (ROOT / name).read_text(encoding="utf8"), re.M)


def test_no_source_is_longer_than_it_can_be_read():
    lengths = {name: len((ROOT / name).read_text(encoding="utf8").splitlines())
               for name in files("*.cc", "*.h", "*.py", "scripts/*")}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


@pytest.mark.parametrize("folder", MAY_INCLUDE)
def test_a_folder_includes_only_what_it_may_see(folder):
    ours = tuple(MAY_INCLUDE) + ("proto/",)
    wrong = [(name, header) for name in files(f"{folder}*.cc", f"{folder}*.h") for header in includes(name)
             if header.startswith(ours) and not header.startswith(MAY_INCLUDE[folder])]
    assert wrong == []


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_seen_only_where_it_belongs(library):
    wrong = [(name, header) for name in files("*.cc", "*.h") for header in includes(name)
             if re.match(library, header) and not name.startswith(ONLY_IN[library])]
    assert wrong == []


def test_installed_headers_stand_on_abseil_alone():
    """Whoever includes them needs no headers of gRPC or protobuf, nor of this repository beside them."""
    wrong = [(name, header) for name in files("clients/cpp/include/*.h") for header in includes(name)
             if "/" in header and not header.startswith(("absl/", "tandem/client/"))]
    assert wrong == []


def test_headers_are_guarded_by_their_path():
    def guard(name):
        return "TANDEM_" + re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_"

    def guarded(name):
        text = (ROOT / name).read_text(encoding="utf8")
        return f"#ifndef {guard(name)}\n#define {guard(name)}\n" in text or "#pragma once" in text

    assert [name for name in files("*.h") if not guarded(name)] == []


@pytest.mark.parametrize("script", [name for name in files("scripts/*", ".ci/*") if "." not in name.split("/")[-1]])
def test_scripts_are_valid_and_executable(script):
    path = ROOT / script
    assert path.stat().st_mode & 0o100
    assert subprocess.run(["bash", "-n", path], capture_output=True, check=False).stderr == b""
