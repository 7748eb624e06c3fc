"""Plain frozen data: what a trace says, with nothing of torch, IPython or HTML in it."""
