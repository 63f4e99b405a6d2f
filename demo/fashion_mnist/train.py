#!/usr/bin/env python3
"""Trains the demo's network on Fashion-MNIST and writes it as ONNX.

    python3 train.py [--epochs N] [--out model.onnx] [--figures figures.json]

Needs PyTorch (Debian: python3-torch and python3-onnx) and the package dataset-fashion-mnist. The last 5,000 training
images are held out; the epoch with the best accuracy on them is exported, and only then are the 10,000 test images
looked at, once.
The graph does its own normalization: clients send raw pixels, 0 to 255, as float32.
"""
import argparse
import json
import platform
import time

import torch
from torch import nn
from torch.nn import functional as F

import dataset

HELD_OUT = 5000
SEED = 20240501


class ConvBlock(nn.Sequential):
    def __init__(self, source, target):
        super().__init__(nn.Conv2d(source, target, 3, padding=1, bias=False), nn.BatchNorm2d(target), nn.ReLU())


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block = ConvBlock(channels, channels)

    def forward(self, x):
        return x + self.block(x)


class Network(nn.Module):
    """Four convolution stages, 28x28 to 7x7, about 0.3 million parameters; logits out."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor(72.94))
        self.register_buffer("std", torch.tensor(90.02))
        self.features = nn.Sequential(
            ConvBlock(1, 32), nn.MaxPool2d(2),
            ConvBlock(32, 64), Residual(64), nn.MaxPool2d(2),
            ConvBlock(64, 128), Residual(128))
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(128, len(dataset.CLASSES))

    def forward(self, pixels):
        x = self.features((pixels - self.mean) / self.std)
        return self.classifier(self.dropout(x.mean((2, 3))))


class WithSoftmax(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixels):
        return F.softmax(self.network(pixels), dim=1)


def augment(x):
    """Each image shifted by up to 2 pixels and mirrored by chance."""
    n = len(x)
    mirrored = torch.where(torch.rand(n, 1, 1, 1) < 0.5, x.flip(3), x)
    padded = F.pad(mirrored, (2, 2, 2, 2))
    rows = torch.randint(0, 5, (n, 1)) + torch.arange(28)
    columns = torch.randint(0, 5, (n, 1)) + torch.arange(28)
    return padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


def accuracy(network, images, labels):
    network.eval()
    with torch.no_grad():
        hits = sum((network(x.float()).argmax(1) == y).sum().item()
                   for x, y in zip(images.split(1000), labels.split(1000)))
    return hits / len(labels)


def train_epoch(network, optimizer, schedule, images, labels, batch):
    network.train()
    total = 0.0
    steps = len(images) // batch
    for chosen in torch.randperm(len(images))[:steps * batch].split(batch):
        # bfloat16 halves the time on CPUs that have it; weights and what is exported stay float32.
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(network(augment(images[chosen].float())), labels[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item()
    return total / steps


def fit(network, images, labels, epochs, batch=128):
    """Trains; leaves the weights of the epoch that was best on the held-out images; -> figures."""
    train_x, train_y = images[:-HELD_OUT], labels[:-HELD_OUT]
    held_x, held_y = images[-HELD_OUT:], labels[-HELD_OUT:]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, epochs * (len(train_x) // batch), pct_start=0.25)
    best, best_state, history = -1.0, None, []
    for epoch in range(1, epochs + 1):
        start = time.time()
        loss = train_epoch(network, optimizer, schedule, train_x, train_y, batch)
        score = accuracy(network, held_x, held_y)
        history.append({"epoch": epoch, "loss": round(loss, 4), "held_out_accuracy": score})
        print(f"epoch {epoch:2}/{epochs}  loss {loss:.4f}  held-out {score:.4f}  {time.time() - start:.0f} s", flush=True)
        if score > best:
            best, best_state = score, {k: v.clone() for k, v in network.state_dict().items()}
    network.load_state_dict(best_state)
    return {"held_out_accuracy": best, "epochs": history}


def load(split):
    images, labels = dataset.load(split)
    return torch.tensor(images).unsqueeze(1), torch.tensor(labels).long()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--out", default="model.onnx")
    parser.add_argument("--figures", default="figures.json")
    args = parser.parse_args()

    torch.manual_seed(SEED)
    network = Network()
    parameters = sum(p.numel() for p in network.parameters())
    figures = fit(network, *load("train"), args.epochs)
    figures.update(test_accuracy=accuracy(network, *load("t10k")), parameters=parameters, seed=SEED,
                   torch=torch.__version__, machine=platform.machine())
    torch.onnx.export(WithSoftmax(network).eval(), torch.zeros(1, 1, 28, 28), args.out, opset_version=17,
                      input_names=["pixels"], output_names=["probabilities"],
                      dynamic_axes={"pixels": {0: "N"}, "probabilities": {0: "N"}})
    with open(args.figures, "w", encoding="utf8") as f:
        json.dump(figures, f, indent=1)
        f.write("\n")
    print(f"held-out {figures['held_out_accuracy']:.4f}, test {figures['test_accuracy']:.4f}, {parameters} parameters")


if __name__ == "__main__":
    main()
