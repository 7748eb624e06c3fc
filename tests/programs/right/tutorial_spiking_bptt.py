"""A spiking neuron with surrogate gradient; its state starts anew for each sample."""
import torch
from torch import nn


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mem):
        ctx.save_for_backward(mem)
        return (mem > 0).float()

    @staticmethod
    def backward(ctx, grad):
        (mem,) = ctx.saved_tensors
        return grad / (1 + 10 * mem.abs()) ** 2


torch.manual_seed(0)
fc1, fc2 = nn.Linear(4, 6), nn.Linear(6, 2)
optimizer = torch.optim.Adam([*fc1.parameters(), *fc2.parameters()], lr=1e-2, betas=(0.9, 0.999))
loss_hist = []
for epoch in range(4):
    mem1, mem2, loss_val = torch.zeros(5, 6), torch.zeros(5, 2), torch.zeros(1)
    targets = torch.randint(0, 2, (5,))
    for step in range(6):
        mem1 = 0.9 * mem1 + fc1(torch.rand(5, 4))
        spikes = Spike.apply(mem1 - 0.5)
        mem1 = mem1 - spikes.detach() * 0.5
        mem2 = 0.9 * mem2 + fc2(spikes)
        loss_val += nn.functional.cross_entropy(mem2, targets)
    optimizer.zero_grad()
    loss_val.backward()
    optimizer.step()
    loss_hist.append(loss_val.item())
print(loss_hist)
