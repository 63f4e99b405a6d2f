"""Fashion-MNIST as numpy arrays, read from the files of Debian's package dataset-fashion-mnist."""
import gzip
import os
import pathlib

import numpy as np

FOLDER = pathlib.Path(os.environ.get("FASHION_MNIST", "/usr/share/datasets/fashion-mnist"))
CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def _read(name, header):
    with gzip.open(FOLDER / name) as f:
        return np.frombuffer(f.read(), np.uint8, offset=header)


def load(split):
    """split: "train" (60,000) or "t10k" (10,000) -> images uint8 [N,28,28] of 0..255, labels uint8 [N]."""
    images = _read(f"{split}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = _read(f"{split}-labels-idx1-ubyte.gz", 8)
    if len(images) != len(labels):
        raise ValueError(f"{FOLDER}: {len(images)} images but {len(labels)} labels in {split}")
    return images, labels
