"""Compiles the wire's definition, proto/*.proto, into the package; pyproject.toml says the rest.

What is shipped is a set of descriptors and no generated code: it works with every protobuf that the package allows, and
beside other clients of the protocol in one process, as _wire.py explains.
"""
import pathlib

import grpc_tools
from grpc_tools import protoc
from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
FILES = ("proto/inference.proto", "proto/health.proto", "proto/tandem/admin/v1/admin.proto")


class BuildWithWire(build_py):
    """build_py, and then wire.binpb where the modules are."""

    def run(self):
        super().run()
        folder = HERE if self.editable_mode else pathlib.Path(self.build_lib)
        well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
        command = ["protoc", f"-I{HERE}", f"-I{well_known}", "--include_imports",
                   f"--descriptor_set_out={folder / 'tandem_client/wire.binpb'}", *FILES]
        if protoc.main(command) != 0:
            raise RuntimeError(f"protoc could not compile {', '.join(FILES)} in {HERE}")


setup(cmdclass={"build_py": BuildWithWire})
