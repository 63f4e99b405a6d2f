#!/usr/bin/env python3
"""Trains a small network with PyTorch and lays it out for Tandem, which then makes its int8 sibling.

    export_pytorch.py REPOSITORY

Writes REPOSITORY/shapes/1/model.onnx, the samples from which int8 is built, and test.npz and test.npy beside the
repository: pictures that were neither trained on nor among the samples, and their labels. The network tells circles,
squares and triangles apart in noisy pictures, which are drawn here, so that nothing has to be downloaded. For a network
of your own, take the two functions at the end.
"""
import argparse
import pathlib

import numpy as np
import torch
from torch import nn

SIDE = 32
CLASSES = ("circle", "square", "triangle")


def draw(count, seed):
    """-> grey pictures [count, 1, SIDE, SIDE] of float32, and the numbers of their classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(len(CLASSES), size=count)
    y, x = np.mgrid[:SIDE, :SIDE]
    pictures = random.normal(0, .2, (count, 1, SIDE, SIDE))
    for picture, label in zip(pictures, labels):
        radius = random.uniform(6, 11)
        down, right = y - random.uniform(11, 21), x - random.uniform(11, 21)
        turn = random.uniform(0, 2 * np.pi)
        down, right = down * np.cos(turn) - right * np.sin(turn), down * np.sin(turn) + right * np.cos(turn)
        inside = (down ** 2 + right ** 2 < radius ** 2,
                  np.maximum(abs(down), abs(right)) < radius * .886,
                  (down < radius * .7) & (down > 1.75 * abs(right) - radius * 1.3))[label]
        picture[0] += inside * random.uniform(.5, 1)
    return pictures.astype(np.float32), labels


def block(channels_in, channels_out, stride):
    return (nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(channels_out),
            nn.ReLU())


def train(pictures, labels):
    network = nn.Sequential(*block(1, 32, 1), *block(32, 64, 2), *block(64, 64, 1), *block(64, 128, 2),
                            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, len(CLASSES)))
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    data = torch.utils.data.TensorDataset(torch.from_numpy(pictures), torch.from_numpy(labels))
    for epoch in range(1, 9):
        right = 0
        for batch, classes in torch.utils.data.DataLoader(data, 64, shuffle=True):
            scores = network(batch)
            optimizer.zero_grad()
            nn.functional.cross_entropy(scores, classes).backward()
            optimizer.step()
            right += (scores.argmax(1) == classes).sum().item()
        print(f"epoch {epoch}: {right / len(data):.1%} right", flush=True)
    return network.eval()


def export(network, path):
    """Writes an ONNX file that takes batches of any size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    free = {0: "batch"}
    torch.onnx.export(network, torch.zeros(1, 1, SIDE, SIDE), str(path), input_names=["pixels"],
                      output_names=["scores"], dynamic_axes={"pixels": free, "scores": free})


def write_samples(folder, pictures, labels):
    """Inputs under the names that the model gives them, and what is right. Labels may be left out."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "inputs.npz", pixels=pictures)
    np.save(folder / "labels.npy", labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", type=pathlib.Path)
    repository = parser.parse_args().repository

    torch.manual_seed(1)
    network = train(*draw(4000, seed=1))
    model = repository / "shapes"
    write_samples(model / "samples", *draw(1000, seed=2))
    export(network, model / "1/model.onnx")
    pictures, labels = draw(1000, seed=3)
    np.savez(repository.parent / "test.npz", pixels=pictures)
    np.save(repository.parent / "test.npy", labels)


if __name__ == "__main__":
    main()
