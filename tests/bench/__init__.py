"""A benchmark of gradient bugs: buggy programs, their corrected twins, and tricky right ones."""
