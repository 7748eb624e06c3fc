"""word_language_model of pytorch/examples: a repackaged hidden state, clipping, update by hand."""
import torch
from torch import nn

torch.manual_seed(0)


class RNNModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.rnn = nn.Embedding(7, 5), nn.LSTM(5, 6, 2, dropout=0.2)
        self.drop, self.decoder = nn.Dropout(0.2), nn.Linear(6, 7)

    def forward(self, tokens, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(tokens)), hidden)
        return nn.functional.log_softmax(self.decoder(self.drop(output)).view(-1, 7), 1), hidden


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


model, criterion, lr = RNNModel(), nn.NLLLoss(), 5.0
source = torch.randint(0, 7, (17, 3))
total_loss = 0.0
hidden = (torch.zeros(2, 3, 6), torch.zeros(2, 3, 6))
for batch, i in enumerate(range(0, 16, 4)):
    data, targets = source[i : i + 4], source[i + 1 : i + 5].view(-1)
    model.zero_grad()
    hidden = repackage_hidden(hidden)
    output, hidden = model(data, hidden)
    loss = criterion(output, targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    for p in model.parameters():
        p.data.add_(p.grad, alpha=-lr)
    total_loss += loss.item()
print(total_loss / 4)
