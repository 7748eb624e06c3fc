"""The only room that knows IPython: the extension and its magics."""
