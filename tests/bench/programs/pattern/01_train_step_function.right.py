# pattern: 1
import torch
import torch.nn.functional as F


def train_step(model, batch, optimizer):
    inputs, targets = batch
    optimizer.zero_grad(set_to_none=True)
    logits = model(inputs)
    loss = F.cross_entropy(logits, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    return {"loss": loss.item(), "acc": (logits.argmax(-1) == targets).float().mean().item()}


def main():
    torch.manual_seed(42)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.Linear(16, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    data = [(torch.randn(16, 8), torch.randint(0, 3, (16,))) for _ in range(5)]
    for epoch in range(2):
        for batch in data:
            metrics = train_step(model, batch, optimizer)
        print(epoch, metrics)


main()
