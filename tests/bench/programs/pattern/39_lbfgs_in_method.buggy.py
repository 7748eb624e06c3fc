# pattern: 39
# expect: stale-gradient
import torch
from torch import nn


class PINN:
    def __init__(self):
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
        self.x = torch.linspace(0, 1, 12).unsqueeze(1).requires_grad_()
        self.optimizer = torch.optim.LBFGS(self.net.parameters(), max_iter=4, line_search_fn="strong_wolfe")

    def loss_func(self):
        u = self.net(self.x)  # BUG
        du = torch.autograd.grad(u.sum(), self.x, create_graph=True)[0]
        loss = (du + u).pow(2).mean() + (u[0] - 1).pow(2).sum()
        loss.backward()
        return loss

    def train(self):
        for epoch in range(3):
            loss = self.optimizer.step(self.loss_func)  # BUG
            print(epoch, loss.item())


PINN().train()
