import torch
from torch import nn
from torch.autograd import Function


class ReverseLayerF(Function):
    @staticmethod
    def forward(ctx, x, alpha):
        ctx.alpha = alpha
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output.neg() * ctx.alpha, None


torch.manual_seed(0)
feature, class_clf, domain_clf = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 2)
net = nn.ModuleList([feature, class_clf, domain_clf])
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
loss_class, loss_domain = nn.CrossEntropyLoss(), nn.CrossEntropyLoss()
for i in range(6):
    alpha = 2.0 / (1.0 + 2.718 ** (-i)) - 1
    s, t = torch.randn(8, 4), torch.randn(8, 4) + 1
    net.zero_grad()
    fs, ft = torch.relu(feature(s)), torch.relu(feature(t))
    err_s_label = loss_class(class_clf(fs), (s[:, 0] > 0).long())
    err_s = loss_domain(domain_clf(ReverseLayerF.apply(fs, alpha)), torch.zeros(8).long())
    err_t = loss_domain(domain_clf(ReverseLayerF.apply(ft, alpha)), torch.ones(8).long())
    err = err_s_label + err_s + err_t
    err.backward()
    optimizer.step()
    print(i, err.item())
