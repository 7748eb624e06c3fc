"""A small framework: hooks on_before_backward, on_step_end; the user writes training_step only."""
import torch


class Module(torch.nn.Module):
    def training_step(self, batch, batch_idx):
        raise NotImplementedError

    def configure_optimizers(self):
        raise NotImplementedError


class Fitter:
    def __init__(self, max_epochs, accumulate_grad_batches=1):
        self.max_epochs, self.accumulate = max_epochs, accumulate_grad_batches
        self.log = []

    def fit(self, module, loader):
        optimizer = module.configure_optimizers()
        for epoch in range(self.max_epochs):
            for idx, batch in enumerate(loader):
                loss = module.training_step(batch, idx) / self.accumulate
                loss.backward()
                if (idx + 1) % self.accumulate == 0 or idx + 1 == len(loader):
                    optimizer.step()
                    optimizer.zero_grad()
                self.log.append(loss.item())


class LitRegressor(Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return torch.nn.functional.l1_loss(self.layer(x), y)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=0.05)


torch.manual_seed(0)
loader = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(5)]
model = LitRegressor()
fitter = Fitter(3, accumulate_grad_batches=2)
fitter.fit(model, loader)
print(fitter.log)
