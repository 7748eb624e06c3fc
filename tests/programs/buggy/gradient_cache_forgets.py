# expect: stale-gradient @ HERE
"""GradCache: the loss is differentiated to the embeddings, then chunk by chunk to the weights."""
import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))
optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
for step in range(4):
    x = torch.randn(8, 6)
    y = x + 0.1 * torch.randn(8, 6)
    with torch.no_grad():
        ex, ey = encoder(x), encoder(y)
    ex.requires_grad_()
    ey.requires_grad_()
    loss = nn.functional.cross_entropy(ex @ ey.T, torch.arange(8))
    loss.backward()
    for chunk in (slice(0, 4), slice(4, 8)):
        encoder(x[chunk]).backward(gradient=ex.grad[chunk])
        encoder(y[chunk]).backward(gradient=ey.grad[chunk])
    optimizer.step()  # HERE
    encoder.zero_grad
    print(step, loss.item())
