"""Sine prediction with LBFGS, closure defined anew in the loop."""
import torch
import torch.nn as nn

torch.manual_seed(0)
t = torch.linspace(0, 6, 40)
data = torch.sin(t).unsqueeze(1)
seq = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
criterion = nn.MSELoss()
optimizer = torch.optim.LBFGS(seq.parameters(), lr=0.8, max_iter=5, line_search_fn="strong_wolfe")
x = t.unsqueeze(1).double()
for step in range(3):
    print("STEP:", step)

    def closure():
        optimizer.zero_grad()
        out = seq(x)
        loss = criterion(out, data.double())
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        print("test loss:", criterion(seq(x), data.double()).item())
