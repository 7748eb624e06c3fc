# pattern: 11
import torch
from torch import nn


class VGRNNTrainer:
    def __init__(self, clip=0.1):
        torch.manual_seed(0)
        self.model = nn.LSTM(3, 5)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2)
        self.clip = clip

    def train(self, steps):
        for k in range(steps):
            self.optimizer.zero_grad()
            out, _ = self.model(torch.randn(7, 2, 3))
            loss = (out - 0.5).pow(2).sum()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
            self.optimizer.step()
            print("epoch:", k, "loss =", loss.item())


VGRNNTrainer().train(6)
