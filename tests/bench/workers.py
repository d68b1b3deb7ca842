#!/usr/bin/python3
"""A peer of peers.py in a process of its own: workers.py torch|openblas|pillow

Prints {"version": …} once it is ready, and nothing when it is not installed. Then answers
each line {"net", "case", "batch", "runs"} with {"seconds": median of one item}, or null
for what it cannot do. Nets and cases are called as `taglight bench --json` calls them."""
import array
import ctypes
import io
import json
import os
import random
import re
import statistics
import sys
import time


def numbers(text):
    return [int(n) for n in re.findall(r'\d+', text)]


class Torch:
    def __init__(self):
        import torch
        import torch_models
        self.torch, self.models = torch, torch_models
        self.version = 'PyTorch ' + torch.__version__
        self.networks = {}
        torch.set_num_threads(int(os.environ['OMP_NUM_THREADS']))
        torch.manual_seed(0)

    def network(self, name, make):
        if name not in self.networks:
            self.networks[name] = make().eval()
        return self.networks[name]

    def prepare(self, net, case, batch):
        torch, n, models = self.torch, numbers(case), self.models
        if net in ('tresnet_m', 'tresnet_l'):
            width, blocks = {'tresnet_m': (64, (3, 4, 11, 3)),
                             'tresnet_l': (76, (4, 5, 18, 3))}[net]
            model = self.network(net, lambda: models.TResNet(width, blocks))
            image = torch.rand(batch, 3, n[0], n[1])
            return lambda: model(image)
        if net == 'clip_text':
            model = self.network(net, models.ClipText)
            ids = torch.randint(0, 49408, (batch, n[0]))
            return lambda: model(ids)
        if net == 'head':
            model = self.network(net, models.Head)
            tokens, labels = torch.rand(batch, n[1], 768), torch.rand(n[0], 512)
            return lambda: model(tokens, labels)
        if net == 'train':
            step = models.TrainStep()
            images, targets = torch.rand(n[0], 3, n[1], n[2]), torch.zeros(n[0], n[3])
            ids = torch.randint(0, 1000, (n[3], 10))

            def train():
                with torch.inference_mode(False), torch.enable_grad():
                    step(images, ids, targets)
            return train
        if net == 'gemm':
            x, weight = torch.rand(n[0], n[1]), torch.rand(n[2], n[1])
            return lambda: torch.nn.functional.linear(x, weight)
        if net == 'conv':
            kernel, _, inner, outer, side, _ = n
            x = torch.rand(batch, inner, side, side)
            weight = torch.rand(outer, inner, kernel, kernel)
            return lambda: torch.nn.functional.conv2d(x, weight, padding=kernel // 2)
        return None

    def run(self, function):
        with self.torch.inference_mode():
            function()


class OpenBlas:
    def __init__(self):
        folder = '/usr/lib/%s-linux-gnu/openblas-pthread/' % os.uname().machine
        self.library = ctypes.CDLL(folder + 'libopenblas.so.0')
        self.library.openblas_get_config.restype = ctypes.c_char_p
        self.library.cblas_sgemm.argtypes = (
            [ctypes.c_int] * 6 + [ctypes.c_float] + [ctypes.c_void_p, ctypes.c_int] * 2
            + [ctypes.c_float, ctypes.c_void_p, ctypes.c_int])
        self.version = self.library.openblas_get_config().decode().split(' NO_')[0]

    def prepare(self, net, case, batch):
        if net != 'gemm':
            return None
        rows, inner, outer = numbers(case)
        x, weight, y = (array.array('f', [random.random() for _ in range(n)])
                        for n in (rows * inner, outer * inner, rows * outer))
        row_major, plain, transposed = 101, 111, 112

        def product():
            self.library.cblas_sgemm(row_major, plain, transposed, rows, outer, inner, 1,
                                     x.buffer_info()[0], inner, weight.buffer_info()[0],
                                     inner, 0, y.buffer_info()[0], outer)
        return product

    def run(self, function):
        function()


class Pillow:
    """On a picture with slopes, edges and grain like that of `taglight bench`."""

    def __init__(self):
        import numpy
        import PIL
        from PIL import Image
        self.numpy, self.image = numpy, Image
        self.version = 'Pillow ' + PIL.__version__
        self.files = {}

    def jpeg(self, width, height):
        if (width, height) not in self.files:
            numpy = self.numpy
            y, x = numpy.mgrid[0:height, 0:width]
            edge = (x // 97 + y // 61) % 3 * 40
            noise = numpy.random.default_rng(0).integers(0, 16, (height, width))
            channels = (x * 120 // width + edge + noise, y * 120 // height + edge + noise,
                        (x + y) * 100 // (width + height) + noise)
            picture = self.image.fromarray(numpy.dstack(channels).astype(numpy.uint8))
            file = io.BytesIO()
            picture.save(file, 'JPEG', quality=90)
            self.files[width, height] = file.getvalue()
        return self.files[width, height]

    def prepare(self, net, case, batch):
        if net != 'decode':
            return None
        data = self.jpeg(*numbers(case)[:2])
        if case.startswith('JPEG'):
            return lambda: self.image.open(io.BytesIO(data)).load()
        picture = self.image.open(io.BytesIO(data)).convert('RGB')
        return lambda: picture.resize((224, 224), self.image.Resampling.BILINEAR)

    def run(self, function):
        function()


def median_seconds(peer, request):
    function = peer.prepare(request['net'], request['case'], request['batch'])
    if not function:
        return None
    peer.run(function)
    times = []
    for _ in range(request['runs']):
        begin = time.perf_counter()
        peer.run(function)
        times.append(time.perf_counter() - begin)
    items = (1 if request['net'] in ('gemm', 'decode')
             else numbers(request['case'])[0] if request['net'] == 'train'
             else request['batch'])
    return statistics.median(times) / items


def main():
    peers = {'torch': Torch, 'openblas': OpenBlas, 'pillow': Pillow}
    try:
        peer = peers[sys.argv[1]]()
    except (ImportError, OSError):
        return
    print(json.dumps({'version': peer.version}), flush=True)
    for line in sys.stdin:
        print(json.dumps({'seconds': median_seconds(peer, json.loads(line))}), flush=True)


main()
