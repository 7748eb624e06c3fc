"""Trace → findings: small functions, one list."""
