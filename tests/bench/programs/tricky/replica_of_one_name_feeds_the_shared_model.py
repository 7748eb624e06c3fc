"""A3C: a worker's ``model`` computes the gradients that the shared ``model`` is stepped with."""

import torch


def worker(shared, optimizer):
    model = torch.nn.Linear(2, 1).to("cpu")
    for _ in range(3):
        model.load_state_dict(shared.state_dict())
        model.zero_grad()
        model(torch.ones(1, 2)).sum().backward()
        for p, sp in zip(model.parameters(), shared.parameters()):
            sp._grad = p.grad
        optimizer.step()


def main():
    model = torch.nn.Linear(2, 1)
    worker(model, torch.optim.Adam(model.parameters(), lr=1e-2))


main()
