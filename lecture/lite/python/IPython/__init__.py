"""What the course needs of IPython, in a browser: a page to show things on."""

from __future__ import annotations

from IPython.display import display

__all__ = ["display", "get_ipython"]
version_info = (9, 0, 0)
__version__ = "9.0.0 (browser)"


class _Events:
    def register(self, _event: str, _function) -> None:
        """Do nothing: figures are shown when a cell ends in any case."""


class Shell:
    """Stands for the interactive shell. `ask_exit` is what `exit()` asks for."""

    events = _Events()

    def ask_exit(self) -> None:
        """Do nothing: a page is closed by its reader."""

    @property
    def user_ns(self) -> dict:
        """The names of the notebook."""
        import kernel

        return kernel.main.__dict__


_shell = Shell()


def get_ipython() -> Shell:
    """Give the shell: there is always one."""
    return _shell
