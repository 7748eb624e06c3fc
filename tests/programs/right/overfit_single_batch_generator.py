"""A generator-driven loop: the update happens inside a generator function."""
import torch


def training(model, lr, batches):
    opt = torch.optim.SGD(model.parameters(), lr=lr)
    for x, y in batches:
        opt.zero_grad(set_to_none=True)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        opt.step()
        yield loss.item()


torch.manual_seed(0)
model = torch.nn.Linear(5, 1)
batches = [(torch.randn(4, 5), torch.randint(0, 2, (4, 1)).float()) for _ in range(6)]
for n, value in enumerate(training(model, 0.5, batches)):
    print(n, value)
