"""Softmax regression from scratch; updater is a closure or an optimizer."""
import torch

torch.manual_seed(0)
num_inputs, num_outputs = 9, 3
W = torch.normal(0, 0.01, size=(num_inputs, num_outputs), requires_grad=True)
b = torch.zeros(num_outputs, requires_grad=True)


def softmax(X):
    X_exp = torch.exp(X)
    return X_exp / X_exp.sum(1, keepdim=True)


def net(X):
    return softmax(torch.matmul(X.reshape((-1, W.shape[0])), W) + b)


def cross_entropy(y_hat, y):
    return -torch.log(y_hat[range(len(y_hat)), y])


def sgd(params, lr, batch_size):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad / batch_size
            p.grad.zero_()


def updater(batch_size):
    return sgd([W, b], 0.1, batch_size)


def train_epoch(net, train_iter, loss, updater):
    total = 0.0
    for X, y in train_iter:
        y_hat = net(X)
        l = loss(y_hat, y)
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            l.mean().backward()
            updater.step()
        else:
            l.sum().backward()
            updater(X.shape[0])
        total += float(l.sum())
    return total


X = torch.randn(36, 3, 3)
y = X.flatten(1)[:, :3].argmax(1)
train_iter = [(X[i : i + 12], y[i : i + 12]) for i in range(0, 36, 12)]
for epoch in range(3):
    print(train_epoch(net, train_iter, cross_entropy, updater))
print(train_epoch(net, train_iter, cross_entropy, torch.optim.SGD([W, b], lr=0.1)))
