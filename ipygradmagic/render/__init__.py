"""Trace → neutral view → HTML, text and pictures."""
