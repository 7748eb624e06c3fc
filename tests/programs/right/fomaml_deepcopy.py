"""First-order MAML: a deep copy learns, its gradients are added to the original's."""
import copy

import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
meta_optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for it in range(3):
    meta_optimizer.zero_grad()
    for task in range(3):
        learner = copy.deepcopy(model)
        inner_opt = torch.optim.SGD(learner.parameters(), lr=0.1)
        x = torch.randn(8, 2)
        y = x @ torch.tensor([[1.0], [float(task)]])
        for _ in range(2):
            inner_opt.zero_grad()
            (learner(x) - y).pow(2).mean().backward()
            inner_opt.step()
        inner_opt.zero_grad()
        query = (learner(x) - y).pow(2).mean()
        query.backward()
        for p, q in zip(model.parameters(), learner.parameters()):
            p.grad = q.grad.clone() if p.grad is None else p.grad + q.grad
    meta_optimizer.step()
    print(it, query.item())
