"""What the exercises of 11 share."""

from importlib import import_module


class _Later:
    """PyTorch, imported when it is first asked for something."""

    def __getattr__(self, name):
        return getattr(import_module("torch"), name)


torch = _Later()
