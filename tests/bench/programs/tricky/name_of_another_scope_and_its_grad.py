"""``o.grad`` is read of a closure's own ``o``, an object; the module's ``o`` is a tensor."""

import torch


class Value:
    def __init__(self, data):
        self.data, self.grad = data, 0.0


def mul(a, o):
    def _backward():
        o.grad += a.data

    return _backward


mul(Value(2.0), Value(3.0))()
x = torch.ones(1, requires_grad=True)
o = torch.tanh(x)
o.backward()
