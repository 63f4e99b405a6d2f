"""Installs clients/python into an environment of its own, as `pip install ./clients/python` does, once a test run."""
import functools
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile

import tandemd

FOLDER = tandemd.ROOT / "clients/python"


def checked(*command):
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


class Environment:
    """`python` runs programs that use the client; `packages` is where it was installed."""

    def __init__(self):
        # Lives as long as the test run.
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        self.python = folder / "venv/bin/python"
        checked(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
        self.packages = next((folder / "venv").glob("lib/python*/site-packages"))
        # What the client depends on, and what it is built with, is what the tests have.
        (self.packages / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
        # Building leaves files beside the sources: those of a copy.
        shutil.copytree(FOLDER, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
        checked(self.python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
                folder / "source")

    def importable(self):
        """Lets this process import the client that was installed."""
        if str(self.packages) not in sys.path:
            sys.path.insert(0, str(self.packages))


@functools.cache
def environment():
    return Environment()
