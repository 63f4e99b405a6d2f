"""The container image for a test: built by buildah, and its root run by chroot where no container can be started.

The base is made by mmdebstrap, as registries of images may be out of reach. What was built is kept under
TANDEM_IMAGE_STORAGE, or the temporary folder of the test.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile

import tandemd

BASE = "localhost/debian:trixie-slim"
IMAGE = "localhost/tandem:test"
# What the official slim images leave out.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
DEBIAN = "http://deb.debian.org/debian"


class Buildah:
    """Buildah with its own storage; it needs root, and neither a daemon nor a runtime."""

    def __init__(self, storage):
        self.storage = storage
        self._environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", "TMPDIR": str(storage / "tmp")}
        (storage / "tmp").mkdir(parents=True, exist_ok=True)

    def __call__(self, *arguments):
        command = ["buildah", "--root", self.storage / "root", "--runroot", self.storage / "run", *arguments]
        done = subprocess.run([str(part) for part in command], env=self._environment, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"buildah {arguments[0]}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout.strip()

    def has(self, image):
        return image in self("images", "--format", "{{.Name}}:{{.Tag}}").split()

    def make_base(self):
        with tempfile.TemporaryDirectory(dir=self.storage) as folder:
            root = pathlib.Path(folder) / "root"
            exclude = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
            subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates", *exclude,
                            "--dpkgopt=path-include=/usr/share/doc/*/copyright", "trixie", root, DEBIAN], check=True,
                           capture_output=True)
            container = self("from", "scratch")
            self("add", container, root, "/")
            self("config", "--cmd", "bash", container)
            self("commit", "--rm", container, BASE)

    def build(self):
        if not self.has(BASE):
            self.make_base()
        self("bud", "--format", "docker", "--pull-never", "--build-arg", f"BASE={BASE}", "-f",
             tandemd.ROOT / "deploy/docker/Dockerfile", "-t", IMAGE, tandemd.ROOT)

    @contextlib.contextmanager
    def image(self):
        """The image, mounted."""
        container = self("from", "--pull-never", IMAGE)
        try:
            config = json.loads(self("inspect", "--type", "image", IMAGE))["Docker"]["config"]
            yield Image(pathlib.Path(self("mount", container)), config)
        finally:
            self("rm", container)


class Image:
    """A mounted image. `config` is what it says about itself, `root` its files."""

    def __init__(self, root, config):
        self.root, self.config = root, config

    def size(self):
        """Bytes of its files, each counted once."""
        shown = subprocess.run(["du", "-sx", "--block-size=1", self.root], capture_output=True, text=True, check=True)
        return int(shown.stdout.split()[0])

    def command(self, folder, models, *arguments):
        """-> what runs `arguments` as the image's user in its root, which is read-only, with `models` at /models and the
        rest of what a container is given in `folder`. The mounts end with the process, which has the id of this one."""
        for name in ("state", "tmp", "run"):
            (folder / name).mkdir(exist_ok=True)
            os.chown(folder / name, *map(int, self.config["User"].split(":")))
        top = folder / "root"
        top.mkdir(exist_ok=True)
        script = f"""set -e
mount --bind {self.root} {top}
mount --bind -o ro {models} {top}/models
mount --bind {folder}/state {top}/var/lib/tandem
mount --bind {folder}/tmp {top}/tmp
mount --bind {folder}/run {top}/run
mount -t proc proc {top}/proc
mount --rbind /dev {top}/dev
mount -o remount,bind,ro {top}
exec chroot --userspec={self.config["User"]} {top} env -i {" ".join(self.config["Env"])} "$@"
"""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *map(str, arguments)]

    def entrypoint(self, *arguments):
        return [*self.config["Entrypoint"], *arguments]


def stop(process, timeout=60):
    """SIGTERM -> the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout)
