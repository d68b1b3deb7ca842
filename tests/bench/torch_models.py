"""The peers' side of the comparison: our networks in plain torch.nn, for their time only.

Sizes and order of operations are those of the published models; weights are random, in
the ranges that keep values near 1. Batch-norms are folded, as ours are, except in
training."""
import torch
from torch import nn
from torch.nn import functional


class ConvNorm(nn.Sequential):
    """A convolution, its folded batch-norm as a bias, and a leaky ReLU if any."""
    trains = False  # while it is True batch-norms are layers of their own

    def __init__(self, inner, outer, kernel, slope=None):
        layers = [nn.Conv2d(inner, outer, kernel, padding=kernel // 2, bias=not self.trains)]
        if self.trains:
            layers.append(nn.BatchNorm2d(outer))
        if slope is not None:
            layers.append(nn.LeakyReLU(slope, inplace=True))
        super().__init__(*layers)


class Blur(nn.Module):
    def __init__(self, channels):
        super().__init__()
        line = torch.tensor([1., 2., 1.]) / 4
        kernel = (line[:, None] * line[None, :]).expand(channels, 1, 3, 3)
        self.register_buffer('kernel', kernel.contiguous())

    def forward(self, x):
        x = functional.pad(x, (1, 1, 1, 1), mode='reflect')
        return functional.conv2d(x, self.kernel, stride=2, groups=x.shape[1])


class Excite(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.down = nn.Conv2d(channels, reduced, 1)
        self.up = nn.Conv2d(reduced, channels, 1)

    def forward(self, x):
        s = functional.relu(self.down(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.up(s))


class Block(nn.Module):
    def __init__(self, inner, planes, stride, bottleneck, excite):
        super().__init__()
        outer = 4 * planes if bottleneck else planes
        blur = [Blur(planes)] if stride == 2 else []
        if bottleneck:
            body = [ConvNorm(inner, planes, 1, 1e-3), ConvNorm(planes, planes, 3, 1e-3)]
            body += blur
            body += [Excite(planes, max(planes // 2, 64))] if excite else []
            body += [ConvNorm(planes, outer, 1)]
        else:
            body = [ConvNorm(inner, planes, 3, 1e-3)] + blur
            body += [ConvNorm(planes, planes, 3), Excite(planes, max(planes // 4, 64))]
        self.body = nn.Sequential(*body)
        shortcut = []
        if stride == 2:
            shortcut.append(nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False))
        if stride == 2 or inner != outer:
            shortcut.append(ConvNorm(inner, outer, 1))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x):
        return functional.relu(self.body(x) + self.shortcut(x), inplace=True)


class TResNet(nn.Module):
    """image [B,3,H,W] -> tokens [B,H/32*W/32,D], as a session encodes an image."""

    def __init__(self, width, blocks, tokens=768):
        super().__init__()
        layers, inner = [ConvNorm(48, width, 3, 1e-2)], width
        for stage, count in enumerate(blocks):
            planes, bottleneck = width << stage, stage >= 2
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                layers.append(Block(inner, planes, stride, bottleneck, stage < 3))
                inner = 4 * planes if bottleneck else planes
        self.layers = nn.Sequential(*layers)
        self.embed = nn.Linear(inner, tokens)

    def forward(self, image):
        b, c, h, w = image.shape
        x = image.view(b, c, h // 4, 4, w // 4, 4).permute(0, 3, 5, 1, 2, 4)
        x = self.layers(x.reshape(b, 16 * c, h // 4, w // 4))
        return functional.relu(self.embed(x.flatten(2).transpose(1, 2)))


class TextBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False, attn_mask=mask)[0]
        y = self.up(self.norm2(x))
        return x + self.down(y * torch.sigmoid(1.702 * y))


class ClipText(nn.Module):
    """ids [B,T] -> features [B,512], of the last token."""

    def __init__(self, width=512, heads=8, layers=12, vocabulary=49408, context=77):
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(context, width))
        self.blocks = nn.ModuleList(TextBlock(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, width, bias=False)

    def forward(self, ids):
        length = ids.shape[1]
        mask = torch.full((length, length), float('-inf')).triu(1)
        x = self.table(ids) + self.positions[:length]
        for block in self.blocks:
            x = block(x, mask)
        return self.project(self.norm(x)[:, -1])


class Head(nn.Module):
    """tokens [B,T,768], label embeddings [N,512] -> logits [B,N]."""

    def __init__(self, width=768, hidden=2048, embedding=512):
        super().__init__()
        self.words = nn.Linear(embedding, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attention = nn.MultiheadAttention(width, 8, batch_first=True)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.pooling = nn.Linear(width, 1)

    def forward(self, tokens, labels):
        x = self.norms[0](2 * functional.relu(self.words(labels)))
        x = x.expand(tokens.shape[0], -1, -1)
        x = self.norms[1](x + self.attention(x, tokens, tokens, need_weights=False)[0])
        x = self.norms[2](x + self.down(functional.relu(self.up(x))))
        return self.pooling(x).squeeze(2)


class TrainStep:
    """One step of the small CLIP-Decoder of `taglight bench --net train`."""

    def __init__(self):
        ConvNorm.trains = True
        self.image = TResNet(16, (1, 1, 1, 1), 128)
        ConvNorm.trains = False
        self.text, self.head = ClipText(128, 4, 2, 1000, 16), Head(128, 2048, 128)
        parts = (self.image, self.text, self.head)
        self.parameters = [p for part in parts for p in part.parameters()]
        self.averages = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-3)

    def __call__(self, images, ids, targets):
        self.optimizer.zero_grad()
        p = torch.sigmoid(self.head(self.image(images), self.text(ids)))
        q = (1.05 - p).clamp(max=1)
        loss = targets * torch.log(p.clamp(min=1e-8)) + (1 - targets) * torch.log(q)
        with torch.no_grad():
            weight = (1 - p * targets - q * (1 - targets)) ** (4 * (1 - targets))
        (-weight * loss).sum().backward()
        nn.utils.clip_grad_norm_(self.parameters, 1)
        self.optimizer.step()
        with torch.no_grad():
            for average, p in zip(self.averages, self.parameters):
                average.lerp_(p, 0.001)
