"""A book's chapter: the gradient is looked at twice, cleared by hand, then an epoch function trains."""

# %%
import torch

torch.manual_seed(0)
train_x = torch.rand(60, 9)
train_y = (train_x[:, 0] > train_x[:, 1]).float().unsqueeze(1)
batches = [(train_x[i : i + 10], train_y[i : i + 10]) for i in range(0, 60, 10)]


def init_params(size, std=1.0):
    return (torch.randn(size) * std).requires_grad_()


def linear1(xb):
    return xb @ weights + bias


def mnist_loss(predictions, targets):
    predictions = predictions.sigmoid()
    return torch.where(targets == 1, 1 - predictions, predictions).mean()


def calc_grad(xb, yb, model):
    mnist_loss(model(xb), yb).backward()


weights, bias = init_params((9, 1)), init_params(1)
# %%
calc_grad(train_x[:4], train_y[:4], linear1)
print(weights.grad.mean(), bias.grad)
# %%
calc_grad(train_x[:4], train_y[:4], linear1)
print(weights.grad.mean(), bias.grad)
weights.grad.zero_()
bias.grad.zero_()


# %%
def train_epoch(model, lr, params):
    for xb, yb in batches:
        calc_grad(xb, yb, model)
        for p in params:
            p.data -= p.grad * lr
            p.grad.zero_()


def accuracy(model):
    return ((model(train_x).sigmoid() > 0.5) == train_y).float().mean().item()


for i in range(4):
    train_epoch(linear1, 1.0, (weights, bias))
    print(accuracy(linear1))
