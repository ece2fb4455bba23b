"""The browser of the browser tests; what is tested has been built before."""

from tests.browser.conftest import browser, visit

__all__ = ["browser", "visit"]
