# expect: freed-graph @ HERE
# raises: RuntimeError
import torch
from torch import nn

torch.manual_seed(0)
rnn = nn.RNN(1, 4, batch_first=True)
optimizer = torch.optim.Adam(rnn.parameters(), lr=0.02)
h_state = None
for step in range(3):
    x = torch.randn(1, 5, 1)
    prediction, h_state = rnn(x, h_state)
    loss = prediction.pow(2).mean()
    optimizer.zero_grad()
    loss.backward()  # HERE
    optimizer.step()
    print(step)
