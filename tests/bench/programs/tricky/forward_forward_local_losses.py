"""Hinton's forward-forward: every layer has a loss and an optimizer, nothing flows between."""

import torch
from torch import nn


class Layer(nn.Linear):
    def __init__(self, a, b):
        super().__init__(a, b)
        self.opt = torch.optim.Adam(self.parameters(), lr=0.03)

    def forward(self, x):
        return torch.relu(super().forward(x / (x.norm(2, 1, keepdim=True) + 1e-4)))

    def train_layer(self, pos, neg):
        for _ in range(3):
            g_pos, g_neg = self(pos).pow(2).mean(1), self(neg).pow(2).mean(1)
            loss = torch.log(1 + torch.exp(torch.cat([2 - g_pos, g_neg - 2]))).mean()
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
        print(loss.item())
        return self(pos).detach(), self(neg).detach()


torch.manual_seed(0)
layers = [Layer(6, 8), Layer(8, 8)]
for epoch in range(3):
    pos, neg = torch.rand(10, 6) + 1, torch.rand(10, 6)
    for layer in layers:
        pos, neg = layer.train_layer(pos, neg)
