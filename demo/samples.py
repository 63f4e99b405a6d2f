#!/usr/bin/env python3
"""Writes labelled samples that an int8 sibling is built from: images that the network was neither trained nor tested on.

    samples.py FOLDER          inputs.npz and labels.npy, from the last 5,000 of the 60,000 training images
"""
import pathlib
import sys

import numpy as np

from fashion_mnist import dataset

COUNT = 5000  # train.py left these out of training, and chose the best epoch by them


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = dataset.load("train")
    np.savez(folder / "inputs.npz", pixels=images[-COUNT:, None].astype(np.float32))
    np.save(folder / "labels.npy", labels[-COUNT:].astype(np.int64))


if __name__ == "__main__":
    main()
