"""``--what-if``: the cell run again as written and as patched, each in a process of its own.

The kernel is never forked: a backward hangs in a forked child that has used threads, and CUDA cannot
be forked. So the objects of the session are not there in the new process; the cells of the session
that made them are run again.
"""
